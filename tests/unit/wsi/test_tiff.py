"""TIFF structure: cut-off files are named, resolution tags and OME's pixel sizes are read with their units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from launchpad.errors import SlideError
from launchpad.wsi.metadata import read_metadata
from launchpad.wsi.tiff import is_tiff

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


def test_ndpi_is_not_followed_as_a_tiff(tmp_path: Path) -> None:
    path = _write(tmp_path / "x.tiff")
    assert is_tiff(path)
    assert not is_tiff(path.rename(tmp_path / "x.NDPI"))
