"""What preparation found out about a file, kept until the file changes: a large slide is hashed once."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from launchpad import __version__, state

_COMMIT_SECONDS = 1.0  # a commit for each slide would cost more than reading its header


@dataclass(frozen=True)
class Description:
    """What a slide's header says, and its checksum; units as in `Slide`.

    `identifying` and `notes` are words for a person; `stains` and `anatomy` are (code, meaning) of the specimen.
    """

    format: str
    width: int
    height: int
    mpp: float | None
    mpp_problem: str
    crc32c: str
    scanner: str
    notes: tuple[str, ...]
    identifying: tuple[str, ...]
    stains: tuple[tuple[str, str], ...]
    anatomy: tuple[tuple[str, str], ...]


class Memory(state.Shared):
    """Descriptions of files, in the state. A thread-safe context manager; `patterns` are those of identifying names."""

    def __init__(self, patterns: tuple[str, ...] = ()) -> None:
        """Open the state. Raises LaunchpadError when it cannot be read."""
        # Another version may read headers differently, other patterns find other names.
        self._made_by = [__version__, *patterns]
        super().__init__()
        self._committed = time.monotonic()

    def recall(self, path: Path, status: os.stat_result) -> Description | None:
        """What was kept of a file that is still as `status` says."""
        with self.lock:
            row = self.database.execute(
                "SELECT data FROM prepared WHERE path = ? AND size = ? AND mtime_ns = ?",
                (str(path), status.st_size, status.st_mtime_ns),
            ).fetchone()
        document: dict[str, Any] = json.loads(row["data"]) if row is not None else {}
        if document.pop("made_by", None) != self._made_by:
            return None
        for name in ("notes", "identifying"):
            document[name] = tuple(document[name])
        for name in ("stains", "anatomy"):
            document[name] = tuple((code, meaning) for code, meaning in document[name])
        return Description(**document)

    def keep(self, path: Path, status: os.stat_result, description: Description) -> None:
        """Keep what was found out of a file that was as `status` says; what was kept of it before is forgotten."""
        data = json.dumps({**asdict(description), "made_by": self._made_by})
        with self.lock:
            self.database.execute("DELETE FROM prepared WHERE path = ?", (str(path),))
            self.database.execute(
                "INSERT INTO prepared VALUES (?, ?, ?, ?)", (str(path), status.st_size, status.st_mtime_ns, data)
            )
            if time.monotonic() - self._committed > _COMMIT_SECONDS:
                self.database.commit()
                self._committed = time.monotonic()
