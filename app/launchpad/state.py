"""The database of what must survive a restart: drafts, preparation cache, uploads done, recent things.

The only module that opens it. SQLite in WAL mode: a commit survives kill -9.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from launchpad import paths
from launchpad.errors import LaunchpadError

_WAIT = 10.0  # seconds for another process

# One entry a version of the schema; never change an old one.
_MIGRATIONS = (
    """
    CREATE TABLE draft (id TEXT PRIMARY KEY, data TEXT NOT NULL, updated REAL NOT NULL);
    CREATE TABLE prepared (path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, data TEXT NOT NULL,
        PRIMARY KEY (path, size, mtime_ns));
    CREATE TABLE recent (kind TEXT NOT NULL, value TEXT NOT NULL, used REAL NOT NULL, PRIMARY KEY (kind, value));
    CREATE TABLE uploaded (profile TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL, crc32c TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL,
        uploaded_at REAL NOT NULL, PRIMARY KEY (profile, path));
    """,
    """
    CREATE TABLE upload (id INTEGER PRIMARY KEY, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        inode TEXT NOT NULL, device TEXT NOT NULL, endpoint TEXT NOT NULL, bucket TEXT NOT NULL, key TEXT NOT NULL,
        upload_id TEXT NOT NULL, part_size INTEGER NOT NULL, created REAL NOT NULL, UNIQUE (endpoint, bucket, key));
    CREATE TABLE upload_part (upload INTEGER NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL, etag TEXT NOT NULL,
        PRIMARY KEY (upload, number)) WITHOUT ROWID;
    CREATE TABLE download (destination TEXT PRIMARY KEY, size INTEGER NOT NULL, etag TEXT NOT NULL,
        range_size INTEGER NOT NULL, crc32c TEXT, created REAL NOT NULL);
    CREATE TABLE download_range (destination TEXT NOT NULL REFERENCES download (destination) ON DELETE CASCADE,
        number INTEGER NOT NULL, crc32c TEXT NOT NULL, PRIMARY KEY (destination, number)) WITHOUT ROWID;
    CREATE TABLE lease (name TEXT PRIMARY KEY, pid INTEGER NOT NULL, started REAL NOT NULL);
    """,
    """
    CREATE TABLE transfer (id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, profile TEXT NOT NULL,
        title TEXT NOT NULL, state TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, error TEXT NOT NULL,
        pid INTEGER NOT NULL, started REAL NOT NULL, updated REAL NOT NULL, UNIQUE (kind, subject));
    """,
    """
    CREATE TABLE execution (profile TEXT NOT NULL, manifest TEXT NOT NULL, mark TEXT NOT NULL,
        submission_id TEXT NOT NULL, began REAL NOT NULL, PRIMARY KEY (profile, manifest));
    """,
)


def connect(path: Path | None = None, *, shared: bool = False) -> sqlite3.Connection:
    """Open the state, making or upgrading it; the caller closes it.

    One connection per thread; a `shared` one may be used by several threads whose caller keeps them apart by a lock.

    Raises:
        LaunchpadError: the file is damaged, not writable, or from a newer Launchpad.
    """
    file = path or paths.state_file()
    try:
        paths.ensure_private(file.parent)
        database = sqlite3.connect(file, timeout=_WAIT, check_same_thread=not shared)
        try:
            database.row_factory = sqlite3.Row
            _use_wal(database)
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA foreign_keys = ON")
            _migrate(database, file)
        except BaseException:
            database.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise LaunchpadError(
            "Launchpad's own database cannot be opened",
            detail=f"{error}.",
            advice="Check that the disk is not full and that the file is yours; when it is damaged, move it away "
            "and start Launchpad again: drafts are lost, runs and results are not.",
            subject=str(file),
        ) from error
    return database


class Shared:
    """One connection for several threads, which take turns by `lock`. A context manager; commits at its end."""

    def __init__(self) -> None:
        """Open the state. Raises as `connect`."""
        self.database = connect(shared=True)
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.lock, closing(self.database) as database:
            database.commit()


def _use_wal(database: sqlite3.Connection) -> None:
    """SQLite does not wait by itself when two processes change a new file's journal at once."""
    end = time.monotonic() + _WAIT
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _migrate(database: sqlite3.Connection, file: Path) -> None:
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise LaunchpadError(
            "Launchpad's own database is from a newer version",
            advice="Install that version again, or move the file away.",
            subject=str(file),
        )
    if version == len(_MIGRATIONS):
        return
    database.execute("BEGIN IMMEDIATE")  # two processes that start at once upgrade one after the other
    try:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        for statement in "".join(_MIGRATIONS[version:]).split(";"):
            if statement.strip():
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def lives(pid: int, started: float) -> bool:
    """Whether the process is still that one: of this id, and started (seconds of the epoch) at that time."""
    import psutil

    try:
        return abs(psutil.Process(pid).create_time() - started) < 1.0
    except psutil.Error:
        return False
