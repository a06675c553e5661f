"""What is under way to a bucket: uploads in parts with their confirmed parts, so that they survive kill -9.

A part is written down after the store's confirmation, an upload before its first part. One process sends a file at a
time: it holds the upload's lease until it ends or dies.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from launchpad import state


@dataclass(frozen=True)
class Fingerprint:
    """What tells whether a file is still the same: size in bytes, modification time, inode and device."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """The fingerprint of a file as it is now. Raises OSError."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


@dataclass(frozen=True)
class Part:
    """A part that the store has: `number` from 1, `size` in bytes."""

    number: int
    size: int
    crc32c: str
    etag: str


@dataclass(frozen=True)
class Upload:
    """An upload that was begun: `id` is ours, `upload_id` the store's."""

    id: int
    path: Path
    fingerprint: Fingerprint
    endpoint: str
    bucket: str
    key: str
    upload_id: str
    part_size: int


class Journal(state.Shared):
    """The open uploads of this account. A context manager; thread-safe."""

    def find(self, endpoint: str, bucket: str, key: str) -> Upload | None:
        """The upload to this object, or None."""
        found = self._uploads("WHERE endpoint = ? AND bucket = ? AND key = ?", (endpoint, bucket, key))
        return found[0] if found else None

    def open_uploads(self) -> list[Upload]:
        """All that were begun and not ended, the oldest first."""
        return self._uploads("ORDER BY created", ())

    def begin(
        self, path: Path, fingerprint: Fingerprint, endpoint: str, bucket: str, key: str, upload_id: str, part_size: int
    ) -> Upload:
        """Write an upload down; one to the same object is forgotten."""
        with self.lock, self.database as database:
            database.execute(
                "DELETE FROM upload WHERE endpoint = ? AND bucket = ? AND key = ?", (endpoint, bucket, key)
            )
            cursor = database.execute(
                "INSERT INTO upload (path, size, mtime_ns, inode, device, endpoint, bucket, key, upload_id, part_size, "
                "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(path),
                    fingerprint.size,
                    fingerprint.mtime_ns,
                    str(fingerprint.inode),  # Windows' are wider than SQLite's integers
                    str(fingerprint.device),
                    endpoint,
                    bucket,
                    key,
                    upload_id,
                    part_size,
                    time.time(),
                ),
            )
            number = int(cursor.lastrowid or 0)
        return Upload(number, path, fingerprint, endpoint, bucket, key, upload_id, part_size)

    def add(self, upload: Upload, part: Part) -> None:
        """Write a confirmed part down."""
        with self.lock, self.database as database:
            database.execute(
                "INSERT OR REPLACE INTO upload_part VALUES (?, ?, ?, ?, ?)",
                (upload.id, part.number, part.size, part.crc32c, part.etag),
            )

    def parts(self, upload: Upload) -> dict[int, Part]:
        """Confirmed parts by number."""
        with self.lock:
            rows = self.database.execute(
                "SELECT number, size, crc32c, etag FROM upload_part WHERE upload = ?", (upload.id,)
            ).fetchall()
        return {row["number"]: Part(row["number"], row["size"], row["crc32c"], row["etag"]) for row in rows}

    def forget(self, upload: Upload) -> None:
        """The upload was completed or aborted."""
        with self.lock, self.database as database:
            database.execute("DELETE FROM upload WHERE id = ?", (upload.id,))

    def lease(self, name: str) -> bool:
        """Take a lease that no living process holds; whether it was taken. It ends with `release` or this process."""
        import psutil

        own = psutil.Process()
        with self.lock, self.database as database:
            database.execute("BEGIN IMMEDIATE")
            row = database.execute("SELECT pid, started FROM lease WHERE name = ?", (name,)).fetchone()
            if row is not None and state.lives(row["pid"], row["started"]):
                return False
            database.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", (name, os.getpid(), own.create_time()))
        return True

    def release(self, name: str) -> None:
        """Give a lease back."""
        with self.lock, self.database as database:
            database.execute("DELETE FROM lease WHERE name = ? AND pid = ?", (name, os.getpid()))

    def _uploads(self, condition: str, values: tuple[str, ...]) -> list[Upload]:
        with self.lock:
            rows = self.database.execute(f"SELECT * FROM upload {condition}", values).fetchall()  # noqa: S608 - ours
        return [
            Upload(
                row["id"],
                Path(row["path"]),
                Fingerprint(row["size"], row["mtime_ns"], int(row["inode"]), int(row["device"])),
                row["endpoint"],
                row["bucket"],
                row["key"],
                row["upload_id"],
                row["part_size"],
            )
            for row in rows
        ]
