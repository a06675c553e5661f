"""Preparation reads real slides, keeps going past bad ones, and names them."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from launchpad.application.draft import Slide, same_content
from launchpad.application.mapping import parse
from launchpad.application.prepare import prepare
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import LaunchpadError
from launchpad.localplatform.applications.registry import APPLICATIONS
from launchpad.progress import Cancelled, Progress
from launchpad.wsi.discovery import Rejected
from launchpad.wsi.isolation import SlideService

HE_TME = APPLICATIONS["he-tme"].details()


@pytest.fixture(scope="module")
def service() -> Iterator[SlideService]:
    with SlideService() as service:
        yield service


@pytest.mark.usefixtures("data_dir")
def test_a_folder_of_slides(
    service: SlideService, tmp_path: Path, sample_svs: Path, sample_tiff: Path, sample_dicom: Path
) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    shutil.copy(sample_svs, folder / "A.SVS")
    shutil.copy(sample_tiff, folder / "b.tiff")
    shutil.copytree(sample_dicom, folder / "c")
    (folder / "notes.txt").write_text("no slide")
    (folder / "d.svs").write_text("a text file")
    heard: list[Slide | Rejected] = []
    progress = Progress()

    found = prepare(
        [folder],
        HE_TME,
        service=service,
        mappings=[parse(r".*:tissue=LUNG"), parse(r"\.dcm$:tissue=BONE")],
        progress=progress,
        on_slide=heard.append,
    )

    svs, tiff, dicom = found.slides
    assert [slide.path for slide in found.slides[:2]] == [folder / "A.SVS", folder / "b.tiff"]
    assert dicom.path.parent == folder / "c"
    assert len(dicom.files) > 1  # one slide of several files
    for slide in found.slides:
        assert (slide.width, slide.height) == (2220, 2967)
        assert slide.mpp == pytest.approx(0.499, abs=1e-3)
        assert slide.mpp_origin == "file"
        assert slide.external_id == str(slide.path)
        assert slide.crc32c == crc32c_file(slide.path)
        assert slide.size == slide.path.stat().st_size
    assert svs.values == {"staining_method": "H&E", "tissue": "LUNG"}
    assert tiff.format != dicom.format
    assert dicom.values["tissue"] == "BONE"
    (rejected,) = found.rejected
    assert rejected.path == folder / "d.svs"
    assert rejected.reason
    assert rejected.advice
    assert {item.path for item in heard} == {*(slide.path for slide in found.slides), rejected.path}
    assert progress.latest is not None
    assert progress.latest[:2] == (4, 4)


@pytest.mark.usefixtures("data_dir")
def test_a_file_that_did_not_change_is_not_read_again(service: SlideService, tmp_path: Path, sample_svs: Path) -> None:
    path = tmp_path / "a.svs"
    shutil.copy(sample_svs, path)
    (tmp_path / "folder").mkdir()
    (roundabout,) = prepare([tmp_path / "folder" / ".." / "a.svs"], HE_TME, service=service).slides
    assert roundabout.external_id == str(path)
    first = prepare([path], HE_TME, service=service).slides[0]
    with SlideService() as closed:  # whoever wants a closed service to read fails
        pass
    (again,) = prepare([path], HE_TME, service=closed, mappings=[parse(".*:tissue=LUNG")]).slides
    assert again.crc32c == first.crc32c
    assert (again.width, again.height, again.mpp, again.format) == (2220, 2967, first.mpp, first.format)
    assert again.values["tissue"] == "LUNG"

    with path.open("ab") as file:
        file.write(b"more")
    (changed,) = prepare([path], HE_TME, service=service).slides
    assert changed.crc32c != first.crc32c
    assert changed.crc32c == crc32c_file(path)
    assert changed.size == first.size + 4


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode there")
@pytest.mark.usefixtures("data_dir")
def test_a_name_that_is_not_unicode_is_named(service: SlideService, tmp_path: Path, sample_svs: Path) -> None:
    shutil.copy(sample_svs, os.fsencode(tmp_path) + b"/\xff.svs")
    found = prepare([tmp_path], HE_TME, service=service)
    (rejected,) = found.rejected
    assert "not Unicode" in rejected.reason
    assert found.slides == ()


@pytest.mark.usefixtures("data_dir")
def test_cancellation_ends_it(service: SlideService, tmp_path: Path, sample_svs: Path) -> None:
    for number in range(20):
        shutil.copy(sample_svs, tmp_path / f"{number}.svs")
    progress = Progress()
    done = threading.Event()

    def first(_: object) -> None:
        done.set()
        progress.cancel()

    with pytest.raises(Cancelled):
        prepare([tmp_path], HE_TME, service=service, progress=progress, on_slide=first)
    assert done.is_set()


@pytest.mark.usefixtures("data_dir")
def test_a_mapping_with_an_unknown_field_stops_it_before_anything_is_read(
    service: SlideService, sample_svs: Path
) -> None:
    with pytest.raises(LaunchpadError, match="tisue"):
        prepare([sample_svs], HE_TME, service=service, mappings=[parse(".*:tisue=LUNG")])


@pytest.mark.usefixtures("data_dir")
def test_the_same_content_twice_is_pointed_out_and_several_files_are_refused(
    service: SlideService, tmp_path: Path, sample_svs: Path, sample_tiff: Path
) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    for source, name in ((sample_svs, "a.svs"), (sample_svs, "copy.svs"), (sample_tiff, "b.tiff")):
        shutil.copy(source, folder / name)
    (folder / "m.mrxs").write_bytes(b"x")
    (folder / "m").mkdir()
    (folder / "m" / "Data0000.dat").write_bytes(b"x")
    found = prepare([folder], HE_TME, service=service)
    (group,) = same_content(found.slides)
    assert [slide.path.name for slide in group] == ["a.svs", "copy.svs"]
    (refused,) = found.rejected
    assert refused.path.name == "m.mrxs"
    assert "2 files" in refused.reason
