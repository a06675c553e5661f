"""The engine on real slides: the five outputs, valid for QuPath, the same however the work is cut."""

from __future__ import annotations

import csv
import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import google_crc32c
import numpy as np
import openslide
import pytest
import tifffile
from shapely.geometry import Point, shape

from launchpad.analysis import NOTICE
from launchpad.analysis.engine import OutputFile, Provenance, analyse, task
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import SlideError
from launchpad.geojson import read_features
from launchpad.progress import Cancelled, Progress
from launchpad.supervised import Worker

MPP = 0.499
PROVENANCE = Provenance(
    platform="On this computer",
    application_id="he-tme",
    application_name="Open H&E TME",
    version="0.1.0",
    engine="launchpad-engine 0.1.0",
    run_id="run-1",
    item_id="item-1",
    external_id="/slides/a,b;c\n.svs",
)
NAMES = {
    "tissue_segmentation:geojson_polygons": "application/geo+json",
    "cell_classification:geojson_polygons": "application/geo+json",
    "tissue_segmentation:tiff_segmap": "image/tiff",
    "readout_generation:csv_measurements": "text/csv",
    "readout_generation:json_summary": "application/json",
}


def _run(slide: Path, folder: Path, tile_size: int = 1024, **parameters: object) -> dict[str, OutputFile]:
    folder.mkdir(parents=True)
    files = analyse(slide, folder, mpp=MPP, parameters=parameters, provenance=PROVENANCE, tile_size=tile_size)
    return {item.name: item for item in files}


@pytest.fixture(scope="module")
def result(sample_svs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, OutputFile]:
    return _run(sample_svs, tmp_path_factory.mktemp("result") / "out", staining_method="H&E", tissue="LUNG")


def _summary(files: dict[str, OutputFile]) -> dict[str, dict[str, object]]:
    summary: dict[str, dict[str, object]] = json.loads(files["readout_generation:json_summary"].path.read_text())
    return summary


def _count(files: dict[str, OutputFile]) -> int:
    return int(str(_summary(files)["nuclei"]["count"]))


def test_five_outputs_with_checksums_that_name_their_origin(result: dict[str, OutputFile]) -> None:
    assert {name: item.media_type for name, item in result.items()} == NAMES
    for item in result.values():
        data = item.path.read_bytes()
        assert item.size == len(data)
        checksum = b64encode(int(google_crc32c.value(data)).to_bytes(4, "big")).decode()
        assert item.crc32c == item.metadata["checksum_base64_crc32c"] == checksum
        assert item.metadata["media_type"] == item.media_type
        text = data.decode("utf-8", errors="replace")
        if item.media_type == "image/tiff":
            with tifffile.TiffFile(item.path) as tiff:
                text = tiff.pages[0].description
        for word in ("On this computer", "he-tme", "0.1.0", "launchpad-engine", NOTICE):
            assert word in text, (item.name, word)
    assert len({item.path.parent for item in result.values()}) == 1
    assert len(list(result["readout_generation:json_summary"].path.parent.iterdir())) == 5


def test_cells_are_valid_closed_and_on_the_slide(result: dict[str, OutputFile]) -> None:
    items = list(read_features(result["cell_classification:geojson_polygons"].path))
    for item in items:
        cell, nucleus = shape(item["geometry"]), shape(item["nucleusGeometry"])
        for geometry in (cell, nucleus):
            assert geometry.geom_type == "Polygon"
            assert geometry.is_valid
            assert geometry.exterior.is_closed
            left, top, right, bottom = geometry.bounds
            assert left >= 0
            assert top >= 0
            assert right <= 2220
            assert bottom <= 2967
        assert nucleus.difference(cell).area < 0.05 * nucleus.area
        properties = item["properties"]
        assert isinstance(properties, dict)
        assert properties["objectType"] == "cell"
        assert properties["classification"]["name"].endswith(("-like", "Other"))
        assert len(properties["classification"]["color"]) == 3
        area = properties["measurements"]["Nucleus: Area µm^2"]
        assert area == pytest.approx(nucleus.area * MPP**2, rel=0.01)
    assert len({item["id"] for item in items}) == len(items) == _count(result)
    assert 2000 < len(items) < 3500


def test_nuclei_lie_on_tissue(result: dict[str, OutputFile]) -> None:
    tissue = [shape(item["geometry"]) for item in read_features(result["tissue_segmentation:geojson_polygons"].path)]
    assert all(piece.is_valid for piece in tissue)
    area = sum(piece.area for piece in tissue) * MPP**2 / 1e6
    assert area == pytest.approx(float(str(_summary(result)["tissue"]["area_mm2"])), rel=0.02)
    everything = tissue[0].buffer(40)
    for item in read_features(result["cell_classification:geojson_polygons"].path):
        assert everything.contains(shape(item["nucleusGeometry"]).centroid)


