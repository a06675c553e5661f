"""Where the tissue is, at about 8 µm a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from launchpad.analysis import outlines
from launchpad.analysis.stain import white_point

_PIXEL_UM = 8.0
_SMALLEST_UM2 = 5000.0  # smaller specks and holes are dropped and filled
_CLOSING_UM = 24.0


@dataclass(frozen=True)
class Tissue:
    """Tissue of a slide.

    Attributes:
        mask: True on tissue, shape (rows, columns).
        downsample: base pixels a mask pixel spans; a whole number.
        mpp: micrometres a mask pixel.
        width: of the slide's base level, pixels; the mask may reach a little further.
        height: likewise.
        white: colour of the empty background.
    """

    mask: NDArray[np.bool_]
    downsample: int
    mpp: float
    width: int
    height: int
    white: tuple[float, float, float]

    @property
    def area_mm2(self) -> float:
        """Area of the tissue in square millimetres."""
        return float(self.mask.sum()) * self.mpp**2 / 1e6

    def polygons(self) -> list[outlines.Rings]:
        """Outlines with holes, in pixels of the base level, largest first."""
        found = outlines.trace_regions(self.mask, scale=self.downsample, limits=(self.width, self.height))
        return sorted(found, key=lambda rings: (-outlines.area(rings), rings[0][0]))


def overview_downsample(mpp: float) -> int:
    """Base pixels a pixel of the tissue mask spans."""
    return max(1, round(_PIXEL_UM / mpp))


def find(overview: NDArray[np.uint8], downsample: int, mpp: float, size: tuple[int, int]) -> Tissue:
    """Tell tissue from glass by saturation and optical density (Otsu, kept within sensible limits).

    Args:
        overview: the whole slide, RGB.
        downsample: base pixels that a pixel of it spans.
        mpp: of the base level.
        size: width and height of the base level.
    """
    pixel_um = mpp * downsample
    white = white_point(overview)
    smooth = cv2.GaussianBlur(overview, (0, 0), 0.8).astype(np.float32) / np.array(white, dtype=np.float32)
    lightest, darkest = smooth.max(axis=2), smooth.min(axis=2)
    saturation = np.clip(255 * (lightest - darkest), 0, 255).astype(np.uint8)
    darkness = np.clip(255 * (1 - smooth.mean(axis=2)), 0, 255).astype(np.uint8)
    colourful = saturation > np.clip(_otsu(saturation), 12, 26)
    dark = darkness > np.clip(_otsu(darkness), 18, 40)
    # Dust, pen and the slide's edge are dark without colour; faint colour without density is glass.
    mask = (dark & (saturation > 8)) | (colourful & (darkness > 10))
    reach = max(1, round(_CLOSING_UM / pixel_um)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel), dtype=np.uint8)
    smallest = _SMALLEST_UM2 / pixel_um**2
    filled = 1 - _without_specks(1 - closed, smallest)
    return Tissue(_without_specks(filled, smallest) > 0, downsample, pixel_um, size[0], size[1], white)


def _otsu(values: NDArray[np.uint8]) -> float:
    return float(cv2.threshold(values, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])


def _without_specks(mask: NDArray[np.uint8], smallest: float) -> NDArray[np.uint8]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    keep = stats[:, cv2.CC_STAT_AREA] >= smallest
    keep[0] = False
    return keep[labels].astype(np.uint8) if count else mask
