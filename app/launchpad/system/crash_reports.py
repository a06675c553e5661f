"""What is left of crashes (`launchpad/crashes.py` writes it) until its person has looked at it. Nothing is sent."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from launchpad import crashes, paths
from launchpad.errors import LaunchpadError, NotFound

_LONGEST = 200_000  # characters of a report


@dataclass(frozen=True)
class CrashReport:
    """A report: its id, when it was written (local time), and where it lies.

    Attributes:
        process: which process failed: desktop, command-line, platform, or the name of a worker such as slide-reader-0.
    """

    id: str
    when: datetime
    file: Path

    @property
    def process(self) -> str:
        """Which process failed; see above."""
        return self.id.partition("-")[2].rpartition("-")[0]

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


def waiting() -> list[CrashReport]:
    """The reports that nobody has put away, the newest first."""
    found = []
    for file in crashes.left():
        with contextlib.suppress(FileNotFoundError):  # put away by another window meanwhile
            when = datetime.fromtimestamp(file.stat().st_mtime, UTC).astimezone()
            found.append(CrashReport(file.stem, when, file))
    return found


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
