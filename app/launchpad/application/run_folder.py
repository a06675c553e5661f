"""What is known about the results of a run on disk: `run.json`, README.txt and summary.csv in its folder.

`run.json` is for programs: opening the folder in QuPath or in a notebook needs no platform. Files that are missing,
damaged or not what they say are named in all three.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from launchpad import paths
from launchpad.errors import LaunchpadError, NotFound

RUN_FILE, README, SUMMARY = "run.json", "README.txt", "summary.csv"
_SUMMARY_ROWS = 1000  # of one table; longer ones are lists of objects, not readouts
_JSON_LIMIT = 64 << 20  # bytes of a document that is parsed to see whether it is one
_MAGIC = {
    "image/tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "image/png": (b"\x89PNG",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/vnd.apache.parquet": (b"PAR1",),
    "application/x-parquet": (b"PAR1",),
}
_KINDS = {
    "application/geo+json": "shapes with classes and measurements, in pixels of the slide's full resolution; opens in "
    "QuPath and in Python (geopandas, shapely)",
    "application/json": "numbers and texts for programs",
    "image/tiff": "a picture or map of the slide; opens in QuPath",
    "image/png": "a picture",
    "text/csv": "a table; lines that begin with # say where it comes from (pandas: comment='#')",
    "application/zip": "an archive",
    "application/vnd.apache.parquet": "a table for programs (pandas, polars)",
    "application/x-parquet": "a table for programs (pandas, polars)",
}
_NAMES = {
    "tissue_segmentation:geojson_polygons": "outlines of the tissue",
    "cell_classification:geojson_polygons": "every cell with its class, nucleus and measurements",
    "tissue_segmentation:tiff_segmap": "map of the tissue: one class number a pixel, with colours and pixel size",
    "readout_generation:csv_measurements": "counts, areas and densities of the slide, one row a class",
    "readout_generation:json_summary": "the same numbers with warnings, parameters and engine",
}


@dataclass
class FileFacts:
    """One artifact: `file` is relative to the run's folder; `problem` says why it is missing or wrong, "" if not."""

    artifact: str
    file: str
    media_type: str
    size: int = 0
    crc32c: str = ""
    problem: str = ""


@dataclass
class ItemFacts:
    """One slide of a run. `metadata` is what was submitted for it: resolution_mpp, specimen, checksum …"""

    item_id: str
    external_id: str
    name: str
    state: str = ""
    error: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    files: list[FileFacts] = field(default_factory=list)

    def value(self, key: str) -> str:
        """A value of the metadata as text, also out of `specimen`; "" where there is none."""
        specimen = self.metadata.get("specimen")
        found = self.metadata.get(key, specimen.get(key) if isinstance(specimen, Mapping) else None)
        return "" if found is None else str(found)

    @property
    def checksum(self) -> str:
        """CRC32C of the slide, base64; "" where it is not known."""
        return self.value("checksum_base64_crc32c") or self.value("checksum_crc32c")

    @property
    def mpp(self) -> float | None:
        """Micrometres a pixel as submitted."""
        value = self.metadata.get("resolution_mpp")
        return float(value) if isinstance(value, (int, float)) and value > 0 else None


@dataclass
class RunFacts:
    """A run and its slides, as far as they are known on this computer."""

    run_id: str
    platform: str = ""
    api_root: str = ""
    application: str = ""
    version: str = ""
    engine: str = ""
    submitted_at: str = ""
    state: str = ""
    items: list[ItemFacts] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """What is missing or wrong, in sentences."""
        found = []
        for item in self.items:
            if item.error:
                found.append(f"{item.name}: {item.state}: {item.error.rstrip('.')}.")
            found += [f"{file.file}: {file.problem.rstrip('.')}." for file in item.files if file.problem]
        return found


def load(folder: Path) -> RunFacts:
    """What `run.json` of a folder says; for a folder without one, what its files say by themselves.

    Raises:
        NotFound: there is no such folder, or no result in it.
        LaunchpadError: run.json is damaged.
    """
    file = folder / RUN_FILE
    if not folder.is_dir():
        raise NotFound("The results are not on this computer", advice="Download them first.", subject=str(folder))
    if not file.is_file():
        return _guessed(folder)
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        items = [
            ItemFacts(**{**item, "files": [FileFacts(**entry) for entry in item["files"]]})
            for item in document.pop("items")
        ]
        document.pop("launchpad", None)
        return RunFacts(**document, items=items)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LaunchpadError(
            "The description of the results is damaged",
            detail=f"{error}.",
            advice="Download the results again; what is complete is not fetched again.",
            subject=str(file),
        ) from error


