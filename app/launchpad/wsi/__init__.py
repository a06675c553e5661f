"""Slide files: finding them, reading their headers and pixels, thumbnails, and decoding in processes of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.wsi.isolation import SlideService as SlideService
    from launchpad.wsi.service import Service as Service

__all__ = ["Service", "SlideService"]

_HOMES = {"Service": "launchpad.wsi.service", "SlideService": "launchpad.wsi.isolation"}


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
