"""A run's life: draft, preparation, submission, results. `Service` has the names of the old SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.application.service import Service

__all__ = ["Service"]


def __getattr__(name: str) -> object:
    if name == "Service":
        from launchpad.application.service import Service

        return Service
    raise AttributeError(name)
