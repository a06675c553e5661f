"""The index of public slides on this computer: unpacked once, searched by words and by id.

It ships as packed SQLite (made by tools/slide_index.py). The first use unpacks it into the data folder and builds there
what makes it fast: indexes over the ids, and full text over collection, patient, descriptions, stain and body site.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import lzma
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from launchpad import paths
from launchpad.dataset.collections import stain_words
from launchpad.errors import DiskFull, LaunchpadError, SettingsError

ID_COLUMNS = ("collection_id", "PatientID", "StudyInstanceUID", "SeriesInstanceUID")
ORDERS = {
    "collection": "collection_id",
    "patient": "PatientID",
    "description": "SeriesDescription COLLATE NOCASE",
    "files": "instanceCount",
    "size": "series_size_MB",
    "licence": "license_short_name",
}
"""What slides can be put in order by."""
_LAYOUT = 1  # of what is built here; counted up when that changes
_BLOCK = 4 << 20
_building = threading.Lock()


@dataclass(frozen=True)
class Series:
    """A slide: a DICOM series, one folder in a public bucket. `size` in bytes, `instances` files."""

    collection_id: str
    patient_id: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    study_description: str
    scanner: str
    compression: str
    instances: int
    size: int
    licence: str
    doi: str
    bucket: str
    folder: str

    def value(self, column: str) -> str:
        """What a column of the index says of it, for those that a layout may name."""
        return {
            "collection_id": self.collection_id,
            "PatientID": self.patient_id,
            "StudyInstanceUID": self.study_uid,
            "SeriesInstanceUID": self.series_uid,
            "Modality": self.modality,
        }[column]


@dataclass(frozen=True)
class Found:
    """Slides that were found: `total` of them with `size` bytes together, the first ones in `series`."""

    total: int
    size: int
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Collection:
    """A collection: how many slides it has, and bytes."""

    id: str
    name: str
    cancer_types: str
    body_sites: str
    slides: int
    size: int


@dataclass(frozen=True)
class Source:
    """Whose a data set is: `citation` as its authors want it, `licence_url` where its terms are."""

    doi: str
    title: str
    citation: str
    licence: str
    licence_url: str


class SlideIndex:
    """Read access to an index; every call opens it for itself. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextlib.contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The database, read only.

        Raises:
            LaunchpadError: it cannot be read.
        """
        try:
            address = f"file:{quote(self.file.absolute().as_posix())}?mode=ro&immutable=1"
            with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
                database.row_factory = sqlite3.Row
                yield database
        except sqlite3.DatabaseError as error:
            raise LaunchpadError(
                "The index of public slides cannot be read",
                detail=f"{error}.",
                advice="Delete this file: it is made anew at the next use.",
                subject=str(self.file),
            ) from error

    def search(
        self,
        words: str = "",
        *,
        collection_id: str = "",
        limit: int = 500,
        order: str = "collection",
        descending: bool = False,
    ) -> Found:
        """Slides that have all of these words (or beginnings of words), or that an id of any level names.

        Several ids are separated by commas; UIDs also by spaces, as they come from a column of a spreadsheet.

        Without words all, or those of a collection. `order` is one of `ORDERS`; equals by collection and patient.
        """
        direction = "DESC" if descending else "ASC"
        conditions, values = ["TRUE"], []
        if collection_id:
            conditions.append("collection_id = ?")
            values.append(collection_id)
        with self.open() as database:
            if words.strip():
                condition, own = self._condition(database, words)
                conditions.append(condition)
                values.extend(own)
            where = " AND ".join(conditions)
            total, size = database.execute(
                f"SELECT count(*), coalesce(sum(series_size_MB), 0) FROM sm_index WHERE {where}",  # noqa: S608 - ours
                values,
            ).fetchone()
            rows = database.execute(
                f"SELECT * FROM sm_index WHERE {where} "  # noqa: S608 - ours
                f"ORDER BY {ORDERS[order]} {direction}, sm_index.rowid LIMIT ?",
                [*values, limit],
            ).fetchall()
        return Found(int(total), round(size * 1e6), tuple(map(_series, rows)))

    @staticmethod
    def _condition(database: sqlite3.Connection, words: str) -> tuple[str, list[str]]:
        by_column = SlideIndex._ids(database, words)
        if by_column:
            places = [f"{column} IN ({', '.join('?' * len(ids))})" for column, ids in by_column.items()]
            return f"({' OR '.join(places)})", [name for ids in by_column.values() for name in ids]
        terms = [f'"{term}"*' for term in words.replace('"', " ").split() if re.search(r"\w", term)]
        if not terms:
            return "FALSE", []
        return "sm_index.rowid IN (SELECT rowid FROM slide_words WHERE slide_words MATCH ?)", [" ".join(terms)]

    @staticmethod
    def _ids(database: sqlite3.Connection, words: str) -> dict[str, list[str]]:
        """The ids that the words are, by their columns; none when one of them is no id."""
        names = [name for name in re.split(r"[\s,]+", words) if name]
        if not all(re.fullmatch(r"[\d.]+", name) for name in names):
            names = [name.strip() for name in words.split(",") if name.strip()]
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys(names):
            for column in ID_COLUMNS:
                if database.execute(f"SELECT 1 FROM sm_index WHERE {column} = ? LIMIT 1", [name]).fetchone():  # noqa: S608
                    found.setdefault(column, []).append(name)
                    break
            else:
                return {}
        return found

    def named(self, name: str) -> list[Series]:
        """The slides that an id of any level names; a collection also as people write it (TCGA-LUAD)."""
        with self.open() as database:
            for column in ID_COLUMNS:
                rows = database.execute(
                    f"SELECT * FROM sm_index WHERE {column} = ? ORDER BY rowid",  # noqa: S608 - ours
                    [name],
                ).fetchall()
                if rows:
                    return [_series(row) for row in rows]
            rows = database.execute(
                "SELECT * FROM sm_index WHERE collection_id = ? ORDER BY rowid", [name.lower().replace("-", "_")]
            ).fetchall()
        return [_series(row) for row in rows]

    def collections(self) -> list[Collection]:
        """All collections by name."""
        with self.open() as database:
            rows = database.execute(
                "SELECT collection_id, name, cancer_types, tumor_locations, count(*) AS slides, "
                "sum(series_size_MB) AS size FROM sm_index JOIN collections USING (collection_id) "
                "GROUP BY collection_id ORDER BY name COLLATE NOCASE"
            ).fetchall()
        return [
            Collection(
                row["collection_id"],
                row["name"],
                row["cancer_types"],
                row["tumor_locations"],
                row["slides"],
                round(row["size"] * 1e6),
            )
            for row in rows
        ]

    def sources(self, series: Sequence[Series]) -> list[Source]:
        """Whose these slides are, each source once, in their order."""
        wanted = dict.fromkeys((item.doi, item.licence) for item in series)
        with self.open() as database:
            known = {row["source_DOI"]: row for row in database.execute("SELECT * FROM sources")}
        found = []
        for doi, licence in wanted:
            row = known.get(doi.lower())
            found.append(
                Source(
                    doi,
                    row["title"] if row else "",
                    row["citation"] if row else "",
                    licence or (row["license_long_name"] if row else ""),
                    (row["license_url"] if row else "") or "",
                )
            )
        return found

    def version(self) -> str:
        """The version of Image Data Commons that it was made from."""
        with self.open() as database:
            row = database.execute("SELECT value FROM facts WHERE key = 'idc_version'").fetchone()
        return str(row["value"]) if row else ""


def open_index() -> SlideIndex:
    """The index of public slides; unpacked first where this was not done yet (a few seconds).

    Raises:
        SettingsError: a setting names an index that is none.
        DiskFull, LaunchpadError: it cannot be unpacked.
    """
    from launchpad.settings import load_settings

    own = load_settings().sm_index
    packed = Path(own).expanduser() if own else paths.resource("dataset", "sm_index.sqlite.xz")
    try:
        with packed.open("rb") as file:
            mark = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise SettingsError(
            "The index of public slides is not there",
            detail=f"{error.strerror or error}.",
            advice="Correct or remove the setting LAUNCHPAD_SM_INDEX.",
            subject=str(packed),
        ) from error
    target = paths.datasets_dir() / "index" / f"sm_index-{mark}-{_LAYOUT}.sqlite"
    with _building:
        if not target.is_file():
            _unpack(packed, target, setting=bool(own))
    return SlideIndex(target)


def _unpack(packed: Path, target: Path, *, setting: bool) -> None:
    temporary = target.with_name(f"{target.stem}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lzma.open(packed) as source, temporary.open("wb") as file:
            while block := source.read(_BLOCK):
                file.write(block)
        with contextlib.closing(sqlite3.connect(temporary)) as database:
            _build(database)
        try:
            temporary.replace(target)
        except PermissionError:  # Windows, and another process was faster
            if not target.is_file():
                raise
        for old in target.parent.glob("sm_index-*.sqlite"):
            if old != target:
                with contextlib.suppress(OSError):  # still open somewhere: it goes the next time
                    old.unlink()
    except (lzma.LZMAError, EOFError, sqlite3.DatabaseError) as error:
        kind = SettingsError if setting else LaunchpadError
        raise kind(
            "The index of public slides is damaged",
            detail=f"{error}.",
            advice="Correct the setting LAUNCHPAD_SM_INDEX." if setting else "Install Launchpad again.",
            subject=str(packed),
        ) from error
    except OSError as error:
        raise (DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else LaunchpadError)(
            "The index of public slides cannot be unpacked",
            detail=f"{error.strerror or error}.",
            advice="It needs 150 MB: check the disk's free space and your rights to the folder.",
            subject=str(target.parent),
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _build(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.create_function("words", -1, _words, deterministic=True)
    database.create_function("stain_words", 1, lambda text: stain_words(text or ""), deterministic=True)
    for column in ID_COLUMNS:
        database.execute(f"CREATE INDEX by_{column} ON sm_index ({column})")
    database.execute("CREATE VIRTUAL TABLE slide_words USING fts5(words, content='')")
    database.execute(
        "INSERT INTO slide_words (rowid, words) "
        "SELECT s.rowid, words(s.collection_id, c.name, c.cancer_types, c.tumor_locations, c.species, s.PatientID, "
        "s.StudyDescription, s.SeriesDescription, s.BodyPartExamined, s.Manufacturer, s.ManufacturerModelName, "
        "stain_words(s.SeriesDescription)) FROM sm_index s LEFT JOIN collections c USING (collection_id)"
    )
    database.execute("INSERT INTO slide_words (slide_words) VALUES ('optimize')")
    database.commit()


def _words(*parts: str | None) -> str:
    return " ".join(part.replace("_", " ") for part in parts if part)


def _series(row: sqlite3.Row) -> Series:
    scanner = " ".join(part for part in (row["Manufacturer"], row["ManufacturerModelName"]) if part)
    compression = [
        name for name in (row["transfer_syntax_name"] or "").split(",") if name and name != "Explicit VR Little Endian"
    ]
    return Series(
        collection_id=row["collection_id"],
        patient_id=row["PatientID"],
        study_uid=row["StudyInstanceUID"],
        series_uid=row["SeriesInstanceUID"],
        modality=row["Modality"],
        description=row["SeriesDescription"] or "",
        study_description=row["StudyDescription"] or "",
        scanner=scanner,
        compression=", ".join(compression),
        instances=row["instanceCount"],
        size=round(row["series_size_MB"] * 1e6),
        licence=row["license_short_name"] or "",
        doi=row["source_DOI"] or "",
        bucket=row["aws_bucket"],
        folder=row["crdc_series_uuid"],
    )
