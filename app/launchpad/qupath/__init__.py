"""QuPath: projects from results, finding, installing and launching the program. `Service` has the old SDK's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.qupath.service import Service

__all__ = ["Service"]


def __getattr__(name: str) -> object:
    if name == "Service":
        from launchpad.qupath.service import Service

        return Service
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
