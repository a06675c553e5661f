"""GeoJSON as QuPath 0.5 to 0.7 reads it, the one way to write and read it: streamed, so that memory stays flat.

Coordinates are pixels of the full-resolution level, origin top left. QuPath 0.6 refuses a whole file for one ring
that is open or crosses itself, for a class without a colour and for a null; so everything that is written is put in
order first: repaired where its area can be kept, dropped and counted where there is nothing to keep.
"""

from __future__ import annotations

import gzip
import json
import secrets
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from launchpad.errors import BadInput
from launchpad.geojson_order import (
    BATCH,
    Feature,
    Flat,
    Ring,
    Tally,
    assembled,
    batch_in_order,
    check_together,
    class_colour,
    flat,
    identifier_of,
    in_order,
    is_valid_ring,
    properties_of,
    shapes_of,
    valid_polygons,
)

__all__ = [
    "Feature",
    "FeatureWriter",
    "Ring",
    "Tally",
    "class_colour",
    "feature",
    "in_order",
    "is_valid_ring",
    "read_features",
    "valid_polygons",
]

_GZIP_LEVEL = 4


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
        self._waiting: list[tuple[bytes, list[Flat]] | Mapping[str, Any]] = []
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
        import orjson

        if self._file is None:
            raise ValueError("the writer is not open")
        self.count += 1
        pair = shapes_of(item)
        flats = [flat(shape) for shape in pair if shape is not None]
        polygons = [flat for flat in flats if flat is not None]
        given = item.get("properties")
        if not polygons or len(polygons) < len(flats) or pair[0] is None or (given and "childObjects" in given):
            self._waiting.append(item)
        else:
            # As text at once: thousands of lists that wait would keep the garbage collector busy.
            result = {"type": "Feature", "id": identifier_of(item.get("id")), "geometry": pair[0]}
            if pair[1] is not None:
                result["nucleusGeometry"] = pair[1]
            result["properties"] = properties_of(item, self.tally)
            self._waiting.append((orjson.dumps(result), polygons))
        if len(self._waiting) >= BATCH:
            self._flush()

    def write_in_order(self, item: Feature) -> None:
        """Append one feature that comes from `in_order` and is counted there."""
        import orjson

        if self._file is None:
            raise ValueError("the writer is not open")
        self._put(orjson.dumps(item))

    def _put(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write((b",\n" if self._any else b"\n") + data)
            self._any = True

    def _flush(self) -> None:
        import orjson

        waiting, self._waiting = self._waiting, []
        fine = iter(check_together([flat for entry in waiting if isinstance(entry, tuple) for flat in entry[1]]))
        for entry in waiting:
            if not isinstance(entry, tuple):
                for made in batch_in_order([entry], self.tally):
                    self.write_in_order(made)
                continue
            valid = [next(fine) for _ in entry[1]]
            if all(valid):
                self.tally.written += 1
                self._put(entry[0])
                continue
            item = orjson.loads(entry[0])
            checks = valid if len(valid) == 2 else [*valid, False]
            repaired = assembled(item, item["properties"], shapes_of(item), checks, self.tally)
            if repaired is not None:
                self.write_in_order(repaired)

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
            found = False
            for feature in objects(file):
                found = True
                yield feature
            if not found:
                raw.seek(0)
                head = raw.read(64).lstrip()
                if not packed and head.startswith(b"[") and not head.lstrip(b"[ \t\r\n").startswith(b"]"):
                    raise NotGeoJson("it is a list of something else")
    except NotGeoJson as error:
        raise BadInput(
            "The file is not GeoJSON",
            detail=f"{error}.",
            advice="Choose a whole FeatureCollection; fetch or export it again if it was cut off.",
            subject=str(path),
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput("The GeoJSON file cannot be read", detail=f"{error}.", subject=str(path)) from error
