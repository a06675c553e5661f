"""Tables as spreadsheet programs save them, and values for slides by the names of their files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath

from launchpad.application.columns import Column
from launchpad.application.draft import Slide
from launchpad.errors import BadInput

_FILE_COLUMNS = frozenset(("file", "filename", "slide", "slidename", "name", "path", "image", "externalid", "wsi"))
_LIMIT = 256 << 20  # bytes; a table of slides is far smaller


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file; rows without any value are kept, so that they can be counted.

    `;`, `,` or tab, also with a first line `sep=;`; UTF-8 with or without a byte order mark, UTF-16 with one, otherwise
    Windows' Western European (code page 1252), as spreadsheet programs write them.

    Raises:
        BadInput: the file cannot be read, or is no such table.
    """
    try:
        if path.stat().st_size > _LIMIT:
            raise BadInput("The table is too large", advice="Choose a CSV file.", subject=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(
            "The metadata file cannot be read",
            detail=f"{error.strerror or error}.",
            advice="Check its path.",
            subject=str(path),
        ) from error
    if data[:4] == b"PK\x03\x04":
        raise BadInput("This is an Excel workbook", advice="Save the sheet as CSV, then try again.", subject=str(path))
    text = _decoded(data, path)
    separator = re.match(r"sep=(.)\r?\n", text)
    if separator:
        text = text[separator.end() :]
    delimiter = separator.group(1) if separator else max(";,\t", key=text.partition("\n")[0].count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise BadInput(
            "The metadata file is no CSV", detail=f"{error}.", advice="Save it as UTF-8 CSV.", subject=str(path)
        ) from error
    if not lines or not any(lines[0]):
        raise BadInput("The metadata file is empty", advice="Choose a CSV file with a header.", subject=str(path))
    return [name.strip() for name in lines[0]], lines[1:]


def _decoded(data: bytes, path: Path) -> str:
    encodings = ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadInput("The metadata file is no text", advice="Save it as UTF-8 CSV.", subject=str(path))


@dataclass(frozen=True)
class Applied:
    """Slides with the values of a table; `unmatched` are rows that fit no slide, `problems` say what was not taken."""

    slides: tuple[Slide, ...]
    matched: int
    unmatched: tuple[str, ...]
    problems: tuple[str, ...]


def apply_table(path: Path, slides: Sequence[Slide], columns: Sequence[Column]) -> Applied:
    """Take tissue, disease and other values from a table that names files, with or without suffix or folders.

    A column counts for a field when its name is the field's key or title, whatever its letter case; a value that is
    a choice but for letter case, blanks and hyphens is that choice. `MPP` sets the resolution.

    Raises:
        BadInput: the table cannot be read, or has no column with files or none with a field.
    """
    header, rows = read_table(path)
    names = [_plain(name) for name in header]
    file_column = next((number for number, name in enumerate(names) if name in _FILE_COLUMNS), None)
    fields: dict[int, Column | None] = {}
    for number, name in enumerate(names):
        if name in ("mpp", "resolutionmpp"):
            fields[number] = None
        for column in columns:
            if name in (_plain(column.key), _plain(column.title)):
                fields[number] = column
    if file_column is None or not fields:
        known = ", ".join([*(column.key for column in columns), "MPP"])
        raise BadInput(
            "The table cannot be used for slides",
            detail=f"Its columns are {', '.join(header)}.",
            advice=f"It needs a column “file” and one or more of: {known}.",
            subject=str(path),
        )
    result = list(slides)
    places = _places(slides)
    matched: set[int] = set()
    unmatched: list[str] = []
    problems: list[str] = []
    for line, row in enumerate(rows, start=2):
        cells = [value.strip() for value in row] + [""] * (len(header) - len(row))
        name = cells[file_column]
        where = _match(name, places)
        if where is None:
            if name:
                unmatched.append(name)
            continue
        for number in where:
            matched.add(number)
            for place, field in fields.items():
                if not cells[place]:
                    continue
                slide, problem = _with_value(result[number], field, cells[place])
                if problem:
                    problems.append(f"Row {line}, column {header[place]}: {problem}")
                result[number] = slide
    return Applied(tuple(result), len(matched), tuple(unmatched), tuple(dict.fromkeys(problems)))


def _places(slides: Sequence[Slide]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for number, slide in enumerate(slides):
        path = slide.path.as_posix().casefold()
        stem = path.removesuffix(slide.path.suffix.casefold())
        # A DICOM slide is known by its folder, too.
        for full in (path, stem, slide.path.parent.as_posix().casefold() if slide.format == "DICOM" else path):
            parts = full.split("/")
            for start in range(len(parts)):
                known = places.setdefault("/".join(parts[start:]), [])
                if number not in known:
                    known.append(number)
    return places


def _match(name: str, places: Mapping[str, list[int]]) -> list[int] | None:
    if not name:
        return None
    path = PureWindowsPath(name).as_posix().casefold()
    parts = path.split("/")
    for start in range(len(parts)):  # a folder that was moved: the end of the path counts
        found = places.get("/".join(parts[start:]))
        if found:
            return found
    return None


def _with_value(slide: Slide, column: Column | None, text: str) -> tuple[Slide, str]:
    if column is None:
        try:
            mpp = float(text.replace(",", "."))
        except ValueError:
            mpp = 0.0
        if not 0 < mpp < 100:
            return slide, f"“{text}” is no MPP"
        return replace(slide, mpp=mpp, mpp_origin="user", mpp_problem=""), ""
    if column.choices:
        choice = next((item for item in column.choices if _plain(item) == _plain(text)), None)
        if choice is None:
            return slide, f"“{text}” is none of {', '.join(column.choices)}"
        text = choice
    return replace(slide, values={**slide.values, column.key: text}), ""


def _plain(text: str) -> str:
    return re.sub(r"[\s_&-]", "", text).casefold()
