"""How long until the first window is painted, against a bare PySide6 program, side by side in one run; and how long
until its first page is in it.

`python benchmarks/first_window.py [--starts N] [--bundle dist/launchpad]`; medians of several starts. With `--bundle`
the frozen program is measured, and the bare one is frozen, too (into build/bare_window, once).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([]); window = QMainWindow(); window.resize(1400, 900); window.show(); app.processEvents()
"""
# Qt says it when the first picture of a window goes to the screen, from source and frozen alike.
PAINTED = "qt.widgets.painting: Flushing"
ROOT = Path(__file__).resolve().parents[1]


def seconds(arguments: list[str], environment: dict[str, str], pictures: int) -> list[float]:
    """Times from the start of a process to each of the first pictures of its window."""
    started = time.perf_counter()
    times: list[float] = []
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in process.stderr:
                if line.startswith(PAINTED):
                    times.append(time.perf_counter() - started)
                    if len(times) == pictures:
                        return times
        finally:
            process.kill()
    raise RuntimeError("no window was painted")


def frozen_bare() -> Path:
    """The bare program, frozen as the bundle is."""
    folder = ROOT / "build" / "bare_window"
    program = folder / "dist" / "bare" / "bare"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "bare.py").write_text(BARE)
        options = [f"--{name}={folder / place}" for name, place in (("distpath", "dist"), ("workpath", "work"))]
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level=WARN", f"--specpath={folder}"]
        subprocess.run([*command, *options, str(folder / "bare.py")], check=True)
    return program


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--bundle", type=Path, help="measure this frozen bundle")
    arguments = parser.parse_args()
    bare, ours = [sys.executable, "-c", BARE], [sys.executable, "-m", "launchpad.desktop"]
    if arguments.bundle:
        bare, ours = [str(frozen_bare())], [str(arguments.bundle.resolve() / "launchpad-desktop")]
    took: tuple[list[float], list[float], list[float]] = ([], [], [])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {
            **os.environ, "LAUNCHPAD_DATA_DIR": folder, "QT_QPA_PLATFORM": "offscreen",
            "QT_LOGGING_RULES": "qt.widgets.painting.debug=true",
        }  # fmt: skip
        for _ in range(arguments.starts):  # in turns, so that a busy moment meets both
            measured = [*seconds(bare, environment, 1), *seconds(ours, environment, 2)]  # the frame, then the page
            for times, found in zip(took, measured, strict=True):
                times.append(found)
    one, frame, page = (statistics.median(times) for times in took)
    what = "frozen: " if arguments.bundle else ""
    print(
        f"{what}bare PySide6 window {one * 1000:.0f} ms, Launchpad {frame * 1000:.0f} ms, ratio {frame / one:.2f}; "
        f"its first page {page * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
