"""Makes what Launchpad ships of the index of NCI Image Data Commons, or what it reads of the index of instances.

    python tools/slide_index.py slides idc_index_data-*.whl resources/dataset/sm_index.sqlite.xz
    python tools/slide_index.py instances sm_instance_index.parquet sm_instance_index.sqlite

The first reads the package `idc-index-data` of PyPI (`pip download --no-deps idc-index-data`), the second the file of
that name which Image Data Commons publishes beside it. Both want `pyarrow`, which Launchpad itself does not: run it in
an environment of its own.

What comes out is SQLite. Of slides (packed by xz):
  sm_index     one row a series with Modality SM, columns as in idc_index.parquet; `series_aws_url` is computed
  collections  collection_id, name, cancer_types, tumor_locations, species, subjects
  sources      source_DOI, title, citation, license_url, license_long_name
  facts        key, value: idc_version, package
Of instances (not packed): the table sm_instance_index, columns as in the file.
"""

from __future__ import annotations

import argparse
import html
import io
import lzma
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet  # type: ignore[import-not-found]

LEFT_OUT = ("SOPClassUID", "sop_class_name", "PixelRepresentation", "analysis_result_id", "series_aws_url")
TYPES = {"instanceCount": "INTEGER", "series_size_MB": "REAL"}
URL = "series_aws_url TEXT GENERATED ALWAYS AS ('s3://' || aws_bucket || '/' || crdc_series_uuid || '/*') VIRTUAL"


def plain(text: str | None) -> str:
    """Text without markup and line breaks."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text or ""))).strip()


def write(database: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table with these rows."""
    types = [f"{name} {TYPES.get(name, 'INTEGER' if name.endswith('_idc_version') else 'TEXT')}" for name in columns]
    extra = [URL] if table == "sm_index" else []
    database.execute(f"CREATE TABLE {table} ({', '.join([*types, *extra])})")
    database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)


def slides(wheel: Path, target: Path) -> None:
    """The packed index of the slides in a wheel of idc-index-data."""
    with zipfile.ZipFile(wheel) as archive:

        def read(name: str, **options: Any) -> list[dict[str, Any]]:
            table = parquet.read_table(io.BytesIO(archive.read(f"idc_index_data/{name}.parquet")), **options)
            rows: list[dict[str, Any]] = table.to_pylist()
            return rows

        series = read("idc_index", filters=[("Modality", "=", "SM")])
        described = {row["collection_id"]: row for row in read("collections_index")}
        version = max(row["idc_version"] for row in read("version_metadata_index"))
    series = [row for row in series if row["analysis_result_id"] is None]
    series.sort(key=lambda row: (row["collection_id"], row["PatientID"], row["SeriesInstanceUID"]))
    columns = [name for name in series[0] if name not in LEFT_OUT]
    used = {row["collection_id"] for row in series}
    dois = {(row["source_DOI"] or "").lower() for row in series}
    sources = {
        item["source_doi"].lower(): (
            item["source_doi"].lower(),
            plain(item["source_title"]),
            plain(item["citation"]),
            item["license"]["license_url"],
            plain(item["license"]["license_long_name"]),
        )
        for row in described.values()
        for item in row["sources"]
        if item["source_doi"] and item["source_doi"].lower() in dois
    }
    described_by = ("cancer_types", "tumor_locations", "species")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "index.sqlite"
        database = sqlite3.connect(file)
        write(database, "sm_index", columns, ([row[name] for name in columns] for row in series))
        write(
            database,
            "collections",
            ("collection_id", "name", *described_by, "subjects"),
            (
                [key, row["collection_name"], *(plain(row[name]) for name in described_by), row["subjects"]]
                for key, row in sorted(described.items())
                if key in used
            ),
        )
        write(
            database,
            "sources",
            ("source_DOI", "title", "citation", "license_url", "license_long_name"),
            [sources[key] for key in sorted(sources)],
        )
        write(database, "facts", ("key", "value"), [("idc_version", str(version)), ("package", wheel.name)])
        database.commit()
        database.execute("VACUUM")
        database.close()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lzma.compress(file.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
        print(f"{len(series):,} series of {len(used)} collections, IDC {version}: {target.stat().st_size:,} bytes")


def instances(source: Path, target: Path) -> None:
    """The index of instances as SQLite."""
    table = parquet.ParquetFile(source)
    names = list(table.schema_arrow.names)
    target.unlink(missing_ok=True)
    database = sqlite3.connect(target)
    numbers = {name for name in names if str(table.schema_arrow.field(name).type).startswith(("int", "uint"))}
    columns = ", ".join(f"{name} {'INTEGER' if name in numbers else 'TEXT'}" for name in names)
    database.execute(f"CREATE TABLE sm_instance_index ({columns})")
    for batch in table.iter_batches():
        rows = [
            [", ".join(map(str, value)) if isinstance(value, list) else value for value in row.values()]
            for row in batch.to_pylist()
        ]
        database.executemany(f"INSERT INTO sm_instance_index VALUES ({', '.join('?' * len(names))})", rows)
    for name in ("SOPInstanceUID", "SeriesInstanceUID"):
        database.execute(f"CREATE INDEX {name.lower()} ON sm_instance_index ({name})")
    database.commit()
    database.close()


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("slides", "instances"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    (slides if given.kind == "slides" else instances)(given.source, given.target)


if __name__ == "__main__":
    main()
