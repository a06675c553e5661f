"""The tables in the code and those that the migrations make are the same."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from launchpad.localplatform.database.engine import HEAD, Database
from launchpad.localplatform.database.tables import Base


def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database(tmp_path / "platform.sqlite")
    try:
        with database.engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        found = inspect(database.engine)
        assert set(found.get_table_names()) - {"alembic_version"} == set(Base.metadata.tables)
        for name, table in Base.metadata.tables.items():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
            assert columns == {column.name: bool(column.nullable) for column in table.columns}, name
            made = {tuple(index["column_names"]) for index in found.get_indexes(name) if not index["unique"]}
            assert made == {tuple(index.columns.keys()) for index in table.indexes}, name
    finally:
        database.close()
