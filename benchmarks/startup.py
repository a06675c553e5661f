"""CPU of `launchpad --help` and of `import launchpad.platform`, against the old SDK, side by side in one run.

`python benchmarks/startup.py --peer /path/to/environment` where that environment has the package `aignostics`; medians
of several starts, in turns. CPU seconds are user and system time of the process and its children.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """User and system time that a command takes."""
    before = os.times()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def main() -> int:
    """Print medians and ratios; 1 when a ratio is not reached."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", type=Path, required=True, help="environment with the old SDK")
    parser.add_argument("--starts", type=int, default=5)
    given = parser.parse_args()
    peer, own = given.peer / "bin", Path(sys.executable).parent
    pairs = {
        "--help": ([str(own / "launchpad"), "--help"], [str(peer / "aignostics"), "--help"], 20.0),
        "import platform": (
            [str(own / "python"), "-c", "from launchpad import platform; platform.Client"],
            [str(peer / "python"), "-c", "from aignostics import platform; platform.Client"],
            0.0,
        ),
        "import platform (module)": (
            [str(own / "python"), "-c", "import launchpad.platform"],
            [str(peer / "python"), "-c", "import aignostics.platform"],
            15.0,
        ),
    }
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LAUNCHPAD_DATA_DIR": folder, "HOME": folder}
        for name, (ours, theirs, wanted) in pairs.items():
            for command in (ours, theirs):
                cpu_seconds(command, environment)  # compiled and in the page cache
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(given.starts):
                times[0].append(cpu_seconds(ours, environment))
                times[1].append(cpu_seconds(theirs, environment))
            mine, other = (statistics.median(values) for values in times)
            words = f" (wanted: {wanted:g})" if wanted else ""
            print(f"{name}: {mine:.3f} s, old SDK {other:.3f} s CPU: {other / mine:.1f} times less{words}")
            missed += other / mine < wanted
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
