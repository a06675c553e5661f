"""Which ranges of a download are on disk already, so that it goes on after a crash."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from launchpad import state

_KEPT = 30 * 24 * 3600.0  # seconds


@dataclass(frozen=True)
class Target:
    """A download under way: `size` and `range_size` in bytes, `etag` and `crc32c` as the store named them."""

    destination: Path
    size: int
    etag: str
    range_size: int
    crc32c: str | None


class RangeJournal(state.Shared):
    """The downloads of this account that are under way. A context manager; thread-safe."""

    def find(self, destination: Path) -> Target | None:
        """The download to this file, or None."""
        with self.lock:
            row = self.database.execute(
                "SELECT size, etag, range_size, crc32c FROM download WHERE destination = ?", (_key(destination),)
            ).fetchone()
        if row is None:
            return None
        return Target(destination, row["size"], row["etag"], row["range_size"], row["crc32c"])

    def begin(self, target: Target) -> None:
        """Write a download down; an earlier one to the same file is forgotten."""
        with self.lock, self.database as database:
            database.execute(
                "DELETE FROM download WHERE destination = ? OR created < ?",
                (_key(target.destination), time.time() - _KEPT),
            )
            database.execute(
                "INSERT INTO download VALUES (?, ?, ?, ?, ?, ?)",
                (_key(target.destination), target.size, target.etag, target.range_size, target.crc32c, time.time()),
            )

    def add(self, destination: Path, number: int, crc32c: str) -> None:
        """Write a range down that is on disk."""
        with self.lock, self.database as database:
            database.execute(
                "INSERT OR REPLACE INTO download_range VALUES (?, ?, ?)", (_key(destination), number, crc32c)
            )

    def remove(self, destination: Path, number: int) -> None:
        """A range is not on disk after all."""
        with self.lock, self.database as database:
            database.execute(
                "DELETE FROM download_range WHERE destination = ? AND number = ?", (_key(destination), number)
            )

    def ranges(self, destination: Path) -> dict[int, str]:
        """Checksums of the ranges on disk by number."""
        with self.lock:
            rows = self.database.execute(
                "SELECT number, crc32c FROM download_range WHERE destination = ?", (_key(destination),)
            ).fetchall()
        return {row["number"]: row["crc32c"] for row in rows}

    def forget(self, destination: Path) -> None:
        """The download is whole, or of no use any more."""
        with self.lock, self.database as database:
            database.execute("DELETE FROM download WHERE destination = ?", (_key(destination),))


def _key(destination: Path) -> str:
    return str(destination.absolute())
