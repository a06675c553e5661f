"""How fast and by how many connections files are sent."""

from __future__ import annotations

import threading
import time

from launchpad.progress import Progress


class Bandwidth:
    """A limit in bytes a second for all threads together; None is no limit."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, size: int, progress: Progress) -> None:
        """Wait until this many bytes may be sent. Raises Cancelled."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + size / self._rate
        if start > now:
            progress.sleep(start - now)
