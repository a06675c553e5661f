"""Slides are found whatever their names' letter case; what cannot be taken is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from launchpad.progress import Cancelled, Progress
from launchpad.wsi import dicom
from launchpad.wsi.discovery import FoundSlide, Rejected, find


def test_folder_is_searched_recursively_in_order_and_case_does_not_matter(tmp_path: Path, sample_svs: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.SVS", "b/a.TIF", "b/c.Ndpi", "b/d.ome.tiff", "b/notes.txt", "b/._a.TIF"):
        (tmp_path / name).write_bytes(b"x")
    shutil.copy(sample_svs, tmp_path / "slide.svs")
    found = list(find([tmp_path]))
    assert all(isinstance(item, FoundSlide) for item in found)
    assert [
        (item.path.relative_to(tmp_path).as_posix(), item.format) for item in found if isinstance(item, FoundSlide)
    ] == [
        ("slide.svs", "SVS"),
        ("z.SVS", "SVS"),
        ("b/a.TIF", "TIFF"),
        ("b/c.Ndpi", "NDPI"),
        ("b/d.ome.tiff", "OME-TIFF"),
    ]


def test_a_dicom_pyramid_is_one_slide_whichever_file_is_named(sample_dicom: Path) -> None:
    (slide,) = find([sample_dicom])
    assert isinstance(slide, FoundSlide)
    assert slide.path.name == "volume-02220.dcm"
    assert slide.format == "DICOM"
    assert slide.files[0] == slide.path
    assert {path.name for path in slide.files} == {path.name for path in sample_dicom.iterdir()}
    for name in ("volume-00139.dcm", "label.dcm", "volume-02220.dcm"):
        assert list(find([sample_dicom / name])) == [slide]
    assert list(find([sample_dicom, sample_dicom / "label.dcm", sample_dicom.parent])) == [slide]


def test_a_folder_with_labels_only_is_rejected(tmp_path: Path, sample_dicom: Path) -> None:
    shutil.copy(sample_dicom / "label.dcm", tmp_path)
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "label" in entry.reason


def test_a_base_level_in_several_instances_is_rejected(tmp_path: Path, sample_dicom: Path) -> None:
    for name in ("one.dcm", "two.dcm"):
        shutil.copy(sample_dicom / "volume-02220.dcm", tmp_path / name)
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "several" in entry.reason
    assert entry.advice


@pytest.mark.parametrize(("name", "content"), [("notes.txt", b"hello"), ("x.dcm", b"hello"), ("missing.svs", None)])
def test_what_is_named_and_is_no_slide_is_rejected(tmp_path: Path, name: str, content: bytes | None) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    (entry,) = find([path])
    assert isinstance(entry, Rejected)
    assert entry.path == path
    assert entry.reason
    assert entry.advice


def test_links_in_a_circle_end(tmp_path: Path, sample_svs: Path) -> None:
    (tmp_path / "inner").mkdir()
    shutil.copy(sample_svs, tmp_path / "inner" / "a.svs")
    try:
        (tmp_path / "inner" / "back").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this account may not make links")
    assert len(list(find([tmp_path]))) == 1


def test_search_can_be_cancelled(sample_dicom: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        list(find([sample_dicom], progress))


def test_flavours_are_told_apart(sample_dicom: Path) -> None:
    pyramid = dicom.pyramid_of(sample_dicom / "thumbnail.dcm")
    assert [item.width for item in pyramid.volumes] == [2220, 1110, 555, 278, 139]
    assert sorted(item.flavor for item in pyramid.others) == ["LABEL", "OVERVIEW", "THUMBNAIL"]


def test_formats_of_several_files_are_one_slide(tmp_path: Path) -> None:
    (tmp_path / "a.mrxs").write_bytes(b"x")
    (tmp_path / "a").mkdir()
    for name in ("Slidedat.ini", "Data0000.dat"):
        (tmp_path / "a" / name).write_bytes(b"x")
    (tmp_path / "b.vms").write_text("[Virtual Microscope Specimen]\nImageFile=b-0.jpg\nMapFile=b_map.jpg\n")
    (tmp_path / "b-0.jpg").write_bytes(b"x")
    found = list(find([tmp_path]))
    assert all(isinstance(item, FoundSlide) for item in found)
    assert [[file.name for file in item.files] for item in found if isinstance(item, FoundSlide)] == [
        ["a.mrxs", "Data0000.dat", "Slidedat.ini"],
        ["b.vms", "b-0.jpg"],
    ]


def test_a_placeholder_of_a_cloud_is_named(tmp_path: Path) -> None:
    (tmp_path / ".slide.svs.icloud").write_bytes(b"x")
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "cloud" in entry.reason
