"""Finding nuclei in one tile: evidence by colour, a threshold, and one basin for each nucleus.

All lengths are in micrometres, so that the same parameters hold at every resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from launchpad.analysis.stain import Stain, density, ink

WORKING_UM = 0.5  # micrometres a pixel that the engine works at, as near as whole downsampling comes


@dataclass(frozen=True)
class Parameters:
    """What was chosen by looking at slides; see benchmarks/README.md."""

    evidence_sigma: float = 0.6
    otsu_factor: float = 0.92
    local_window: float = 30.0
    local_share: float = 0.35
    local_offset: float = 0.05
    lowest_threshold: float = 0.12
    opening: float = 0.9
    largest_hole: float = 50.0
    seed_sigma: float = 0.8
    seed_radius: float = 5.0
    saddle: float = 0.07
    smallest_area: float = 9.0
    largest_area: float = 350.0
    lowest_contrast: float = 0.06
    most_contact: float = 0.55


@dataclass(frozen=True)
class SlideContext:
    """What the whole slide says to every tile."""

    stain: Stain
    otsu: float
    mpp: float  # of the working resolution
    parameters: Parameters


def evidence(rgb: NDArray[np.uint8], stain: Stain) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much each pixel looks like a nucleus, and its amount of haematoxylin; both optical densities."""
    od = density(rgb, stain.density_table())
    haematoxylin = stain.haematoxylin_weights()
    # Either alone is worse: red takes no eosin at all, haematoxylin tells purple from dark red.
    mixed = (haematoxylin + np.array([1.0, 0.0, 0.0])) / 2
    both = cv2.transform(od, np.stack([mixed, haematoxylin]))
    both = np.clip(both, 0.0, 4.0)
    both[ink(rgb)] = 0.0
    return np.ascontiguousarray(both[:, :, 0]), np.ascontiguousarray(both[:, :, 1])


def otsu(values: NDArray[np.float32]) -> float:
    """Otsu's threshold of evidence on tissue."""
    top = 2.0
    scaled = np.clip(values * (255 / top), 0, 255).astype(np.uint8).reshape(-1, 1)
    return float(cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]) * top / 255


def label(raw: NDArray[np.float32], tissue: NDArray[np.bool_], context: SlideContext) -> tuple[NDArray[np.int32], int]:
    """Number the nuclei of a tile.

    Args:
        raw: evidence, shape (h, w).
        tissue: where tissue is, the same shape.
        context: of the slide.

    Returns:
        Labels, 0 where no nucleus is, and how many there are. Numbers follow the position of the nucleus' seed.
    """
    p, mpp = context.parameters, context.mpp
    smooth = np.asarray(cv2.GaussianBlur(raw, (0, 0), p.evidence_sigma / mpp), dtype=np.float32)
    mask = _foreground(smooth, tissue, context)
    # Distance tells round things apart, evidence dark ones; both in comparable units: 1 at the heart of a nucleus.
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) * mpp
    landscape = np.asarray(cv2.GaussianBlur(distance / 3.0 + smooth, (0, 0), p.seed_sigma / mpp), dtype=np.float32)
    labels, count = _basins(landscape, mask.astype(bool), p, mpp)
    return _plausible(labels, count, smooth, context)


def _foreground(smooth: NDArray[np.float32], tissue: NDArray[np.bool_], context: SlideContext) -> NDArray[np.uint8]:
    p, mpp = context.parameters, context.mpp
    window = round(p.local_window / mpp) | 1
    # The mean of the tissue around, glass left out: at the tissue's edge the threshold stays that of the tissue.
    weight = tissue.astype(np.float32)
    total = cv2.boxFilter(smooth * weight, -1, (window, window), normalize=False)
    count = cv2.boxFilter(weight, -1, (window, window), normalize=False)
    local = total / np.maximum(count, 1.0) + p.local_offset
    threshold = (1 - p.local_share) * p.otsu_factor * context.otsu + p.local_share * local
    mask = ((smooth > np.maximum(threshold, p.lowest_threshold)) & tissue).astype(np.uint8)
    size = max(1, round(p.opening / mpp)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), dtype=np.uint8)
    return _fill_holes(opened, p.largest_hole / mpp**2)


def _fill_holes(mask: NDArray[np.uint8], largest: float) -> NDArray[np.uint8]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= largest
    small[0] = False  # label 0 is the mask itself
    return np.asarray(mask | small[labels], dtype=np.uint8) if count > 1 else mask


