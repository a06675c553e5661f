"""Notebooks on the results of a run: templates, a marimo server of our own, the environment it runs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.notebook.service import Service

__all__ = ["Service"]


def __getattr__(name: str) -> object:
    if name == "Service":
        from launchpad.notebook.service import Service

        return Service
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
