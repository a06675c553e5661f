"""What a failing process of ours leaves behind, in a file on this computer; `system/crash_reports.py` shows it.

A process that is armed holds a locked file into which Python's faulthandler writes when native code fails; whoever
looks later finds it without a lock. Unexpected errors of Python are written at once. Neither holds the error's text,
which may name a slide: versions, the kind of the error, and where in the code it was.
"""

from __future__ import annotations

import contextlib
import faulthandler
import platform
import secrets
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from launchpad import __version__, paths
from launchpad.errors import LaunchpadError

KEPT = 10  # reports; older ones go
_armed: dict[Path, tuple[IO[str], bool]] = {}


def folder() -> Path:
    """Where the reports lie."""
    return paths.log_dir() / "crashes"


def new_file(name: str) -> Path:
    """A file that `arm` may be given, of a process called `name`; it is not made.

    Raises:
        OSError: the folder cannot be made.
        SettingsError: no folder of this account is known.
    """
    return paths.ensure_private(folder()) / f"{_new_id(name)}.fault"


def arm(name: str, file: Path | None = None) -> Path:
    """Have the failures of native code in this process written down; `disarm` ends it.

    Raises:
        OSError: the file cannot be made.
        SettingsError: no folder of this account is known.
    """
    import portalocker

    file = file or new_file(name)
    opened = file.open("w", encoding="utf-8")
    try:
        portalocker.lock(opened, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        opened.write(_head(name, "native code failed"))
        opened.flush()
    except portalocker.LockException as error:
        opened.close()
        raise OSError(f"{file.name} cannot be locked") from error
    except OSError:
        opened.close()
        raise
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
        with contextlib.suppress(OSError):  # found and removed by somebody else
            file.unlink(missing_ok=True)


def disarm_all() -> None:
    """`disarm` for whatever is armed in this process."""
    for file in list(_armed):
        disarm(file)


@contextlib.contextmanager
def armed(name: str, file: Path | None = None) -> Iterator[None]:
    """Armed while the block runs. Where nothing can be written the block runs all the same."""
    made = None
    with contextlib.suppress(OSError, LaunchpadError):  # a full disk must not keep anybody from working
        made = arm(name, file)
    try:
        yield
    finally:
        if made is not None:
            disarm(made)


def settle(file: Path) -> bool:
    """Whether the process of an armed file is gone and has left something; if it left nothing the file goes."""
    import portalocker

    try:
        with file.open("r+", encoding="utf-8", errors="replace") as opened:
            portalocker.lock(opened, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
            _, _, rest = opened.read().partition("\n\n")
    except (portalocker.LockException, OSError):
        return False  # it still runs
    if not rest.strip():  # killed, or the power went: there is nothing to tell
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
        return False
    return True


def left() -> list[Path]:
    """What failures have left, the newest first. Older ones go, and what processes left that did not fail."""
    found: list[tuple[float, str, Path]] = []
    for file in folder().glob("*") if folder().is_dir() else ():
        if file.name.startswith(".") or file in _armed or file.suffix not in (".fault", ".txt"):
            continue
        if file.suffix == ".txt" or settle(file):
            with contextlib.suppress(FileNotFoundError):  # put away by another window meanwhile
                found.append((file.stat().st_mtime, file.name, file))
    found.sort(reverse=True)
    for _, _, old in found[KEPT:]:
        old.unlink(missing_ok=True)
    return [file for _, _, file in found[:KEPT]]


def where(error: BaseException | None) -> str:
    """The kind of an error and of what led to it, and where in the code they were; words only where they hold no value.

    Those are the titles of our own errors, the system's word for a code, and what sqlite says of tables and columns.
    """
    told: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        words = ""
        if isinstance(error, LaunchpadError):
            words = error.title
        elif isinstance(error, OSError):
            words = error.strerror or ""
        elif type(error).__module__ == "sqlite3":
            words = str(error)
        kind = type(error).__name__
        told.append(f"{kind}{words and ': '}{words}\n{''.join(traceback.format_tb(error.__traceback__))}")
        error = error.__cause__ or error.__context__
    return "because of ".join(told)


def record(error: BaseException, name: str) -> Path:
    """Write down where an unexpected error of Python came from; not its text. Returns the report's file.

    Raises:
        OSError: it cannot be written.
        SettingsError: no folder of this account is known.
    """
    file = new_file(name).with_suffix(".txt")
    paths.write_private(file, (_head(name, f"unexpected {type(error).__name__}") + where(error)).encode())
    return file


def _new_id(name: str) -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{name}-{secrets.token_hex(3)}"


def _head(name: str, what: str) -> str:
    system = f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"
    now = datetime.now(UTC)
    return f"Launchpad {__version__}, {name}: {what}\n{system}\n{now:%Y-%m-%d %H:%M:%S} UTC\n\n"
