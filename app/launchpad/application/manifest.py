"""The metadata CSV: columns, order and separator of the existing SDK, so that files go both ways."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from launchpad import paths
from launchpad.application.columns import Column
from launchpad.application.draft import Slide
from launchpad.errors import BadInput, LaunchpadError

_BEFORE = ("external_id", "checksum_base64_crc32c", "resolution_mpp", "width_px", "height_px")
_AFTER = ("platform_bucket_url",)


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


def write_manifest(path: Path, slides: Sequence[Slide], columns: Sequence[Column]) -> None:
    """Write the slides; what is not known (an MPP) is an empty cell.

    Raises:
        LaunchpadError: the file cannot be written.
    """
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", quotechar='"', quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    rows.writerow([*_BEFORE, *(column.key for column in columns), *_AFTER])
    rows.writerows(to_row(slide, columns).values() for slide in slides)
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


def read_manifest(path: Path, columns: Sequence[Column]) -> list[Slide]:
    """Read slides from a metadata file; `;`, `,` or tab, with or without a byte order mark. Other columns are ignored.

    Raises:
        BadInput: names the row and the column that cannot be used.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput(
            "The metadata file cannot be read",
            detail=f"{error.strerror or error}.",
            advice="Check its path.",
            subject=str(path),
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput("The metadata file is not UTF-8", advice="Save it as UTF-8 CSV.", subject=str(path)) from error
    header = text.partition("\n")[0]
    delimiter = max(";,\t", key=header.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        missing = [name for name in _BEFORE if name not in (rows.fieldnames or ())]
        if missing:
            raise BadInput(
                "The metadata file lacks columns",
                detail=f"Missing: {', '.join(missing)}.",
                advice="Make it by `launchpad application run prepare`.",
                subject=str(path),
            )
        slides = read_rows(rows, columns, path)
    except csv.Error as error:
        raise BadInput(
            "The metadata file is no CSV", detail=f"{error}.", advice="Save it as UTF-8 CSV.", subject=str(path)
        ) from error
    if not slides:
        raise BadInput(
            "The metadata file holds no slides", advice="Prepare a folder that has slides.", subject=str(path)
        )
    return slides


def read_rows(rows: Iterable[Mapping[str, object]], columns: Sequence[Column], file: Path | None = None) -> list[Slide]:
    """Slides of rows as `to_row` makes them. Relative paths start at the file's folder.

    Raises:
        BadInput: names the row and the column that cannot be used.
    """
    return [_slide(row, number, columns, file) for number, row in enumerate(rows, start=2)]


def _slide(row: Mapping[str, object], number: int, columns: Sequence[Column], file: Path | None) -> Slide:
    def cell(name: str) -> str:
        value = row.get(name)
        return "" if value is None else str(value).strip()

    def number_in(name: str, wanted: str) -> float:
        try:
            value = float(cell(name).replace(",", "."))
        except ValueError:
            raise _bad(file, number, name, cell(name), wanted) from None
        if not math.isfinite(value) or value < 0:
            raise _bad(file, number, name, cell(name), wanted)
        return value

    def whole(name: str) -> int:
        value = number_in(name, "a whole number")
        if not value.is_integer() or value == 0:
            raise _bad(file, number, name, cell(name), "a whole number")
        return int(value)

    external_id = cell("external_id")
    if not external_id:
        raise _bad(file, number, "external_id", "", "the path of a slide")
    # The old SDK writes 0.0 where the file says nothing.
    mpp = (number_in("resolution_mpp", "a number") or None) if cell("resolution_mpp") else None
    path = Path(external_id)
    if not path.is_absolute() and "://" not in external_id:
        path = (file.absolute().parent if file is not None else Path.cwd()) / path
    return Slide(
        path=path,
        files=(path,),
        external_id=external_id,
        format=path.suffix.lstrip(".").upper(),
        size=path.stat().st_size if path.is_file() else 0,
        width=whole("width_px"),
        height=whole("height_px"),
        mpp=mpp,
        mpp_origin="" if mpp is None else "file",
        mpp_problem="The metadata do not say it." if mpp is None else "",
        crc32c=cell("checksum_base64_crc32c") or None,
        values={column.key: cell(column.key) for column in columns if cell(column.key)},
        bucket_url=cell("platform_bucket_url"),
    )


def _bad(file: Path | None, row: int, column: str, value: str, wanted: str) -> BadInput:
    return BadInput(
        "The metadata file cannot be used" if file is not None else "The metadata cannot be used",
        detail=f"Row {row}, column {column}: “{value}” is not {wanted}.",
        advice="Correct the cell, then try again.",
        subject=str(file or ""),
    )
