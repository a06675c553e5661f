"""From pixels to polygons.

Outlines run along the edges of pixels, not through their centres (which would make every object half a pixel too
small all round): through the middles of the pixel edges, which keeps the area and has no stairs. Every polygon is
valid: rings closed, not crossing themselves; QuPath 0.6 refuses a whole file for one that is not.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from launchpad import geojson

Ring: TypeAlias = list[tuple[float, float]]
Rings: TypeAlias = list[Ring]  # the outer ring, then holes; each closed

_SIMPLIFY = 0.35  # pixels of the mask that a simplified outline may deviate
_SIMPLIFY_REGION = 1.0


def _edges(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask on a grid of twice the size where even coordinates are pixel edges; one free pixel all round."""
    rows, columns = mask.shape
    grid = np.zeros((2 * rows + 3, 2 * columns + 3), dtype=np.uint8)
    grid[2:-1:2, 2:-1:2] = mask
    return np.asarray(cv2.dilate(grid, np.ones((3, 3), dtype=np.uint8)))


def _points(contour: NDArray[Any], epsilon: float) -> NDArray[np.float32]:
    """Middles of the pixel edges along a contour of the double grid, simplified, in pixels."""
    found = contour[:, 0, :] - 1
    middles = np.asarray(found[(found.sum(axis=1) & 1) == 1] / 2, dtype=np.float32)
    if epsilon and len(middles) > 8:
        simple = cv2.approxPolyDP(middles[:, None, :], epsilon, closed=True)[:, 0, :]
        if len(simple) >= 4:
            return np.asarray(simple, dtype=np.float32)
    return middles


def trace_object(mask: NDArray[np.uint8], left: int, top: int, scale: float, origin: tuple[int, int]) -> Ring:
    """Outer outline of one object.

    Args:
        mask: the object cut out, 0 and 1.
        left: column of the cut-out in its tile.
        top: row of the cut-out in its tile.
        scale: base pixels a pixel of the tile spans.
        origin: x and y of the tile in base pixels.

    Returns:
        A closed ring in base pixels; empty where no valid outline exists.
    """
    contours, _ = cv2.findContours(_edges(mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    contour = max(contours, key=len)
    for epsilon in (_SIMPLIFY, 0.0):  # simplifying may make a thin shape cross itself
        points = _points(contour, epsilon)
        placed = (points + np.array([left, top])) * scale + np.array(origin)
        ring = [(round(float(x), 2), round(float(y), 2)) for x, y in placed]
        if len(ring) >= 3:
            ring.append(ring[0])
            if geojson.is_valid_ring(ring):
                return ring
    parts = geojson.valid_polygons([ring]) if len(ring) >= 4 else []
    return max(parts, key=area)[0] if parts else []


def trace_regions(mask: NDArray[np.bool_], *, scale: float, limits: tuple[int, int]) -> list[Rings]:
    """Outlines of all regions of a mask, with their holes, in base pixels (mask pixel times `scale`).

    `limits` are width and height of the slide, which outlines do not leave.
    """
    found: list[Rings] = []
    contours, hierarchy = cv2.findContours(_edges(mask.astype(np.uint8)), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for index, contour in enumerate(contours):
        if hierarchy[0][index][3] >= 0:
            continue
        rings = [_points(contour, _SIMPLIFY_REGION)]
        child = hierarchy[0][index][2]
        while child >= 0:
            rings.append(_points(contours[child], _SIMPLIFY_REGION))
            child = hierarchy[0][child][0]
        placed = [(ring * scale).astype(float).round(2).tolist() for ring in rings if len(ring) >= 3]
        if placed:
            found.extend(geojson.valid_polygons(placed, limits))
    return found


def geometry(rings: Rings) -> dict[str, object]:
    """GeoJSON polygon."""
    return {"type": "Polygon", "coordinates": rings}


def area(rings: Rings) -> float:
    """Area in square base pixels, holes taken off."""
    outer, *holes = (abs(_signed_area(ring)) for ring in rings)
    return outer - sum(holes)


def perimeter(ring: Ring) -> float:
    """Length of a ring in base pixels."""
    steps = np.diff(np.array(ring), axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def _signed_area(ring: Ring) -> float:
    points = np.array(ring)
    x, y = points[:, 0], points[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
