"""GeoJSON as QuPath reads it: streamed, one feature at a time, so that memory stays flat.

Coordinates are pixels of the full-resolution level, origin top left. QuPath 0.6 refuses a whole file for one ring
that is not closed or crosses itself, so writers validate before they come here.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from launchpad.errors import BadInput


def feature(
    geometry: Mapping[str, object],
    *,
    object_type: str,
    name: str | None = None,
    classification: tuple[str, tuple[int, int, int]] | None = None,
    measurements: Mapping[str, float] | None = None,
    id: str | None = None,  # noqa: A002 - GeoJSON's own word
    nucleus_geometry: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """One QuPath object: `object_type` is annotation, detection, cell or tile; colours are 0..255."""
    properties: dict[str, object] = {"objectType": object_type}
    if name is not None:
        properties["name"] = name
    if classification is not None:
        properties["classification"] = {"name": classification[0], "color": list(classification[1])}
    if measurements is not None:
        properties["measurements"] = dict(measurements)
    result: dict[str, object] = {"type": "Feature"}
    if id is not None:
        result["id"] = id
    result["geometry"] = geometry
    if nucleus_geometry is not None:
        result["nucleusGeometry"] = nucleus_geometry
    result["properties"] = properties
    return result


class FeatureWriter:
    """Writes a FeatureCollection to `path` under a temporary name; it appears whole or not at all.

    `properties` become foreign members of the collection, before the features.
    """

    def __init__(self, path: Path, properties: Mapping[str, object] | None = None) -> None:
        self._path = path
        self._temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._properties = dict(properties or {})
        self._file: BinaryIO | None = None
        self.count = 0

    def __enter__(self) -> Self:
        self._file = self._temporary.open("wb")
        head = {"type": "FeatureCollection", **self._properties}
        self._file.write(json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "features": [')
        return self

    def write(self, item: Mapping[str, object]) -> None:
        """Append one feature."""
        import orjson

        if self._file is None:
            raise ValueError("the writer is not open")
        self._file.write((b",\n" if self.count else b"\n") + orjson.dumps(item))
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        with file:
            if kind is None:
                file.write(b"\n]}\n")
        if kind is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink(missing_ok=True)


def read_features(path: Path) -> Iterator[dict[str, object]]:
    """The features of a file: a collection, a list of features, or one feature.

    Raises:
        BadInput: it is not GeoJSON.
    """
    import orjson

    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise BadInput("The GeoJSON file cannot be read", detail=f"{error}.", subject=str(path)) from error
    if isinstance(document, dict):
        document = document.get("features") if document.get("type") == "FeatureCollection" else [document]
    if not isinstance(document, list) or not all(isinstance(item, dict) for item in document):
        raise BadInput("The file is not GeoJSON", advice="Choose a FeatureCollection.", subject=str(path))
    yield from document
