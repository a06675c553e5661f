"""Thumbnails: colour profiles are applied, and what is kept of them is bounded."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms

from launchpad.wsi.isolation import prune
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
