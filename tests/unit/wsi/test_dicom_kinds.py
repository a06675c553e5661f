"""DICOM slides of all kinds: syntaxes, sparse tiles, spread or missing base levels, several in one folder."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicom_files import SYNTAXES, add_specimen, picture, write
from launchpad.wsi.description import describe
from launchpad.wsi.discovery import FoundSlide, Rejected, find
from launchpad.wsi.metadata import read_metadata
from launchpad.wsi.reader import SlideReader
from launchpad.wsi.specimen import Code


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_pixels_of_each_transfer_syntax(tmp_path: Path, syntax: str) -> None:
    pixels = picture()
    path = write(tmp_path / "base.dcm", pixels, syntax=syntax)
    with SlideReader(path) as reader:
        read = reader.read(10, 20, 150, 100)
        thumbnail = reader.thumbnail(96)
    difference = np.abs(read.astype(int) - pixels[20:120, 10:160]).mean(axis=(0, 1))
    assert difference.max() < (1.5 if syntax == "jpeg" else 0.01)
    assert thumbnail.shape == (64, 96, 3)
    assert np.abs(thumbnail.mean(axis=(0, 1)) - pixels.mean(axis=(0, 1))).max() < 3
    assert read_metadata(path).mpp_x == pytest.approx(0.5)


@pytest.mark.parametrize("syntax", ["uncompressed", "rle"])
def test_sparse_tiles_come_in_any_order(tmp_path: Path, syntax: str) -> None:
    pixels = picture()
    path = write(tmp_path / "base.dcm", pixels, syntax=syntax, order=[5, 0, 3, 1, 4])  # the third tile is missing
    expected = pixels.copy()
    expected[:64, 128:192] = 255
    with SlideReader(path) as reader:
        assert np.array_equal(reader.read(0, 0, 192, 128), expected)


def test_mpp_of_the_imaged_volume_where_there_is_no_spacing(tmp_path: Path) -> None:
    slide = read_metadata(write(tmp_path / "base.dcm", picture(), spacing=None))
    assert (slide.mpp_x, slide.mpp_y) == (pytest.approx(0.5), pytest.approx(0.5))
    assert slide.scanner == "Maker Model 7"


@pytest.mark.parametrize("names", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_two_pyramids_of_one_series_in_one_folder(tmp_path: Path, names: tuple[str, str, str]) -> None:
    small, large = picture(), picture(384, 256)
    first = write(tmp_path / f"{names[0]}.dcm", small, pyramid="1.2.50")
    second = write(tmp_path / f"{names[1]}.dcm", large, pyramid="1.2.51")
    write(tmp_path / f"{names[2]}.dcm", picture(192, 128), pyramid="1.2.51", resampled=True)
    found = {item.path: item for item in find([tmp_path]) if isinstance(item, FoundSlide)}
    assert set(found) == {first, second}
    assert [len(found[path].files) for path in (first, second)] == [1, 2]
    for path, pixels, levels in ((first, small, 1), (second, large, 2)):
        header = read_metadata(path)
        assert (header.width, len(header.levels), header.mpp_x) == (pixels.shape[1], levels, 0.5)
        with SlideReader(path) as reader:
            assert np.array_equal(reader.read(0, 0, pixels.shape[1], pixels.shape[0]), pixels)


def test_names_of_files_mean_nothing(tmp_path: Path) -> None:
    shapes = [(384, 256), (192, 128)]
    order = random.Random(7).sample(["zz.dcm", "0001.dcm", "IMG-7.DCM", "M.dcm"], 4)
    base = write(tmp_path / order[0], picture(*shapes[0]))
    write(tmp_path / order[1], picture(*shapes[1]), resampled=True)
    write(tmp_path / order[2], picture(), flavor="LABEL")
    write(tmp_path / order[3], picture(), series="1.2.99", pyramid="1.2.98")
    found = [item for item in find([tmp_path]) if isinstance(item, FoundSlide)]
    assert {item.path for item in found} == {base, tmp_path / order[3]}
    assert {path.name for path in next(item for item in found if item.path == base).files} == set(order[:3])


def test_a_concatenation_is_refused_with_advice(tmp_path: Path) -> None:
    def part(data: Dataset) -> None:
        data.ConcatenationUID = "1.2.77"
        data.InConcatenationNumber = 1

    write(tmp_path / "part.dcm", picture(), change=part)
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "parts of a concatenation" in entry.reason
    assert "without concatenation" in entry.advice


def test_a_missing_base_level_is_said(tmp_path: Path) -> None:
    write(tmp_path / "level1.dcm", picture(384, 256), resampled=True)
    write(tmp_path / "level2.dcm", picture(), resampled=True)
    (entry,) = find([tmp_path])
    assert isinstance(entry, Rejected)
    assert "base level" in entry.reason
    assert "384 × 256" in entry.reason


def test_other_objects_are_no_slides_and_annotations_belong_to_theirs(tmp_path: Path) -> None:
    def of_class(sop_class: str) -> Callable[[Dataset], None]:
        def change(data: Dataset) -> None:
            data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = sop_class

        return change

    scan = write(tmp_path / "ct.dcm", picture(), change=of_class("1.2.840.10008.5.1.4.1.1.2"))
    notes = write(tmp_path / "ann.dcm", picture(), change=of_class("1.2.840.10008.5.1.4.1.1.91.1"))
    write(tmp_path / "slide.dcm", picture(), series="1.2.9")
    found = list(find([tmp_path]))
    assert [(type(item), item.path.name) for item in found] == [(Rejected, "ct.dcm"), (FoundSlide, "slide.dcm")]
    for path, word in ((scan, "CT"), (notes, "Annotation")):
        (named,) = find([path])
        assert isinstance(named, Rejected)
        assert word in named.reason


def test_the_specimen_is_described(tmp_path: Path) -> None:
    stains = [("12710003", "hematoxylin stain"), ("36879007", "eosin")]
    path = write(tmp_path / "base.dcm", picture(), change=lambda data: add_specimen(data, stains, ("39607008", "Lung")))
    specimen = describe(path, ()).specimen
    assert specimen.stains == tuple(Code(value, "SCT", meaning) for value, meaning in stains)
    assert specimen.anatomy == (Code("39607008", "SCT", "Lung"),)


def test_a_difference_of_mpp_is_said(tmp_path: Path) -> None:
    def stretched(data: Dataset) -> None:
        data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0.0006, 0.0005]

    slide = read_metadata(write(tmp_path / "base.dcm", picture(), change=stretched))
    assert (slide.mpp_x, slide.mpp_y) == (pytest.approx(0.5), pytest.approx(0.6))
    assert slide.mpp_note == "A pixel is 0.5 µm wide and 0.6 µm high; the width is used."


def test_a_damaged_frame_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "base.dcm", picture(), syntax="rle")
    content = bytearray(path.read_bytes())
    start = content.index(b"\xe0\x7f\x10\x00")
    content[start + 60 : start + 400] = b"\xff" * 340
    path.write_bytes(content)
    from launchpad.errors import SlideError

    with pytest.raises(SlideError) as caught, SlideReader(path) as reader:
        reader.read(0, 0, 192, 128)
    assert caught.value.subject == str(path)
    assert caught.value.advice
