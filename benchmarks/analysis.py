"""How fast the engine is and how much memory it takes.

    python benchmarks/analysis.py SLIDE [--mpp 0.499] [--mode full|test] [--repeat 3]

Prints megapixels of the working resolution and of the base level a second, CPU-seconds, and the peak of the resident
memory; each repetition runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def once(slide: Path, mpp: float | None, mode: str) -> dict[str, object]:
    """One run in this process."""
    from launchpad.analysis import ENGINE_NAME, ENGINE_VERSION, tiles
    from launchpad.analysis.engine import SUMMARY, Provenance, analyse
    from launchpad.wsi.metadata import read_metadata

    found = read_metadata(slide)
    mpp = mpp or found.mpp_x
    if mpp is None:
        sys.exit(f"{slide}: {found.mpp_problem} Give --mpp.")
    engine = f"{ENGINE_NAME} {ENGINE_VERSION}"
    origin = Provenance("benchmark", "benchmark", "Benchmark", "0", engine, "", "", str(slide))
    with tempfile.TemporaryDirectory() as folder:
        start, cpu = time.perf_counter(), time.process_time()
        files = analyse(found.path, Path(folder), mpp=mpp, parameters={"mode": mode}, provenance=origin)
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        (summary,) = (json.loads(item.path.read_text()) for item in files if item.name == SUMMARY)
        written = sum(item.size for item in files)
    base = found.width * found.height / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {
        "slide": slide.name,
        "mode": mode,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "base_mp_per_s": round(base / wall, 1),
        "working_mp_per_s": round(base / tiles.working_downsample(mpp) ** 2 / wall, 1),
        "tissue_mm2": summary["tissue"]["area_mm2"],
        "nuclei": summary["nuclei"]["count"],
        "written_mb": round(written / 1e6, 2),
        "peak_rss_mib": round(peak),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--mpp", type=float)
    parser.add_argument("--mode", choices=("full", "test"), default="full")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(once(options.slide, options.mpp, options.mode)))
        return
    for _ in range(options.repeat):
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--here"], check=True)


if __name__ == "__main__":
    main()
