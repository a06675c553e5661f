"""Results as one looks at them: tables, pictures, trees, and cells as outlines over the slide's picture.

Everything here reads files of others and may take long: not on the GUI thread. Pictures are decoded in a worker
process, as a malformed one may kill it.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from launchpad.errors import BadInput

Kind = Literal["table", "picture", "tree", "cells", ""]

ROWS = 2000  # of a table
SHAPES = 60_000  # of cells
_TREE_BYTES = 32 << 20
_PIXELS = 400_000_000
_COMMENT = "#"


@dataclass(frozen=True)
class Table:
    """The first rows of a CSV file; `more`: there are others. Lines that begin with # are skipped."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: bool


@dataclass(frozen=True)
class Shape:
    """Outline of a region, or the middle of a cell (one point), in pixels of the slide; colour 0..255."""

    name: str
    colour: tuple[int, int, int]
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Shapes:
    """What a GeoJSON file holds, and how many of each class there are in it."""

    shapes: tuple[Shape, ...]
    counts: tuple[tuple[str, int, tuple[int, int, int]], ...]
    more: bool


def kind_of(name: str, media_type: str) -> Kind:
    """How a result is looked at; "" where there is no way."""
    suffix = Path(name).suffix.lower()
    media_type = media_type.split(";")[0].strip().lower()
    if media_type == "application/geo+json" or suffix == ".geojson" or "geojson" in name:
        return "cells"
    if media_type == "text/csv" or suffix in (".csv", ".tsv"):
        return "table"
    if media_type.startswith("image/") or suffix in (".tif", ".tiff", ".png", ".jpg", ".jpeg"):
        return "picture"
    if media_type == "application/json" or suffix == ".json":
        return "tree"
    return ""


def read_table(path: Path) -> Table:
    """The first rows of a CSV file, comma, semicolon or tab between its values.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            lines = (line for line in file if not line.startswith(_COMMENT) and line.strip())
            first = next(lines, "")
            delimiter = max(",;\t", key=first.count)
            rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
            header = tuple(next(rows, []))
            body = [tuple(row) for row in itertools.islice(rows, ROWS + 1)]
    except (OSError, csv.Error) as error:
        raise _unreadable("The table cannot be read", path, error) from error
    return Table(header, tuple(body[:ROWS]), len(body) > ROWS)


def read_tree(path: Path) -> Any:
    """A JSON document.

    Raises:
        BadInput: it is no JSON, or too large to look at.
    """
    try:
        if path.stat().st_size > _TREE_BYTES:
            raise BadInput(
                "The file is too large to be shown here",
                advice="Save it, and open it in another program.",
                subject=path.name,
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, BadInput):
            raise
        raise _unreadable("The file cannot be read", path, error) from error


def picture_png(path: Path, size: int) -> bytes:
    """A picture as PNG, its longest side `size` pixels or less. Class numbers of a map become colours.

    Raises:
        BadInput: it cannot be read.
    """
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd in a file, and can be shown all the same
            image = _opened(path, size)
            buffer = io.BytesIO()
            image.save(buffer, "PNG", compress_level=3)
    except (OSError, ValueError, Image.DecompressionBombError, MemoryError) as error:
        raise _unreadable("The picture cannot be read", path, error) from error
    return buffer.getvalue()


def _opened(path: Path, size: int) -> Any:
    from PIL import Image

    with Image.open(path) as opened:
        image: Any = opened
        if image.mode in ("1", "L", "I;16", "I", "F"):
            image = _coloured(image, size)
        image = image.convert("RGB")
    image.thumbnail((size, size), Image.Resampling.NEAREST)
    return image


def _coloured(image: Any, size: int) -> Any:
    """A map of few classes in distinct colours; a picture of greys as it is."""
    from PIL import Image

    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.NEAREST)
    greys = small.convert("L")
    used = greys.getcolors(256) or []
    if len(used) > 16:
        return greys
    palette = [255] * 768
    colours = ((255, 255, 255), (214, 39, 93), (44, 123, 182), (94, 60, 153), (26, 150, 65), (253, 174, 97),
               (140, 81, 10), (128, 205, 193))  # fmt: skip
    for number, (_, value) in enumerate(sorted(used, key=lambda entry: int(entry[1]))):
        palette[3 * int(value) : 3 * int(value) + 3] = colours[number % len(colours)]
    mapped = Image.frombytes("P", greys.size, greys.tobytes())
    mapped.putpalette(palette)
    return mapped


def read_shapes(path: Path) -> Shapes:
    """Regions as outlines and cells as points, at most so many; classes with their counts.

    Raises:
        BadInput: it is not GeoJSON.
    """
    from launchpad.geojson import read_features

    shapes: list[Shape] = []
    counts: dict[str, tuple[int, tuple[int, int, int]]] = {}
    more = False
    try:
        for feature in read_features(path):
            properties: Any = feature.get("properties") or {}
            name, colour = _class_of(properties)
            number, known = counts.get(name, (0, colour))
            counts[name] = (number + 1, known)
            if len(shapes) >= SHAPES:
                more = True
                continue
            is_cell = properties.get("objectType") in ("cell", "detection")
            for ring in _rings(feature.get("geometry")):
                points = tuple((float(point[0]), float(point[1])) for point in ring)
                if is_cell and points:
                    middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
                    shapes.append(Shape(name, colour, (middle,)))
                elif len(points) > 2:
                    shapes.append(Shape(name, colour, points))
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, BadInput):
            raise
        raise _unreadable("The GeoJSON file cannot be read", path, error) from error
    ordered = sorted(((name, number, colour) for name, (number, colour) in counts.items()), key=lambda entry: -entry[1])
    return Shapes(tuple(shapes), tuple(ordered), more)


def _class_of(properties: Any) -> tuple[str, tuple[int, int, int]]:
    classification = properties.get("classification") or {}
    name = str(classification.get("name") or properties.get("name") or "")
    colour = classification.get("color") or properties.get("color") or (36, 87, 197)
    if isinstance(colour, int):  # as old QuPath writes it
        colour = (colour >> 16 & 255, colour >> 8 & 255, colour & 255)
    red, green, blue = (max(0, min(255, int(part))) for part in tuple(colour)[:3])
    return name, (red, green, blue)


def _rings(geometry: Any) -> Iterator[Sequence[Sequence[float]]]:
    kind, coordinates = (geometry or {}).get("type"), (geometry or {}).get("coordinates") or ()
    if kind == "Point":
        yield [coordinates]
    elif kind == "Polygon":
        yield from coordinates
    elif kind == "MultiPolygon":
        for polygon in coordinates:
            yield from polygon


def _unreadable(title: str, path: Path, error: Exception) -> BadInput:
    return BadInput(
        title,
        detail=f"{str(error).rstrip('.') or type(error).__name__}.",
        advice="Download it again, or open it in another program.",
        subject=path.name,
    )
