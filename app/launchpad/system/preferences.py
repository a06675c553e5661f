"""Settings that a person changes in the window: written into settings.toml, whose other lines stay as they are."""

from __future__ import annotations

import json
import os
import re

from launchpad import paths
from launchpad.errors import LaunchpadError, SettingsError
from launchpad.settings import Settings, load_settings

NAMES = ("proxy", "upload_bytes_per_second", "transfer_connections", "updates")


def write_setting(name: str, value: str | float | None) -> Settings:
    """Set one of `NAMES` (None takes it out) and return the settings as they are then.

    Raises:
        SettingsError: the value does not validate; the file is as it was before.
        LaunchpadError: the file cannot be written.
    """
    if name not in NAMES:
        raise ValueError(name)
    file = paths.settings_file()
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        _write(_changed(before, name, value))
        try:
            return load_settings()
        except SettingsError:
            _write(before)
            raise
    except OSError as error:
        raise LaunchpadError(
            "The settings cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check your rights, and the disk's free space.",
            subject=str(file),
        ) from error


def overridden(name: str) -> str:
    """The environment variable that has the last word on a setting, "" where none has."""
    for variable in (f"LAUNCHPAD_{name.upper()}", f"AIGNOSTICS_{name.upper()}"):
        if os.environ.get(variable):
            return variable
    return ""


def proxies() -> dict[str, str]:
    """The proxies of the environment, without names and passwords in them."""
    import urllib.request

    found = urllib.request.getproxies()
    return {scheme: re.sub(r"//[^/@\s]+@", "//***@", address) for scheme, address in sorted(found.items())}


def _write(text: str) -> None:
    file = paths.settings_file()
    paths.ensure_private(file.parent)
    paths.write_private(file, text.encode())


def _changed(text: str, name: str, value: str | float | None) -> str:
    """The text with this key at the top level, before the first table."""
    lines = text.splitlines()
    top = next((number for number, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    kept = [line for line in lines[:top] if not re.match(rf"\s*{re.escape(name)}\s*=", line)]
    if value is not None:
        kept.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*kept, *lines[top:]]) + "\n"
