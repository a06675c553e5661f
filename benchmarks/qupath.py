"""600,000 cells with nuclei and 20 measurements: data.qpdata and GeoJSON, each written; GeoJSON read again.

Each in a process of its own, so that its memory is its own. Making the objects is measured apart and taken off: they
come from somewhere else than the writer.

    python benchmarks/qupath.py [cells]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from launchpad import geojson
from launchpad.qupath.qpdata import QpdataWriter

CELLS = 600_000
POINTS = 24
NAMES = [f"Nucleus: measurement {number} µm" for number in range(20)]
CLASSES = (("Epithelial-like", (214, 80, 60)), ("Lymphocyte-like", (58, 110, 200)), ("Stromal-like", (70, 160, 90)))


def cells(count: int) -> Iterator[geojson.Feature]:
    """Cells on a grid, each a little different."""
    angle = np.linspace(0, 2 * np.pi, POINTS + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    circle[-1] = circle[0]
    base = np.arange(20) * 0.37
    for number in range(count):
        place = np.array([number % 800 * 40 + 20, number // 800 * 40 + 20])
        grown = 1 + number % 7 / 10
        yield geojson.feature(
            {"type": "Polygon", "coordinates": [(circle * 9 * grown + place).round(2).tolist()]},
            object_type="cell",
            classification=CLASSES[number % 3],
            measurements=dict(zip(NAMES, (base + number % 100).tolist(), strict=True)),
            id=f"00000000-0000-4000-8000-{number:012x}",
            nucleus_geometry={"type": "Polygon", "coordinates": [(circle * 5 * grown + place).round(2).tolist()]},
        )


def work(what: str, path: Path, count: int) -> int:
    """Do one thing; how many objects."""
    if what == "make":
        return sum(1 for _ in cells(count))
    if what == "qpdata":
        with QpdataWriter(path, {"builderType": "uri", "uri": "file:///x.svs", "args": []}) as writer:
            for item in cells(count):
                writer.write(item)
        return writer.count
    if what == "geojson":
        with geojson.FeatureWriter(path) as text:
            for item in cells(count):
                text.write(item)
        return text.tally.written
    if what == "read":
        return sum(1 for _ in geojson.read_features(path))
    tally = geojson.Tally()
    with QpdataWriter(
        path.with_suffix(".qpdata"), {"builderType": "uri", "uri": "file:///x.svs", "args": []}
    ) as writer:
        for item in geojson.in_order(geojson.read_features(path), tally):
            writer.write(item)
    return writer.count


def main(count: int) -> None:
    print(f"{count:,} cells with nuclei of {POINTS} points and {len(NAMES)} measurements")
    with tempfile.TemporaryDirectory() as folder:
        made = (0.0, 0.0)
        for what, name in (
            ("make", ""),
            ("qpdata", "data.qpdata"),
            ("geojson", "objects.geojson"),
            ("read", "objects.geojson"),
            ("through", "objects.geojson"),
        ):
            path = Path(folder, name)
            line = [sys.executable, __file__, "--work", what, str(path), str(count)]
            answer = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
            wall, processor, peak, done = float(answer[0]), float(answer[1]), float(answer[2]), int(answer[3])
            size = f", {path.stat().st_size / 1e6:,.0f} MB" if name else ""
            if what == "make":
                made = wall, processor
            less = made if what in ("qpdata", "geojson") else (0.0, 0.0)
            words = {
                "make": "making the objects",
                "qpdata": "data.qpdata written",
                "geojson": "GeoJSON written, every polygon checked",
                "read": "GeoJSON read",
                "through": "GeoJSON read, checked, written as data.qpdata",
            }[what]
            seconds = f"{wall - less[0]:.1f} s ({processor - less[1]:.1f} s of processor)"
            print(f"{words}: {seconds}, {peak:.0f} MiB{size}, {done:,}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        wall, processor = time.perf_counter(), time.process_time()
        found = work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(time.perf_counter() - wall, time.process_time() - processor, peak, found)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else CELLS)
