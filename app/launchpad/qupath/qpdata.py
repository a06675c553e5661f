"""`data.qpdata`: the objects of one image as QuPath 0.5 to 0.7 reads them, written without QuPath.

The form is QuPath's own and was taken from the outside: a stream of Java objects (see `java_stream.py`) with a
version, the image's place, its type, and the hierarchy of objects.
"""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from launchpad.qupath.java_stream import (
    END,
    ENUM,
    EXTERNAL,
    LIST,
    NULL,
    SERIAL,
    JavaStream,
    string_bytes,
    utf,
)

ImageType = Literal["BRIGHTFIELD_H_E", "BRIGHTFIELD_H_DAB", "BRIGHTFIELD_OTHER", "FLUORESCENCE", "OTHER", "UNSET"]
QUPATH_VERSION = "0.6.0"

_OBJECTS = "qupath.lib.objects."
_MEASUREMENTS = "qupath.lib.measurements.NumericMeasurementList$"
_STRING, _INTEGER_CLASS = "Ljava/lang/String;", "Ljava/lang/Integer;"
_UIDS = {
    "java.util.ArrayList": 8683452581122892189,
    "java.lang.Integer": 1360826667806852920,
    "java.lang.Number": -8742448824652078965,
    "java.lang.Boolean": -3665804199014368530,
    "[F": 0x0B9C818922E00C42,
    "[D": 0x3EA68C14AB635A1E,
    "[B": 0xACF317F8060854E0 - (1 << 64),
    "[Ljava.lang.Object;": 0x90CE589F1073296C - (1 << 64),
}
_KINDS = {
    "annotation": "PathAnnotationObject",
    "cell": "PathCellObject",
    "tile": "PathTileObject",
}  # everything else is a detection
_PARENTS = {
    "PathRootObject": "PathObject",
    "PathROIObject": "PathObject",
    "PathAnnotationObject": "PathROIObject",
    "PathDetectionObject": "PathROIObject",
    "PathCellObject": "PathDetectionObject",
    "PathTileObject": "PathDetectionObject",
}
_NAN_BLOCK = b"\x77\x08\x7f\xf8\x00\x00\x00\x00\x00\x00"  # the probability of a class: not known
_OBJECT_TAG = 0x73
_NO_CHILDREN = b"\x77\x04\x00\x00\x00\x00"
_PLANE = struct.pack(">iii", -1, 0, 0)  # c, t, z


