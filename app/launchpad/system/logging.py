"""Log lines of our own processes: run and item ids, no names, no tokens; paths at debug level only.

Of an exception its kind and where it came from are kept: what it says may name a slide.
"""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from launchpad import crashes, paths
from launchpad.errors import LaunchpadError, SettingsError

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the words there
        return super().format(record)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the library's name
        error = ei[1] if isinstance(ei, tuple) else None
        return crashes.where(error).rstrip()


def set_up(level: str, name: str, file: Path | None = None) -> RotatingFileHandler:
    """Log to `<log folder>/<name>.log`, or to a file that is named, rotated at 2 MB; the handler ends with `tear_down`.

    Raises:
        OSError: the log cannot be written.
    """
    file = file or paths.ensure_private(paths.log_dir()) / f"{name}.log"
    handler = RotatingFileHandler(file, maxBytes=2 << 20, backupCount=2, encoding="utf-8")
    handler.setFormatter(_Lines(_FORMAT))
    logger = logging.getLogger("launchpad")
    logger.setLevel("DEBUG" if level == "TRACE" else level)
    logger.addHandler(handler)
    return handler


def follow_settings() -> RotatingFileHandler | None:
    """Log to a file, where LAUNCHPAD_LOG_FILE_ENABLED (or its old name) says so; what `tear_down` takes.

    Raises:
        SettingsError: the settings do not validate.
        LaunchpadError: the log cannot be written.
    """
    from launchpad.settings import load_settings

    settings = load_settings()
    if not settings.log_file_enabled:
        return None
    named = Path(settings.log_file_name).expanduser().absolute() if settings.log_file_name else None
    try:
        return set_up(settings.log_level, "command-line", named)
    except OSError as error:
        raise LaunchpadError(
            "The log cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Correct LAUNCHPAD_LOG_FILE_NAME, or set LAUNCHPAD_LOG_FILE_ENABLED to false.",
            subject=str(named or paths.log_dir()),
        ) from error


def follow_level() -> None:
    """Log as much as the settings say from now on. While they are not valid, which is said elsewhere, as before."""
    from launchpad.settings import load_settings

    try:
        level = load_settings().log_level
    except SettingsError:
        return
    logging.getLogger("launchpad").setLevel("DEBUG" if level == "TRACE" else level)


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
