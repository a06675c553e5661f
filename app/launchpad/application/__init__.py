"""A run's life: draft, preparation, submission, results. `Service` has the names of the old SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.application.download_progress import DownloadProgress as DownloadProgress
    from launchpad.application.download_progress import DownloadProgressState as DownloadProgressState
    from launchpad.application.service import Service as Service

__all__ = ["DownloadProgress", "DownloadProgressState", "Service"]

_HOMES = {
    "DownloadProgress": "launchpad.application.download_progress",
    "DownloadProgressState": "launchpad.application.download_progress",
    "Service": "launchpad.application.service",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
