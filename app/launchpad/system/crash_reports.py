"""What is left of a crash, kept on this computer until its person has looked at it. Nothing is sent.

A process that is armed holds a locked file into which Python's faulthandler writes when native code fails; the next
start finds it without a lock. Unexpected errors of Python are written at once. Neither holds the error's text, which
may name a slide: versions, the kind of the error, and where in the code it was.
"""

from __future__ import annotations

import contextlib
import faulthandler
import platform
import secrets
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from launchpad import __version__, paths
from launchpad.errors import LaunchpadError, NotFound

KEPT = 10  # reports; older ones go
_LONGEST = 200_000  # characters of a report
_armed: dict[Path, tuple[IO[str], bool]] = {}


@dataclass(frozen=True)
class CrashReport:
    """A report: its id, when it was written (local time), and where it lies."""

    id: str
    when: datetime
    file: Path

    def text(self) -> str:
        """What a person is shown, and may copy or save then.

        Raises:
            LaunchpadError: it cannot be read.
        """
        from launchpad.system.diagnostics import cleaned

        try:
            return cleaned(self.file.read_text(encoding="utf-8", errors="replace")[:_LONGEST])
        except OSError as error:
            raise LaunchpadError(
                "The crash report cannot be read", detail=f"{error.strerror or error}.", subject=str(self.file)
            ) from error


def folder() -> Path:
    """Where the reports lie."""
    return paths.log_dir() / "crashes"


def arm(name: str) -> Path:
    """Have the failures of native code in this process written down; `disarm` ends it.

    Raises:
        OSError: the file cannot be made.
    """
    import portalocker

    file = paths.ensure_private(folder()) / f"{_new_id(name)}.fault"
    opened = file.open("w", encoding="utf-8")
    portalocker.lock(opened, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
    opened.write(_head(name, "native code failed"))
    opened.flush()
    before = faulthandler.is_enabled()
    faulthandler.enable(file=opened, all_threads=True)
    _armed[file] = (opened, before)
    return file


def disarm(file: Path) -> None:
    """The process ends as it should: what `arm` made goes."""
    found = _armed.pop(file, None)
    if found is not None:
        opened, before = found
        faulthandler.disable()
        if before and sys.__stderr__ is not None:  # `python -X faulthandler` meant the terminal
            faulthandler.enable(file=sys.__stderr__)
        opened.close()
        with contextlib.suppress(OSError):  # found and removed by a later start
            file.unlink(missing_ok=True)


def record(error: BaseException, name: str) -> Path:
    """Write down where an unexpected error of Python came from; not its text. Returns the report's file.

    Raises:
        OSError: it cannot be written.
    """
    lines = [_head(name, f"unexpected {type(error).__name__}")]
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        lines.append(f"{type(cause).__name__}\n{''.join(traceback.format_tb(cause.__traceback__))}")
        cause = cause.__cause__ or cause.__context__
    file = paths.ensure_private(folder()) / f"{_new_id(name)}.txt"
    paths.write_private(file, "\n".join(lines).encode())
    return file


def waiting() -> list[CrashReport]:
    """The reports that nobody has put away, the newest first. Files of processes that ended without a crash go."""
    found = []
    for file in folder().glob("*") if folder().is_dir() else ():
        if file in _armed or (file.suffix == ".fault" and not _of_a_crash(file)):
            continue
        if file.suffix in (".fault", ".txt") and not file.name.startswith("."):
            with contextlib.suppress(FileNotFoundError):  # put away by another window meanwhile
                when = datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone()
                found.append(CrashReport(file.stem, when, file))
    found.sort(key=lambda report: (report.when, report.id), reverse=True)
    for old in found[KEPT:]:
        old.file.unlink(missing_ok=True)
    return found[:KEPT]


def find(report_id: str) -> CrashReport:
    """The report of this id.

    Raises:
        NotFound: there is none.
    """
    for report in waiting():
        if report.id == report_id:
            return report
    raise NotFound(
        "There is no such crash report", advice="`launchpad system crash-reports` lists them.", subject=report_id
    )


def save(text: str, file: Path) -> None:
    """Save a report that a person was shown.

    Raises:
        LaunchpadError: the file cannot be written.
    """
    try:
        paths.write_private(file, text.encode())
    except OSError as error:
        raise LaunchpadError(
            "The crash report cannot be saved",
            detail=f"{error.strerror or error}.",
            advice="Choose another place.",
            subject=str(file),
        ) from error


def put_away(report: CrashReport) -> None:
    """Delete a report.

    Raises:
        LaunchpadError: it cannot be deleted.
    """
    try:
        report.file.unlink(missing_ok=True)
    except OSError as error:
        raise LaunchpadError(
            "The crash report cannot be deleted", detail=f"{error.strerror or error}.", subject=str(report.file)
        ) from error


def _of_a_crash(file: Path) -> bool:
    """Whether the process of a locked file is gone and has left something; if it left nothing the file goes."""
    import portalocker

    try:
        with file.open("r+", encoding="utf-8", errors="replace") as opened:
            portalocker.lock(opened, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            _, _, rest = opened.read().partition("\n\n")
    except (portalocker.LockException, OSError):
        return False  # it still runs
    if not rest.strip():  # killed, or the power went: there is nothing to tell
        file.unlink(missing_ok=True)
        return False
    return True


def _new_id(name: str) -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}-{secrets.token_hex(3)}"


def _head(name: str, what: str) -> str:
    system = f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    now = datetime.now(UTC)
    return f"Launchpad {__version__}, {name}: {what}\n{system}\n{now:%Y-%m-%d %H:%M:%S} UTC\n\n"
