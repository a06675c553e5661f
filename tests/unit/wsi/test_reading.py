"""Headers and pixels of the same slide in three formats; damage is named."""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from launchpad.errors import SlideError
from launchpad.wsi.isolation import SlideService
from launchpad.wsi.metadata import media_type, read_metadata
from launchpad.wsi.reader import SlideReader
from launchpad.wsi.service import Service
from launchpad.wsi.thumbnails import thumbnail_png


def _tiled(path: Path, **keywords: object) -> Path:
    pixels = np.full((256, 256, 3), 230, dtype=np.uint8)
    tifffile.imwrite(path, pixels, tile=(128, 128), photometric="rgb", metadata=None, **keywords)
    return path


def test_header_of_svs(sample_svs: Path) -> None:
    slide = read_metadata(sample_svs)
    assert (slide.format, slide.vendor, slide.width, slide.height) == ("SVS", "aperio", 2220, 2967)
    assert (slide.mpp_x, slide.mpp_y, slide.mpp_problem, slide.objective_power) == (0.499, 0.499, "", 20.0)
    assert slide.files == (slide.path,) == (sample_svs,)
    assert slide.size == sample_svs.stat().st_size
    assert slide.associated_images == ("label", "macro", "thumbnail")


def test_header_of_tiff_and_dicom(sample_tiff: Path, sample_dicom: Path) -> None:
    tiff = read_metadata(sample_tiff)
    assert (tiff.format, tiff.width, len(tiff.levels)) == ("TIFF", 2220, 5)
    assert tiff.mpp_x == pytest.approx(0.499, abs=1e-6)
    slide = read_metadata(sample_dicom / "volume-00278.dcm")
    assert (slide.format, slide.path.name, slide.width, slide.mpp_x) == ("DICOM", "volume-02220.dcm", 2220, 0.499)
    assert len(slide.files) == 8


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, "does not say"),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, "cannot be a microscope's"),
    ],
)
def test_a_missing_resolution_is_none_with_a_reason(tmp_path: Path, keywords: dict[str, object], words: str) -> None:
    slide = read_metadata(_tiled(tmp_path / "slide.tiff", **keywords))
    assert slide.mpp_x is None
    assert slide.mpp_y is None
    assert words in slide.mpp_problem


def test_a_placeholder_of_a_converter_is_no_resolution(tmp_path: Path, sample_dicom: Path) -> None:
    import pydicom

    for source in sample_dicom.glob("volume-*.dcm"):
        data = pydicom.dcmread(source)
        measures = data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        measures.PixelSpacing = [0.001 * 2220 / data.TotalPixelMatrixColumns] * 2
        data.save_as(tmp_path / source.name)
    slide = read_metadata(tmp_path / "volume-02220.dcm")
    assert slide.mpp_x is None
    assert "exactly 1 µm" in slide.mpp_problem


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 50, b"II*\0" + b"\xff" * 60])
def test_what_is_no_slide_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text ä.svs"
    path.write_bytes(content)
    with pytest.raises(SlideError) as caught:
        read_metadata(path)
    assert caught.value.subject == str(path)
    assert caught.value.advice
    assert caught.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SlideError) as caught:
        read_metadata(tmp_path / "gone.svs")
    assert "No such file" in caught.value.detail


def test_media_types() -> None:
    names = ("a.TIF", "a.tiff", "a.dcm", "a.svs")
    assert [media_type(Path(name)) for name in names] == [
        "image/tiff",
        "image/tiff",
        "application/dicom",
        "application/octet-stream",
    ]


def test_all_forms_show_the_same_colours(sample_svs: Path, sample_tiff: Path, sample_dicom: Path) -> None:
    """Lower levels of the DICOM form say RGB and hold YCbCr, and some cannot be decoded at all."""
    for downsample in (1, 4, 16, 37.5):
        views = []
        for path in (sample_svs, sample_tiff, sample_dicom / "volume-02220.dcm"):
            with SlideReader(path) as reader:
                views.append(reader.overview(downsample).astype(int))
        assert views[0].shape == views[1].shape == views[2].shape
        for view in views[1:]:
            assert np.abs(view - views[0]).mean() < 12  # of the smallest level each pixel counts
            assert np.abs(view.mean(axis=(0, 1)) - views[0].mean(axis=(0, 1))).max() < 2


def test_outside_is_white_and_places_are_exact(sample_svs: Path) -> None:
    with SlideReader(sample_svs) as reader:
        whole = reader.read(0, 0, 600, 500)
        assert np.array_equal(reader.read(100, 200, 50, 40), whole[200:240, 100:150])
        outside = reader.read(-30, -20, 60, 50)
        assert (outside[:20] == 255).all()
        assert (outside[:, :30] == 255).all()
        assert np.array_equal(outside[20:, 30:], whole[:30, :30])
        beyond = reader.read(reader.width - 10, reader.height - 10, 40, 40)
        assert (beyond[10:] == 255).all()
        halved = reader.read(100, 200, 100, 100, 2)
        means = whole[200:400, 100:300].reshape(100, 2, 100, 2, 3).mean(axis=(1, 3))
        assert np.abs(halved - means).max() <= 1


