"""data.qpdata: what is written is read again by a reader that shares nothing with the writer."""

from __future__ import annotations

import json
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest

import qpdata_reader
from launchpad import geojson
from launchpad.qupath.qpdata import QpdataWriter, argb

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "qupath-project"
SERVER = {"builderType": "uri", "uri": "file:///slides/%C3%A4.svs", "args": []}


def ring(left: float, top: float, size: float) -> list[list[float]]:
    return [[left, top], [left + size, top], [left + size, top + size], [left, top + size], [left, top]]


def cell(number: int, name: str = "Stroma", **more: Any) -> geojson.Feature:
    return {
        "type": "Feature",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "geometry": {"type": "Polygon", "coordinates": [ring(number, 5, 8)]},
        "nucleusGeometry": {"type": "Polygon", "coordinates": [ring(number + 2, 7, 4)]},
        "properties": {
            "objectType": "cell",
            "classification": {"name": name, "color": [150, 200, 150]},
            "measurements": {"Cell: Area µm^2": 64.0, "Nucleus: Area µm^2": 16.0 + number},
            **more,
        },
    }


def annotation(geometry: dict[str, Any], **properties: Any) -> geojson.Feature:
    return {
        "type": "Feature",
        "id": str(uuid.uuid4()),
        "geometry": geometry,
        "properties": {"objectType": "annotation", **properties},
    }


def written(path: Path, *features: geojson.Feature, **more: Any) -> qpdata_reader.ImageData:
    with QpdataWriter(path, SERVER, **more) as writer:
        for item in features:
            writer.write(item)
    return qpdata_reader.read(path)


def expected(item: geojson.Feature) -> qpdata_reader.PathObject:
    """A feature as the reader should find it."""
    properties = item["properties"]
    kinds = {"annotation": "PathAnnotationObject", "cell": "PathCellObject", "tile": "PathTileObject"}
    known = properties.get("classification")
    single = properties["objectType"] != "annotation"

    def as_shape(geometry: dict[str, Any] | None) -> qpdata_reader.Shape | None:
        if geometry is None:
            return None
        coordinates, kind = geometry["coordinates"], geometry["type"]
        if kind == "Point":
            coordinates, kind = [coordinates], "MultiPoint"
        return qpdata_reader.Shape(kind, coordinates, (-1, 0, 0))

    return qpdata_reader.PathObject(
        kind=kinds.get(properties["objectType"], "PathDetectionObject"),
        id=item["id"],
        name=properties.get("name"),
        colour=tuple(properties["color"]) if "color" in properties else None,
        metadata=properties.get("metadata", {}),
        measurements={
            name: struct.unpack("f", struct.pack("f", value))[0] if single else value
            for name, value in properties.get("measurements", {}).items()
        },
        locked=properties.get("isLocked", False),
        classification=(known["name"], tuple(known["color"])) if known else None,
        shape=as_shape(item["geometry"]),
        nucleus=as_shape(item.get("nucleusGeometry")),
        children=[expected(child) for child in properties.get("childObjects", [])],
    )


def test_the_reader_finds_in_the_golden_file_what_qupath_found() -> None:
    data = qpdata_reader.read(GOLDEN / "data" / "1" / "data.qpdata")
    assert data.version == "Data file version 3"
    assert data.image_type == "BRIGHTFIELD_H_E"
    assert data.head["server"]["metadata"]["pixelCalibration"]["pixelWidth"] == {"value": 0.499, "unit": "µm"}
    tissue, stroma, *cells = data.root.children
    assert (tissue.name, tissue.locked) == ("tissue é漢😀", True)
    assert tissue.classification == ("Carcinoma", (200, 0, 0))
    assert tissue.shape == qpdata_reader.Shape(
        "Polygon", [[[10, 10], [210, 10], [210, 110], [10, 110], [10, 10]]], (-1, 0, 0)
    )
    assert tissue.measurements == {"Area µm^2": 1234.5}
    assert stroma.metadata == {"k": "v"}
    assert stroma.shape is not None
    assert [len(item) for item in stroma.shape.coordinates] == [5, 5]
    assert [item.classification[0] for item in cells if item.classification] == ["Stroma", "Carcinoma", "Stroma"]
    for number, item in enumerate(cells):
        assert item.kind == "PathCellObject"
        assert item.nucleus == qpdata_reader.Shape("Polygon", [ring(number + 2, 7, 4)], (-1, 0, 0))
        assert item.measurements == {"Cell: Area µm^2": 64, "Nucleus: Area µm^2": 16 + number}


def test_the_golden_objects_written_anew_are_the_golden_objects(tmp_path: Path) -> None:
    golden = qpdata_reader.read(GOLDEN / "data" / "1" / "data.qpdata")

    def as_feature(item: qpdata_reader.PathObject) -> geojson.Feature:
        kind = {"PathAnnotationObject": "annotation", "PathCellObject": "cell"}[item.kind]
        assert item.shape is not None
        assert item.classification is not None
        made = annotation(
            {"type": item.shape.kind, "coordinates": item.shape.coordinates},
            classification={"name": item.classification[0], "color": list(item.classification[1])},
            measurements=item.measurements,
            metadata=item.metadata,
            isLocked=item.locked,
            **({"name": item.name} if item.name is not None else {}),
        )
        made["id"], made["properties"]["objectType"] = item.id, kind
        if item.nucleus is not None:
            made["nucleusGeometry"] = {"type": item.nucleus.kind, "coordinates": item.nucleus.coordinates}
        return made

    ours = written(tmp_path / "data.qpdata", *map(as_feature, golden.root.children), image_type="BRIGHTFIELD_H_E")
    assert ours.root.children == golden.root.children
    assert (ours.version, ours.image_type) == (golden.version, golden.image_type)
    # The same classes with the same descriptions, field by field: what Java compares when it reads.
    assert _descriptions(tmp_path / "data.qpdata") == {
        **_descriptions(GOLDEN / "data" / "1" / "data.qpdata"),
        "qupath.lib.measurements.NumericMeasurementList$DoubleList": (1, 2, (("[", "values"),)),
        "[D": (0x3EA68C14AB635A1E, 2, ()),
    }


