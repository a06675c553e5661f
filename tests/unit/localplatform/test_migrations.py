"""Migrations from every version on: a database of the first one, with rows, becomes what the models say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select

import launchpad.localplatform.database as package
import launchpad.localplatform.identity.tables  # noqa: F401 - its tables belong to the schema
from launchpad.errors import LaunchpadError
from launchpad.localplatform.database.engine import HEAD, Database
from launchpad.localplatform.database.tables import Base, ItemRow, ObjectRow, OutputRow, RunRow
from launchpad.localplatform.objectstore.storage import load_keys
from launchpad.localplatform.scheduling import queue

FIRST = Path(__file__).resolve().parents[2] / "data" / "database" / "version-0001.sql"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database of the first version."""
    file = tmp_path / "platform.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(FIRST.read_text(encoding="utf-8"))
    return file


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_the_newest_migration_is_the_one_that_the_platform_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(package.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_new_database_is_what_the_models_say(tmp_path: Path) -> None:
    database = Database(tmp_path / "platform.sqlite")
    assert differences(database) == []
    database.close()


def test_a_database_of_the_first_version_becomes_what_the_models_say(first: Path) -> None:
    database = Database(first)
    assert differences(database) == []
    with database.reading() as session:
        ended, running = session.scalars(select(RunRow).order_by(RunRow.submitted_at))
        assert ended.custom_metadata == {"sdk": {"tags": ["first"], "note": "Ä note"}}
        assert (running.application_id, running.deadline) == ("he-tme", "2099-01-03T09:04:05.000000+00:00")
        items = {item.external_id: item for item in session.scalars(select(ItemRow))}
        assert items["folder/a slide.svs"].inputs[0].meta["resolution_mpp"] == 0.5
        assert items["folder/a slide.svs"].outputs[0].output == "AVAILABLE"
        assert {row.key for row in session.scalars(select(ObjectRow))} == {
            str(items["folder/a slide.svs"].outputs[0].object_key),
            "uploads/slide.svs",
        }
        assert len(session.scalars(select(OutputRow)).all()) == 2
    assert load_keys(database).access_key == "LAUNCHPAD0123456789ABCDEF"
    assert queue.recover(database) == 1  # what was under way then goes on now
    database.close()
    with closing(sqlite3.connect(first)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_data_of_a_newer_version_are_left_alone(first: Path) -> None:
    Database(first).close()
    with closing(sqlite3.connect(first)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9000'")
        connection.commit()
    with pytest.raises(LaunchpadError, match="newer Launchpad"):
        Database(first)
