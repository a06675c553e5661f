"""`launchpad wsi inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tifffile
from pydicom.dataset import Dataset
from typer.testing import CliRunner

from dicom_files import add_specimen, picture, write
from launchpad.cli.wsi import app


def test_inspect_as_json_and_text(sample_dicom: Path) -> None:
    path = str(sample_dicom / "label.dcm")
    found = json.loads(CliRunner().invoke(app, ["inspect", path, "--format", "json"]).stdout)
    assert found["resolution"]["mpp_x"] == 0.499
    assert found["levels"]["count"] == 5
    text = CliRunner().invoke(app, ["inspect", path])
    assert text.exit_code == 0
    assert "Width: 2220 px" in text.stdout
    assert "MPP (x): 0.4990 µm" in text.stdout


def test_inspect_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.zeros((128, 128, 3), np.uint8), tile=(128, 128), photometric="rgb", metadata=None)
    text = CliRunner().invoke(app, ["inspect", str(path)])
    assert "MPP (x): unknown" in text.stdout
    assert "does not say" in text.stdout


def test_inspect_says_what_may_identify_somebody(sample_svs: Path) -> None:
    text = CliRunner().invoke(app, ["inspect", str(sample_svs)])
    assert text.exit_code == 0
    assert "label - The label often shows a name" in text.stdout
    found = json.loads(CliRunner().invoke(app, ["inspect", str(sample_svs), "--format", "json"]).stdout)
    assert {"label", "macro"} <= {item["where"] for item in found["identifying"]}


def test_thumbnail_is_written(tmp_path: Path, sample_svs: Path) -> None:
    from PIL import Image

    path = tmp_path / "small.png"
    answer = CliRunner().invoke(app, ["thumbnail", str(sample_svs), str(path), "--size", "100"])
    assert answer.exit_code == 0
    with Image.open(path) as image:
        assert image.size == (75, 100)


def test_dicom_inspect_shows_study_slide_series_and_files(sample_dicom: Path) -> None:
    text = CliRunner().invoke(app, ["dicom", "inspect", str(sample_dicom)])
    assert text.exit_code == 0
    lines = text.stdout.splitlines()
    assert [line.split(":")[0].strip() for line in lines[:3]] == ["Study", "Slide", "Series"]
    assert "(8 files)" in lines[2]
    assert "      volume-02220.dcm: VOLUME, 2220 × 2967 px" in lines
    brief = CliRunner().invoke(app, ["dicom", "inspect", str(sample_dicom), "--summary"])
    assert brief.stdout.splitlines() == lines[:3]
    found = json.loads(CliRunner().invoke(app, ["dicom", "inspect", str(sample_dicom), "--format", "json"]).stdout)
    assert {item["flavor"] for item in found} == {"VOLUME", "LABEL", "OVERVIEW", "THUMBNAIL"}


def test_dicom_inspect_names_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(bytes(128) + b"DICM")
    answer = CliRunner().invoke(app, ["dicom", "inspect", str(tmp_path)])
    assert answer.exit_code == 1
    assert "x.dcm" in answer.stderr


def test_inspect_shows_scanner_specimen_and_a_difference_of_mpp(tmp_path: Path) -> None:
    def change(data: Dataset) -> None:
        add_specimen(data, [("12710003", "hematoxylin stain")], ("39607008", "Lung"))
        data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0.0006, 0.0005]

    path = write(tmp_path / "base.dcm", picture(), change=change)
    text = CliRunner().invoke(app, ["inspect", str(path)]).stdout
    for line in ("Scanner: Maker Model 7", "Stained with: hematoxylin stain", "Tissue of: Lung", "0.6 µm high"):
        assert line in text
    found = json.loads(CliRunner().invoke(app, ["inspect", str(path), "--format", "json"]).stdout)
    assert found["specimen"]["anatomy"] == [{"value": "39607008", "scheme": "SCT", "meaning": "Lung"}]
    assert found["extra"]["scanner"] == "Maker Model 7"


def test_geojson_becomes_annotations(tmp_path: Path) -> None:
    write(tmp_path / "base.dcm", picture())
    file = tmp_path / "nuclei.geojson"
    square = [[1, 1], [9, 1], [9, 9], [1, 1]]
    features = [
        {"type": "Feature", "geometry": {"type": kind, "coordinates": place}, "properties": {}}
        for kind, place in (("Polygon", [square]), ("Polygon", [[[999, 1], [1000, 1], [1000, 9]]]))
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    done = CliRunner().invoke(app, ["dicom", "geojson_import", str(tmp_path), str(file)])
    assert done.exit_code == 0, done.output
    assert "1 polygon(s) and 0 point(s)" in done.output
    assert "Left out: 1 outside of the slide." in done.output
    assert (tmp_path / "nuclei_annotations.dcm").is_file()
