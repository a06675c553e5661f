"""Public data sets: the slides of NCI Image Data Commons. `Service` and `IDCClient` have the old SDK's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.dataset.idc_client import IDCClient as IDCClient
    from launchpad.dataset.service import Service as Service

__all__ = ["IDCClient", "Service"]

_HOMES = {"IDCClient": "launchpad.dataset.idc_client", "Service": "launchpad.dataset.service"}


def __getattr__(name: str) -> object:
    """Import what is asked for, not before (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
