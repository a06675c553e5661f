"""Questions to the indices in SQLite's SQL: read only, with an end.

`sm_index` is the index of slides that ships, with the tables `collections` and `sources` beside it;
`sm_instance_index` is a file that a setting names (tools/slide_index.py makes it from the published one).
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from launchpad.dataset.index import open_index
from launchpad.errors import BadInput, SettingsError

SLIDES, INSTANCES = "sm_index", "sm_instance_index"
INDICES = {
    SLIDES: "Slides: a row for each DICOM series. Ships with Launchpad.",
    INSTANCES: "Instances: a row for each DICOM file. The setting LAUNCHPAD_SM_INSTANCE_INDEX names it.",
}
DEFAULT_SQL = {
    SLIDES: (
        "SELECT SeriesInstanceUID, collection_id, PatientID, SeriesDescription, instanceCount, series_size_MB, "
        "license_short_name FROM sm_index WHERE series_size_MB > 10000 ORDER BY series_size_MB DESC"
    ),
    INSTANCES: (
        "SELECT SOPInstanceUID, TotalPixelMatrixColumns, TotalPixelMatrixRows FROM sm_instance_index "
        "WHERE TotalPixelMatrixColumns > 25000 AND TotalPixelMatrixRows > 25000 AND ImageType LIKE '%VOLUME%'"
    ),
}
_SECONDS = 60.0
_SQL_ADVICE = "It is SQLite's SQL; `launchpad dataset idc columns` lists the columns."
_STEPS = 100_000  # of SQLite's machine between two looks at the clock


@dataclass(frozen=True)
class Answer:
    """What a question brought: the names of the columns, and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def records(self) -> list[dict[str, object]]:
        """Rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def indices(names: str | Sequence[str]) -> list[str]:
    """Names of indices, in a list or separated by commas. Raises BadInput where one is unknown."""
    given = names.split(",") if isinstance(names, str) else list(names)
    found = list(dict.fromkeys(name.strip() for name in given if name.strip())) or [SLIDES]
    for name in found:
        if name not in INDICES:
            raise BadInput("There is no such index", advice=f"There are {' and '.join(INDICES)}.", subject=name)
    return found


def columns(name: str = SLIDES) -> list[str]:
    """The columns of an index. Raises BadInput and SettingsError as `query`."""
    (name,) = indices([name])
    with _open([name]) as database:
        return [str(row[1]) for row in database.execute(f"PRAGMA table_xinfo({name})")]


def query(sql: str | None = None, names: str | Sequence[str] = SLIDES) -> Answer:
    """Ask the indices, of which the first gives the question where there is none.

    Raises:
        BadInput: the SQL is no question, is malformed, or takes longer than a minute; an index is unknown.
        SettingsError: the index of instances is not set, or is none.
    """
    wanted = indices(names)
    question = (sql or DEFAULT_SQL[wanted[0]]).strip()
    with _open(wanted) as database:
        end = time.monotonic() + _SECONDS
        database.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            cursor = database.execute(question)
            if cursor.description is None:
                raise BadInput("This is no question", advice="Ask with SELECT.", subject=question)
            names_of = tuple(item[0] for item in cursor.description)
            return Answer(names_of, tuple(tuple(row) for row in cursor))
        except (sqlite3.Error, sqlite3.Warning) as error:
            late = time.monotonic() > end
            raise BadInput(
                "The question takes too long" if late else "The question cannot be answered",
                detail=f"{error}".rstrip(".") + ".",
                advice="Ask for less."
                if late
                else "It is SQLite's SQL; `launchpad dataset idc columns` lists the columns.",
                subject=question,
            ) from error


def instance_folders(uid: str) -> tuple[str, str] | None:
    """SeriesInstanceUID and name of the object of an instance; None where it is unknown or there is no such index.

    Raises:
        SettingsError: the file that the setting names is none.
    """
    if _instance_file() is None:
        return None
    with _open([INSTANCES]) as database:
        row = database.execute(
            "SELECT SeriesInstanceUID, crdc_instance_uuid FROM sm_instance_index WHERE SOPInstanceUID = ?", [uid]
        ).fetchone()
    return (str(row[0]), str(row[1])) if row else None


def _instance_file() -> Path | None:
    from launchpad.settings import load_settings

    named = load_settings().sm_instance_index
    return Path(named).expanduser().absolute() if named else None


@contextlib.contextmanager
def _open(names: Sequence[str]) -> Iterator[sqlite3.Connection]:
    """A database that holds these indices and can only be read."""
    # In memory, so that the two files are equals; what may be done is limited below.
    with contextlib.closing(sqlite3.connect("file::memory:", uri=True)) as database:
        if SLIDES in names:
            file = open_index().file
            database.execute("ATTACH ? AS slides", [f"file:{quote(file.as_posix())}?mode=ro&immutable=1"])
        if INSTANCES in names:
            _attach_instances(database)
        database.execute("PRAGMA query_only = ON")
        database.set_authorizer(_only_reading)
        yield database


def _attach_instances(database: sqlite3.Connection) -> None:
    own = _instance_file()
    if own is None:
        raise SettingsError(
            "The index of instances is not set",
            detail="It is too large to ship.",
            advice="Set LAUNCHPAD_SM_INSTANCE_INDEX to the file that tools/slide_index.py makes of the published "
            "sm_instance_index.parquet, or ask sm_index.",
            subject=INSTANCES,
        )
    try:
        database.execute("ATTACH ? AS instances", [f"file:{quote(own.as_posix())}?mode=ro"])
        found = {str(row[1]) for row in database.execute(f"PRAGMA instances.table_xinfo({INSTANCES})")}
        missing = {"SOPInstanceUID", "SeriesInstanceUID", "crdc_instance_uuid"} - found
        problem = f"Its table {INSTANCES} lacks {', '.join(sorted(missing))}" if missing else ""
    except sqlite3.DatabaseError as error:
        problem = str(error)
    if problem:
        raise SettingsError(
            "The index of instances cannot be read",
            detail=f"{problem}.",
            advice="Correct the setting LAUNCHPAD_SM_INSTANCE_INDEX; tools/slide_index.py makes such a file.",
            subject=str(own),
        )


_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


def _only_reading(action: int, first: str | None, second: str | None, *_: object) -> int:
    allowed = action in _READING or (action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo")
    harmless = not (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() == "load_extension")
    return sqlite3.SQLITE_OK if allowed and harmless else sqlite3.SQLITE_DENY
