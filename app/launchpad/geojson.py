"""GeoJSON as QuPath 0.5 to 0.7 reads it, the one way to write and read it: streamed, so that memory stays flat.

Coordinates are pixels of the full-resolution level, origin top left. QuPath 0.6 refuses a whole file for one ring
that is open or crosses itself, for a class without a colour and for a null; so everything that is written is put in
order first: repaired where its area can be kept, dropped and counted where there is nothing to keep.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import secrets
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeAlias, cast

from launchpad.errors import BadInput, LaunchpadError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Feature: TypeAlias = dict[str, Any]
Ring: TypeAlias = Sequence[Sequence[float]]

_BATCH = 100  # features whose polygons are looked at together; more only keeps the garbage collector busy
_GZIP_LEVEL = 4
_OBJECT_TYPES = frozenset(("annotation", "detection", "cell", "tile", "tmaCore"))
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


def feature(
    geometry: Mapping[str, object],
    *,
    object_type: str,
    name: str | None = None,
    classification: tuple[str, tuple[int, int, int]] | None = None,
    measurements: Mapping[str, float] | None = None,
    id: str | None = None,  # noqa: A002 - GeoJSON's own word
    nucleus_geometry: Mapping[str, object] | None = None,
) -> Feature:
    """One QuPath object: `object_type` is annotation, detection, cell or tile; colours are 0..255."""
    properties: dict[str, object] = {"objectType": object_type}
    if name is not None:
        properties["name"] = name
    if classification is not None:
        properties["classification"] = {"name": classification[0], "color": list(classification[1])}
    if measurements is not None:
        properties["measurements"] = dict(measurements)
    result: Feature = {"type": "Feature"}
    if id is not None:
        result["id"] = id
    result["geometry"] = geometry
    if nucleus_geometry is not None:
        result["nucleusGeometry"] = nucleus_geometry
    result["properties"] = properties
    return result


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


def _is_polygon_in_order(geometry: Any) -> bool:
    """Whether it looks like a polygon whose rings can be checked together with others."""
    return isinstance(geometry, dict) and geometry.get("type") == "Polygon" and bool(geometry.get("coordinates"))


def _check_together(geometries: Sequence[dict[str, Any]]) -> list[bool]:
    """For each polygon whether it is closed, finite and valid; all False when one cannot be read as numbers."""
    import numpy as np
    import shapely

    if not geometries:
        return []
    try:
        rings = [ring for geometry in geometries for ring in geometry["coordinates"]]
        lengths = np.fromiter(map(len, rings), dtype=np.int64, count=len(rings))
        total = int(lengths.sum())
        flat = chain.from_iterable(chain.from_iterable(rings))
        values = np.fromiter(flat, dtype=np.float64, count=2 * total)
        if next(flat, None) is not None:  # points of three numbers
            return [False] * len(geometries)
    except (TypeError, ValueError):
        return [False] * len(geometries)
    points = values.reshape(-1, 2)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    owners = np.repeat(np.arange(len(geometries)), [len(geometry["coordinates"]) for geometry in geometries])
    good = lengths >= 4
    good[good] = (points[starts[good]] == points[ends[good] - 1]).all(axis=1)
    good &= np.bincount(np.repeat(np.arange(len(rings)), lengths), ~np.isfinite(points).all(axis=1), len(rings)) == 0
    fine = np.bincount(owners, ~good, len(geometries)) == 0
    usable = fine[owners]
    kept = np.repeat(usable, lengths)
    numbers = np.repeat(np.cumsum(usable) - 1, lengths)[kept]
    linear = shapely.linearrings(points[kept], indices=numbers)
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
    colour = _colour(value.get("color")) or _colour(value.get("colorRGB"))
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


def _identifier(value: Any) -> str:
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value
        try:
            return str(uuid.UUID(value))
        except ValueError:
            return str(uuid.uuid4())
    return str(uuid.uuid4())


def _properties(item: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
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
        if len(batch) >= _BATCH:
            yield from _batch_in_order(batch, tally)
            batch = []
    yield from _batch_in_order(batch, tally)


def _batch_in_order(batch: Sequence[Mapping[str, Any]], tally: Tally) -> Iterator[Feature]:
    shapes: list[tuple[Any, Any]] = []
    for item in batch:
        properties = item.get("properties")
        inner = properties.get("nucleusGeometry") if isinstance(properties, Mapping) else None
        outer = item.get("geometry") if "type" not in item or item["type"] == "Feature" else item
        shapes.append((outer, item.get("nucleusGeometry") or inner))
    polygons = [shape for pair in shapes for shape in pair if _is_polygon_in_order(shape)]
    fine = iter(_check_together(polygons))
    for item, pair in zip(batch, shapes, strict=True):
        # The checks come in the order of the shapes, also of those whose feature is then dropped.
        valid = [_is_polygon_in_order(shape) and next(fine) for shape in pair]
        geometry, nucleus = (shape if good else _put_in_order(shape) for shape, good in zip(pair, valid, strict=True))
        if geometry is None:
            tally.dropped += 1
            continue
        for shape, good, now in ((pair[0], valid[0], geometry), (pair[1], valid[1], nucleus)):
            # Lines, points and parts that came in order are not repairs.
            if shape is not None and not good and now is not None and not _same(shape, now):
                tally.repaired += 1
        result: Feature = {"type": "Feature", "id": _identifier(item.get("id")), "geometry": geometry}
        if nucleus is not None:
            result["nucleusGeometry"] = nucleus
        elif pair[1] is not None:
            tally.nuclei_dropped += 1
        result["properties"] = _properties(item, tally)
        tally.written += 1
        yield result


def _same(before: Any, after: Mapping[str, Any]) -> bool:
    """Whether a geometry has the kind and the points that it had."""
    if before.get("type") != after["type"]:
        return False
    return bool(_plain(before.get("coordinates")) == _plain(after["coordinates"]))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


# --- writing --------------------------------------------------------------------------------------------------------
class FeatureWriter:
    """Writes a FeatureCollection to `path` under a temporary name; it appears whole or not at all.

    Every feature is put in order first (`tally` says what became of them). A name that ends in `.gz` is compressed.
    `properties` become foreign members of the collection, before the features.
    """

    def __init__(self, path: Path, properties: Mapping[str, object] | None = None) -> None:
        self._path = path
        self._temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._properties = dict(properties or {})
        self._raw: BinaryIO | None = None
        self._file: BinaryIO | None = None
        self._waiting: list[Mapping[str, Any]] = []
        self._any = False
        self.count = 0
        """Features that were given; `tally.written` is how many of them are in the file."""
        self.tally = Tally()

    def __enter__(self) -> Self:
        self._raw = self._file = self._temporary.open("wb")
        if self._path.name.endswith(".gz"):
            packed = gzip.GzipFile("", "wb", _GZIP_LEVEL, self._raw, mtime=0)
            self._file = cast("BinaryIO", packed)
        head = {"type": "FeatureCollection", **self._properties}
        self._file.write(json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "features": [')
        return self

    def write(self, item: Mapping[str, Any]) -> None:
        """Append one feature."""
        if self._file is None:
            raise ValueError("the writer is not open")
        self.count += 1
        self._waiting.append(item)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def write_in_order(self, item: Feature) -> None:
        """Append one feature that comes from `in_order` and is counted there."""
        import orjson

        if self._file is None:
            raise ValueError("the writer is not open")
        self._file.write((b",\n" if self._any else b"\n") + orjson.dumps(item))
        self._any = True

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for item in _batch_in_order(waiting, self.tally):
            self.write_in_order(item)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self._raw is None:
            return
        try:
            if kind is None:
                self._flush()
                self._file.write(b"\n]}\n")
            if self._file is not self._raw:
                self._file.close()
            self._raw.close()
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            self._file = None
            self._raw.close()
            self._temporary.unlink(missing_ok=True)


# --- reading --------------------------------------------------------------------------------------------------------
def read_features(path: Path) -> Iterator[Feature]:
    """The features of a file: a collection, a list of features, one feature or one geometry; `.gz` is unpacked.

    One after the other: memory does not grow with the file.

    Raises:
        BadInput: it is not GeoJSON, or it is cut off.
    """
    from launchpad.geojson_stream import NotGeoJson, objects

    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast("BinaryIO", gzip.GzipFile("", "rb", fileobj=raw)) if packed else raw
            yield from objects(file)
    except NotGeoJson as error:
        raise BadInput(
            "The file is not GeoJSON",
            detail=f"{error}.",
            advice="Choose a whole FeatureCollection; fetch or export it again if it was cut off.",
            subject=str(path),
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput("The GeoJSON file cannot be read", detail=f"{error}.", subject=str(path)) from error


def unwritable(path: Path, error: OSError) -> LaunchpadError:
    """What a person is told when a GeoJSON file cannot be written."""
    return LaunchpadError(
        "The GeoJSON file cannot be written",
        detail=f"{error.strerror or error}.",
        advice="Check the disk's free space and your rights to the folder.",
        subject=str(path),
    )
