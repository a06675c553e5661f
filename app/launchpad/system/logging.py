"""Log lines of our own processes: run and item ids, no names, no tokens; paths at debug level only."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler

from launchpad import paths

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up(level: str, name: str) -> None:
    """Log to `<log folder>/<name>.log`, rotated at 2 MB."""
    folder = paths.ensure_private(paths.log_dir())
    handler = RotatingFileHandler(folder / f"{name}.log", maxBytes=2 << 20, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger = logging.getLogger("launchpad")
    logger.setLevel("DEBUG" if level == "TRACE" else level)
    logger.addHandler(handler)
