"""`launchpad wsi inspect`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tifffile
from typer.testing import CliRunner

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
