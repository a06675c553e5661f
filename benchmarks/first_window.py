"""How long until the first window is painted, against a bare PySide6 program, side by side in one run.

`python benchmarks/first_window.py [--frozen dist/launchpad/launchpad-desktop]`; medians of several starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

BARE = """
import sys
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        sys.stdout.write("painted\\n"); sys.stdout.flush()
app = QApplication([]); window = Window(); window.resize(1400, 900); window.show(); app.processEvents()
"""
OURS = """
import sys
from launchpad.desktop import app, main_window
from launchpad.desktop.session import Session
Session.start = lambda self: None
class Window(main_window.MainWindow):
    def paintEvent(self, event):
        sys.stdout.write("painted\\n"); sys.stdout.flush()
app.MainWindow = Window
app.run([])
"""


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """Time from the start of a process to its first painted line."""
    started = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            for line in process.stdout:
                if line.strip() == "painted":
                    return time.perf_counter() - started
        finally:
            process.kill()
    raise RuntimeError("no window was painted")


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--starts", type=int, default=9)
    starts = parser.parse_args().starts
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "LAUNCHPAD_DATA_DIR": folder, "QT_QPA_PLATFORM": "offscreen"}
        bare, ours = [], []
        for _ in range(starts):  # in turns, so that a busy moment meets both
            bare.append(seconds([sys.executable, "-c", BARE], environment))
            ours.append(seconds([sys.executable, "-c", OURS], environment))
    one, two = statistics.median(bare), statistics.median(ours)
    print(f"bare PySide6 window {one * 1000:.0f} ms, Launchpad {two * 1000:.0f} ms, ratio {two / one:.2f}")


if __name__ == "__main__":
    main()
