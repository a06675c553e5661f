"""Paths with `*`, `?` or `[…]`: shells of other systems write them out, Windows' own leaves it to the program."""

from __future__ import annotations

import glob
import sys
from collections.abc import Sequence
from pathlib import Path

from launchpad.errors import BadInput, NotFound


def expand(given: Sequence[Path] | None, *, written_out: bool = sys.platform != "win32") -> list[Path]:
    """The files that the patterns name, each pattern's in order of their names; a path that exists stays as it is.

    `written_out`: the shell has done it, so that a `*` that is still there belongs to a name.

    Raises:
        NotFound: a pattern names nothing.
    """
    found: list[Path] = []
    for path in given or ():
        text = str(path)
        if written_out or not glob.has_magic(text) or path.exists():
            found.append(path)
            continue
        fitting = sorted(glob.glob(str(path.expanduser())), key=lambda name: (name.casefold(), name))  # noqa: PTH207 - a pattern may be absolute
        if not fitting:
            raise NotFound("No file fits", advice="Check the path.", subject=text)
        found += map(Path, fitting)
    return found


def many(given: list[Path] | None) -> list[Path]:
    """`expand`, as the callback of an argument."""
    return expand(given)


def one(given: Path) -> Path:
    """`single`, as the callback of an argument."""
    return single(given)


def single(given: Path, *, written_out: bool = sys.platform != "win32") -> Path:
    """As `expand`, where one path is wanted.

    Raises:
        NotFound: nothing fits.
        BadInput: more than one file fits.
    """
    found = expand([given], written_out=written_out)
    if len(found) > 1:
        raise BadInput(
            "More than one file fits",
            detail=f"For example {found[0].name} and {found[1].name}.",
            advice="Name one of them.",
            subject=str(given),
        )
    return found[0]