@pytest.mark.parametrize(("left", "top", "by_eye"), [(980, 900, 258), (760, 1750, 248), (700, 2450, 120)])
def test_counts_agree_with_the_eye(result: dict[str, OutputFile], left: int, top: int, by_eye: int) -> None:
    """Three fields of 200 µm, counted by eye on pictures without outlines (benchmarks/README.md)."""
    side = 200 / MPP
    count = 0
    for item in read_features(result["cell_classification:geojson_polygons"].path):
        centre = shape(item["nucleusGeometry"]).centroid
        count += left <= centre.x < left + side and top <= centre.y < top + side
    assert abs(count - by_eye) <= 0.25 * by_eye


def test_tissue_map_is_a_pyramid_with_resolution(result: dict[str, OutputFile]) -> None:
    with openslide.OpenSlide(str(result["tissue_segmentation:tiff_segmap"].path)) as slide:
        assert slide.level_count >= 2
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(16 * MPP, rel=1e-3)
        pixels = np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))
    with tifffile.TiffFile(result["tissue_segmentation:tiff_segmap"].path) as tiff:
        numbers = tiff.pages[0].asarray()
    assert set(np.unique(numbers)) == {0, 1}
    assert (pixels[numbers == 0] == 255).all()
    assert float(numbers.sum()) * (16 * MPP) ** 2 / 1e6 == pytest.approx(
        float(str(_summary(result)["tissue"]["area_mm2"])), rel=1e-3
    )


def test_measurements_add_up(result: dict[str, OutputFile]) -> None:
    lines = result["readout_generation:csv_measurements"].path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert any(line == "# platform: On this computer" for line in comments)
    text = "\n".join(lines[len(comments) :])
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert {row["external_id"] for row in rows} == {PROVENANCE.external_id}
    counts = {row["class"]: int(row["nuclei"]) for row in rows}
    assert counts.pop("All") == sum(counts.values()) == _count(result)
    assert set(counts) == {"Epithelial-like", "Lymphocyte-like", "Stromal-like", "Other"}
    assert _summary(result)["parameters"] == {"staining_method": "H&E", "tissue": "LUNG"}
    assert _summary(result)["warnings"] == []


def test_the_result_does_not_depend_on_tiles(result: dict[str, OutputFile], sample_svs: Path, tmp_path: Path) -> None:
    def centres(files: dict[str, OutputFile]) -> set[tuple[float, float]]:
        places = (shape(f["nucleusGeometry"]).centroid for f in read_features(files[name].path))
        return {(round(place.x, 1), round(place.y, 1)) for place in places}

    name = "cell_classification:geojson_polygons"
    small = _run(sample_svs, tmp_path / "small", tile_size=400)
    assert _summary(small)["analysis"]["tiles_read"] == 48
    assert abs(_count(small) - _count(result)) <= 0.005 * _count(result)
    assert len(centres(small) ^ centres(result)) <= 0.02 * _count(result)


def test_all_forms_of_a_slide_give_the_same(
    result: dict[str, OutputFile], sample_tiff: Path, sample_dicom: Path, tmp_path: Path
) -> None:
    for number, path in enumerate((sample_tiff, sample_dicom / "volume-02220.dcm")):
        other = _run(path, tmp_path / str(number))
        assert abs(_count(other) - _count(result)) <= 0.04 * _count(result)


def test_test_app_reads_all_and_leaves_classes_out(
    result: dict[str, OutputFile], sample_svs: Path, tmp_path: Path
) -> None:
    files = _run(sample_svs, tmp_path / "out", mode="test")
    assert set(files) == set(NAMES)
    assert _count(files) == _count(result)
    assert _summary(files)["analysis"]["tiles_read"] == _summary(result)["analysis"]["tiles_read"] == 9
    item = next(read_features(files["cell_classification:geojson_polygons"].path))
    assert item["properties"]["objectType"] == "detection"  # type: ignore[index]
    assert "nucleusGeometry" not in item


@pytest.mark.parametrize("mpp", [0.0, -0.5, float("nan"), 3.0, 250.0, None])
def test_without_a_plausible_resolution_nothing_is_counted(sample_svs: Path, tmp_path: Path, mpp: float) -> None:
    with pytest.raises(SlideError) as caught:
        analyse(sample_svs, tmp_path, mpp=mpp, parameters={}, provenance=PROVENANCE)
    assert caught.value.subject == str(sample_svs)
    assert "MPP" in caught.value.advice
    assert not list(tmp_path.iterdir())


def test_cancelling_leaves_no_half_file(sample_svs: Path, tmp_path: Path) -> None:
    class Impatient(Progress):
        def report(self, done: int, total: int, what: str = "") -> None:
            if done == 2:
                self.cancel()
            super().report(done, total, what)

    with pytest.raises(Cancelled):
        analyse(sample_svs, tmp_path, mpp=MPP, parameters={}, provenance=PROVENANCE, progress=Impatient())
    assert not list(tmp_path.iterdir())


