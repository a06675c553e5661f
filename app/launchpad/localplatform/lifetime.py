"""When a platform that Launchpad started itself ends: a minute after its last use, or at an upgrade."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import portalocker

from launchpad.own_program import OwnProgram

_LOOK = 0.5  # seconds


def idle_seconds() -> float:
    """How long it stays without anybody; LAUNCHPAD_IDLE_SECONDS, 60 by default."""
    return float(os.environ.get("LAUNCHPAD_IDLE_SECONDS", "60"))


class Lifetime:
    """Watches the clients' lock and the runs, and calls `end` when both have been idle long enough.

    When it decides to end it keeps the lock, so that a client that comes now waits until the process is gone and then
    starts a new one. A program that was replaced ends at once: its runs go on in the new one, and would fail here.
    """

    def __init__(
        self,
        clients_lock: Path,
        is_idle: Callable[[], bool],
        end: Callable[[], None],
        program: OwnProgram | None = None,
    ) -> None:
        self._path = clients_lock
        self._program = program or OwnProgram()
        self._is_idle = is_idle
        self._end = end
        self._stop = threading.Event()
        self._file: IO[str] | None = None
        self._thread = threading.Thread(target=self._watch, name="lifetime", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; the lock, where it is held, is freed by the end of the process."""
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        since = time.monotonic()
        while not self._stop.wait(_LOOK):
            if self._program.is_replaced():
                self._end()
                return
            file = self._alone()
            if file is None or not self._is_idle():
                since = time.monotonic()
            elif time.monotonic() - since >= idle_seconds():
                self._file = file
                self._end()
                return
            if file is not None:
                file.close()

    def _alone(self) -> IO[str] | None:
        """The lock, when no client holds it."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.LockException:
            file.close()
            return None
        return file