def has_results(folder: Path) -> bool:
    """Whether results of a run are in a folder, so that they can be shown."""
    if any((folder / name).is_file() for name in (RUN_FILE, README, "qupath/project.qpproj")):
        return True
    try:
        return bool(_guessed(folder).items)  # what the old SDK downloaded says nothing of itself
    except (NotFound, OSError):
        return False


def save(folder: Path, facts: RunFacts) -> None:
    """Write run.json, README.txt and summary.csv.

    Raises:
        LaunchpadError: the folder cannot be written.
    """
    facts.engine = facts.engine or _engine(folder, facts)
    document = {"launchpad": 1, **asdict(facts)}
    texts = {
        RUN_FILE: json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        README: _readme(facts),
        SUMMARY: _summary(folder, facts),
    }
    for name, text in texts.items():
        try:
            paths.write_atomic(folder / name, text.encode("utf-8", "replace"))
        except OSError as error:
            raise LaunchpadError(
                "The results cannot be written",
                detail=f"{error.strerror or error}.",
                advice="Choose another folder, or check the disk's free space and your rights.",
                subject=str(folder / name),
            ) from error


def wrong_content(path: Path, media_type: str) -> str:
    """What is wrong with a file that says to be of this kind, "" when nothing is; looks at its beginning only."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(512)
        if not size:
            return "it is empty"
        if media_type in _MAGIC and not head.startswith(_MAGIC[media_type]):
            return f"it is no {media_type}"
        if media_type in ("application/json", "application/geo+json"):
            if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
                return "it is no JSON"
            if media_type == "application/json" and size <= _JSON_LIMIT:
                json.loads(path.read_bytes())
        if media_type == "text/csv":
            head.decode("utf-8", "strict" if size <= len(head) else "ignore")
            if b"\0" in head:
                return "it is no text"
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    except ValueError:
        return "it is damaged or of another kind"
    return ""


# --- a folder that does not say what it is ----------------------------------------------------------------------------
_NO_SLIDES = ("qupath", "notebook", "input")  # folders that are not of one slide
_TYPES = {
    ".geojson": "application/geo+json",
    ".json": "application/json",
    ".csv": "text/csv",
    ".tiff": "image/tiff",
    ".tif": "image/tiff",
    ".png": "image/png",
    ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
}


def _guessed(folder: Path) -> RunFacts:
    facts = RunFacts(folder.name)
    for inner in sorted(item for item in folder.iterdir() if item.is_dir() and item.name not in _NO_SLIDES):
        files = [path for path in sorted(inner.iterdir()) if path.is_file() and path.suffix.lower() in _TYPES]
        found = [
            FileFacts(path.stem, path.relative_to(folder).as_posix(), _guess_type(path), path.stat().st_size)
            for path in files
        ]
        if not found:
            continue
        origin = next(filter(None, map(_provenance, files)), {})
        external_id = str(origin.get("external_id") or inner.name)
        facts.items.append(ItemFacts(str(origin.get("item_id") or inner.name), external_id, inner.name, files=found))
        facts.platform = facts.platform or str(origin.get("platform", ""))
        facts.application = facts.application or str(origin.get("application", ""))
        facts.version = facts.version or str(origin.get("application_version", ""))
        facts.engine = facts.engine or str(origin.get("engine", ""))
        facts.run_id = str(origin.get("run_id") or facts.run_id)
    if not facts.items:
        raise NotFound("There are no results in the folder", advice="Choose the folder of a run.", subject=str(folder))
    return facts


def _guess_type(path: Path) -> str:
    if path.suffix.lower() == ".json" and "geojson" in path.name:
        return "application/geo+json"
    return _TYPES[path.suffix.lower()]


def _provenance(path: Path) -> dict[str, Any]:
    """What a summary says of its origin."""
    if path.suffix.lower() != ".json" or path.stat().st_size > _JSON_LIMIT or "geojson" in path.name:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["provenance"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _engine(folder: Path, facts: RunFacts) -> str:
    """The engine, as the readouts that were downloaded name it."""
    for item in facts.items:
        for file in item.files:
            if file.media_type == "application/json" and not file.problem:
                engine = _provenance(folder / file.file).get("engine")
                if engine:
                    return str(engine)
    return ""


# --- for people -------------------------------------------------------------------------------------------------------
def _readme(facts: RunFacts) -> str:
    lines = [
        "Results of a Launchpad run. For research use only, not a diagnostic device.",
        "",
        f"Platform:    {facts.platform} ({facts.api_root})",
        f"Application: {facts.application}",
        f"Version:     {facts.version}",
        f"Engine:      {facts.engine or 'not said by the results'}",
        f"Run:         {facts.run_id}",
        f"Submitted:   {facts.submitted_at}",
        f"State:       {facts.state}",
        "",
    ]
    problems = facts.problems
    if problems:
        lines += ["NOT COMPLETE:", *(f"- {problem}" for problem in problems), ""]
    lines += [
        "Files of this folder:",
        f"- {README}: this text",
        f"- {SUMMARY}: one table of all slides: state, and the rows of each slide's readout",
        f"- {RUN_FILE}: the same facts for programs, with size and checksum of every file",
        "- a folder for each slide (or files that begin with its name) with:",
    ]
    known: dict[str, FileFacts] = {}
    for item in facts.items:
        for file in item.files:
            known.setdefault(file.artifact, file)
    for file in known.values():
        words = _NAMES.get(file.artifact)
        kind = _KINDS.get(file.media_type, f"a file of the kind {file.media_type or 'unknown'}")
        lines.append(f"  - {Path(file.file).name}: {f'{words}; ' if words else ''}{kind}")
    lines += [
        "- qupath: a QuPath project of the slides with these results, where it was asked for",
        "- notebook: a Python notebook (marimo) on these results, where it was asked for; it is yours to change",
        "",
        "Slides:",
    ]
    for item in facts.items:
        lines.append(f"- {item.name}: {item.state}{f', {item.error}' if item.error else ''}")
        lines.append(f"  {item.external_id}")
        lines.append(f"  CRC32C of the slide (base64): {item.checksum or 'not known'}")
    return "\n".join(lines) + "\n"


def _summary(folder: Path, facts: RunFacts) -> str:
    """One row a slide and row of its readout; a slide without one has a row of its own."""
    first = [
        "slide",
        "item_id",
        "external_id",
        "state",
        "error",
        "tissue",
        "disease",
        "application",
        "version",
        "run_id",
    ]
    columns: dict[str, None] = {}
    rows: list[dict[str, str]] = []
    for item in facts.items:
        head = {
            "slide": item.name,
            "item_id": item.item_id,
            "external_id": item.external_id,
            "state": item.state,
            "error": "; ".join([item.error, *(file.problem for file in item.files)]).strip("; "),
            "tissue": item.value("tissue"),
            "disease": item.value("disease"),
            "application": facts.application,
            "version": facts.version,
            "run_id": facts.run_id,
        }
        readout = list(_readout(folder, item))
        for row in readout:
            columns.update(dict.fromkeys(name for name in row if name not in first))
        rows += [{**row, **head} for row in readout] or [head]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*first, *columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def _harmless(text: str) -> str:
    """Names from outside must not become formulas in a spreadsheet; numbers stay numbers."""
    if text[:1] in "=@\t\r" and text:
        return f"'{text}"
    if text[:1] in ("+", "-"):
        try:
            float(text)
        except ValueError:
            return f"'{text}"
    return text


def _readout(folder: Path, item: ItemFacts) -> Iterator[dict[str, str]]:
    for file in item.files:
        if file.media_type != "text/csv" or file.problem:
            continue
        try:
            with (folder / file.file).open(encoding="utf-8", errors="replace", newline="") as text:
                reader = csv.DictReader(line for line in text if not line.startswith("#"))
                rows = []
                for row in reader:
                    rows.append(row)
                    if len(rows) > _SUMMARY_ROWS:
                        break
        except (OSError, csv.Error):
            continue  # run.json and README say that it cannot be read
        if len(rows) <= _SUMMARY_ROWS:
            for row in rows:
                yield {str(name): value or "" for name, value in row.items() if name is not None}


def files_of(folder: Path) -> Sequence[Path]:
    """The files of a run's folder in order, without what is on its way (`.part`) and without links."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.suffix != ".part" and not path.name.startswith(".")
    ]
