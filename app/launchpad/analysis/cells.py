"""From labelled nuclei to cells: measurements, cell borders, rule-based classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_EXPANSION_UM = 3.0

# Name and colour. "-like": told by size, shape and darkness alone; what a pathologist would call them may differ.
CLASSES: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("Epithelial-like", (214, 80, 60)),
    ("Lymphocyte-like", (58, 110, 200)),
    ("Stromal-like", (70, 160, 90)),
    ("Other", (150, 150, 150)),
)
NUCLEUS_CLASS: tuple[str, tuple[int, int, int]] = ("Nucleus", (110, 80, 180))
RULES = (
    "Stromal-like: nucleus at least 1.9 times as long as wide. "
    "Lymphocyte-like: smaller than 55 µm², circularity above 0.75, darker than the slide's median nucleus. "
    "Epithelial-like: 40 µm² or larger. Other: the rest. "
    "Rules were not validated; tumour and benign epithelium are not told apart."
)


@dataclass(frozen=True)
class Measured:
    """The nuclei of one tile; arrays of equal length, label 1 first. Lengths in µm, places in working pixels."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]
    haematoxylin: NDArray[np.float64]
    boxes: NDArray[np.int64]  # (n, 4): left, top, right, bottom; right and bottom out


def measure(labels: NDArray[np.int32], count: int, haematoxylin: NDArray[np.float32], mpp: float) -> Measured:
    """Measure labelled nuclei; a place is the middle of its pixel, so a one-pixel nucleus at 0, 0 lies at 0.5, 0.5."""
    pixels = np.flatnonzero(labels)
    number = labels.ravel()[pixels]
    y, x = (part.astype(np.float64) for part in np.divmod(pixels, labels.shape[1]))
    n = np.maximum(np.bincount(number, minlength=count + 1), 1)[1:].astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(number, weights=values, minlength=count + 1)[1:] / n

    cx, cy = mean(x), mean(y)
    dx, dy = x - cx[number - 1], y - cy[number - 1]
    # 1/12: a pixel has a width of its own.
    xx, yy, xy = mean(dx * dx) + 1 / 12, mean(dy * dy) + 1 / 12, mean(dx * dy)
    spread = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    longest, shortest = (xx + yy) / 2 + spread, np.maximum((xx + yy) / 2 - spread, 1 / 12)
    return Measured(
        x=cx + 0.5,
        y=cy + 0.5,
        area=n * mpp**2,
        length=4 * np.sqrt(longest) * mpp,
        width=4 * np.sqrt(shortest) * mpp,
        haematoxylin=mean(haematoxylin.ravel()[pixels].astype(np.float64)),
        boxes=boxes(labels, count),
    )


def boxes(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Bounding box of each label, shape (count, 4): left, top, right, bottom; zeros where a label is absent."""
    result = np.zeros((count, 4), dtype=np.int64)
    pixels = np.flatnonzero(labels)
    if not len(pixels):
        return result
    order = np.argsort(labels.ravel()[pixels], kind="stable")
    number = labels.ravel()[pixels][order]
    y, x = np.divmod(pixels[order], labels.shape[1])
    starts = np.flatnonzero(np.diff(number, prepend=0))
    columns = [
        np.minimum.reduceat(x, starts),
        np.minimum.reduceat(y, starts),
        np.maximum.reduceat(x, starts) + 1,
        np.maximum.reduceat(y, starts) + 1,
    ]
    result[number[starts] - 1] = np.stack(columns, axis=1)
    return result


def expand(labels: NDArray[np.int32], mpp: float) -> NDArray[np.int32]:
    """Cells: each nucleus grown by CELL_EXPANSION_UM, cells meeting half way."""
    if not labels.any():
        return labels
    distance, nearest = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(nearest.max()) + 1, dtype=np.int32)
    inside = labels > 0
    owner[nearest[inside]] = labels[inside]
    return np.where(distance <= CELL_EXPANSION_UM / mpp, owner[nearest], 0).astype(np.int32)


def classify(area: float, length: float, width: float, circularity: float, darkness: float) -> int:
    """Index into CLASSES by the RULES; `darkness` is haematoxylin over that of the slide's median nucleus."""
    if length >= 1.9 * width:
        return 2
    if area < 55 and circularity > 0.75 and darkness > 1.0:
        return 1
    return 0 if area >= 40 else 3


def circularity(area: float, perimeter: float) -> float:
    """1 for a circle, less for everything else."""
    return min(1.0, 4 * math.pi * area / perimeter**2) if perimeter else 0.0
