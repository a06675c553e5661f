"""TIFF structure: cut-off files are named, resolution tags and OME's pixel sizes are read with their units."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from launchpad.errors import SlideError
from launchpad.wsi.metadata import read_metadata
from launchpad.wsi.tiff import check_complete, is_tiff, resolution

_PIXELS = np.random.default_rng(1).integers(0, 255, (512, 512, 3), dtype=np.uint8)


def _write(path: Path, **keywords: object) -> Path:
    tifffile.imwrite(path, _PIXELS, tile=(128, 128), photometric="rgb", metadata=None, **keywords)
    return path


@pytest.mark.parametrize("share", [0.99, 0.9, 0.6])
def test_a_file_that_lacks_its_end_is_cut_off(tmp_path: Path, share: float) -> None:
    # Its directories stand before its tiles, so that OpenSlide opens what is left without a word.
    whole = _write(tmp_path / "whole.tiff")
    path = tmp_path / "cut.tiff"
    content = whole.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SlideError) as caught:
        read_metadata(path)
    assert caught.value.title == "The slide is cut off"
    assert f"{int(len(content) * share):,}" in caught.value.detail
    assert caught.value.subject == str(path)


def test_an_svs_that_lacks_its_last_tenth_is_refused(tmp_path: Path, sample_svs: Path) -> None:
    path = tmp_path / "cut.svs"
    content = sample_svs.read_bytes()
    path.write_bytes(content[: len(content) * 9 // 10])
    with pytest.raises(SlideError) as caught:
        read_metadata(path)
    assert caught.value.subject == str(path)
    assert caught.value.advice


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(("unit", "per_unit"), [("CENTIMETER", 20_000), ("INCH", 50_800)])
def test_resolution_tags_have_units(tmp_path: Path, unit: str, per_unit: int, bigtiff: bool) -> None:
    slide = read_metadata(
        _write(tmp_path / "x.tiff", resolution=(per_unit, per_unit), resolutionunit=unit, bigtiff=bigtiff)
    )
    assert slide.mpp_x == pytest.approx(0.5)
    assert slide.mpp_y == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "unit"), [(0.25, "µm"), (250.0, "nm"), (0.00025, "mm")])
def test_physical_sizes_of_ome(tmp_path: Path, value: float, unit: str) -> None:
    path = tmp_path / "x.ome.tiff"
    metadata = {"axes": "YXS", "PhysicalSizeX": value, "PhysicalSizeXUnit": unit}
    metadata |= {"PhysicalSizeY": 2 * value, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(path, _PIXELS, tile=(128, 128), photometric="rgb", ome=True, metadata=metadata)
    slide = read_metadata(path)
    assert (slide.mpp_x, slide.mpp_y) == (pytest.approx(0.25), pytest.approx(0.5))


def test_directories_in_a_circle_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.tiff"
    with tifffile.TiffWriter(path) as file:
        file.write(_PIXELS, tile=(128, 128), photometric="rgb", metadata=None)
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[start : start + 2], "little")
    content[start + 2 + 12 * count : start + 6 + 12 * count] = start.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SlideError) as caught:
        read_metadata(path)
    assert "circle" in caught.value.detail


def _ndpi(path: Path, strip: int, size: int) -> Path:
    """The structure of an NDPI file: one directory with offsets of 64 bits, one strip."""
    entries = [(256, 4, 1, 64), (257, 4, 1, 64), (273, 4, 1, strip), (279, 4, 1, 100)]
    data = b"II*\0" + struct.pack("<Q", 16) + b"\0" * 4
    data += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data += struct.pack("<Q", 0) + b"\0" * 4 * len(entries)
    path.write_bytes(data.ljust(size, b"\0")[:size])
    return path


def test_a_cut_off_ndpi_is_named(tmp_path: Path) -> None:
    check_complete(_ndpi(tmp_path / "whole.ndpi", 200, 300))
    with pytest.raises(SlideError, match="cut off") as caught:
        check_complete(_ndpi(tmp_path / "cut.ndpi", 200, 299))
    assert "byte 300" in caught.value.detail
    with pytest.raises(SlideError, match="cut off"):
        read_metadata(_ndpi(tmp_path / "short.NDPI", 200, 60))


def test_huge_counts_in_small_files_cost_nothing(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tiff")
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    for number in range(int.from_bytes(content[start : start + 2], "little")):
        entry = start + 2 + 12 * number
        if int.from_bytes(content[entry : entry + 2], "little") in (324, 325):
            content[entry + 4 : entry + 8] = (2**31).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SlideError) as caught:
        check_complete(path)
    assert "tiles" in caught.value.detail


def test_a_resolution_that_is_no_fraction_is_missing(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tiff", resolution=(20_000, 20_000), resolutionunit="CENTIMETER")
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[4:8], "little")
    for number in range(int.from_bytes(content[start : start + 2], "little")):
        entry = start + 2 + 12 * number
        if int.from_bytes(content[entry : entry + 2], "little") == 282:
            content[entry + 2 : entry + 4] = (7).to_bytes(2, "little")
    path.write_bytes(content)
    assert resolution(path) is None


def test_ndpi_is_not_followed_as_a_tiff(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tiff")
    assert is_tiff(path)
    assert not is_tiff(path.rename(tmp_path / "x.NDPI"))
