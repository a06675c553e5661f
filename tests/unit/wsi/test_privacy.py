"""Each kind of identifying data is planted once and has to be found; a clean slide has none."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import tifffile

from launchpad.errors import BadInput
from launchpad.wsi import privacy
from launchpad.wsi.metadata import read_header


def _inspect(path: Path, patterns: Iterable[str] = privacy.NAME_PATTERNS) -> tuple[privacy.Finding, ...]:
    return privacy.inspect(*read_header(path), patterns)


def _described(path: Path, description: str) -> Path:
    pixels = np.full((256, 256, 3), 230, dtype=np.uint8)
    tifffile.imwrite(path, pixels, tile=(128, 128), photometric="rgb", metadata=None, description=description)
    return path


def test_label_and_macro_are_named(sample_svs: Path) -> None:
    found = _inspect(sample_svs)
    assert [item.where for item in found if item.kind == "image"] == ["label", "macro"]


@pytest.mark.parametrize(
    ("key", "value"), [("User", "drdoe"), ("Date", "02/28/61"), ("Filename", "Doe^Jane"), ("Barcode", "B-77")]
)
def test_keys_of_the_scanner_are_named(tmp_path: Path, key: str, value: str) -> None:
    text = f"Aperio Image Library v1\n256x256 (128x128) JPEG/RGB|AppMag = 20|{key} = {value}|MPP = 0.5"
    found = [item for item in _inspect(_described(tmp_path / "x.svs", text)) if item.kind == "description"]
    assert [(item.where.rpartition(".")[2], item.value) for item in found] == [(key, value)]


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("PatientName", "Doe^Jane"),
        ("PatientBirthDate", "19610228"),
        ("ReferringPhysicianName", "Roe^Richard"),
        ("OperatorsName", "Poe^Paula"),
        ("InstitutionName", "General Hospital"),
        ("LabelText", "Doe 1961"),
    ],
)
def test_attributes_of_dicom_are_named(tmp_path: Path, sample_dicom: Path, tag: str, value: str) -> None:
    data = pydicom.dcmread(sample_dicom / "volume-02220.dcm")
    setattr(data, tag, value)
    path = tmp_path / "base.dcm"
    data.save_as(path)
    found = {item.where: item.value for item in _inspect(path) if item.kind == "dicom"}
    assert found[tag] == value


@pytest.mark.parametrize("name", ["Doe_1961-02-28.svs", "28.02.1961 x.svs", "patient 4711.svs", "H21-12345.svs"])
def test_names_are_named(tmp_path: Path, sample_svs: Path, name: str) -> None:
    path = tmp_path / name
    shutil.copy(sample_svs, path)
    assert name in [item.where for item in _inspect(path) if item.kind == "name"]


def test_a_person_s_own_pattern(tmp_path: Path, sample_svs: Path) -> None:
    path = tmp_path / "ward-seven.svs"
    shutil.copy(sample_svs, path)
    found = [item for item in _inspect(path, patterns=["ward-"]) if item.kind == "name"]
    assert [(item.where, item.value) for item in found] == [("ward-seven.svs", "ward-")]
    with pytest.raises(BadInput) as caught:
        _inspect(path, patterns=["ward-("])
    assert caught.value.subject == "ward-("


def test_a_clean_slide_has_nothing(tmp_path: Path) -> None:
    path = _described(tmp_path / "slide.tiff", "Aperio Image Library v1\n256x256|MPP = 0.5")
    assert [item for item in _inspect(path, patterns=()) if item.where != "macro"] == []
