"""Outlines follow the edges of pixels and are always valid."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon

from launchpad.analysis import cells, outlines


@pytest.mark.parametrize("scale", [1, 2])
def test_area_and_place_of_a_rectangle(scale: int) -> None:
    ring = outlines.trace_object(np.ones((6, 10), np.uint8), 4, 7, scale, (100, 200))
    shape = Polygon(ring)
    assert ring[0] == ring[-1]
    assert shape.area == pytest.approx(60 * scale**2, rel=0.03)  # corners are cut by half a pixel
    assert shape.bounds == (100 + 4 * scale, 200 + 7 * scale, 100 + 14 * scale, 200 + 13 * scale)


def test_every_random_shape_gives_a_valid_ring() -> None:
    random = np.random.default_rng(7)
    for _ in range(400):
        mask = (random.random((9, 9)) > 0.45).astype(np.uint8)
        mask[4, 4] = 1
        ring = outlines.trace_object(mask, 0, 0, 1.0, (0, 0))
        if ring:
            assert ring[0] == ring[-1]
            assert Polygon(ring).is_valid
            assert Polygon(ring).area > 0


def test_regions_keep_their_holes_and_stay_on_the_slide() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[2:18, 2:30] = True
    mask[8:12, 10:16] = False
    (rings,) = outlines.trace_regions(mask, scale=16, limits=(470, 320))
    assert len(rings) == 2
    assert outlines.area(rings) == pytest.approx((16 * 28 - 24) * 256 - 10 * 256, rel=0.04)
    assert Polygon(rings[0], rings[1:]).bounds == pytest.approx((32, 32, 470, 288), abs=1)


def test_cells_meet_half_way() -> None:
    labels = np.zeros((40, 60), dtype=np.int32)
    labels[15:25, 15:25] = 1
    labels[15:25, 29:39] = 2
    grown = cells.expand(labels, mpp=0.5)
    assert (grown[labels > 0] == labels[labels > 0]).all()
    assert set(np.unique(grown[20, 25:27])) == {1}
    assert set(np.unique(grown[20, 27:29])) == {2}
    assert grown[20, 9] == 1
    assert grown[20, 8] == 0
    assert cells.boxes(grown, 2)[0].tolist() == [9, 9, 27, 31]


@pytest.mark.parametrize(
    ("measures", "name"),
    [
        ((60, 16, 5, 0.5, 1.0), "Stromal-like"),
        ((30, 7, 6, 0.9, 1.3), "Lymphocyte-like"),
        ((120, 14, 11, 0.9, 0.8), "Epithelial-like"),
        ((30, 7, 6, 0.9, 0.7), "Other"),
    ],
)
def test_rules(measures: tuple[float, float, float, float, float], name: str) -> None:
    assert cells.CLASSES[cells.classify(*measures)][0] == name
