"""The metadata CSV: columns, order and separator of the existing SDK, so that files go both ways."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath
from types import MappingProxyType

from launchpad import paths
from launchpad.application.columns import Column, outside
from launchpad.application.draft import EXTERNAL_ID_LIMIT, Slide
from launchpad.application.spreadsheet import read_table
from launchpad.errors import BadInput, LaunchpadError

_BEFORE = ("external_id", "checksum_base64_crc32c", "resolution_mpp", "width_px", "height_px")
_AFTER = ("platform_bucket_url",)
_SHOWN = 20  # problems in one message


def to_row(slide: Slide, columns: Sequence[Column]) -> dict[str, str | int | float | None]:
    """A slide as a row of the metadata file; what is not known is None."""
    return {
        "external_id": slide.external_id,
        "checksum_base64_crc32c": slide.crc32c,
        "resolution_mpp": slide.mpp,
        "width_px": slide.width,
        "height_px": slide.height,
        **{column.key: slide.values.get(column.key) or None for column in columns},
        "platform_bucket_url": slide.bucket_url or None,
    }


def other_cells(path: Path, columns: Sequence[Column]) -> dict[str, dict[str, str]]:
    """The cells of a metadata file that `write_manifest` would not write, by external id: a person's own columns.

    Raises:
        BadInput: the file cannot be read, or is no metadata file.
    """
    ours = {*_BEFORE, *(column.key for column in columns), *_AFTER, ""}
    return {
        str(row["external_id"]).strip(): {name: str(value) for name, value in row.items() if name not in ours}
        for row in _rows(path)
        if any(row.values())
    }


def write_manifest(
    path: Path,
    slides: Sequence[Slide],
    columns: Sequence[Column],
    others: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """Write the slides; what is not known (an MPP) is an empty cell. `others` are cells for columns behind ours.

    Raises:
        LaunchpadError: the file cannot be written.
    """
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", quotechar='"', quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    behind = list(dict.fromkeys(name for cells in others.values() for name in cells))
    rows.writerow([*_BEFORE, *(column.key for column in columns), *_AFTER, *behind])
    for slide in slides:
        own = others.get(slide.external_id, {})
        rows.writerow([*to_row(slide, columns).values(), *(own.get(name) for name in behind)])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        paths.write_atomic(path, out.getvalue().encode("utf-8"))
    except OSError as error:
        raise LaunchpadError(
            "The metadata file cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose another place, or check the disk and your rights.",
            subject=str(path),
        ) from error


@dataclass(frozen=True)
class CellProblem:
    """What is wrong with one cell of a metadata file; `row` counts as a spreadsheet does, from 1 for the header."""

    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        """The problem as a person reads it."""
        return f"Row {self.row}, column {self.column}: {self.reason}"


def read_manifest(path: Path, columns: Sequence[Column]) -> list[Slide]:
    """Read slides from a metadata file, also as spreadsheet programs save it. Other columns are ignored.

    `;`, `,` or tab; UTF-8 with or without a byte order mark, UTF-16, Windows' Western European. A slide that is not
    at its path any more is looked for below the file's folder.

    Raises:
        BadInput: names the rows and columns that cannot be used.
    """
    slides = read_rows(_rows(path), columns, path)
    if not slides:
        raise BadInput(
            "The metadata file holds no slides", advice="Prepare a folder that has slides.", subject=str(path)
        )
    return slides


def check_manifest(path: Path, columns: Sequence[Column], limits: Mapping[str, float]) -> list[CellProblem]:
    """All that keeps the rows of a metadata file from being submitted, by row and column; `limits` are those of MPP.

    Raises:
        BadInput: the file cannot be read, or is no metadata file.
    """
    problems: list[CellProblem] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(_rows(path), start=2):
        if not any(row.values()):
            continue
        found: list[CellProblem] = []
        slide = _slide(row, number, columns, path, found)
        problems.extend(found)
        if slide is None:
            continue
        problems.extend(CellProblem(number, name, reason) for name, reason in _missing(slide, columns, limits))
        if slide.external_id in seen:
            problems.append(
                CellProblem(number, "external_id", f"the slide stands in row {seen[slide.external_id]} too")
            )
        seen.setdefault(slide.external_id, number)
    return problems


def _missing(slide: Slide, columns: Sequence[Column], limits: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    if len(slide.external_id) > EXTERNAL_ID_LIMIT:
        yield "external_id", f"it has {len(slide.external_id)} characters, the platform takes {EXTERNAL_ID_LIMIT}"
    if slide.mpp is None:
        yield "resolution_mpp", "it is missing"
    elif words := outside(limits, slide.mpp):
        yield "resolution_mpp", words
    for column in columns:
        value = slide.values.get(column.key, "")
        if not value and column.required:
            yield column.key, "it is missing"
        elif column.refuses(value):
            yield column.key, f"“{value}” is none of {', '.join(column.choices)}"


def _rows(path: Path) -> list[dict[str, object]]:
    header, rows = read_table(path)
    missing = [name for name in _BEFORE if name not in header]
    if missing:
        raise BadInput(
            "The metadata file lacks columns",
            detail=f"Missing: {', '.join(missing)}.",
            advice="Make it by `launchpad application run prepare`.",
            subject=str(path),
        )
    return [dict(zip(header, row, strict=False)) for row in rows]


def read_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[Column], file: Path | None = None) -> list[Slide]:
    """Slides of rows as `to_row` makes them. Relative paths start at the file's folder.

    Raises:
        BadInput: names the rows and the columns that cannot be used.
    """
    problems: list[CellProblem] = []
    numbered = ((number, row) for number, row in enumerate(rows, start=2) if any(row.values()))
    read = [_slide(row, number, columns, file, problems) for number, row in numbered]
    if problems:
        more = f" And {len(problems) - _SHOWN} more." if len(problems) > _SHOWN else ""
        raise BadInput(
            "The metadata file cannot be used" if file is not None else "The metadata cannot be used",
            detail=" ".join(f"{problem}." for problem in problems[:_SHOWN]) + more,
            advice="Correct the cells, then try again.",
            subject=str(file or ""),
        )
    return [slide for slide in read if slide is not None]


def _slide(
    row: Mapping[str, object],
    number: int,
    columns: Sequence[Column],
    file: Path | None,
    problems: list[CellProblem],
) -> Slide | None:
    """The slide of a row, None where it cannot be used: then `problems` has grown."""
    before = len(problems)

    def cell(name: str) -> str:
        value = row.get(name)
        return "" if value is None else str(value).strip()

    def bad(name: str, wanted: str) -> None:
        problems.append(CellProblem(number, name, f"“{cell(name)}” is not {wanted}"))

    def number_in(name: str, wanted: str) -> float:
        try:
            value = float(cell(name).replace(",", "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            bad(name, wanted)
            return 0.0
        return value

    def whole(name: str) -> int:
        value = number_in(name, "a whole number")
        if len(problems) == before and (not value.is_integer() or value == 0):
            bad(name, "a whole number")
        return int(value)

    external_id = cell("external_id")
    if not external_id:
        bad("external_id", "the path of a slide")
    # The old SDK writes 0.0 where the file says nothing.
    mpp = (number_in("resolution_mpp", "a number") or None) if cell("resolution_mpp") else None
    width, height = whole("width_px"), whole("height_px")
    if len(problems) > before:
        return None
    path = _found(external_id, file)
    return Slide(
        path=path,
        files=(path,),
        external_id=external_id,
        format=path.suffix.lstrip(".").upper(),
        size=path.stat().st_size if os.path.isfile(path) else 0,  # noqa: PTH113
        width=width,
        height=height,
        mpp=mpp,
        mpp_origin="" if mpp is None else "file",
        mpp_problem="The metadata do not say it." if mpp is None else "",
        crc32c=cell("checksum_base64_crc32c") or None,
        values={column.key: cell(column.key) for column in columns if cell(column.key)},
        bucket_url=cell("platform_bucket_url"),
    )


def _found(external_id: str, file: Path | None) -> Path:
    """Where a slide is: at its path, or, when its folder was moved with the file, below the file's folder."""
    path = Path(external_id)
    if "://" in external_id:
        return path
    folder = file.absolute().parent if file is not None else Path.cwd()
    if not path.is_absolute():
        path = folder / path
    if file is None or os.path.exists(path):  # noqa: PTH110 - False for a name that no system takes
        return path
    # The longest end of the path that is there; it may come from another system.
    parts = PureWindowsPath(external_id).parts if "\\" in external_id else PurePath(external_id).parts
    for start in range(1, len(parts)):
        moved = folder.joinpath(*parts[start:])
        if os.path.isfile(moved):  # noqa: PTH113
            return moved
    return path
