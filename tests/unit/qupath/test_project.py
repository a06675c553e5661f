"""Projects: what is in them, what a person changed, what has moved, and what is wrong with results."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import qpdata_reader
import qupath_stand_in as stand_in
from launchpad import geojson
from launchpad.application import archive, run_folder
from launchpad.application.archive import zip_run
from launchpad.application.run_folder import FileFacts, ItemFacts, RunFacts
from launchpad.errors import LaunchpadError, NotFound
from launchpad.progress import Cancelled, Progress
from launchpad.qupath import from_run, installation, service
from launchpad.qupath.from_run import How, Report, add_run
from launchpad.qupath.images import add_images, annotate_image
from launchpad.qupath.project import open_project
from launchpad.wsi.isolation import SlideService

GOLDEN = Path(__file__).parents[2] / "data" / "golden" / "qupath-project"
CELLS = "cell_classification:geojson_polygons"
TISSUE = "tissue_segmentation:geojson_polygons"
MAP = "tissue_segmentation:tiff_segmap"
CSV = "readout_generation:csv_measurements"


@pytest.fixture(scope="module")
def slides() -> Iterator[SlideService]:
    with SlideService(workers=1) as made:
        yield made


def square(left: float, size: float = 10) -> dict[str, Any]:
    ring = [[left, 0], [left + size, 0], [left + size, size], [left, size], [left, 0]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_cells(path: Path, count: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with geojson.FeatureWriter(path) as writer:
        for number in range(count):
            writer.write(
                geojson.feature(
                    square(20 * number),
                    object_type="cell",
                    classification=("Stromal-like", (70, 160, 90)),
                    measurements={"Nucleus: Area µm^2": number + 0.5},
                    nucleus_geometry=square(20 * number + 2, 5),
                )
            )


def make_run(folder: Path, slide: Path, *, cells: int = 5, **metadata: object) -> RunFacts:
    """The folder of a run of one slide, as a download leaves it."""
    inner = folder / slide.stem
    write_cells(inner / "cells.json", cells)
    with geojson.FeatureWriter(inner / "tissue.json") as writer:
        kind = ("Tissue", (1, 2, 3))
        writer.write(geojson.feature(square(0, 900), object_type="annotation", name="Tissue 1", classification=kind))
    (inner / "map.tiff").write_bytes(slide.read_bytes()[:8] + b"\0" * 64 if slide.is_file() else b"II*\0" + b"\0" * 64)
    (inner / "readout.csv").write_text(f"# from: test\nclass,nuclei\nAll,{cells}\n=evil,1\n")
    files = [
        FileFacts(CELLS, f"{slide.stem}/cells.json", "application/geo+json"),
        FileFacts(TISSUE, f"{slide.stem}/tissue.json", "application/geo+json"),
        FileFacts(MAP, f"{slide.stem}/map.tiff", "image/tiff"),
        FileFacts(CSV, f"{slide.stem}/readout.csv", "text/csv"),
    ]
    item = ItemFacts("item-1", str(slide), slide.stem, "Succeeded", metadata=dict(metadata), files=files)
    facts = RunFacts("run-1", "On this computer", "http://127.0.0.1:1", "he-tme", "0.1.0", "engine 1", items=[item])
    run_folder.save(folder, facts)
    return facts


STATED = {"staining_method": "H&E", "specimen": {"tissue": "LUNG", "disease": "LUNG_CANCER"}, "resolution_mpp": 0.499}


@pytest.fixture
def run(tmp_path: Path, sample_svs: Path, data_dir: Path) -> Path:
    slide = tmp_path / "slides ä" / "a slide #1.svs"
    slide.parent.mkdir()
    shutil.copy(sample_svs, slide)
    make_run(tmp_path / "run", slide, **STATED)
    return tmp_path / "run"


def add(folder: Path, slides: SlideService, **more: Any) -> Report:
    return add_run(folder, run_folder.load(folder), slides=slides, **more)


def check_facts(folder: Path) -> dict[str, Any]:
    """Every fact that QuPath 0.5 to 0.7 wants of a project."""
    document: dict[str, Any] = json.loads((folder / "project.qpproj").read_text(encoding="utf-8"))
    assert isinstance(document["createTimestamp"], int)
    assert isinstance(document["modifyTimestamp"], int)
    assert document["version"] == "0.6.0"
    assert document["uri"].startswith("file:///")
    assert document["uri"].endswith("/")
    ids = [entry["entryID"] for entry in document["images"]]
    assert len(set(ids)) == len(ids)
    assert document["lastID"] == max(ids, default=0)
    names = [entry["imageName"] for entry in document["images"]]
    assert len(set(names)) == len(names)
    for entry in document["images"]:
        builder = entry["serverBuilder"]
        assert builder["builderType"] == "uri"
        assert isinstance(builder["args"], list)
        assert urlsplit(builder["uri"]).scheme == "file"
        assert not set(builder["uri"]) & set(' "<>#äé')  # percent-encoded
        assert all(isinstance(value, str) for value in entry["metadata"].values())
        assert isinstance(entry["tags"], list)
        data = qpdata_reader.read(folder / "data" / str(entry["entryID"]) / "data.qpdata")
        assert data.head["server"] == builder
        assert data.image_type != "UNSET"
    classes = json.loads((folder / "classifiers" / "classes.json").read_text())["pathClasses"]
    assert all(-(2**31) <= item["color"] < 2**31 and item["name"] for item in classes)
    return document


def test_the_facts_hold_for_the_golden_project_too(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN, tmp_path / "golden")
    found = service.Service.inspect(tmp_path / "golden")
    (image,) = found.images
    assert (image["name"], image["exists"], image["has_data"]) == ("slide1.svs", False, True)
    assert [item["name"] for item in found.classes] == ["Carcinoma", "Stroma"]


def test_a_run_becomes_a_project_with_everything_in_place(run: Path, slides: SlideService) -> None:
    report = add(run, slides)
    assert report.problems == []
    assert report.objects == 6
    project = run / "qupath"
    document = check_facts(project)
    slide, tissue_map = document["images"]
    assert slide["imageName"] == "a slide #1.svs"
    assert unquote(slide["serverBuilder"]["uri"]).endswith("slides ä/a slide #1.svs")
    assert slide["metadata"] == {
        "Platform": "On this computer", "Application": "he-tme", "Version": "0.1.0", "Engine": "engine 1",
        "Run": "run-1", "Item": "item-1", "State": "Succeeded", "Tissue": "LUNG", "Disease": "LUNG_CANCER",
        "Staining": "H&E",
    }  # fmt: skip
    assert "research use only" in slide["description"]
    assert tissue_map["imageName"] == "a slide #1.svs – tissue segmentation map"
    data = qpdata_reader.read(project / "data" / "1" / "data.qpdata")
    assert data.image_type == "BRIGHTFIELD_H_E"
    assert [item.kind for item in data.root.children] == ["PathAnnotationObject"] + ["PathCellObject"] * 5
    copy = list(geojson.read_features(project / "data" / "1" / "objects.geojson"))
    assert [item["id"] for item in copy] == [item.id for item in data.objects()]
    for feature, item in zip(copy, data.objects(), strict=True):
        assert item.shape is not None
        assert feature["geometry"]["coordinates"] == item.shape.coordinates
        rounded = {
            name: struct.unpack("f", struct.pack("f", value))[0]
            for name, value in feature["properties"].get("measurements", {}).items()
        }
        assert item.measurements == rounded
        assert item.classification is not None
        assert feature["properties"]["classification"]["name"] == item.classification[0]
    assert (project / "data" / "1" / "thumbnail.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert qpdata_reader.read(project / "data" / "2" / "data.qpdata").image_type == "OTHER"
    classes = json.loads((project / "classifiers" / "classes.json").read_text())["pathClasses"]
    assert {item["name"] for item in classes} == {"Tissue", "Stromal-like"}
    assert "Do not delete it" in (project / "README.txt").read_text(encoding="utf-8")
    assert "PathIO" in (project / "scripts" / "Import Launchpad results.groovy").read_text(encoding="utf-8")


def test_again_nothing_changes_and_new_results_replace_what_nobody_touched(run: Path, slides: SlideService) -> None:
    add(run, slides)
    project = run / "qupath"
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file() and path.name[0] != "."}
    report = add(run, slides)
    assert report.unchanged == ["a slide #1.svs"]
    assert before == {path: path.stat().st_mtime_ns for path in before}
    write_cells(run / "a slide #1" / "cells.json", 9)
    assert add(run, slides).updated == ["a slide #1.svs"]
    assert len(check_facts(project)["images"]) == 2
    assert len(qpdata_reader.read(project / "data" / "1" / "data.qpdata").objects()) == 10


def test_what_a_person_changed_is_never_written_over(run: Path, slides: SlideService) -> None:
    add(run, slides)
    project = run / "qupath"
    mine = project / "data" / "1" / "data.qpdata"
    shutil.copy(GOLDEN / "data" / "1" / "data.qpdata", mine)  # as QuPath saves it
    assert add(run, slides).unchanged == ["a slide #1.svs"]
    write_cells(run / "a slide #1" / "cells.json", 9)
    report = add(run, slides)
    (name,) = report.beside
    assert name.startswith("a slide #1.svs (results of 20")
    assert mine.read_bytes() == (GOLDEN / "data" / "1" / "data.qpdata").read_bytes()
    names = [entry["imageName"] for entry in json.loads((project / "project.qpproj").read_text())["images"]]
    assert names == ["a slide #1.svs", "a slide #1.svs – tissue segmentation map", name]
    assert service.image_of(run, "item-1") == name
    # And once more: the second image is Launchpad's own and is brought up to date.
    write_cells(run / "a slide #1" / "cells.json", 3)
    assert add(run, slides).updated == ["a slide #1.svs"]
    assert len(qpdata_reader.read(project / "data" / "3" / "data.qpdata").objects()) == 4
    images = service.Service.inspect(project).images
    assert [item["changed_in_qupath"] for item in images] == [True, False, False]
    assert [item["objects"] for item in images] == [None, 0, 4]


def test_colours_and_images_of_a_person_stay(run: Path, slides: SlideService) -> None:
    add(run, slides)
    project = run / "qupath"
    classes = project / "classifiers" / "classes.json"
    classes.write_text(
        json.dumps({"pathClasses": [{"name": "Mine", "color": -1}, {"name": "Stromal-like", "color": -2}]})
    )
    document = json.loads((project / "project.qpproj").read_text())
    document["images"].append({**document["images"][0], "entryID": 7, "imageName": "my own"})
    document["images"][0]["metadata"]["my key"] = "kept"
    (project / "project.qpproj").write_text(json.dumps(document))
    write_cells(run / "a slide #1" / "cells.json", 9)
    add(run, slides)
    known = json.loads(classes.read_text())["pathClasses"]
    assert known[:2] == [{"name": "Mine", "color": -1}, {"name": "Stromal-like", "color": -2}]
    after = open_project(project)
    assert after.named("my own") is not None
    assert after.entries[0]["metadata"]["my key"] == "kept"


def test_moved_images_are_found_and_the_old_project_file_is_kept(
    run: Path, slides: SlideService, tmp_path: Path
) -> None:
    add(run, slides)
    whole = tmp_path / "elsewhere"
    whole.mkdir()
    for part in (run, tmp_path / "slides ä"):
        shutil.move(str(part), whole / part.name)
    project = whole / "run" / "qupath"
    before = (project / "project.qpproj").read_bytes()
    found = service.correct_images(project)
    assert len(found.moved) == 2
    assert found.missing == ()
    assert (project / "project.qpproj.backup").read_bytes() == before
    for entry in check_facts_of_uris(project):
        assert Path(unquote(urlsplit(entry).path)).is_file()
    assert service.correct_images(project).moved == ()
    # The slide alone goes elsewhere: it is found by its name where one says so.
    (whole / "slides ä" / "a slide #1.svs").rename(tmp_path / "a slide #1.svs")
    assert service.correct_images(project).missing == ("a slide #1.svs",)
    assert service.correct_images(project, [tmp_path]).moved == ("a slide #1.svs",)


def check_facts_of_uris(project: Path) -> list[str]:
    return [entry["serverBuilder"]["uri"] for entry in json.loads((project / "project.qpproj").read_text())["images"]]


def test_a_slide_without_a_pixel_size_gets_the_one_that_was_given(
    tmp_path: Path, sample_tiff: Path, slides: SlideService
) -> None:
    make_run(tmp_path / "run", sample_tiff, resolution_mpp=0.25)
    add(tmp_path / "run", slides)
    builder = check_facts(tmp_path / "run" / "qupath")["images"][0]["serverBuilder"]
    golden = json.loads((GOLDEN / "project.qpproj").read_text())["images"][0]["serverBuilder"]
    assert builder["providerClassName"] == golden["providerClassName"]
    assert builder["metadata"]["pixelCalibration"]["pixelWidth"] == {"value": 0.25, "unit": "µm"}
    assert set(golden["metadata"]) - set(builder["metadata"]) <= {"magnification"}
    assert builder["metadata"]["levels"][0]["width"] == 2220
    assert qpdata_reader.read(tmp_path / "run/qupath/data/1/data.qpdata").image_type == "BRIGHTFIELD_OTHER"


def test_what_is_missing_or_wrong_is_said_and_the_rest_is_shown(
    run: Path, slides: SlideService, tmp_path: Path
) -> None:
    facts = run_folder.load(run)
    item = facts.items[0]
    (run / "a slide #1" / "tissue.json").write_text('{"features": [')
    item.files.append(FileFacts("more:csv", "a slide #1/more.csv", "text/csv", problem="the platform has not made it"))
    shutil.rmtree(tmp_path / "slides ä")
    broken = replace(item, item_id="item-2", name="failed", state="Failed", error="No tissue.", files=[])
    facts.items.append(broken)
    run_folder.save(run, facts)
    assert run_folder.load(run).problems == [
        "a slide #1/more.csv: the platform has not made it.",
        "failed: Failed: No tissue.",
    ]
    readme = (run / "README.txt").read_text(encoding="utf-8")
    assert "NOT COMPLETE" in readme
    assert "more.csv: the platform has not made it" in readme
    report = add(run, slides)
    words = "\n".join(report.problems)
    for part in ("more.csv", "the slide is not at", "tissue.json", "cut off"):
        assert part in words
    assert report.objects == 5
    rows = (run / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "slide,item_id,external_id,state,error,tissue,disease,application,version,run_id,class,nuclei"
    assert len(rows) == 4
    assert rows[1].endswith("All,5")
    assert ",'=evil,1" in rows[2]
    assert rows[3].startswith("failed,item-2,")


@pytest.mark.parametrize(
    ("data", "media_type", "words"),
    [
        (b"", "text/csv", "empty"),
        (b"no tiff", "image/tiff", "no image/tiff"),
        (b"II*\0", "image/tiff", ""),
        (b"{", "application/json", "damaged"),
        (b"{}", "application/json", ""),
        (b"<html>", "application/geo+json", "no JSON"),
        (b'{"features": [', "application/geo+json", ""),  # seen when it is read
        (b"\xff\xfe\0", "text/csv", "damaged"),
        (b"a,b\n1,2\n", "text/csv", ""),
        (b"x", "application/unknown", ""),
    ],
)
def test_wrong_content_is_told_by_its_beginning(data: bytes, media_type: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    found = run_folder.wrong_content(path, media_type)
    assert (words in found) if words else found == ""


def test_a_folder_without_run_json_is_understood_by_its_files(run: Path, slides: SlideService) -> None:
    (run / "run.json").unlink()
    summary = {"provenance": {"external_id": str(run.parent / "slides ä" / "a slide #1.svs"), "run_id": "run-1"}}
    (run / "a slide #1" / "summary.json").write_text(json.dumps(summary))
    (run / "a slide #1" / "cells.json").rename(run / "a slide #1" / "cells.geojson")
    (run / "a slide #1" / "tissue.json").unlink()
    report = add(run, slides)
    assert report.objects == 5
    assert check_facts(run / "qupath")["images"][0]["imageName"] == "a slide #1.svs"
    with pytest.raises(NotFound, match="no results"):
        run_folder.load(run.parent / "slides ä")
    with pytest.raises(NotFound, match="not on this computer"):
        run_folder.load(run / "nowhere")
    (run / "run.json").write_text("{")
    with pytest.raises(LaunchpadError, match="damaged"):
        run_folder.load(run)


def test_cancelled_it_leaves_a_whole_project(run: Path, slides: SlideService) -> None:
    write_cells(run / "a slide #1" / "cells.json", 2000)
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        add(run, slides, progress=progress)
    assert not (run / "qupath" / "project.qpproj").exists()
    assert not list(run.rglob("*.part"))
    add(run, slides)
    check_facts(run / "qupath")


def test_copies_are_compressed_on_request(run: Path, slides: SlideService) -> None:
    add(run, slides, how=How(packed=True))
    folder = run / "qupath" / "data" / "1"
    assert len(list(geojson.read_features(folder / "objects.geojson.gz"))) == 6
    assert not (folder / "objects.geojson").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_a_version_of_another_form_gets_its_objects_by_script(
    run: Path, slides: SlideService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = stand_in.make(tmp_path / "QuPath-0.9.0", "0.9.0")
    monkeypatch.setenv("LAUNCHPAD_QUPATH", str(program))
    try:
        opened = service.open_run(run, "item-1", slides=slides)
        script, window = stand_in.started(program, 2)
    finally:
        stand_in.end(program)
    project = run / "qupath"
    assert script["args"][:4] == ["script", "-p", str(project / "project.qpproj"), "-s"]
    assert window["args"] == ["-q", "-p", str(project / "project.qpproj"), "-i", "a slide #1.svs"]
    assert opened.notes == []
    assert (project / "data" / "1" / "data.qpdata").read_bytes() == b"by QuPath"
    assert (project / "data" / "1" / "image-type.txt").read_text() == "BRIGHTFIELD_H_E"
    # What QuPath wrote by our script is no change of a person.
    write_cells(run / "a slide #1" / "cells.json", 9)
    assert add(run, slides).updated == ["a slide #1.svs"]
    monkeypatch.setenv("LAUNCHPAD_QUPATH_OBJECTS", "qpdata")
    assert not service.how_for(installation.best()).script
    monkeypatch.setenv("LAUNCHPAD_QUPATH_OBJECTS", "script")
    assert service.how_for(None).script


def test_images_and_annotations_of_ones_own(
    tmp_path: Path, data_dir: Path, sample_svs: Path, sample_dicom: Path, slides: SlideService
) -> None:
    project = tmp_path / "my project"
    folder = tmp_path / "slides"
    folder.mkdir()
    shutil.copy(sample_svs, folder / "one.svs")
    (folder / "broken.svs").write_text("no slide")
    report = add_images(project, [folder, sample_dicom], slides=slides)
    assert (len(report.added), len(report.unchanged)) == (3, 0)
    assert any("broken.svs" in problem for problem in report.problems)
    if sys.platform == "linux":  # elsewhere the names of files are Unicode
        shutil.copy(sample_svs, folder / os.fsdecode(b"tw\xf6.svs"))
        assert any("not Unicode" in problem for problem in add_images(project, [folder], slides=slides).problems)
    assert service.Service.add(project, [folder]) == 0
    with pytest.raises(NotFound):
        service.Service.add(project, [tmp_path / "nowhere"])
    write_cells(tmp_path / "cells.geojson", 4)

    def annotate(image: Path) -> int:
        return annotate_image(project, image, tmp_path / "cells.geojson", slides=slides).written

    assert annotate(folder / "one.svs") == 4
    assert service.Service.annotate(project, Path("one.svs"), tmp_path / "cells.geojson") == 4
    number = next(item["id"] for item in service.Service.inspect(project).images if item["name"] == "one.svs")
    data = project / "data" / str(number) / "data.qpdata"
    assert len(qpdata_reader.read(data).objects()) == 8
    data.write_bytes(b"changed in QuPath")
    assert annotate(folder / "one.svs") == 4
    assert data.read_bytes() == b"changed in QuPath"
    names = [item["name"] for item in service.Service.inspect(project).images]
    assert any("annotations of" in name for name in names)
    assert annotate(sample_svs) == 4  # added when missing
    with pytest.raises(NotFound, match="no such image"):
        annotate(Path("two.svs"))
    with pytest.raises(LaunchpadError, match="no such GeoJSON"):
        service.Service.annotate(project, Path("one.svs"), tmp_path / "none.geojson")


def test_a_damaged_project_is_named(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "project.qpproj").write_text("{")
    with pytest.raises(LaunchpadError, match="cannot be read") as error:
        service.Service.inspect(tmp_path)
    assert error.value.subject.endswith("project.qpproj")
    with pytest.raises(NotFound):
        service.Service.inspect(tmp_path / "nowhere")


def test_an_id_that_is_an_address_or_of_another_system_finds_its_slide(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    for name in ("a b.svs", "c.svs"):
        (tmp_path / "input" / name).write_bytes(b"x")
    wanted = {
        "gs://bucket/folder/a%20b.svs": tmp_path / "input" / "a b.svs",
        "https://host/c.svs?x=1": tmp_path / "input" / "c.svs",
        "C:\\slides\\c.svs": tmp_path / "input" / "c.svs",
        "/nowhere/c.svs": tmp_path / "input" / "c.svs",
        "/nowhere/d.svs": Path("/nowhere/d.svs"),
    }
    if os.name != "nt":
        for external_id, path in wanted.items():
            assert from_run.slide_path(tmp_path, ItemFacts("1", external_id, "x")) == path


def test_a_large_file_is_packed_as_zip64_from_its_first_byte(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_LARGE", 0)
    packed = zip_run(run)
    with zipfile.ZipFile(packed) as read:
        assert read.testzip() is None
        infos = read.infolist()
    with packed.open("rb") as file:
        for info in infos:
            file.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            file.seek(name, os.SEEK_CUR)
            assert file.read(extra)[:2] == b"\x01\x00", "the local header holds no sizes of 64 bits"


def test_the_results_fit_into_one_zip(run: Path, tmp_path: Path) -> None:
    (run / "half.svs.part").write_bytes(b"x")
    (run / "link").symlink_to("/etc/passwd")
    packed = zip_run(run)
    assert packed == tmp_path / "run.zip"
    with zipfile.ZipFile(packed) as read:
        assert read.testzip() is None
        names = set(read.namelist())
        infos = read.infolist()
        text = read.read("run/README.txt").decode()
    assert {"run/README.txt", "run/run.json", "run/summary.csv", "run/a slide #1/cells.json"} <= names
    assert not any("part" in name or "link" in name for name in names)
    assert "he-tme" in text
    assert all(info.extract_version == 20 for info in infos)  # as every reader knows it
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        zip_run(run, tmp_path / "other.zip", progress=progress)
    assert not list(tmp_path.glob("*other*"))
    with pytest.raises(NotFound):
        zip_run(tmp_path / "nowhere")