def test_thumbnail_is_a_picture_of_the_slide(sample_svs: Path) -> None:
    image = Image.open(io.BytesIO(thumbnail_png(sample_svs, 100)))
    assert image.format == "PNG"
    assert image.mode == "RGB"
    assert image.size == (75, 100)
    assert np.asarray(image).std() > 20


def test_service_of_scripts(sample_svs: Path, tmp_path: Path) -> None:
    found = Service.get_metadata(sample_svs)
    assert found["dimensions"] == {"width": 2220, "height": 2967}
    assert found["file"]["size_human"] == "1.9 MB"  # type: ignore[index]
    assert found["levels"]["data"][0]["tile"] == {"width": 240, "height": 240, "grid": {"x": 10, "y": 13}}  # type: ignore[index]
    assert Service.get_metadata(_tiled(tmp_path / "x.tif"))["resolution"]["mpp_x"] is None  # type: ignore[index]
    assert max(Service.get_thumbnail(sample_svs).size) == 256


def test_isolated_reading_and_thumbnails_are_kept(data_dir: Path, tmp_path: Path, sample_svs: Path) -> None:
    text = tmp_path / "text.svs"
    text.write_text("no slide")
    with SlideService(workers=1) as service:
        assert service.describe(sample_svs, ()).metadata == read_metadata(sample_svs)
        first = service.thumbnail(sample_svs, 64)
        with pytest.raises(SlideError) as caught:
            service.describe(text, ())
        assert caught.value.subject == str(text)
        kept = list((data_dir / "cache" / "thumbnails").iterdir())
        assert [item.read_bytes() for item in kept] == [first]
        kept[0].write_bytes(b"kept")
        assert service.thumbnail(sample_svs, 64) == b"kept"


def test_a_dead_worker_is_an_error_of_its_slide(data_dir: Path, sample_svs: Path) -> None:
    with SlideService(workers=1) as service:
        assert service.describe(sample_svs, ()).metadata.width == 2220
        worker = service._pool._workers[0]
        with pytest.raises(SlideError) as caught:
            service._call(sample_svs, 30, _die)
        assert caught.value.subject == str(sample_svs)
        assert worker.pid is None
        assert service.describe(sample_svs, ()).metadata.width == 2220


def _raise() -> None:
    int("x")


def _hang() -> None:
    time.sleep(600)


def _swell() -> int:
    return len(bytearray(os.urandom(1 << 20) * 4096))  # 4 GiB, touched


@pytest.mark.parametrize(("target", "words"), [(_hang, "ended after"), (_swell, "MiB")])
def test_a_worker_that_hangs_or_swells_costs_one_slide(
    data_dir: Path, sample_svs: Path, target: Callable[[], object], words: str
) -> None:
    started = time.monotonic()
    with SlideService(workers=1) as service:
        with pytest.raises(SlideError) as caught:
            service._call(sample_svs, 2.0 if target is _hang else 60.0, target)
        assert words in caught.value.detail
        assert caught.value.subject == str(sample_svs)
        assert caught.value.advice
        assert service.describe(sample_svs, ()).metadata.width == 2220
    assert time.monotonic() - started < 30


def test_workers_are_nice(data_dir: Path, sample_svs: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has classes of priority instead")
    with SlideService(workers=1) as service:
        assert service._call(sample_svs, 30, os.nice, 0) == os.nice(0) + 5


def test_what_a_library_raises_names_the_slide(data_dir: Path, sample_svs: Path) -> None:
    with SlideService(workers=1) as service, pytest.raises(SlideError, match="invalid literal") as caught:
        service._call(sample_svs, 30, _raise)
    assert caught.value.subject == str(sample_svs)


def _die() -> None:
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def test_ycbcr_frames_under_an_rgb_header_have_the_colours_of_the_svs(sample_svs: Path, sample_dicom: Path) -> None:
    data = sample_dicom.parents[2]
    path = data / "colour-quirk" / "wsi2dcm-CMU-1" / "level-0-frames-0-30.dcm"
    for downsample in (1, 4, 16):
        means = []
        for file in (sample_svs, path):
            with SlideReader(file) as reader:
                means.append(reader.overview(downsample).mean(axis=(0, 1)))
        assert np.abs(means[0] - means[1]).max() < 3
    pictures = [np.asarray(Image.open(io.BytesIO(thumbnail_png(file, 256)))) for file in (sample_svs, path)]
    assert np.abs(pictures[0].mean(axis=(0, 1)) - pictures[1].mean(axis=(0, 1))).max() < 3
