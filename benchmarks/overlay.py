"""Draw the nuclei of a result over the slide, to be looked at and counted by eye.

    python benchmarks/overlay.py SLIDE CELLS.geojson OUT_DIR --mpp 0.499 --field 480,440 --field 380,870 [--side 200]

`--field` is the upper left corner in micrometres. Each field gives two pictures with a grid of quadrants, one without
and one with outlines, and a line with the number of nuclei whose centroid lies in each quadrant.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from launchpad.geojson import read_features
from launchpad.wsi.reader import SlideReader


def nuclei_of(path: Path) -> list[tuple[np.ndarray, tuple[int, int, int]]]:
    """Outer ring of each nucleus in base pixels, and its class colour."""
    found = []
    for item in read_features(path):
        geometry = item.get("nucleusGeometry") or item["geometry"]
        found.append((np.array(geometry["coordinates"][0]), tuple(item["properties"]["classification"]["color"])))
    return found


def centroid(ring: np.ndarray) -> np.ndarray:
    """Centroid of a closed ring's area."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    total = cross.sum() * 3
    return ring[0] + np.array([((x[:-1] + x[1:]) * cross).sum(), ((y[:-1] + y[1:]) * cross).sum()]) / total


def draw(
    reader: SlideReader,
    nuclei: list[tuple[np.ndarray, tuple[int, int, int]]],
    left: float,
    top: float,
    side: float,
    scale: int,
    colour: tuple[int, int, int] | None = (0, 255, 0),
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """A field in base pixels, enlarged: without and with outlines (class colours for `colour` None), and counts."""
    size = round(side)
    rgb = reader.read(round(left), round(top), size, size)
    plain = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    outlined = plain.copy()
    counts = [0, 0, 0, 0]
    for ring, own in nuclei:
        placed = (ring - (round(left), round(top))) * scale
        if (placed.max(axis=0) < 0).any() or (placed.min(axis=0) >= size * scale).any():
            continue
        cv2.polylines(outlined, [np.round(placed - 0.5).astype(np.int32)], True, colour or own, 1, cv2.LINE_AA)
        x, y = (centroid(ring) - (round(left), round(top))) / size
        if 0 <= x < 1 and 0 <= y < 1:
            counts[2 * int(y >= 0.5) + int(x >= 0.5)] += 1
    for image in (plain, outlined):
        middle = size * scale // 2
        cv2.line(image, (middle, 0), (middle, size * scale), (255, 255, 0), 1)
        cv2.line(image, (0, middle), (size * scale, middle), (255, 255, 0), 1)
    return plain, outlined, counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("cells", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--mpp", type=float, required=True)
    parser.add_argument("--field", action="append", required=True, help="x,y of the corner in micrometres")
    parser.add_argument("--side", type=float, default=200.0, help="micrometres")
    parser.add_argument("--scale", type=int, default=3)
    parser.add_argument("--classes", action="store_true", help="draw in the colours of the classes")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    nuclei = nuclei_of(options.cells)
    with SlideReader(options.slide) as reader:
        for number, field in enumerate(options.field, start=1):
            left, top = (float(part) / options.mpp for part in field.split(","))
            plain, outlined, counts = draw(
                reader,
                nuclei,
                left,
                top,
                options.side / options.mpp,
                options.scale,
                None if options.classes else (0, 255, 0),
            )
            for kind, image in (("plain", plain), ("outlined", outlined)):
                cv2.imwrite(str(options.out / f"field{number}_{kind}.png"), image[:, :, ::-1])
            print(f"field {number} at {field} µm: {sum(counts)} nuclei; quadrants, row by row: {counts}")


if __name__ == "__main__":
    main()
