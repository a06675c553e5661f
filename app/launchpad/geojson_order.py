"""Puts GeoJSON features in order, so that QuPath takes every one of them: shapes, classes, measurements, identifiers.

Repaired where its area can be kept, dropped and counted where there is nothing to keep. Part of `geojson.py`.
"""

from __future__ import annotations

import math
import re
import uuid
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Feature: TypeAlias = dict[str, Any]
Ring: TypeAlias = Sequence[Sequence[float]]
Flat: TypeAlias = "tuple[list[int], array[float]]"  # lengths of the rings, and the numbers of all points

BATCH = 100  # features whose polygons are looked at together; more only keeps the garbage collector busy
_OBJECT_TYPES = frozenset(("annotation", "detection", "cell", "tile", "tmaCore"))
_RGB = [int, int, int]
_CHANNELS = frozenset(range(256))
_NUMBERS = frozenset((int, float))
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LINES = {"Point": 0, "MultiPoint": 1, "LineString": 1}
_PALETTE = (
    (31, 119, 180),
    (255, 127, 14),
    (44, 160, 44),
    (214, 39, 40),
    (148, 103, 189),
    (140, 86, 75),
    (227, 119, 194),
    (188, 189, 34),
    (23, 190, 207),
)


@dataclass
class Tally:
    """What became of features: `written` objects, `repaired` shapes, `dropped` objects, `nuclei_dropped` shapes."""

    written: int = 0
    repaired: int = 0
    dropped: int = 0
    nuclei_dropped: int = 0

    def words(self) -> str:
        """The losses in a sentence, "" when there are none."""
        parts = []
        if self.repaired:
            parts.append(f"{self.repaired} shape(s) crossed themselves or were open and were repaired")
        if self.dropped:
            parts.append(f"{self.dropped} object(s) had no usable shape and were left out")
        if self.nuclei_dropped:
            parts.append(f"{self.nuclei_dropped} cell(s) lost an unusable nucleus")
        return f"{'; '.join(parts)}." if parts else ""


def class_colour(name: str) -> tuple[int, int, int]:
    """A colour for a class that came without one: the same for the same name, whenever and wherever."""
    return _PALETTE[zlib.crc32(name.encode(errors="surrogatepass")) % len(_PALETTE)]


# --- shapes ---------------------------------------------------------------------------------------------------------
def is_valid_ring(ring: Ring) -> bool:
    """Whether a closed ring is a valid polygon: it does not cross or touch itself."""
    from shapely import is_valid, polygons

    return bool(is_valid(polygons(ring)))


