"""Progress and cancellation of long work, without Qt and without locks.

The worker stores one tuple for each chunk; whoever shows it polls `latest`. So a worker can never flood an
interface, and the same work serves the command line, the desktop and the library.
"""

from __future__ import annotations

import threading


class Cancelled(Exception):
    """Raised in the worker at its next report after somebody asked it to stop."""


class Progress:
    """The handle between long work and whoever watches it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self.latest: tuple[int, int, str] | None = None

    def report(self, done: int, total: int, what: str = "") -> None:
        """Store how far the work is; `total` 0 means unknown. Raises Cancelled when asked to stop."""
        self.latest = (done, total, what)
        self.check()

    def check(self) -> None:
        """Raise Cancelled when asked to stop."""
        if self._stop.is_set():
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until somebody asks to stop (then raises Cancelled)."""
        if self._stop.wait(seconds):
            raise Cancelled

    def cancel(self) -> None:
        """Ask the work to stop; returns at once."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the work to stop."""
        return self._stop.is_set()
