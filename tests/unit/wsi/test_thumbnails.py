"""Thumbnails: colour profiles are applied, and what is kept of them is bounded."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from launchpad.wsi.isolation import prune
from launchpad.wsi.metadata import read_metadata
from launchpad.wsi.thumbnails import thumbnail_png


def _red(path: Path, profile: bytes | None) -> Path:
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[:, :, 0] = 200
    tifffile.imwrite(path, pixels, tile=(128, 128), photometric="rgb", metadata=None, iccprofile=profile)
    return path


def test_the_slide_s_colour_profile_is_applied(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"?XYZ", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"?XYZ", b"gXYZ", 1)
    plain, same, other, damaged = (
        np.asarray(Image.open(io.BytesIO(thumbnail_png(_red(tmp_path / f"{number}.tiff", profile), 64))))[32, 32]
        for number, profile in enumerate((None, srgb, swapped, b"no profile"))
    )
    assert plain.tolist() == damaged.tolist() == [200, 0, 0]
    assert np.abs(same.astype(int) - plain).max() <= 2
    assert other[1] > 150 > other[0]  # what the profile calls red is green on a screen


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    for number in range(5):
        path = tmp_path / f"{number}.png"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    prune(tmp_path, 250)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["3.png", "4.png"]


def _nearly_empty(path: Path) -> Path:
    """4096 x 4096 px of glass with a streak of tissue that is 6 px thick."""
    pixels = np.full((4096, 4096, 3), 244, np.uint8)
    pixels[2000:2006, 1000:3000] = (150, 60, 150)
    tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb", metadata=None, compression="adobe_deflate")
    return path


def test_little_tissue_is_not_washed_out(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(io.BytesIO(thumbnail_png(_nearly_empty(tmp_path / "x.tiff"), 256))))
    assert picture.shape == (256, 256, 3)
    streak = picture[124:127, 70:180].min(axis=0).astype(int)  # of each column the darkest
    assert (np.ptp(streak, axis=1) > 60).all()
    assert (picture[:100] == 244).all()


def _scanned(path: Path, thumbnail: tuple[int, int], side: int = 16_640) -> Path:
    """An SVS of one level, by default too large to be read for a thumbnail, with thumbnail, label and macro image."""
    tile = np.full((1, 1, 256, 256, 3), 200, np.uint8)
    rows = side // 256
    description = f"Aperio Image Library v11\r\n{side}x{side} [0,0 {side}x{side}] (256x256) JPEG/RGB|MPP = 0.5"
    with tifffile.TiffWriter(path) as file:
        one = zlib.compress(tile.tobytes())
        file.write(
            iter([one] * (rows * rows)),
            shape=(side, side, 3),
            dtype=np.uint8,
            tile=(256, 256),
            photometric="rgb",
            compression="adobe_deflate",
            metadata=None,
            description=description,
        )
        for name, size, colour in (
            ("", thumbnail, (0, 90, 0)),
            ("label", (400, 400), (200, 0, 0)),
            ("macro", (400, 800), (0, 0, 200)),
        ):
            image = np.zeros((*size, 3), np.uint8)
            image[:] = colour
            kind = {"label": 1, "macro": 9}.get(name, 0)
            text = f"Aperio Image Library v11\r\n{name} {size[1]}x{size[0]}"
            file.write(
                image,
                photometric="rgb",
                metadata=None,
                description=text,
                subfiletype=kind,
                rowsperstrip=size[0],
                compression="adobe_deflate",
            )
    return path


def test_a_slide_without_lower_levels_shows_its_own_thumbnail_and_never_its_label(tmp_path: Path) -> None:
    path = _scanned(tmp_path / "one.svs", (512, 512))
    assert {"thumbnail", "label", "macro"} <= set(read_metadata(path).associated_images)
    picture = np.asarray(Image.open(io.BytesIO(thumbnail_png(path, 256))))
    assert picture.shape == (256, 256, 3)
    assert picture.reshape(-1, 3).mean(axis=0).tolist() == [0, 90, 0]


def test_a_thumbnail_of_another_shape_is_not_the_slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launchpad.wsi.reader._WHOLE_LIMIT", 1 << 20)  # decoding what is larger takes half a minute
    path = _scanned(tmp_path / "one.svs", (512, 900), side=2048)
    picture = np.asarray(Image.open(io.BytesIO(thumbnail_png(path, 64))))
    assert (picture == 200).all()
