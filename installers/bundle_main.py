"""The one script of the bundle: both executables hold it, and the name of the one that runs says which face to show."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

from launchpad.other_programs import give_back_environment

if __name__ == "__main__":
    multiprocessing.freeze_support()  # it may be a worker's start
    give_back_environment()
    if Path(sys.executable).stem == "launchpad-desktop":
        from launchpad.desktop.__main__ import run

        run()
    else:
        from launchpad.cli import main

        main()