class QpdataWriter:
    """Writes the objects of one image under a temporary name; the file appears whole or not at all.

    `count` is the number of objects, children among them; `classes` the colour of each class that came by.
    """

    def __init__(self, path: Path, server: Mapping[str, object], image_type: ImageType = "UNSET") -> None:
        """`server` is the image's `serverBuilder`, as in project.qpproj."""
        self._path = path
        self._temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        self._server, self._image_type = dict(server), image_type
        self._file: BinaryIO | None = None
        self._children = 0
        self._names: dict[tuple[str, ...], bytes] = {}
        self._path_classes: dict[str, bytes] = {}
        self._integers: dict[int, bytes] = {}
        self._booleans: dict[bool, bytes] = {}
        self._prefixes: dict[str, bytes] = {}
        self._packers: dict[tuple[int, str], struct.Struct] = {}
        self._id_key = b""
        self.count = 0
        self.classes: dict[str, tuple[int, int, int]] = {}

    def __enter__(self) -> Self:
        self._file = self._temporary.open("wb")
        self._java = stream = JavaStream(self._file)
        stream.put(stream.block(utf("Data file version 3")))
        head = {"dataVersion": 3, "qupathVersion": QUPATH_VERSION, "server": self._server}
        stream.text(json.dumps(head, ensure_ascii=False), shared=False)
        stream.enum()
        stream.describe("qupath.lib.images.ImageData$ImageType", 0, ENUM, parent=_enum_parent)
        stream.begin()
        stream.text(self._image_type)
        stream.object()
        stream.describe(
            _OBJECTS + "hierarchy.PathObjectHierarchy",
            1,
            SERIAL,
            (
                ("L", "rootObject", "Lqupath/lib/objects/PathObject;"),
                ("L", "tmaGrid", "Lqupath/lib/objects/hierarchy/TMAGrid;"),
            ),
        )
        stream.begin()
        self._open_object("PathRootObject")
        stream.put(NULL + NULL)  # name, colour
        self._metadata("", {})
        stream.put(NULL)  # measurements
        stream.flush()
        self._count_at = stream.written + 2
        stream.put(stream.block(struct.pack(">i", 0)))  # filled in at the end
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                if kind is None:
                    self._java.put(END + NULL)  # of the root; no TMA grid
                    self._java.text("EOF")
                    self._java.flush()
                    file.seek(self._count_at)
                    file.write(struct.pack(">i", self._children))
            if kind is None:
                self._temporary.replace(self._path)
        finally:
            self._temporary.unlink(missing_ok=True)

    def write(self, feature: Mapping[str, Any]) -> None:
        """Append one feature of `geojson.in_order` (with its children) to the image."""
        self._children += 1
        self._one(feature)

    # --- one object -------------------------------------------------------------------------------------------------
    def _one(self, feature: Mapping[str, Any]) -> None:
        self.count += 1
        properties = feature["properties"]
        stream = self._java
        kind = _KINDS.get(properties.get("objectType", "annotation"), "PathDetectionObject")
        self._open_object(kind)
        name, colour = properties.get("name"), properties.get("color")
        if name is None and colour is None:
            stream.put(NULL + NULL)
        else:
            self._name_and_colour(name, colour)
        self._metadata(feature["id"], properties.get("metadata") or {})
        self._measurements(properties.get("measurements"), double=kind == "PathAnnotationObject")
        children: Sequence[Mapping[str, Any]] = properties.get("childObjects") or ()
        stream.put(_NO_CHILDREN if not children else b"\x77\x04" + struct.pack(">i", len(children)))
        for child in children:
            self._one(child)
        self._boolean(bool(properties.get("isLocked", False)))
        self._path_class(properties.get("classification"))
        self._roi(feature["geometry"])
        stream.put(_NAN_BLOCK)
        if kind == "PathCellObject":
            nucleus = feature.get("nucleusGeometry")
            if nucleus is None:
                stream.put(NULL)
            else:
                self._roi(nucleus)
        stream.put(END)

    def _name_and_colour(self, name: str | None, colour: Sequence[int] | None) -> None:
        if name is None:
            self._java.put(NULL)
        else:
            self._java.text(name, shared=False)
        if colour is None:
            self._java.put(NULL)
        else:
            self._integer(argb(colour))

    def _open_object(self, kind: str) -> None:
        stream = self._java
        prefix = self._prefixes.get(kind)
        if prefix is None:
            stream.object()
            self._describe_object(stream, kind)
            self._prefixes[kind] = b"\x73" + stream.reference(stream.handle_of(_OBJECTS + kind))
        else:
            stream.put(prefix)
        stream.begin()

    def _describe_object(self, stream: JavaStream, kind: str) -> None:
        parent = _PARENTS.get(kind)
        step = (lambda inner: self._describe_object(inner, parent)) if parent else None
        stream.describe(_OBJECTS + kind, 1, EXTERNAL, parent=step)

    def _metadata(self, identifier: str, more: Mapping[str, str]) -> None:
        """The object's map of texts, with its UUID under "Object ID"."""
        import uuid

        stream = self._java
        identifier = identifier or str(uuid.uuid4())
        if more or not self._id_key:
            self._begin_serial(_OBJECTS + "MetadataMap", EXTERNAL)
            self._integer(1)
            self._object_array(len(more) + 1)
            for key in more:
                stream.text(key)
            stream.text("Object ID")
            self._object_array(len(more) + 1)
            for value in more.values():
                stream.text(value, shared=False)
            stream.text(identifier, shared=False)
            stream.put(END)
            if not self._id_key:
                array = b"\x75" + stream.reference(stream.handle_of("[Ljava.lang.Object;")) + b"\x00\x00\x00\x01"
                self._id_key = b"".join((
                    b"\x73" + stream.reference(stream.handle_of(_OBJECTS + "MetadataMap")),
                    self._integers[1],
                    array,
                    stream.text_reference("Object ID"),
                    array,
                ))  # fmt: skip
            return
        stream.skip(4)  # the map, two arrays, the text
        stream.put(self._id_key + string_bytes(identifier) + END)

    def _measurements(self, values: Mapping[str, float] | None, *, double: bool) -> None:
        stream = self._java
        if not values:
            stream.put(NULL)
            return
        kind, letter = ("DoubleList", "d") if double else ("FloatList", "f")
        array = f"[{letter.upper()}"
        key = f"measurements {letter}"
        prefix = self._prefixes.get(key)
        if prefix is None:
            stream.object()
            stream.describe(
                _MEASUREMENTS + kind, 1, SERIAL, (("[", "values", array),), parent=_describe_measurement_list
            )
            # Closed: QuPath copies the shared names before it adds one.
            prefix = b"\x01" + NULL
            self._prefixes[key] = b"\x73" + stream.reference(stream.handle_of(_MEASUREMENTS + kind)) + prefix
        names = tuple(values)
        known, numbers = self._names.get(names), self._prefixes.get(array)
        if known is not None and numbers is not None and prefix[0] == _OBJECT_TAG:
            stream.skip(2)
            packed = self._packer(len(names), letter).pack(len(names), *values.values())
            stream.put(b"".join((prefix, known, numbers, packed)))
            return
        stream.put(prefix)
        stream.begin()
        if known is None:
            self._names_list(names)
        else:
            stream.put(known)
        self._numbers(array, letter, values.values())

    def _names_list(self, names: tuple[str, ...]) -> None:
        stream = self._java
        stream.object()
        stream.describe("java.util.ArrayList", _UIDS["java.util.ArrayList"], LIST, (("I", "size", ""),))
        self._names[names] = stream.reference(stream.begin())
        stream.put(struct.pack(">i", len(names)) + stream.block(struct.pack(">i", len(names))))
        for name in names:
            stream.text(name)
        stream.put(END)

    def _numbers(self, array: str, letter: str, values: Iterable[float]) -> None:
        """An array of floats or doubles."""
        stream = self._java
        prefix = self._prefixes.get(array)
        if prefix is None:
            stream.array()
            stream.describe(array, _UIDS[array], SERIAL)
            self._prefixes[array] = b"\x75" + stream.reference(stream.handle_of(array))
        else:
            stream.put(prefix)
        stream.begin()
        numbers = tuple(values)
        stream.put(self._packer(len(numbers), letter).pack(len(numbers), *numbers))

    def _packer(self, count: int, letter: str) -> struct.Struct:
        packer = self._packers.get((count, letter))
        if packer is None:
            packer = self._packers[count, letter] = struct.Struct(f">i{count}{letter}")
        return packer

    def _roi(self, geometry: Mapping[str, Any]) -> None:
        kind, coordinates = geometry["type"], geometry["coordinates"]
        plane = geometry.get("plane")
        where = _PLANE if plane is None else _plane(plane)
        if kind == "Polygon" and len(coordinates) == 1:
            ring = coordinates[0][:-1]
            self._points_roi("PolygonROI$SerializationProxy", ring, where, stats=True)
        elif kind in ("Point", "MultiPoint"):
            points = [coordinates] if kind == "Point" else coordinates
            self._points_roi("PointsROI$SerializationProxy", points, where, stats=False)
        else:
            self._wkb_roi(well_known_binary(geometry), where)

    def _points_roi(self, name: str, points: Sequence[Sequence[float]], where: bytes, *, stats: bool) -> None:
        stream = self._java
        tail = where + (NULL + NULL if stats else NULL)  # name, stats
        prefix, array = self._prefixes.get(name), self._prefixes.get("[F")
        if prefix is not None and array is not None:  # all at once: there are two of these a cell
            stream.skip(3)
            pack = self._packer(len(points), "f").pack
            x, y = [point[0] for point in points], [point[1] for point in points]
            stream.put(b"".join((prefix, tail, array, pack(len(x), *x), array, pack(len(y), *y))))
            return
        if prefix is None:
            stream.object()
            shape = (("L", "stats", "Lqupath/lib/roi/ClosedShapeStatistics;"),) if stats else ()
            stream.describe(
                f"qupath.lib.roi.{name}",
                1,
                SERIAL,
                (
                    *(("I", letter, "") for letter in "ctz"),
                    ("L", "name", _STRING),
                    *shape,
                    ("[", "x", "[F"),
                    ("[", "y", "[F"),
                ),
            )
            self._prefixes[name] = b"\x73" + stream.reference(stream.handle_of(f"qupath.lib.roi.{name}"))
            stream.put(tail)
        else:
            stream.put(prefix + tail)
        stream.begin()
        self._numbers("[F", "f", [point[0] for point in points])
        self._numbers("[F", "f", [point[1] for point in points])

    def _wkb_roi(self, wkb: bytes, where: bytes) -> None:
        stream = self._java
        name = "qupath.lib.roi.GeometryROI$WKBSerializationProxy"
        stream.object()
        stream.describe(
            name,
            1,
            SERIAL,
            (
                *(("I", letter, "") for letter in "ctz"),
                ("L", "stats", "Lqupath/lib/roi/GeometryROI$GeometryStats;"),
                ("[", "wkb", "[B"),
            ),
        )
        stream.begin()
        stream.put(where + NULL)
        stream.array()
        stream.describe("[B", _UIDS["[B"], SERIAL)
        stream.begin()
        stream.put(struct.pack(">i", len(wkb)) + wkb)

    # --- what is shared ---------------------------------------------------------------------------------------------
    def _begin_serial(self, name: str, flags: int) -> None:
        self._java.object()
        self._java.describe(name, _UIDS.get(name, 1), flags)
        self._java.begin()

    def _object_array(self, count: int) -> None:
        name = "[Ljava.lang.Object;"
        self._java.array()
        self._java.describe(name, _UIDS[name], SERIAL)
        self._java.begin()
        self._java.put(struct.pack(">i", count))

    def _integer(self, value: int) -> None:
        stream = self._java
        if value in self._integers:
            stream.put(self._integers[value])
            return
        stream.object()
        stream.describe("java.lang.Integer", _UIDS["java.lang.Integer"], SERIAL, (("I", "value", ""),), _number_parent)
        self._integers[value] = stream.reference(stream.begin())
        stream.put(struct.pack(">i", value))

    def _boolean(self, value: bool) -> None:
        stream = self._java
        if value in self._booleans:
            stream.put(self._booleans[value])
            return
        stream.object()
        stream.describe("java.lang.Boolean", _UIDS["java.lang.Boolean"], SERIAL, (("Z", "value", ""),))
        self._booleans[value] = stream.reference(stream.begin())
        stream.put(b"\x01" if value else b"\x00")

    def _path_class(self, classification: Mapping[str, Any] | None) -> None:
        """A class; "A: B" is B derived from A. The first colour of a name counts."""
        if classification is None:
            self._java.put(NULL)
            return
        name: str = classification["name"]
        known = self._path_classes.get(name)
        if known is not None:
            self._java.put(known)
            return
        parent, _, last = name.rpartition(": ")
        colour = tuple(classification["color"])
        self.classes[name] = colour
        stream = self._java
        stream.object()
        stream.describe(
            _OBJECTS + "classes.PathClass",
            1,
            SERIAL,
            (
                ("L", "colorRGB", _INTEGER_CLASS),
                ("L", "name", _STRING),
                ("L", "parentClass", "Lqupath/lib/objects/classes/PathClass;"),
            ),
        )
        self._path_classes[name] = stream.reference(stream.begin())
        self._integer(argb(colour))
        stream.text(last)
        self._path_class({"name": parent, "color": colour} if parent else None)