def _basins(
    landscape: NDArray[np.float32], mask: NDArray[np.bool_], p: Parameters, mpp: float
) -> tuple[NDArray[np.int32], int]:
    """Watershed by steepest ascent: each pixel climbs to a peak; peaks without a valley between them are one."""
    rows, columns = landscape.shape
    high = np.where(mask, landscape, np.float32(-1.0))
    padded = cv2.copyMakeBorder(high, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=-1.0)
    best, step = high.copy(), np.zeros(high.shape, dtype=np.int32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy or dx:
                near = padded[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]
                higher = near > best
                np.copyto(best, near, where=higher)
                np.copyto(step, np.int32(dy * columns + dx), where=higher)
    pixels = np.flatnonzero(mask)
    if not len(pixels):
        return np.zeros(landscape.shape, dtype=np.int32), 0
    where = np.zeros(landscape.size, dtype=np.int32)  # pixel -> its place in `pixels`
    where[pixels] = np.arange(len(pixels), dtype=np.int32)
    goal = where[pixels + step.ravel()[pixels]]
    while True:
        further = goal[goal]
        if np.array_equal(further, goal):
            break
        goal = further
    peaks, basin = np.unique(goal, return_inverse=True)
    owner = _merge_peaks(pixels[peaks], high, p, mpp)
    roots, number = np.unique(owner, return_inverse=True)
    labels = np.zeros(landscape.size, dtype=np.int32)
    labels[pixels] = number[basin] + 1
    return labels.reshape(landscape.shape), len(roots)


def _merge_peaks(peaks: NDArray[np.int64], high: NDArray[np.float32], p: Parameters, mpp: float) -> NDArray[np.int64]:
    """For each peak the one it belongs to: the nearest higher peak within reach without a valley before it."""
    columns = high.shape[1]
    radius = max(1, round(p.seed_radius / mpp))
    index = np.full(high.shape, -1, dtype=np.int32)
    y, x = np.divmod(peaks, columns)
    index[y, x] = np.arange(len(peaks))
    index = np.pad(index, radius, constant_values=-1)
    height = high[y, x]
    parent = np.arange(len(peaks))
    offsets = [
        (dy, dx)
        for dy in range(-radius, radius + 1)
        for dx in range(-radius, radius + 1)
        if 0 < dy * dy + dx * dx <= radius * radius
    ]
    offsets.sort(key=lambda o: (o[0] ** 2 + o[1] ** 2, o))
    free = np.ones(len(peaks), dtype=bool)
    for dy, dx in offsets:
        other = index[y + radius + dy, x + radius + dx]
        pairs = np.flatnonzero(free & (other >= 0))
        pairs = pairs[
            (height[other[pairs]] > height[pairs]) | ((height[other[pairs]] == height[pairs]) & (other[pairs] < pairs))
        ]
        if not len(pairs):
            continue
        low = height[pairs].copy()
        steps = max(abs(dy), abs(dx))
        for part in range(1, steps):
            low = np.minimum(low, high[y[pairs] + round(dy * part / steps), x[pairs] + round(dx * part / steps)])
        joined = pairs[height[pairs] - low < p.saddle]
        parent[joined] = other[joined]
        free[joined] = False
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent
        parent = further


def _plausible(
    labels: NDArray[np.int32], count: int, smooth: NDArray[np.float32], context: SlideContext
) -> tuple[NDArray[np.int32], int]:
    """Drop what is too small, too large, or hardly darker than what surrounds it."""
    p, mpp = context.parameters, context.mpp
    flat = labels.ravel()
    areas = np.bincount(flat, minlength=count + 1).astype(np.float64)
    sums = np.bincount(flat, weights=smooth.ravel(), minlength=count + 1)
    inside = sums / np.maximum(areas, 1)
    # The ring around: pixels of no nucleus whose nearest nucleus this is, within 2 µm.
    ring = np.asarray(
        cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8), iterations=max(1, round(2.0 / mpp)))
    ).astype(np.int32)
    ring[labels > 0] = 0
    around = ring.ravel()
    around_count = np.bincount(around, minlength=count + 1)
    around_sum = np.bincount(around, weights=smooth.ravel(), minlength=count + 1)
    outside = np.where(around_count > 0, around_sum / np.maximum(around_count, 1), 0.0)
    keep = (areas * mpp**2 >= p.smallest_area) & (areas * mpp**2 <= p.largest_area)
    keep &= (inside - outside >= p.lowest_contrast) | (around_count < 4)
    # Dark areas without nuclei, such as keratin or ink, fall into pieces that have mostly each other as neighbours.
    own, foreign = _border(labels, count)
    keep &= foreign <= p.most_contact * np.maximum(own, 1)
    keep[0] = False
    number = np.zeros(count + 1, dtype=np.int32)
    number[keep] = np.arange(1, int(keep.sum()) + 1)
    return number[labels], int(keep.sum())


def _border(labels: NDArray[np.int32], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixel edges around each label, and how many of them it shares with another label."""
    total = np.zeros(count + 1, dtype=np.int64)
    shared = np.zeros(count + 1, dtype=np.int64)
    for first, second in ((labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:])):
        differ = first != second
        one, other = first[differ], second[differ]
        total += np.bincount(one, minlength=count + 1) + np.bincount(other, minlength=count + 1)
        both = (one > 0) & (other > 0)
        shared += np.bincount(one[both], minlength=count + 1) + np.bincount(other[both], minlength=count + 1)
    return total, shared
