"""Errors that a person can meet: what happened, to which file or slide, and what to do next.

Libraries' own exceptions (OSError, httpx, OpenSlide, pydicom, sqlite) are translated into these where they are
first seen. The command line and the desktop show them by one function each.
"""

from __future__ import annotations

from typing import ClassVar


class LaunchpadError(RuntimeError):
    """Base of every error that is shown to a person; a RuntimeError, as code that was written for the old SDK expects.

    Attributes:
        title: what happened, a short sentence without a full stop.
        detail: the circumstances, full sentences.
        advice: what to do next, full sentences.
        subject: the file, slide or address that it happened to.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, title: str, detail: str = "", advice: str = "", subject: str = "") -> None:
        super().__init__(title, detail, advice, subject)
        self.title = title
        self.detail = detail
        self.advice = advice
        self.subject = subject

    def __str__(self) -> str:
        head = f"{self.title}: {self.subject}" if self.subject else self.title
        return " ".join(part for part in (f"{head.rstrip('.')}.", self.detail, self.advice) if part)


class BadInput(LaunchpadError, ValueError):
    """What a person gave cannot be used as it is."""

    exit_code = 2


class NotFound(LaunchpadError):
    """Something on this computer that was named does not exist."""

    exit_code = 2


class Changed(LaunchpadError):
    """Somebody else changed it meanwhile."""

    exit_code = 3


class SettingsError(LaunchpadError):
    """The settings do not validate."""

    exit_code = 78


class SlideError(BadInput):
    """A whole slide image that cannot be used; `subject` names the file."""


class Unreachable(LaunchpadError):
    """A network address does not answer; `subject` is the address."""


class TransferError(LaunchpadError):
    """Bytes did not arrive as they were sent."""


class ChecksumError(TransferError):
    """Other bytes arrived than were promised."""


class TooLarge(TransferError):
    """There are more bytes than are allowed."""


class DiskFull(LaunchpadError):
    """A disk has no room for what shall be written."""


class WorkerDied(LaunchpadError):
    """A supervised process died, took too long or needed too much memory."""
