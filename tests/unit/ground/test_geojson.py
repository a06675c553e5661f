"""GeoJSON as QuPath takes it: put in order, counted, streamed both ways."""

from __future__ import annotations

import gzip
import json
import math
import tracemalloc
import uuid
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import shape

from launchpad import geojson, geojson_stream
from launchpad.errors import BadInput

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
OVERLAPPING = [[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]
POINT = {"type": "Point", "coordinates": [1, 1]}
BOW_TIE = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]


def polygon(*rings: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry: object, **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def through(*features: dict[str, Any]) -> tuple[list[dict[str, Any]], geojson.Tally]:
    tally = geojson.Tally()
    return list(geojson.in_order(features, tally)), tally


def refused_by_qupath(item: dict[str, Any]) -> list[str]:
    """What makes QuPath 0.6 and 0.7 refuse a whole file."""
    found = []
    if item.get("geometry") is None or item.get("properties") is None:
        found.append("null geometry or properties")
    for geometry in (item["geometry"], item.get("nucleusGeometry")):
        if geometry is None:
            continue
        if geometry["type"] not in ("Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon"):
            found.append(f"geometry {geometry['type']}")
        elif "Polygon" in geometry["type"]:
            parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
            if any(list(ring[0]) != list(ring[-1]) for part in parts for ring in part):
                found.append("open ring")
            if not shape(geometry).is_valid or shape(geometry).is_empty:
                found.append("invalid polygon")
    properties = item["properties"]
    if "name" in properties and not isinstance(properties["name"], str):
        found.append("name is no text")
    known = properties.get("classification")
    if known is not None and not (isinstance(known.get("color"), list) and len(known["color"]) == 3):
        found.append("class without colour")
    if any(value is None for value in properties.values()):
        found.append("null")
    uuid.UUID(item["id"])
    return found


CASES = [
    (feature(polygon(SQUARE)), 1, 0),
    (feature(polygon(SQUARE[:-1])), 1, 1),  # open
    (feature(polygon(BOW_TIE)), 1, 1),
    (feature(polygon(SQUARE, BOW_TIE)), 1, 1),
    (feature({"type": "MultiPolygon", "coordinates": [[SQUARE], [OVERLAPPING]]}), 1, 1),
    (feature(polygon([[0, 0], [1, 1], [0, 0]])), 0, 0),  # collapsed
    (feature(polygon([[0, 0], [5, 0], [9, 0], [0, 0]])), 0, 0),  # no area
    (feature(polygon([])), 0, 0),
    (feature(None), 0, 0),
    (feature(polygon([[0, 0], [math.nan, 0], [10, 10], [0, 10], [0, 0]])), 1, 1),
    (feature(polygon([[0, 0, 7], [10, 0, 7], [10, 10, 7], [0, 0, 7]])), 1, 1),  # three numbers a point
    (feature({"type": "GeometryCollection", "geometries": [polygon(SQUARE), POINT]}), 1, 1),
    (feature({"type": "GeometryCollection", "geometries": []}), 0, 0),
    (feature({"type": "Point", "coordinates": [1, 2]}), 1, 0),
    (feature({"type": "LineString", "coordinates": [[1, 2], [3, 4]]}), 1, 0),
    (feature({"type": "LineString", "coordinates": [[1, 2]]}), 0, 0),
    (feature({"type": "Circle", "coordinates": [1, 2]}), 0, 0),
    ({"type": "Feature", "geometry": polygon(SQUARE), "properties": None}, 1, 0),
    (polygon(SQUARE), 1, 0),  # a bare geometry
]  # fmt: skip


@pytest.mark.parametrize(("item", "written", "repaired"), CASES)
def test_every_shape_is_kept_repaired_or_dropped_with_a_count(
    item: dict[str, Any], written: int, repaired: int
) -> None:
    # Among others, and alone: one bad shape must not change what becomes of its neighbours.
    for before, after in (([], []), ([feature(polygon(SQUARE))], [feature(polygon(BOW_TIE))])):
        done, tally = through(*before, item, *after)
        assert tally.written == len(done) == written + len(before) + len(after)
        assert tally.dropped == 1 - written
        assert tally.repaired == repaired + len(after)
        assert bool(tally.words()) == bool(tally.repaired or tally.dropped)
        for one in done:
            assert refused_by_qupath(one) == []


def test_a_repaired_shape_covers_what_it_covered() -> None:
    (done,), _ = through(feature(polygon(BOW_TIE)))
    assert done["geometry"]["type"] == "MultiPolygon"
    assert shape(done["geometry"]).area == pytest.approx(50)


def test_nulls_go_classes_get_colours_and_nuclei_come_to_the_top() -> None:
    (done,), tally = through(
        {
            "type": "Feature",
            "id": "17",
            "geometry": polygon(SQUARE),
            "properties": {
                "name": None,
                "objectType": "cell",
                "classification": {"name": "Tumor"},
                "isLocked": None,
                "measurements": {"a": 1, "b": None, "c": math.nan, "d": True, "e": 2.5, "f": "x"},
                "metadata": {"k": 3, "n": None},
                "nucleusGeometry": polygon([[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]),
                "color": -16776961,
            },
        }
    )
    assert refused_by_qupath(done) == []
    assert done["nucleusGeometry"]["type"] == "Polygon"
    assert done["properties"] == {
        "objectType": "cell",
        "classification": {"name": "Tumor", "color": list(geojson.class_colour("Tumor"))},
        "measurements": {"a": 1, "e": 2.5},
        "metadata": {"k": "3"},
        "color": [0, 0, 255],
    }
    assert tally == geojson.Tally(written=1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Stroma", {"name": "Stroma", "color": list(geojson.class_colour("Stroma"))}),
        ({"names": ["Tumor", "Positive"], "color": [1, 2, 300]}, {"name": "Tumor: Positive", "color": [1, 2, 255]}),
        ({"name": "Old", "colorRGB": -3670016}, {"name": "Old", "color": [200, 0, 0]}),
        ({"name": "Odd", "color": [[1], 2, 3]}, {"name": "Odd", "color": list(geojson.class_colour("Odd"))}),
        ({"name": "Part", "color": [1.0, 2.0, 3.0]}, {"name": "Part", "color": [1, 2, 3]}),
        ({}, None),
        (None, None),
        ("", None),
    ],
)
def test_every_form_of_a_class_becomes_the_one_that_all_versions_read(given: object, expected: object) -> None:
    (done,), _ = through(feature(polygon(SQUARE), classification=given))
    assert done["properties"].get("classification") == expected


def test_a_cell_keeps_its_place_when_its_nucleus_is_lost() -> None:
    item = feature(polygon(SQUARE), objectType="cell")
    (done,), tally = through({**item, "nucleusGeometry": polygon([[1, 1], [2, 2], [1, 1]])})
    assert "nucleusGeometry" not in done
    assert tally.nuclei_dropped == 1
    assert "nucleus" in tally.words()


def test_children_are_put_in_order_too() -> None:
    child = feature(polygon(BOW_TIE), classification="Inner")
    (done,), tally = through(feature(polygon(SQUARE), childObjects=[child, feature(None)]))
    (inner,) = done["properties"]["childObjects"]
    assert refused_by_qupath(inner) == []
    assert (tally.written, tally.repaired, tally.dropped) == (2, 1, 1)


@pytest.mark.parametrize("name", ["objects.geojson", "objects.geojson.gz"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    features = [
        geojson.feature(
            polygon(SQUARE),
            object_type="annotation",
            name='tissue é漢😀 "{[\\',
            classification=("A", (1, 2, 3)),
            measurements={"Area µm^2": 1234.5},
            id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        )
        for number in range(450)
    ]
    with geojson.FeatureWriter(path, {"launchpad": {"features": [{"not": "one"}]}}) as writer:
        for item in features:
            writer.write(item)
        writer.write(feature(None))
    assert (writer.count, writer.tally.written, writer.tally.dropped) == (451, 450, 1)
    assert list(geojson.read_features(path)) == features
    assert [item.name for item in tmp_path.iterdir()] == [name]
    data = path.read_bytes()
    document = json.loads(gzip.decompress(data) if name.endswith(".gz") else data)
    assert document["type"] == "FeatureCollection"


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "objects.geojson"
    path.write_text("before")

    def stopped() -> None:
        with geojson.FeatureWriter(path) as writer:
            writer.write(feature(polygon(SQUARE)))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert [item.name for item in tmp_path.iterdir()] == ["objects.geojson"]
    assert path.read_text() == "before"


DOCUMENTS = [
    ('[{"a": {"b": "}"}}, {"c": 1}]', 2),
    ('{"type": "FeatureCollection", "features": [{"a": 1}, {"b": {}}], "after": [{"x": 1}]}', 2),
    ('{"others": [{"x": 1}], "crs": {"features": [{"y": 2}]}, "features": [ {"a": 1} ], "bbox": [1]}', 1),
    ('{"type": "FeatureCollection", "features": []}', 0),
    ('{"type": "Feature", "geometry": null, "properties": {"n": "\\\\\\"{"}}', 1),
    ('{"type": "Polygon", "coordinates": []}', 1),
    ("[]", 0),
]


@pytest.mark.parametrize(("text", "count"), DOCUMENTS)
@pytest.mark.parametrize("block", [1, 3, 7, 64, 4096])
def test_every_form_is_read_wherever_the_blocks_are_cut(text: str, count: int, block: int, tmp_path: Path) -> None:
    path = tmp_path / "x.geojson"
    path.write_bytes(b"\xef\xbb\xbf" * (block > 7) + text.encode())
    with path.open("rb") as file:
        found = list(geojson_stream.objects(file, block))
    document = json.loads(text)
    expected = document if isinstance(document, list) else document.get("features", [document])
    assert found == expected
    assert len(found) == count


TORN = [
    *("", "x", "{}", '{"a": 1}', '{"features": [{"a": 1}', '{"features": [{"a": 1}]', '[{"a": 1}', '[{"a": }]'),
    *("}{", '{"features": [{"a": "'),
]


@pytest.mark.parametrize("text", TORN)
def test_what_is_no_geojson_or_cut_off_is_refused_in_words(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.geojson"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        list(geojson.read_features(path))
    assert error.value.subject == str(path)
    assert error.value.advice
    with pytest.raises(BadInput):
        list(geojson.read_features(tmp_path / "missing.geojson"))


def test_reading_takes_no_more_memory_for_a_larger_file(tmp_path: Path) -> None:
    path = tmp_path / "large.geojson"
    line = json.dumps(feature(polygon(SQUARE), name="x" * 8000)).encode()
    with path.open("wb") as file:
        file.write(b'{"type": "FeatureCollection", "features": [')
        for number in range(3600):
            file.write((b",\n" if number else b"\n") + line)
        file.write(b"\n]}")
    size = path.stat().st_size
    assert size > 25e6
    tracemalloc.start()
    try:
        assert sum(1 for _ in geojson.read_features(path)) == 3600
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size * 0.75