def _descriptions(path: Path) -> dict[str, object]:
    stream = qpdata_reader.Stream(path.read_bytes())
    stream.everything()
    found = [item for item in stream.handles if isinstance(item, qpdata_reader.ClassDescription)]
    return {item.name: (item.uid, item.flags, tuple(item.fields)) for item in found}


SHAPES = [
    {"type": "Polygon", "coordinates": [ring(0, 0, 10)]},
    {"type": "Polygon", "coordinates": [ring(0, 0, 1000), ring(200, 200, 200), ring(500, 500, 7)]},
    {"type": "MultiPolygon", "coordinates": [[ring(0, 0, 10)], [ring(20, 0, 10), ring(22, 2, 3)]]},
    {"type": "LineString", "coordinates": [[0, 0], [1.5, 2.25], [3, 4]]},
    {"type": "Point", "coordinates": [1.5, 2.5]},
    {"type": "MultiPoint", "coordinates": [[1.5, 2.5], [3, 4]]},
]


@pytest.mark.parametrize("geometry", SHAPES)
def test_every_kind_of_shape(tmp_path: Path, geometry: dict[str, Any]) -> None:
    item = annotation(geometry)
    data = written(tmp_path / "data.qpdata", item, cell(1), item)
    assert data.root.children == [expected(item), expected(cell(1)), expected(item)]


def test_every_property_of_every_kind_of_object(tmp_path: Path) -> None:
    square: dict[str, Any] = {"type": "Polygon", "coordinates": [ring(0, 0, 10)]}
    derived = {"name": "Tumor: Positive", "color": [1, 2, 3]}
    objects = [
        annotation(square, name="é漢😀\0 zero", color=[1, 2, 3], isLocked=True, metadata={"a": "1", "ü": "😀"}),
        annotation(square, name="n" * 70_000, classification={"name": "A", "color": [0, 0, 0]}),
        annotation(square, measurements={"Area µm^2": 123456789.123456789, "n": 3}),
        annotation(square, childObjects=[cell(7), annotation(SHAPES[1], childObjects=[cell(8)])]),
        cell(1),
        cell(2, classification=derived),
        cell(3, measurements={"other": -1.5}),
        cell(4, measurements={}),
        {**cell(5), "nucleusGeometry": SHAPES[2]},
        {key: value for key, value in cell(6).items() if key != "nucleusGeometry"},
        cell(9, objectType="detection"),
        cell(10, objectType="tile"),
    ]
    for item in objects[-2:]:
        del item["nucleusGeometry"]
    data = written(tmp_path / "data.qpdata", *objects, image_type="BRIGHTFIELD_OTHER")
    assert data.root.children == [expected(item) for item in objects]
    assert data.image_type == "BRIGHTFIELD_OTHER"
    assert data.head == {"dataVersion": 3, "qupathVersion": "0.6.0", "server": SERVER}


def test_many_cells_share_what_they_have_in_common(tmp_path: Path) -> None:
    cells = [cell(number, "Stroma" if number % 3 else "Immune") for number in range(2500)]
    with QpdataWriter(tmp_path / "data.qpdata", SERVER) as writer:
        for item in cells:
            writer.write(item)
    data = qpdata_reader.read(tmp_path / "data.qpdata")
    assert data.root.children == [expected(item) for item in cells]
    assert writer.count == 2500
    assert set(writer.classes) == {"Immune", "Stroma"}
    assert (tmp_path / "data.qpdata").stat().st_size < 2500 * 350
    # Names that are shared must be copied before one is added: QuPath does that for closed lists only.
    stream = qpdata_reader.Stream((tmp_path / "data.qpdata").read_bytes())
    stream.everything()
    lists = [
        item for item in stream.handles if isinstance(item, qpdata_reader.JavaObject) and "isClosed" in item.values
    ]
    assert len(lists) == 2500
    assert all(item.values["isClosed"] for item in lists)
    assert len({id(item.values["names"]) for item in lists}) == 1


def test_an_image_without_objects(tmp_path: Path) -> None:
    data = written(tmp_path / "data.qpdata", image_type="OTHER")
    assert data.objects() == []
    assert data.image_type == "OTHER"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "data.qpdata"
    path.write_bytes(b"of a person")

    def stopped() -> None:
        with QpdataWriter(path, SERVER) as writer:
            writer.write(cell(1))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert path.read_bytes() == b"of a person"
    assert list(tmp_path.iterdir()) == [path]


def test_colours_are_those_of_the_golden_class_list() -> None:
    known = json.loads((GOLDEN / "classifiers" / "classes.json").read_text())["pathClasses"]
    assert [item["color"] for item in known] == [argb((200, 0, 0)), argb((150, 200, 150))]
