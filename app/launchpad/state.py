"""The database of what must survive a restart: drafts, preparation cache, uploads done, recent things.

The only module that opens it. SQLite in WAL mode: a commit survives kill -9.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from launchpad import paths
from launchpad.errors import LaunchpadError

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
        database = sqlite3.connect(file, timeout=10, check_same_thread=not shared)
        try:
            database.row_factory = sqlite3.Row
            database.execute("PRAGMA journal_mode = WAL")
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