def test_a_worker_process_gives_the_same_files(result: dict[str, OutputFile], sample_svs: Path, tmp_path: Path) -> None:
    progress = Progress()
    worker = Worker("analysis")
    try:
        files = worker.call(
            task,
            str(sample_svs),
            str(tmp_path),
            MPP,
            {"staining_method": "H&E", "tissue": "LUNG"},
            PROVENANCE.__dict__,
            progress=progress,
        )
    finally:
        worker.close()
    assert {str(item["name"]): item["media_type"] for item in files} == NAMES
    assert {item["name"]: item["crc32c"] for item in files} == {name: item.crc32c for name, item in result.items()}
    assert all(crc32c_file(Path(str(item["path"]))) == item["crc32c"] for item in files)
    assert progress.latest is not None
    assert progress.latest[:2] == (9, 9)


def _synthetic(path: Path, colour: tuple[int, int, int], spots: Callable[[np.ndarray], None] | None = None) -> Path:
    pixels = np.full((1200, 1400, 3), 243, dtype=np.uint8)
    pixels[200:1000, 200:1200] = colour
    if spots:
        spots(pixels)
    tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb", metadata=None)
    return path


def test_known_discs_are_found_with_their_area_and_place(tmp_path: Path) -> None:
    import cv2

    centres = [(300 + 60 * column, 300 + 60 * row) for row in range(10) for column in range(14)]

    def spots(pixels: np.ndarray) -> None:
        for centre in centres:
            cv2.circle(pixels, centre, 10, (90, 60, 130), -1)

    slide = _synthetic(tmp_path / "discs.tiff", (225, 160, 190), spots)
    files = _run(slide, tmp_path / "out", tile_size=256)
    assert _count(files) == len(centres)
    found = [shape(f["nucleusGeometry"]) for f in read_features(files["cell_classification:geojson_polygons"].path)]
    exact = np.pi * 10.4**2  # OpenCV's filled circle of radius 10
    for nucleus in found:
        assert nucleus.area == pytest.approx(exact, rel=0.25)  # smoothing moves a sharp edge outwards
        # The middle of pixel 300 is at 300.5: outlines follow the edges of pixels.
        assert min(nucleus.centroid.distance(Point(x + 0.5, y + 0.5)) for x, y in centres) < 0.3


def test_another_stain_is_said(tmp_path: Path) -> None:
    """Blue counterstain with brown, no pink: not H&E."""

    def spots(pixels: np.ndarray) -> None:
        pixels[300:500:20, 300:1100] = (120, 80, 40)

    files = _run(_synthetic(tmp_path / "ihc.tiff", (170, 185, 215), spots), tmp_path / "out")
    (warning,) = _summary(files)["warnings"]
    assert "do not look like H&E" in warning
    assert "# warning: The colours" in files["readout_generation:csv_measurements"].path.read_text()


def test_an_empty_slide_gives_empty_results(tmp_path: Path) -> None:
    pixels = np.full((700, 900, 3), 243, dtype=np.uint8)
    tifffile.imwrite(tmp_path / "empty.tiff", pixels, tile=(256, 256), photometric="rgb", metadata=None)
    files = _run(tmp_path / "empty.tiff", tmp_path / "out")
    assert _count(files) == 0
    assert list(read_features(files["cell_classification:geojson_polygons"].path)) == []
    assert "No tissue" in str(_summary(files)["warnings"])


def test_a_broken_slide_is_named(sample_svs: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.svs"
    shutil.copy(sample_svs, path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    (tmp_path / "out").mkdir()
    with pytest.raises(SlideError) as caught:
        analyse(path, tmp_path / "out", mpp=MPP, parameters={}, provenance=PROVENANCE)
    assert caught.value.subject == str(path)


def test_a_mislabelled_dicom_gives_what_the_svs_gives(
    result: dict[str, OutputFile], sample_dicom: Path, tmp_path: Path
) -> None:
    """Its header says RGB, its frames are YCbCr: read as it says, the slide is red and the stain is none."""
    slide = sample_dicom.parents[2] / "colour-quirk" / "wsi2dcm-CMU-1" / "level-0-frames-0-30.dcm"
    files = _run(slide, tmp_path / "out", staining_method="H&E", tissue="LUNG")
    found, expected = _summary(files)["stain"], _summary(result)["stain"]
    for name in ("haematoxylin", "eosin"):
        assert found[name] == pytest.approx(expected[name], abs=0.06)
    cells = [item["cell_classification:geojson_polygons"].metadata["objects"] for item in (result, files)]
    assert cells[1] == pytest.approx(cells[0], rel=0.1)
