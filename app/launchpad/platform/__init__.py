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
    "InputArtifactData": "InputArtifact",
    "InputItem": "ItemCreationRequest",
    "ItemOutput": "ItemOutput",
    "ItemResult": "ItemResultReadResponse",
    "ItemState": "ItemState",
    "ItemTerminationReason": "ItemTerminationReason",
    "Me": "MeReadResponse",
    "Organization": "OrganizationReadResponse",
    "OutputArtifactData": "OutputArtifact",
    "OutputArtifactElement": "OutputArtifactResultReadResponse",
    "RunData": "RunReadResponse",
    "RunItemStatistics": "RunItemStatistics",
    "RunOutput": "RunOutput",
    "RunState": "RunState",
    "RunTerminationReason": "RunTerminationReason",
    "SchedulingRequest": "SchedulingRequest",
    "User": "UserReadResponse",
    "ApplicationVersionDocument": "VersionDocumentResponse",
}
_EXPORTS = {
    "Client": ("client", "Client"),
    "Applications": ("applications", "Applications"),
    "Versions": ("applications", "Versions"),
    "Documents": ("documents", "Documents"),
    "AccessGrant": ("share_tokens", "AccessGrant"),
    "ShareToken": ("share_tokens", "ShareToken"),
    "ShareTokens": ("share_tokens", "ShareTokens"),
    "DownloadTimeoutError": ("run_download", "DownloadTimeoutError"),
    "UserInfo": ("auth.who", "UserInfo"),
    "TokenInfo": ("auth.who", "TokenInfo"),
    "DEFAULT_GPU_TYPE": ("defaults", "DEFAULT_GPU_TYPE"),
    "DEFAULT_GPU_PROVISIONING_MODE": ("defaults", "DEFAULT_GPU_PROVISIONING_MODE"),
    "DEFAULT_MAX_GPUS_PER_SLIDE": ("defaults", "DEFAULT_MAX_GPUS_PER_SLIDE"),
    "DEFAULT_FLEX_START_MAX_RUN_DURATION_MINUTES": ("defaults", "DEFAULT_FLEX_START_MAX_RUN_DURATION_MINUTES"),
    "DEFAULT_CPU_PROVISIONING_MODE": ("defaults", "DEFAULT_CPU_PROVISIONING_MODE"),
    "DEFAULT_NODE_ACQUISITION_TIMEOUT_MINUTES": ("defaults", "DEFAULT_NODE_ACQUISITION_TIMEOUT_MINUTES"),
    "Artifact": ("runs", "Artifact"),
    "Run": ("runs", "Run"),
    "Runs": ("runs", "Runs"),
    "LIST_APPLICATION_RUNS_MAX_PAGE_SIZE": ("runs", "MAX_PAGE_SIZE"),
    "LIST_APPLICATION_RUNS_MIN_PAGE_SIZE": ("runs", "MIN_PAGE_SIZE"),
    "VersionTuple": ("applications", "VersionTuple"),
    "ApiException": ("http", "ApiException"),
    "ConcurrencyConflictError": ("http", "ConcurrencyConflictError"),
    "ForbiddenException": ("http", "ForbiddenException"),
    "QuotaExceededException": ("http", "QuotaExceededException"),
    "NotFoundException": ("http", "NotFoundException"),
    "UnauthorizedException": ("http", "UnauthorizedException"),
    "UnprocessableException": ("http", "UnprocessableException"),
    "Quota": ("quota", "Quota"),
    "QuotaReport": ("quota", "QuotaReport"),
    "RunSdkMetadata": ("custom_metadata", "RunSdkMetadata"),
    "ItemSdkMetadata": ("custom_metadata", "ItemSdkMetadata"),
    "PipelineConfig": ("custom_metadata", "PipelineConfig"),
    "SchedulingMetadata": ("custom_metadata", "SchedulingMetadata"),
    "Service": ("service", "Service"),
    "SignInNeeded": ("auth.oauth", "SignInNeeded"),
    "Profile": ("auth.profiles", "Profile"),
    "select_profile": ("auth.profiles", "select_profile"),
    "calculate_file_crc32c": ("files", "calculate_file_crc32c"),
    "download_file": ("files", "download_file"),
    "generate_signed_url": ("files", "generate_signed_url"),
    "get_mime_type_for_artifact": ("files", "get_mime_type_for_artifact"),
    "mime_type_to_file_ending": ("files", "mime_type_to_file_ending"),
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
