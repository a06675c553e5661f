"""A report for whoever helps: health, versions, settings and the end of the log, without secrets and names."""

from __future__ import annotations

import getpass
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import paths

if TYPE_CHECKING:
    from launchpad.system.health import Health

LINES = 400  # of a log
_SECRET = re.compile(
    r"(?i)(authorization|bearer|token|secret|password|signature|credential|hmac|x-goog-[a-z-]+)([\"']?\s*[:= ]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
)
_LONG = re.compile(r"\b[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}\b")  # a JSON Web Token
_BEARER = re.compile(r"(?i)\b(bearer|basic|digest)\s+[^\s\"',;]+")
_QUERY = re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']+")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def log_files() -> list[Path]:
    """The logs there are, the one written last first."""
    folder = paths.log_dir()
    files = folder.glob("*.log") if folder.is_dir() else ()
    return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)


def log_tail(file: Path, lines: int = LINES) -> str:
    """The end of a log.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        opened.seek(0, 2)
        opened.seek(max(0, opened.tell() - lines * 300))
        return "\n".join(opened.read().decode("utf-8", "replace").splitlines()[-lines:])


def cleaned(text: str) -> str:
    """A text without secrets, signed parts of addresses, mail addresses, and this account's name in paths."""
    text = _QUERY.sub(r"\1?…", text)
    text = _LONG.sub("***", text)
    text = _BEARER.sub(r"\1 ***", text)
    text = _SECRET.sub(r"\1\2***", text)
    text = _MAIL.sub("***@***", text)
    home = str(Path.home())
    if len(home) > 1:
        text = text.replace(home, "~")
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return text
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\])", "***", text) if len(user) > 2 else text


def report(health: Health | None) -> str:
    """The whole report as text.

    Raises:
        SettingsError: the settings do not validate.
    """
    from launchpad.system.information import collect

    parts = ["# Launchpad diagnostic report", "", "## Health"]
    parts.append(json.dumps(health.document() if health is not None else None, indent=1, ensure_ascii=False))
    parts += ["", "## Versions, folders, settings", json.dumps(collect(), indent=1, ensure_ascii=False)]
    for file in log_files()[:2]:
        try:
            parts += ["", f"## {file.name}", log_tail(file, 150)]
        except OSError as error:
            parts += ["", f"## {file.name}", f"cannot be read: {error.strerror}"]
    return cleaned("\n".join(parts)) + "\n"


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for file in folder.rglob("*") if folder.is_dir() else ():
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # gone meanwhile
    return total


def free_space(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def clear_cache(folder: Path) -> int:
    """Delete the files of a cache folder, which can all be made again; how many there were.

    Raises:
        ValueError: the folder is no cache of ours.
    """
    if paths.cache_dir() not in (folder, *folder.parents):
        raise ValueError(str(folder))
    count = 0
    for file in folder.rglob("*") if folder.is_dir() else ():
        if file.is_file():
            file.unlink(missing_ok=True)
            count += 1
    return count
