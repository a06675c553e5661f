"""QuPath: projects from results, finding, installing and launching the program. `Service` has the old SDK's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.qupath.moments import AddProgress as AddProgress
    from launchpad.qupath.moments import AnnotateProgress as AnnotateProgress
    from launchpad.qupath.moments import InstallProgress as InstallProgress
    from launchpad.qupath.service import Service as Service

__all__ = ["AddProgress", "AnnotateProgress", "InstallProgress", "Service"]

_HOMES = {
    "AddProgress": "launchpad.qupath.moments",
    "AnnotateProgress": "launchpad.qupath.moments",
    "InstallProgress": "launchpad.qupath.moments",
    "Service": "launchpad.qupath.service",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
