"""Slides are found whatever their names' letter case; what cannot be taken is said."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata
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


def test_long_and_foreign_names_dangling_links_and_junk(tmp_path: Path, sample_svs: Path) -> None:
    deep = tmp_path
    for number in range(6):
        deep = deep / f"{number} {'schöne Präparate ' * 4}数据"
    deep.mkdir(parents=True)
    assert len(str(deep)) > 400
    names = ["Gewebe ä.svs", unicodedata.normalize("NFD", "Gewebe ü.svs"), "切片.SVS", "it's 100% #1 +.svs"]
    for name in names:
        shutil.copy(sample_svs, deep / name)
    (deep / "gone.svs").symlink_to(deep / "nowhere.svs")
    (deep / "real.svs").symlink_to(deep / names[0])
    found = list(find([tmp_path]))
    assert [item.path.name for item in found if isinstance(item, FoundSlide)] == sorted([*names, "real.svs"])
    (dangling,) = [item for item in found if isinstance(item, Rejected)]
    assert (dangling.path.name, bool(dangling.advice)) == ("gone.svs", True)


def test_what_may_not_be_read_is_named(tmp_path: Path, sample_svs: Path, sample_dicom: Path) -> None:
    """In a child of an ordinary user: permissions mean nothing to root."""
    if sys.platform == "win32":
        pytest.skip("permissions of another kind")
    tmp_path.chmod(0o755)
    shutil.copy(sample_svs, tmp_path / "open.svs")
    (tmp_path / "closed").mkdir()
    shutil.copy(sample_dicom / "volume-00139.dcm", tmp_path / "secret.dcm")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "secret.dcm").chmod(0)
    code = (
        "import os, sys, pydicom\n"
        "from pathlib import Path\n"
        "from launchpad.wsi.discovery import Rejected, find\n"
        # The interpreter itself may be root's: everything is imported before.
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for item in find([Path(sys.argv[1])]):\n"
        "    print(type(item).__name__, item.path.name, getattr(item, 'reason', ''), sep='|')\n"
    )
    for folder in tmp_path.parents:  # pytest makes its folders 0700
        if folder.name.startswith(("pytest", "popen", "test_")):
            folder.chmod(0o755)
    try:
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    finally:
        (tmp_path / "closed").chmod(0o755)
    lines = [line.split("|") for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["FoundSlide", "open.svs"],
        ["Rejected", "secret.dcm"],
        ["Rejected", "closed"],
    ]
    assert all("Permission denied" in line[2] for line in lines[1:])


def test_slides_stream_in_before_dicom_headers_are_read(tmp_path: Path, sample_dicom: Path) -> None:
    for name in ("a.svs", "z.svs"):
        (tmp_path / name).write_bytes(b"x")
    for path in sample_dicom.iterdir():
        shutil.copy(path, tmp_path)
    dicom._read_instance.cache_clear()
    entries = find([tmp_path])
    assert [next(entries).path.name for _ in range(2)] == ["a.svs", "z.svs"]
    assert dicom._read_instance.cache_info().misses == 0
    assert next(entries).path.name == "volume-02220.dcm"


def test_a_deflated_data_set_is_not_unpacked(tmp_path: Path, sample_dicom: Path) -> None:
    import pydicom

    data = pydicom.dcmread(sample_dicom / "volume-00139.dcm", stop_before_pixels=True)
    data.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    data.save_as(tmp_path / "x.dcm")
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "deflated" in entry.reason
