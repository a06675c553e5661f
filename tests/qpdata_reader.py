"""Reads `data.qpdata` for the tests, from the published Java Object Serialization Stream Protocol (version 5).

Shares nothing with the writer: a general reader of the protocol first (block data, objects, arrays, enums, handles),
then what QuPath's classes put into their own part of it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class ClassDescription:
    name: str
    uid: int
    flags: int
    fields: list[tuple[str, str]]
    above: ClassDescription | None

    def lineage(self) -> list[ClassDescription]:
        """From the topmost class down to this one."""
        return [*(self.above.lineage() if self.above else []), self]


@dataclass
class JavaObject:
    description: ClassDescription
    values: dict[str, Any] = field(default_factory=dict)
    external: list[Any] = field(default_factory=list)  # block data as bytes, everything else as it is

    @property
    def kind(self) -> str:
        return self.description.name


@dataclass
class EnumConstant:
    description: ClassDescription
    name: str


class Stream:
    """The contents of one serialized stream."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0
        self.handles: list[Any] = []
        if self.number("H") != 0xACED or self.number("H") != 5:
            raise ValueError("no serialization stream of version 5")

    def number(self, letter: str) -> Any:
        value = struct.unpack_from(">" + letter, self.data, self.at)[0]
        self.at += struct.calcsize(letter)
        return value

    def raw(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("the stream is cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def utf(self, long: bool = False) -> str:
        raw = self.raw(self.number("Q" if long else "H"))
        units, at = bytearray(), 0
        while at < len(raw):
            first = raw[at]
            if first < 0x80:
                if first == 0:
                    raise ValueError("a zero byte in modified UTF-8")
                unit, size = first, 1
            elif first >> 5 == 0b110:
                unit, size = (first & 0x1F) << 6 | raw[at + 1] & 0x3F, 2
            elif first >> 4 == 0b1110:
                unit, size = (first & 0x0F) << 12 | (raw[at + 1] & 0x3F) << 6 | raw[at + 2] & 0x3F, 3
            else:
                raise ValueError("four bytes are not allowed in modified UTF-8")
            units += struct.pack(">H", unit)
            at += size
        return units.decode("utf-16-be")

    def keep(self, value: Any) -> Any:
        self.handles.append(value)
        return value

    def everything(self) -> list[Any]:
        found = []
        while self.at < len(self.data):
            found.append(self.content())
        return found

    def content(self) -> Any:
        tag = self.number("B")
        if tag == 0x70:
            return None
        if tag == 0x71:
            return self.handles[self.number("I") - 0x7E0000]
        if tag == 0x72:
            self.at -= 1
            return self.description()
        if tag == 0x73:
            return self.object()
        if tag == 0x74:
            return self.keep(self.utf())
        if tag == 0x7C:
            return self.keep(self.utf(long=True))
        if tag == 0x75:
            return self.array()
        if tag == 0x77:
            return self.raw(self.number("B"))
        if tag == 0x7A:
            return self.raw(self.number("i"))
        if tag == 0x7E:
            description = self.description()
            position = len(self.handles)
            self.handles.append(None)
            constant = EnumConstant(description, self.content())
            self.handles[position] = constant
            return constant
        raise ValueError(f"unexpected tag {tag:#x} at {self.at - 1}")

    def description(self) -> ClassDescription | None:
        tag = self.number("B")
        if tag == 0x70:
            return None
        if tag == 0x71:
            found = self.handles[self.number("I") - 0x7E0000]
            if not isinstance(found, ClassDescription):
                raise ValueError("the handle is no class")
            return found
        if tag != 0x72:
            raise ValueError(f"no class description: {tag:#x}")
        made = ClassDescription(self.utf(), self.number("q"), 0, [], None)
        self.keep(made)
        made.flags = self.number("B")
        for _ in range(self.number("H")):
            letter, name = chr(self.number("B")), self.utf()
            if letter in "[L":
                self.content()  # the type, a text
            made.fields.append((letter, name))
        if self.number("B") != 0x78:
            raise ValueError("annotations of a class are not expected")
        made.above = self.description()
        return made

    def object(self) -> JavaObject:
        description = self.description()
        if description is None:
            raise ValueError("an object without a class")
        made = self.keep(JavaObject(description))
        if description.flags & 0x04:
            if not description.flags & 0x08:
                raise ValueError("external content without block data")
            while self.data[self.at] != 0x78:
                made.external.append(self.content())
            self.at += 1
            return made
        for step in description.lineage():
            for letter, name in step.fields:
                if letter in "[L":
                    made.values[name] = self.content()
                elif letter == "Z":
                    made.values[name] = bool(self.number("B"))
                else:
                    made.values[name] = self.number({"B": "b", "J": "q"}.get(letter, letter.lower()))
            if step.flags & 0x01:
                while self.data[self.at] != 0x78:
                    made.external.append(self.content())
                self.at += 1
        return made

    def array(self) -> Any:
        description = self.description()
        if description is None:
            raise ValueError("an array without a class")
        position = len(self.handles)
        self.handles.append(None)
        count, kind = self.number("i"), description.name[1]
        if kind in "[L":
            made: Any = [self.content() for _ in range(count)]
        elif kind == "B":
            made = self.raw(count)
        else:
            letter = {"F": "f", "D": "d", "I": "i"}[kind]
            made = list(struct.unpack(f">{count}{letter}", self.raw(count * struct.calcsize(letter))))
        self.handles[position] = made
        return made


@dataclass
class Shape:
    """`kind` is Polygon, MultiPolygon, LineString, MultiPoint; rings are closed."""

    kind: str
    coordinates: Any
    plane: tuple[int, int, int]


@dataclass
class PathObject:
    kind: str
    id: str
    name: str | None
    colour: tuple[int, int, int] | None
    metadata: dict[str, str]
    measurements: dict[str, float]
    locked: bool
    classification: tuple[str, tuple[int, int, int]] | None
    shape: Shape | None
    nucleus: Shape | None
    children: list[PathObject]


@dataclass
class ImageData:
    version: str
    head: dict[str, Any]
    image_type: str
    root: PathObject

    def objects(self) -> list[PathObject]:
        """All objects below the root, parents first."""

        def below(parent: PathObject) -> list[PathObject]:
            return [item for child in parent.children for item in (child, *below(child))]

        return below(self.root)


def read(path: Path) -> ImageData:
    """Read a file; ValueError where it is not what QuPath writes."""
    contents = Stream(path.read_bytes()).everything()
    version, head, image_type, hierarchy, end = contents
    if end != "EOF" or hierarchy.kind != "qupath.lib.objects.hierarchy.PathObjectHierarchy":
        raise ValueError("not the contents of data.qpdata")
    if hierarchy.values["tmaGrid"] is not None:
        raise ValueError("a TMA grid is not expected")
    length = struct.unpack(">H", version[:2])[0]
    root = _path_object(hierarchy.values["rootObject"])
    return ImageData(version[2 : 2 + length].decode(), json.loads(head), image_type.name, root)


def _path_object(java: JavaObject) -> PathObject:
    if any(step.uid != 1 or step.flags != 0x0C for step in java.description.lineage()):
        raise ValueError(f"{java.kind} is described wrongly")
    kind = java.kind.rpartition(".")[2]
    rest = iter(java.external)
    name, colour, metadata, measurements = (next(rest) for _ in range(4))
    (count,) = struct.unpack(">i", next(rest))
    children = [_path_object(next(rest)) for _ in range(count)]
    texts = _metadata(metadata)
    identifier = texts.pop("Object ID")
    made = PathObject(
        kind,
        identifier,
        name,
        _rgb(colour.values["value"]) if colour is not None else None,
        texts,
        _measurements(measurements),
        locked=False,
        classification=None,
        shape=None,
        nucleus=None,
        children=children,
    )
    if kind != "PathRootObject":
        locked, path_class, roi, probability = (next(rest) for _ in range(4))
        made.locked = locked.values["value"]
        made.classification = _path_class(path_class)
        made.shape = _shape(roi)
        if struct.unpack(">d", probability)[0] == struct.unpack(">d", probability)[0]:
            raise ValueError("a class probability is not expected")
    if kind == "PathCellObject":
        made.nucleus = _shape(next(rest))
    left = list(rest)
    if left:
        raise ValueError(f"{kind} has more than it should: {left}")
    return made


def _metadata(java: JavaObject) -> dict[str, str]:
    version, keys, values = java.external
    if version.values["value"] != 1:
        raise ValueError("an unknown version of MetadataMap")
    return dict(zip(keys, values, strict=True))


def _measurements(java: JavaObject | None) -> dict[str, float]:
    if java is None:
        return {}
    names = java.values["names"]
    count = struct.unpack(">i", names.external[0])[0]
    if names.values["size"] != count or len(names.external) != count + 1 or java.values["map"] is not None:
        raise ValueError("a list of names is not whole")
    return dict(zip(names.external[1:], java.values["values"], strict=True))


def _rgb(value: int) -> tuple[int, int, int]:
    if value & 0xFF000000 != 0xFF000000:
        raise ValueError("a colour is not opaque")
    return value >> 16 & 255, value >> 8 & 255, value & 255


def _path_class(java: JavaObject | None) -> tuple[str, tuple[int, int, int]] | None:
    if java is None:
        return None
    above = _path_class(java.values["parentClass"])
    name = java.values["name"]
    return f"{above[0]}: {name}" if above else name, _rgb(java.values["colorRGB"].values["value"])


def _shape(java: JavaObject | None) -> Shape | None:
    if java is None:
        return None
    plane = (java.values["c"], java.values["t"], java.values["z"])
    if java.kind.endswith("WKBSerializationProxy"):
        kind, coordinates, end = _wkb(java.values["wkb"], 0)
        if end != len(java.values["wkb"]):
            raise ValueError("the geometry has more bytes than it should")
        return Shape(kind, coordinates, plane)
    points = [list(point) for point in zip(java.values["x"], java.values["y"], strict=True)]
    if java.kind == "qupath.lib.roi.PolygonROI$SerializationProxy":
        return Shape("Polygon", [[*points, points[0]]], plane)
    if java.kind == "qupath.lib.roi.PointsROI$SerializationProxy":
        return Shape("MultiPoint", points, plane)
    raise ValueError(f"unknown shape {java.kind}")


def _wkb(data: bytes, at: int) -> tuple[str, Any, int]:
    order = ">" if data[at] == 0 else "<"
    code, count = struct.unpack_from(order + "II", data, at + 1)
    at += 9

    def points(count: int, at: int) -> tuple[list[list[float]], int]:
        found = [list(struct.unpack_from(order + "dd", data, at + 16 * step)) for step in range(count)]
        return found, at + 16 * count

    if code == 2:
        found, at = points(count, at)
        return "LineString", found, at
    parts: list[Any] = []
    for _ in range(count):
        if code == 3:
            (length,) = struct.unpack_from(order + "I", data, at)
            part, at = points(length, at + 4)
        elif code == 6:
            kind, part, at = _wkb(data, at)  # type: ignore[assignment]
            if kind != "Polygon":
                raise ValueError("a part of a multi-polygon is no polygon")
        else:
            raise ValueError(f"unknown geometry {code}")
        parts.append(part)
    return {3: "Polygon", 6: "MultiPolygon"}[code], parts, at
