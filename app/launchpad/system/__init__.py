"""Health, logging, and what else concerns Launchpad itself. `Service` has the old SDK's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.system.health import Health as Health
    from launchpad.system.service import Service as Service

__all__ = ["Health", "Service"]

_HOMES = {"Health": "launchpad.system.health", "Service": "launchpad.system.service"}


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
