"""A table that names files gives tissue and disease to slides; what it names in vain is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import Slide
from launchpad.application.spreadsheet import apply_table
from launchpad.errors import BadInput
from launchpad.localplatform.applications.registry import APPLICATIONS

COLUMNS = columns(input_artifact(APPLICATIONS["he-tme"].details()).metadata_schema)


def _slide(path: str, format_: str = "SVS") -> Slide:
    return Slide(Path(path), (Path(path),), path, format_, 1, 10, 10, None)


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "values.csv"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["a.svs", "A", "one/a.svs", "/elsewhere/one/a.svs", "X:\\old\\one\\a.svs"])
def test_a_file_is_known_by_its_name_or_the_end_of_its_path(tmp_path: Path, name: str) -> None:
    file = _file(tmp_path, f"Slide,Tissue,Disease\n{name},lung,Lung cancer\n")
    applied = apply_table(file, [_slide("/data/one/a.svs"), _slide("/data/one/b.svs")], COLUMNS)
    assert [slide.values for slide in applied.slides] == [{"tissue": "LUNG", "disease": "LUNG_CANCER"}, {}]
    assert (applied.matched, applied.unmatched, applied.problems) == (1, (), ())


def test_folders_tell_slides_of_one_name_apart_and_a_dicom_slide_is_its_folder(tmp_path: Path) -> None:
    file = _file(tmp_path, "file;tissue;MPP\none/a.svs;LIVER;\ntwo/a.svs;BONE;0,25\ncase 7;BREAST;\n")
    slides = [_slide("/d/one/a.svs"), _slide("/d/two/a.svs"), _slide("/d/case 7/base.dcm", "DICOM")]
    applied = apply_table(file, slides, COLUMNS)
    assert [slide.values["tissue"] for slide in applied.slides] == ["LIVER", "BONE", "BREAST"]
    assert (applied.slides[1].mpp, applied.slides[1].mpp_origin) == (0.25, "user")


def test_what_cannot_be_taken_is_said(tmp_path: Path) -> None:
    file = _file(tmp_path, "file,tissue,mpp\na.svs,moon,0.5\nz.svs,LUNG,\na.svs,,much\n")
    applied = apply_table(file, [_slide("/d/a.svs")], COLUMNS)
    assert applied.slides[0].values == {}
    assert applied.slides[0].mpp == 0.5
    assert applied.unmatched == ("z.svs",)
    first, second = applied.problems
    assert first.startswith("Row 2, column tissue: “moon” is none of ADRENAL_GLAND")
    assert second == "Row 4, column mpp: “much” is no MPP"


@pytest.mark.parametrize("text", ["tissue,disease\nLUNG,LUNG_CANCER\n", "file,colour\na.svs,red\n"])
def test_a_table_without_files_or_fields_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        apply_table(_file(tmp_path, text), [], COLUMNS)
    assert "staining_method, tissue, disease, MPP" in caught.value.advice


def test_a_workbook_is_told_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(BadInput, match="Excel workbook"):
        apply_table(tmp_path / "x.csv", [], COLUMNS)
