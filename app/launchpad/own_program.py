"""Whether the installed program was replaced or removed while it runs here: what it loads later is another's then."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


class OwnProgram:
    """The file of the program that runs, as it was at the start. From source there is none, and nothing to look for."""

    def __init__(self, file: Path | None = None) -> None:
        if file is None and getattr(sys, "frozen", False):
            file = Path(sys.executable)
        self._file = file
        self._seen: tuple[int, int] | None = None
        if file is not None:
            with contextlib.suppress(OSError):
                self._seen = _identity(file)

    @property
    def is_known(self) -> bool:
        """Whether there is a file that could be replaced."""
        return self._file is not None and self._seen is not None

    def is_replaced(self) -> bool:
        """Whether another file is there, or none."""
        if self._file is None or self._seen is None:
            return False
        try:
            return _identity(self._file) != self._seen
        except FileNotFoundError:
            return True
        except OSError:
            return False  # a file system that does not answer now has replaced nothing


def _identity(file: Path) -> tuple[int, int]:
    """Which file it is; one that a running program holds keeps its number to itself."""
    found = file.stat()
    return found.st_dev, found.st_ino
