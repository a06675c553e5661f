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
    return found.theme, [_whole(text) for text in found.files]


def _whole(text: str) -> str:
    """A link as it is, a file by its absolute path; some desktops name files by addresses."""
    if text.startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname

        return url2pathname(urlsplit(text).path)
    return text if "://" in text else str(Path(text).absolute())
