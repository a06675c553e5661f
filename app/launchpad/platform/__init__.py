"""The client of a platform: `Client`, its models under the old SDK's names, and small helpers. All loaded lazily."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.http import ApiException, ForbiddenException, NotFoundException
    from launchpad.platform.runs import Run, Runs

_MODELS = {
    "Application": "ApplicationReadResponse",
    "ApplicationSummary": "ApplicationReadShortResponse",
    "ApplicationVersion": "VersionReadResponse",
    "ArtifactOutput": "ArtifactOutput",
    "InputArtifact": "InputArtifactCreationRequest",
    "InputArtifactData": "InputArtifactResultReadResponse",
    "InputItem": "ItemCreationRequest",
    "ItemOutput": "ItemOutput",
    "ItemResult": "ItemResultReadResponse",
    "ItemState": "ItemState",
    "ItemTerminationReason": "ItemTerminationReason",
    "Me": "MeReadResponse",
    "Organization": "OrganizationReadResponse",
    "OutputArtifactData": "OutputArtifactResultReadResponse",
    "RunData": "RunReadResponse",
    "RunItemStatistics": "RunItemStatistics",
    "RunOutput": "RunOutput",
    "RunState": "RunState",
    "RunTerminationReason": "RunTerminationReason",
    "SchedulingRequest": "SchedulingRequest",
    "User": "UserReadResponse",
}
_EXPORTS = {
    "Client": ("client", "Client"),
    "Run": ("runs", "Run"),
    "Runs": ("runs", "Runs"),
    "LIST_APPLICATION_RUNS_MAX_PAGE_SIZE": ("runs", "MAX_PAGE_SIZE"),
    "LIST_APPLICATION_RUNS_MIN_PAGE_SIZE": ("runs", "MIN_PAGE_SIZE"),
    "VersionTuple": ("applications", "VersionTuple"),
    "ApiException": ("http", "ApiException"),
    "ConcurrencyConflictError": ("http", "ConcurrencyConflictError"),
    "ForbiddenException": ("http", "ForbiddenException"),
    "NotFoundException": ("http", "NotFoundException"),
    **{name: ("models", target) for name, target in _MODELS.items()},
}

__all__ = ["ApiException", "Client", "ForbiddenException", "NotFoundException", "Run", "Runs"]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'launchpad.platform' has no attribute {name!r}")
    module, target = _EXPORTS[name]
    return getattr(importlib.import_module(f"launchpad.platform.{module}"), target)


def __dir__() -> list[str]:
    return sorted(_EXPORTS)
