"""Colours of a stained slide: optical density, stain vectors, and whether it looks like H&E at all."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Ruifrok and Johnston 2001, optical density of haematoxylin and eosin in red, green, blue.
_HAEMATOXYLIN = np.array([0.650, 0.704, 0.286])
_EOSIN = np.array([0.072, 0.990, 0.105])
_MEASURABLE = 0.15  # optical density below which a pixel says nothing about colour
_LARGEST_ANGLE = 25.0  # degrees that an estimate may lie away from the fixed vectors
_FEWEST_PIXELS = 5000


@dataclass(frozen=True)
class Stain:
    """How one slide is stained; estimated once a slide, never a tile, as that makes seams.

    Attributes:
        white: intensity of the empty background in red, green, blue.
        haematoxylin: unit vector of optical density.
        eosin: unit vector of optical density.
        estimated: whether the slide's own colours took part in the vectors.
        he_share: share of stained pixels whose colour fits H&E, 0 to 1.
    """

    white: tuple[float, float, float]
    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    estimated: bool
    he_share: float

    def density_table(self) -> NDArray[np.float32]:
        """Optical density of each intensity, shape (256, 3)."""
        values = np.arange(256, dtype=np.float64)[:, None] + 1.0
        table = -np.log10(values / (np.array(self.white) + 1.0))
        return np.clip(table, 0.0, None).astype(np.float32)

    def haematoxylin_weights(self) -> NDArray[np.float64]:
        """Weights of red, green and blue density that give the amount of haematoxylin, shape (3,)."""
        h, e = np.array(self.haematoxylin), np.array(self.eosin)
        rest = np.cross(h, e)
        matrix = np.stack([h, e, rest / np.linalg.norm(rest)])
        return np.asarray(np.linalg.inv(matrix)[:, 0], dtype=np.float64)


def white_point(overview: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Intensity of the empty background: the usual colour of the brightest pixels of the overview."""
    pixels = overview.reshape(-1, 3)
    brightness = pixels.min(axis=1)
    scanned = pixels[brightness < 254]  # pure white is where nothing was scanned
    bright = scanned[scanned.min(axis=1) >= 205]
    if len(bright) < max(20, len(pixels) // 2000):  # tissue from edge to edge
        return 245.0, 245.0, 245.0
    red, green, blue = (float(value) for value in np.median(bright, axis=0))
    return red, green, blue


def density(rgb: NDArray[np.uint8], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Optical density of an image, shape (h, w, 3)."""
    return np.asarray(cv2.LUT(rgb, table.reshape(256, 1, 3)), dtype=np.float32)


def estimate(pixels: NDArray[np.uint8], white: tuple[float, float, float]) -> Stain:
    """Stain vectors of a slide from tissue pixels, shape (n, 3), by Macenko's method (2009).

    The result is the mean of the estimate and the fixed vectors of Ruifrok and Johnston, or those alone where the
    estimate is implausible.
    """
    fixed = Stain(white, _tuple(_HAEMATOXYLIN), _tuple(_EOSIN), estimated=False, he_share=he_share(pixels, white))
    od = fixed.density_table()[pixels, [0, 1, 2]].astype(np.float64)
    od = od[od.mean(axis=1) > _MEASURABLE]
    if len(od) < _FEWEST_PIXELS:
        return fixed
    _, vectors = np.linalg.eigh(np.cov(od.T))
    plane = vectors[:, [2, 1]]
    plane = plane * np.where(plane.sum(axis=0) < 0, -1.0, 1.0)
    flat = od @ plane
    angles = np.arctan2(flat[:, 1], flat[:, 0])
    ends = [plane @ np.array([np.cos(a), np.sin(a)]) for a in np.percentile(angles, [1, 99])]
    # Haematoxylin takes more red than eosin does.
    ends.sort(key=lambda vector: -float(vector[0]))
    mixed = []
    for found, known in zip(ends, (_HAEMATOXYLIN, _EOSIN), strict=True):
        found = np.clip(found, 0.0, None)
        found = found / max(float(np.linalg.norm(found)), 1e-9)
        known = known / np.linalg.norm(known)
        if np.degrees(np.arccos(np.clip(found @ known, -1, 1))) > _LARGEST_ANGLE:
            return fixed
        mixed.append(found + known)
    return Stain(white, _tuple(mixed[0]), _tuple(mixed[1]), estimated=True, he_share=fixed.he_share)


def he_share(pixels: NDArray[np.uint8], white: tuple[float, float, float]) -> float:
    """Share of stained pixels whose weakest channel is green, as it is in pink and purple.

    In brown (DAB) blue is the weakest, in a blue counterstain red is.
    """
    relative = pixels.astype(np.float32) / np.array(white, dtype=np.float32)
    stained = relative[relative.min(axis=1) < 0.8]
    if not len(stained):
        return 0.0
    red, green, blue = stained[:, 0], stained[:, 1], stained[:, 2]
    return float(np.mean((green < red - 0.02) & (green < blue + 0.02)))


def ink(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels of green or cyan marking ink, which looks like haematoxylin in the red channel alone."""
    red, green, blue = (rgb[:, :, index].astype(np.int16) for index in range(3))
    return np.asarray((green > red + 12) & (green > blue - 12))


def _tuple(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    unit = vector / np.linalg.norm(vector)
    return float(unit[0]), float(unit[1]), float(unit[2])
