"""Opening the database: WAL, foreign keys, writers one after the other, schema brought up to date."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from launchpad.errors import LaunchpadError
from launchpad.localplatform.database import jsonpath

HEAD = "0006"  # the newest revision in migrations/versions (a test compares)


class Database:
    """Sessions on one SQLite file. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self.engine: Engine = create_engine(
            f"sqlite:///{file}",
            connect_args={"timeout": 10, "check_same_thread": False},
            pool_size=20,
            json_serializer=_json,
        )
        event.listen(self.engine, "connect", _on_connect)
        event.listen(self.engine, "begin", _on_begin)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        # Threads of ours wait here in turn; SQLite's own waiting sleeps, up to 100 ms at a time.
        self._turn = threading.RLock()
        try:
            self._upgrade()
        except BaseException:
            self.engine.dispose()
            raise

    def _upgrade(self) -> None:
        with self.engine.connect() as connection:
            known = connection.execute(text("SELECT name FROM sqlite_master WHERE name = 'alembic_version'")).first()
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
            if version == HEAD:
                return
            if version is not None and version > HEAD:
                raise LaunchpadError(
                    "The platform's data were written by a newer Launchpad",
                    detail=f"Their version is {version}; this Launchpad knows {HEAD}.",
                    advice="Update Launchpad, or restore a backup that this version made.",
                    subject=str(self.engine.url.database),
                )
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        with self.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with self._sessions() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock from its start and commits at its end."""
        with self._turn, self._sessions() as session:
            session.connection(execution_options={"launchpad_write": True})
            yield session
            session.commit()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


_MAPPED = f"mmap_size = {256 << 20}"  # pages are read where the system keeps them, without copies of our own


def _on_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we begin ourselves, below
    for name, function in zip(jsonpath.FUNCTIONS, (jsonpath.matches, jsonpath.text_matches), strict=True):
        connection.create_function(name, 2, function, deterministic=True)
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 10000", _MAPPED):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Any) -> None:
    write = connection.get_execution_options().get("launchpad_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def now() -> str:
    """The time as the tables keep it."""
    return stamp(datetime.now(UTC))


def stamp(value: datetime) -> str:
    """A time as the tables keep it; raises ValueError for one without a zone."""
    if value.tzinfo is None:
        raise ValueError("a time needs a zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds")
