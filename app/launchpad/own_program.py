"""Whether the installed program was replaced or removed while it runs here: what it loads later is another's then."""

from __future__ import annotations

import sys
from pathlib import Path


class OwnProgram:
    """The file of the program that runs, as it was at the start. From source there is none, and nothing to look for."""

    def __init__(self, file: Path | None = None) -> None:
        if file is None and getattr(sys, "frozen", False):
            file = Path(sys.executable)
        self._file = file
        self._seen = self._identity()

    def is_replaced(self) -> bool:
        """Whether another file is there, or none."""
        return self._seen is not None and self._identity() != self._seen

    def _identity(self) -> tuple[int, int] | None:
        """Which file it is; one that a running program holds keeps its number to itself."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
