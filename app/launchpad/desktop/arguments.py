"""What the window was started with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def arguments(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The scheme and the files of a command line (argparse alone costs a tenth of the first window's time)."""
    if not argv:
        return "", []
    import argparse

    parser = argparse.ArgumentParser(prog="launchpad-desktop")
    parser.add_argument("--theme", choices=("light", "dark", "system"), default="")
    parser.add_argument("files", nargs="*", help="slides, folders, or a link launchpad://run/…")
    found = parser.parse_args(argv)
    return found.theme, [text if "://" in text else str(Path(text).absolute()) for text in found.files]
