"""Log lines of our own processes: run and item ids, no names, no tokens; paths at debug level only.

Of an exception its kind and where it came from are kept: what it says may name a slide.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from launchpad import crashes, paths

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the words there
        return super().format(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        error = ei[1] if isinstance(ei, tuple) else None
        return crashes.where(error).rstrip()


def set_up(level: str, name: str) -> RotatingFileHandler:
    """Log to `<log folder>/<name>.log`, rotated at 2 MB; the handler ends with `tear_down`.

    Raises:
        OSError: the log cannot be written.
    """
    folder = paths.ensure_private(paths.log_dir())
    handler = RotatingFileHandler(folder / f"{name}.log", maxBytes=2 << 20, backupCount=2, encoding="utf-8")
    handler.setFormatter(_Lines(_FORMAT))
    logger = logging.getLogger("launchpad")
    logger.setLevel("DEBUG" if level == "TRACE" else level)
    logger.addHandler(handler)
    return handler


def tear_down(handler: RotatingFileHandler) -> None:
    """Stop logging to what `set_up` returned."""
    logging.getLogger("launchpad").removeHandler(handler)
    handler.close()


def record_crash(error: BaseException, name: str) -> Path:
    """Log where an unexpected error came from, and keep a crash report; not its text, which may name a slide.

    Returns the log file.

    Raises:
        OSError: the log cannot be written.
    """
    crashes.record(error, name)
    handler = set_up("INFO", name)
    try:
        logging.getLogger("launchpad").error("unexpected error", exc_info=error)
    finally:
        tear_down(handler)
    return Path(handler.baseFilename)