def valid_polygons(rings: Sequence[Ring], limits: tuple[float, float] | None = None) -> list[list[Any]]:
    """Valid polygons that cover the same area as outer ring and holes do; what has no area is left out.

    Args:
        rings: the outer ring, then holes.
        limits: width and height of the slide, which the polygons then do not leave.

    Returns:
        For each polygon its rings, closed, of (x, y).
    """
    import shapely

    shape: BaseGeometry = shapely.Polygon(rings[0], rings[1:])
    if not shape.is_valid:
        shape = shapely.make_valid(shape)
    if limits is not None:
        shape = shape.intersection(shapely.box(0, 0, *limits))
    # Twice: a collection may hold multi-polygons.
    parts = [piece for part in shapely.get_parts(shape) for piece in shapely.get_parts(part)]
    return [
        [[(float(x), float(y)) for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in parts
        if part.geom_type == "Polygon" and part.area > 0
    ]


def flat(geometry: Any) -> Flat | None:
    """A polygon's rings as lengths and numbers; None for what is no polygon of points of two numbers."""
    if not isinstance(geometry, dict) or geometry.get("type") != "Polygon":
        return None
    try:
        rings = geometry["coordinates"]
        lengths = [len(ring) for ring in rings]
        points = rings[0] if len(rings) == 1 else chain.from_iterable(rings)
        numbers = array("d", chain.from_iterable(points))
    except (TypeError, KeyError):
        return None
    return (lengths, numbers) if lengths and len(numbers) == 2 * sum(lengths) else None


def check_together(polygons: Sequence[Flat]) -> list[bool]:
    """For each polygon whether its rings are closed and finite, and it is valid."""
    import numpy as np
    import shapely

    if not polygons:
        return []
    lengths = np.fromiter(chain.from_iterable(item[0] for item in polygons), dtype=np.int64)
    points = np.frombuffer(b"".join(item[1] for item in polygons), dtype=np.float64).reshape(-1, 2)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    owners = np.repeat(np.arange(len(polygons)), [len(item[0]) for item in polygons])
    good = lengths >= 4
    good[good] = (points[starts[good]] == points[ends[good] - 1]).all(axis=1)
    if not np.isfinite(points).all():
        ring_of = np.repeat(np.arange(len(lengths)), lengths)
        good &= np.bincount(ring_of, ~np.isfinite(points).all(axis=1), len(lengths)) == 0
    fine = np.bincount(owners, ~good, len(polygons)) == 0
    usable = fine[owners]
    kept = np.repeat(usable, lengths)
    linear = shapely.linearrings(points[kept], indices=np.repeat(np.cumsum(usable) - 1, lengths)[kept])
    owned = np.cumsum(fine)[owners[usable]] - 1
    fine[fine] = shapely.is_valid(shapely.polygons(linear, indices=owned)) if len(owned) else []
    return [bool(value) for value in fine]


def _point(value: Any) -> list[float] | None:
    try:
        x, y = float(value[0]), float(value[1])
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    return [x, y] if math.isfinite(x) and math.isfinite(y) else None


def _ring(value: Any) -> list[list[float]] | None:
    """A closed ring of finite points; None where fewer than three are left."""
    if not isinstance(value, (list, tuple)):
        return None
    points = [point for point in map(_point, value) if point is not None]
    if points and points[0] != points[-1]:
        points.append(points[0])
    return points if len(points) >= 4 else None


def _put_in_order(geometry: Any) -> dict[str, Any] | None:
    """A geometry that QuPath takes, None where nothing can be kept."""
    if not isinstance(geometry, Mapping):
        return None
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    result: dict[str, Any] | None = None
    if kind in ("Polygon", "MultiPolygon", "GeometryCollection"):
        result = _polygons_in_order(geometry)
    elif kind in _LINES and isinstance(coordinates, (list, tuple)):
        raw = coordinates if _LINES[kind] else [coordinates]
        points = [point for point in map(_point, raw) if point is not None]
        if len(points) >= (2 if kind == "LineString" else 1):
            result = {"type": kind, "coordinates": points if _LINES[kind] else points[0]}
    if result is not None and isinstance(geometry.get("plane"), Mapping):
        result["plane"] = dict(geometry["plane"])
    return result


def _polygons_in_order(geometry: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "GeometryCollection":  # QuPath 0.6 does not read them
        members = geometry.get("geometries")
        found = [_put_in_order(item) for item in members] if isinstance(members, (list, tuple)) else []
        areas = [item for item in found if item is not None and item["type"] in ("Polygon", "MultiPolygon")]
        raw = [part for item in areas for part in _parts_of(item)]
    else:
        raw = [coordinates] if kind == "Polygon" else coordinates  # type: ignore[assignment]
    parts: list[list[Any]] = []
    for polygon in raw if isinstance(raw, (list, tuple)) else ():
        if not isinstance(polygon, (list, tuple)) or not polygon or (outer := _ring(polygon[0])) is None:
            continue
        holes = [ring for ring in map(_ring, polygon[1:]) if ring is not None]
        parts.extend(valid_polygons([outer, *holes]))
    if len(parts) > 1:
        parts = _united(parts)
    if not parts:
        return None
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _parts_of(geometry: Mapping[str, Any]) -> list[Any]:
    coordinates: list[Any] = geometry["coordinates"]
    return [coordinates] if geometry["type"] == "Polygon" else coordinates


def _united(parts: list[list[Any]]) -> list[list[Any]]:
    """Parts of one shape must not overlap."""
    import shapely

    shape = shapely.MultiPolygon([(part[0], part[1:]) for part in parts])
    if shape.is_valid:
        return parts
    merged = shapely.union_all([shapely.Polygon(part[0], part[1:]) for part in parts])
    return [
        [[(float(x), float(y)) for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(merged)
        if part.geom_type == "Polygon"
    ]


# --- features -------------------------------------------------------------------------------------------------------
def _colour(value: Any) -> list[int] | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):  # one number of alpha, red, green, blue, as before QuPath 0.4
        return [value >> 16 & 255, value >> 8 & 255, value & 255]
    if isinstance(value, (list, tuple)) and len(value) >= 3:
        channels = [item for item in value[:3] if isinstance(item, (int, float)) and math.isfinite(item)]
        return [min(255, max(0, int(item))) for item in channels] if len(channels) == 3 else None
    return None


def _classification(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value:
        return {"name": value, "color": list(class_colour(value))}
    if not isinstance(value, Mapping):
        return None
    names = value.get("names")
    name = value.get("name") or (": ".join(map(str, names)) if isinstance(names, (list, tuple)) and names else "")
    if not isinstance(name, str) or not name:
        return None
    given = value.get("color")
    if type(given) is list and list(map(type, given)) == _RGB and _CHANNELS.issuperset(given) and len(value) == 2:
        return dict(value)
    colour = _colour(given) or _colour(value.get("colorRGB"))
    return {"name": name, "color": colour or list(class_colour(name))}


def _measurements(value: Any) -> dict[str, float]:
    if isinstance(value, (list, tuple)):
        value = {item.get("name"): item.get("value") for item in value if isinstance(item, Mapping)}
    if not isinstance(value, Mapping):
        return {}
    if type(value) is dict and set(map(type, value.values())) <= _NUMBERS and math.isfinite(sum(value.values())):
        return value
    return {
        str(name): number
        for name, number in value.items()
        if type(number) is int or (type(number) is float and math.isfinite(number))
    }


def identifier_of(value: Any) -> str:
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value
        try:
            return str(uuid.UUID(value))
        except ValueError:
            return str(uuid.uuid4())
    return str(uuid.uuid4())


def properties_of(item: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    given = item.get("properties")
    given = given if isinstance(given, Mapping) else {}
    kind = given.get("objectType")
    result: dict[str, Any] = {"objectType": kind if kind in _OBJECT_TYPES else "annotation"}
    for key, value in given.items():
        if value is None or key in ("objectType", "nucleusGeometry"):
            continue
        if key == "classification":
            if (known := _classification(value)) is not None:
                result[key] = known
        elif key == "measurements":
            result[key] = _measurements(value)
        elif key == "color":
            if (colour := _colour(value)) is not None:
                result[key] = colour
        elif key == "metadata":
            if isinstance(value, Mapping):
                result[key] = {str(name): str(text) for name, text in value.items() if text is not None}
        elif key == "childObjects":
            if isinstance(value, (list, tuple)):
                result[key] = list(in_order((child for child in value if isinstance(child, Mapping)), tally))
        elif key == "name":
            result[key] = str(value)
        else:
            result[key] = value
    return result


def in_order(features: Iterable[Mapping[str, Any]], tally: Tally) -> Iterator[Feature]:
    """Features as every QuPath from 0.5 takes them; what was repaired and dropped is counted in `tally`.

    Valid polygons go through as they are. A feature that is a bare geometry becomes an annotation.
    """
    batch: list[Mapping[str, Any]] = []
    for item in features:
        batch.append(item)
        if len(batch) >= BATCH:
            yield from batch_in_order(batch, tally)
            batch = []
    yield from batch_in_order(batch, tally)


def shapes_of(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Outline and nucleus, as far as there are any; a bare geometry is its own outline."""
    properties = item.get("properties")
    inner = properties.get("nucleusGeometry") if isinstance(properties, Mapping) else None
    outer = item.get("geometry") if "type" not in item or item["type"] == "Feature" else item
    return outer, item.get("nucleusGeometry") or inner


def batch_in_order(batch: Sequence[Mapping[str, Any]], tally: Tally) -> Iterator[Feature]:
    shapes = [shapes_of(item) for item in batch]
    flats = [(flat(outer), flat(nucleus)) for outer, nucleus in shapes]
    fine = iter(check_together([flat for pair in flats for flat in pair if flat is not None]))
    for item, pair, both in zip(batch, shapes, flats, strict=True):
        # The checks come in the order of the shapes, also of those whose feature is then dropped.
        valid = [flat is not None and next(fine) for flat in both]
        result = assembled(item, None, pair, valid, tally)
        if result is not None:
            yield result


def assembled(
    item: Mapping[str, Any],
    properties: dict[str, Any] | None,
    pair: tuple[Any, Any],
    valid: Sequence[bool],
    tally: Tally,
) -> Feature | None:
    """The feature with shapes in order, None where its outline is lost; `properties` that are in order already."""
    geometry, nucleus = (shape if good else _put_in_order(shape) for shape, good in zip(pair, valid, strict=True))
    if geometry is None:
        tally.dropped += 1
        return None
    for shape, good, now in zip(pair, valid, (geometry, nucleus), strict=True):
        # Lines, points and parts that came in order are not repairs.
        if shape is not None and not good and now is not None and not _same(shape, now):
            tally.repaired += 1
    result: Feature = {"type": "Feature", "id": identifier_of(item.get("id")), "geometry": geometry}
    if nucleus is not None:
        result["nucleusGeometry"] = nucleus
    elif pair[1] is not None:
        tally.nuclei_dropped += 1
    result["properties"] = properties_of(item, tally) if properties is None else properties
    tally.written += 1
    return result


def _same(before: Any, after: Mapping[str, Any]) -> bool:
    """Whether a geometry has the kind and the points that it had."""
    if before.get("type") != after["type"]:
        return False
    return bool(_plain(before.get("coordinates")) == _plain(after["coordinates"]))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
