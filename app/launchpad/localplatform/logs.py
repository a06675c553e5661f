"""The platform's log: a line of JSON for each event, rotated, readable by its owner alone, without secrets and names.

Log lines name runs and items by their ids. What an exception says may name a slide, so only where it came from is kept;
what looks like a token or a signature is struck out, whoever logged it.
"""

from __future__ import annotations

import json
import logging
import os
import re
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import cast

from launchpad import crashes

_SECRET = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+"  # a token
    r"|lprt_[\w-]+"  # a refresh token
    r"|(?i:bearer)\s+\S+"
    r"|(?i:(?<=x-amz-signature=)|(?<=x-amz-credential=)|(?<=share_token=)|(?<=launch_secret=))[^&\s\"']+"
)
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name not in _USUAL})
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = crashes.where(record.exc_info[1])
        return _SECRET.sub("***", json.dumps(line, ensure_ascii=False, default=str))


class _Private(RotatingFileHandler):
    """Rotated files are made anew with the rights of the first."""

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return cast("TextIOWrapper", open(self.baseFilename, self.mode, encoding="utf-8", opener=opener))


def log_to(file: Path, level: str = "INFO") -> None:
    """Log what our own modules and the HTTP server say to `file`."""
    handler = _Private(file, maxBytes=2 << 20, backupCount=4, encoding="utf-8")
    handler.setFormatter(_Lines())
    logger = logging.getLogger("launchpad")
    logger.setLevel(level)
    logger.addHandler(handler)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").addHandler(handler)