def argb(colour: Sequence[int]) -> int:
    """Red, green, blue as QuPath's signed number of 32 bits, opaque."""
    value = 0xFF << 24 | colour[0] << 16 | colour[1] << 8 | colour[2]
    return value - (1 << 32)


def well_known_binary(geometry: Mapping[str, Any]) -> bytes:
    """A geometry as WKB, big-endian, two dimensions."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind == "LineString":
        return struct.pack(">BII", 0, 2, len(coordinates)) + _wkb_points(coordinates)
    if kind == "Polygon":
        rings = (struct.pack(">I", len(ring)) + _wkb_points(ring) for ring in coordinates)
        return struct.pack(">BII", 0, 3, len(coordinates)) + b"".join(rings)
    parts = (well_known_binary({"type": "Polygon", "coordinates": part}) for part in coordinates)
    return struct.pack(">BII", 0, 6, len(coordinates)) + b"".join(parts)


def _wkb_points(points: Sequence[Sequence[float]]) -> bytes:
    return b"".join(struct.pack(">dd", point[0], point[1]) for point in points)


def _plane(plane: Mapping[str, Any]) -> bytes:
    return struct.pack(">iii", int(plane.get("c", -1)), int(plane.get("t", 0)), int(plane.get("z", 0)))


def _enum_parent(stream: JavaStream) -> None:
    stream.describe("java.lang.Enum", 0, ENUM)


def _number_parent(stream: JavaStream) -> None:
    stream.describe("java.lang.Number", _UIDS["java.lang.Number"], SERIAL)


def _describe_measurement_list(stream: JavaStream) -> None:
    stream.describe(
        _MEASUREMENTS + "AbstractNumericMeasurementList",
        1,
        SERIAL,
        (("Z", "isClosed", ""), ("L", "map", "Ljava/util/Map;"), ("L", "names", "Ljava/util/List;")),
    )
