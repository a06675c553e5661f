"""The tiles of a slide, at a whole number of base pixels each, so that a pixel's value never depends on its tile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from launchpad.analysis.nuclei import WORKING_UM
from launchpad.analysis.tissue import Tissue

HALO_UM = 32.0  # seen around a tile; more than a cell and half the window of the local threshold


@dataclass(frozen=True)
class Tile:
    """One tile in base pixels: the core that it answers for, and what is read around it.

    A nucleus belongs to the tile whose core holds its centroid; left and top edges are in, right and bottom out.
    """

    core_left: int
    core_top: int
    core_right: int
    core_bottom: int
    left: int
    top: int
    width: int  # of the pixels that are read, at the working resolution
    height: int

    def owns(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which points, in base pixels, lie in the core."""
        return np.asarray((x >= self.core_left) & (x < self.core_right) & (y >= self.core_top) & (y < self.core_bottom))


def working_downsample(mpp: float) -> int:
    """Base pixels that a pixel of the working resolution spans: 1 at 0.5 µm and coarser, 2 at 0.25 µm."""
    return max(1, int(WORKING_UM / mpp + 0.35))


def tiles(width: int, height: int, downsample: int, mpp: float, size: int) -> Iterator[Tile]:
    """All tiles of a slide, row by row; `size` is the side of a core at the working resolution."""
    step = size * downsample
    halo = round(HALO_UM / (mpp * downsample))
    for top in range(0, height, step):
        for left in range(0, width, step):
            right, bottom = min(left + step, width), min(top + step, height)
            yield Tile(
                core_left=left,
                core_top=top,
                core_right=right,
                core_bottom=bottom,
                left=left - halo * downsample,
                top=top - halo * downsample,
                width=-(-(right - left) // downsample) + 2 * halo,
                height=-(-(bottom - top) // downsample) + 2 * halo,
            )


def inside(tile: Tile, width: int, height: int, downsample: int) -> NDArray[np.bool_]:
    """Which pixels of a tile lie on the slide, shape (height, width)."""
    y = tile.top + np.arange(tile.height) * downsample
    x = tile.left + np.arange(tile.width) * downsample
    return np.asarray(((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))[None, :])


def tissue_of(tissue: Tissue, tile: Tile, downsample: int) -> NDArray[np.bool_]:
    """The tissue mask on the pixels of a tile, shape (height, width); False outside of the slide."""
    rows, columns = tissue.mask.shape
    y = np.clip((tile.top + np.arange(tile.height) * downsample) // tissue.downsample, 0, rows - 1)
    x = np.clip((tile.left + np.arange(tile.width) * downsample) // tissue.downsample, 0, columns - 1)
    return np.asarray(tissue.mask[y[:, None], x[None, :]] & inside(tile, tissue.width, tissue.height, downsample))


def sample(tissue: Tissue, downsample: int, size: int, number: int) -> list[Tile]:
    """Windows spread evenly over the tissue, from which the colours of the slide are learnt."""
    step, width, height = size * downsample, tissue.width, tissue.height
    found: list[tuple[float, Tile]] = []
    for top in range(0, height, step):
        for left in range(0, width, step):
            right, bottom = min(left + step, width), min(top + step, height)
            tile = Tile(left, top, right, bottom, left, top, (right - left) // downsample, (bottom - top) // downsample)
            scale = tissue.downsample
            part = tissue.mask[top // scale : -(-bottom // scale), left // scale : -(-right // scale)]
            if tile.width and tile.height and part.any():
                found.append((float(part.sum()), tile))
    if not found:
        return []
    enough = 0.5 * max(share for share, _ in found)
    good = [tile for share, tile in found if share >= enough]
    places = np.linspace(0, len(good) - 1, min(number, len(good)))
    return [good[round(float(place))] for place in places]
