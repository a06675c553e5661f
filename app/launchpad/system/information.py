"""What a person is asked for when something does not work: versions, folders, settings. No network."""

from __future__ import annotations

import os
import platform
import re
import sys
from importlib import metadata

from launchpad import __version__, paths

_SECRET = re.compile(r"token|secret|password|passwd|credential|api_?key|_key\b|private|dsn", re.IGNORECASE)
_PARTS = (
    "PySide6-Essentials",
    "httpx",
    "numpy",
    "openslide-bin",
    "openslide-python",
    "pydantic",
    "pydicom",
    "tifffile",
)
_MASK = "***"
_USER_IN_URL = re.compile(r"//[^/@\s]+@")


def collect(*, include_environ: bool = False, mask_secrets: bool = True) -> dict[str, object]:
    """Versions, folders and settings as plain data; secrets are masked unless told otherwise.

    Raises:
        SettingsError: the settings do not validate.
    """
    from launchpad.settings import load_settings

    settings = load_settings()
    document: dict[str, object] = {
        "package": {
            "name": "pathology-launchpad",
            "version": __version__,
            "frozen": bool(getattr(sys, "frozen", False)),
            "dependencies": {name: _version(name) for name in _PARTS},
        },
        "runtime": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "folders": {
                "data": str(paths.data_dir()),
                "settings": str(paths.settings_file()),
                "cache": str(paths.cache_dir()),
                "logs": str(paths.log_dir()),
                "results": str(paths.results_dir()),
            },
        },
        "settings": {
            name: _masked(name, value) if mask_secrets else value
            for name, value in settings.model_dump(mode="json").items()
        },
    }
    if settings.token is not None and not mask_secrets:
        document["settings"] = {**settings.model_dump(mode="json"), "token": settings.token.get_secret_value()}
    if include_environ:
        document["environ"] = {
            name: _masked(name, value) if mask_secrets else value for name, value in sorted(os.environ.items())
        }
    return document


def dotenv_lines() -> str:
    """All settings that have a value as `KEY=value`, secrets as they are.

    Raises:
        SettingsError: the settings do not validate.
    """
    import json
    import shlex

    from pydantic import SecretStr

    from launchpad.settings import load_settings

    lines = []
    for name, value in load_settings():
        if value is None:
            continue
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        lines.append(f"LAUNCHPAD_{name.upper()}={shlex.quote(plain if isinstance(plain, str) else json.dumps(plain))}")
    return "".join(f"{line}\n" for line in lines)


def _masked(name: str, value: object) -> object:
    if value is not None and _SECRET.search(name):
        return _MASK
    return _USER_IN_URL.sub(f"//{_MASK}@", value) if isinstance(value, str) else value


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # a frozen program has no list of packages
        return None
