"""How far each file of a transfer is, for whoever shows it: workers write, a watcher looks now and then."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Literal

from launchpad.errors import LaunchpadError


@dataclass(frozen=True)
class FileState:
    """One file: `size` and `done` in bytes (`size` 0 while it is not known), `attempts` counts its requests."""

    key: str
    name: str
    size: int = 0
    done: int = 0
    state: Literal["waiting", "moving", "done", "failed"] = "waiting"
    error: str = ""
    advice: str = ""
    attempts: int = 0


class FileBoard:
    """The files of one transfer, in the order in which they were named. Thread-safe."""

    def __init__(self) -> None:
        self._files: dict[str, FileState] = {}
        self._lock = threading.Lock()
        self.changes = 0
        """Grows with each change: who has seen this number need not look again."""

    def expect(self, key: str, name: str, size: int = 0) -> None:
        """A file that will be moved; what was known of it is forgotten."""
        self._set(FileState(key, name, size))

    def moved(self, key: str, done: int, size: int | None = None) -> None:
        """So many bytes are through."""
        with self._lock:
            file = self._files[key]
            self._files[key] = replace(file, state="moving", done=done, size=file.size if size is None else size)
            self.changes += 1

    def done(self, key: str, size: int, attempts: int = 0) -> None:
        """The file is whole at its other end."""
        with self._lock:
            file = self._files[key]
            self._files[key] = replace(
                file, state="done", done=size, size=size, error="", advice="", attempts=attempts or file.attempts
            )
            self.changes += 1

    def failed(self, key: str, error: LaunchpadError) -> None:
        """The file did not get through."""
        words = " ".join(part for part in (f"{error.title}.", error.detail) if part)
        with self._lock:
            self._files[key] = replace(self._files[key], state="failed", error=words, advice=error.advice)
            self.changes += 1

    def stopped(self) -> None:
        """Nothing moves any more: what was under way waits; how far it came is kept."""
        with self._lock:
            for key, file in self._files.items():
                if file.state == "moving":
                    self._files[key] = replace(file, state="waiting")
            self.changes += 1

    def files(self) -> list[FileState]:
        """All files as they are now."""
        with self._lock:
            return list(self._files.values())

    def _set(self, file: FileState) -> None:
        with self._lock:
            self._files[file.key] = file
            self.changes += 1
