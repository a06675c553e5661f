"""Progress and cancellation of long work, without Qt and without locks.

The worker stores one tuple for each chunk; whoever shows it polls `latest`. So a worker can never flood an
interface, and the same work serves the command line, the desktop and the library.
"""

from __future__ import annotations

import threading
import time
from collections import deque


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


class Pace:
    """Units a second over the last few seconds, and how long the rest takes at that rate."""

    def __init__(self, window: float = 5.0) -> None:
        self._window = window
        self._samples: deque[tuple[float, int]] = deque()
        self.rate = 0.0

    def add(self, done: int, now: float | None = None) -> float:
        """Note how far the work is; the rate. A count that goes back begins anew."""
        now = time.monotonic() if now is None else now
        if self._samples and done < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - self._window:
            self._samples.popleft()
        began, before = self._samples[0]
        self.rate = (done - before) / (now - began) if now > began else 0.0
        return self.rate

    def remaining(self, done: int, total: int) -> float | None:
        """Seconds that the rest takes; None while nothing moves or the total is unknown."""
        return (total - done) / self.rate if self.rate > 0 and total else None
