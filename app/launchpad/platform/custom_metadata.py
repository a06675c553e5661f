"""The `sdk` part of custom metadata, as the old SDK writes it (run schema 0.0.6, item schema 0.0.3), and ours."""

from __future__ import annotations

import os
import platform as system
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from launchpad import __version__
from launchpad.platform.models import MeReadResponse

RUN_SCHEMA_VERSION = "0.0.6"
ITEM_SCHEMA_VERSION = "0.0.3"


class _Part(BaseModel):
    """Base of the `sdk` parts: unknown keys are refused, as the old SDK refuses them."""

    model_config = ConfigDict(extra="forbid")


Tags = Annotated[
    list[str], BeforeValidator(lambda value: sorted(value) if isinstance(value, (set, frozenset)) else value)
]


_GITHUB = {
    name: f"GITHUB_{name.upper()}"
    for name in ("action", "job", "ref", "ref_name", "ref_type", "repository", "run_attempt", "run_id", "run_number",
                 "sha", "workflow")
} | {"runner_arch": "RUNNER_ARCH", "runner_os": "RUNNER_OS"}  # fmt: skip


class SubmissionMetadata(_Part):
    """When and from where something was submitted."""

    date: str
    interface: Literal["script", "cli", "launchpad"]
    initiator: Literal["user", "test", "bridge"]


class UserMetadata(_Part):
    """Who submitted."""

    organization_id: str
    organization_name: str | None = None
    user_email: str | None = None
    user_id: str


class WorkflowMetadata(_Part):
    """What shall happen with the results."""

    onboard_to_aignostics_portal: bool = False


class SchedulingMetadata(_Part):
    """Due date and deadline, as runs of older versions carry them."""

    due_date: str | None = None
    deadline: str | None = None


class GpuConfig(_Part):
    """Which graphics processors a cloud shall use."""

    gpu_type: Literal["L4", "A100"] | None = None
    provisioning_mode: Literal["SPOT", "ON_DEMAND", "FLEX_START"] | None = None
    max_gpus_per_slide: Annotated[int, Field(ge=1, le=8)] | None = None
    flex_start_max_run_duration_minutes: Annotated[int, Field(ge=1, le=3600)] | None = None


class CpuConfig(_Part):
    """Which processors a cloud shall use."""

    provisioning_mode: Literal["SPOT", "ON_DEMAND"] | None = None


class PipelineConfig(_Part):
    """Hints for a cloud's scheduler; recorded, and of no effect on this computer."""

    gpu: GpuConfig | None = None
    cpu: CpuConfig | None = None
    node_acquisition_timeout_minutes: Annotated[int, Field(ge=1, le=3600)] | None = None


class RunSdkMetadata(_Part):
    """`custom_metadata.sdk` of a run."""

    schema_version: str
    created_at: str
    updated_at: str
    tags: Tags | None = None
    submission: SubmissionMetadata
    user_agent: str
    user: UserMetadata | None = None
    ci: dict[str, Any] | None = None
    note: str | None = None
    workflow: WorkflowMetadata | None = None
    scheduling: SchedulingMetadata | None = None
    pipeline: PipelineConfig | None = None


class PlatformBucketMetadata(_Part):
    """Where the bytes of an item are."""

    bucket_name: str
    object_key: str
    signed_download_url: str


class ItemSdkMetadata(_Part):
    """`custom_metadata.sdk` of an item."""

    schema_version: str
    created_at: str
    updated_at: str
    tags: Tags | None = None
    platform_bucket: PlatformBucketMetadata | None = None


def user_agent() -> str:
    """Who we are, in a line."""
    return f"pathology-launchpad/{__version__} ({system.platform()})"


def run_metadata(
    *,
    interface: Literal["script", "cli", "launchpad"],
    submission_id: str,
    me: MeReadResponse | None = None,
    note: str | None = None,
    tags: Iterable[str] = (),
    pipeline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Custom metadata of a new run; `launchpad.submission_id` finds it again after a lost answer."""
    now = _now()
    sdk: dict[str, Any] = {
        "schema_version": RUN_SCHEMA_VERSION,
        "created_at": now,
        "updated_at": now,
        "tags": sorted(set(tags)),
        "submission": {
            "date": now,
            "interface": interface,
            "initiator": _initiator(),
        },
        "user_agent": user_agent(),
    }
    if me is not None:
        user = {
            "organization_id": me.organization.id,
            "organization_name": me.organization.name,
            "user_email": me.user.email,
            "user_id": me.user.id,
        }
        sdk["user"] = {name: value for name, value in user.items() if value is not None}
    if ci := _ci():
        sdk["ci"] = ci
    if note:
        sdk["note"] = note
    if pipeline:
        sdk["pipeline"] = dict(pipeline)
    return {"sdk": sdk, "launchpad": {"submission_id": submission_id, "version": __version__}}


def _initiator() -> str:
    if os.environ.get("AIGNOSTICS_BRIDGE_VERSION"):
        return "bridge"
    return "test" if "PYTEST_CURRENT_TEST" in os.environ else "user"


def _ci() -> dict[str, Any]:
    """What a build server says of itself, so that a run can be traced to what started it."""
    found: dict[str, Any] = {}
    if os.environ.get("GITHUB_RUN_ID"):
        found["github"] = {name: os.environ[variable] for name, variable in _GITHUB.items() if variable in os.environ}
    if "PYTEST_CURRENT_TEST" in os.environ:
        markers = os.environ.get("PYTEST_MARKERS", "")
        found["pytest"] = {
            "current_test": os.environ["PYTEST_CURRENT_TEST"],
            "markers": [name.strip() for name in markers.split(",") if name.strip()],
        }
    return found


def item_metadata(*, bucket_name: str, object_key: str, signed_download_url: str) -> dict[str, Any]:
    """Custom metadata of a new item."""
    now = _now()
    return {
        "sdk": {
            "schema_version": ITEM_SCHEMA_VERSION,
            "created_at": now,
            "updated_at": now,
            "tags": [],
            "platform_bucket": {
                "bucket_name": bucket_name,
                "object_key": object_key,
                "signed_download_url": signed_download_url,
            },
        }
    }


def with_note_and_tags(custom_metadata: Mapping[str, Any] | None, note: str, tags: Iterable[str]) -> dict[str, Any]:
    """Custom metadata with another note and other tags; all else stays as it is."""
    changed = dict(custom_metadata or {})
    sdk = {**_sdk(custom_metadata), "tags": sorted(set(tags)), "updated_at": _now()}
    if note:
        sdk["note"] = note
    else:
        sdk.pop("note", None)
    return {**changed, "sdk": sdk}


def refreshed_run(custom_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Custom metadata of a run with its `sdk` part made or refreshed; when it was made and submitted is kept."""
    given = _sdk(custom_metadata)
    fresh = run_metadata(interface="script", submission_id="")["sdk"]
    return _refreshed(custom_metadata, given, fresh)


def refreshed_item(custom_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """As `refreshed_run`, of an item."""
    now = _now()
    fresh = {"schema_version": ITEM_SCHEMA_VERSION, "created_at": now, "updated_at": now, "tags": []}
    return _refreshed(custom_metadata, _sdk(custom_metadata), fresh)


def _refreshed(whole: Mapping[str, Any], given: Mapping[str, Any], fresh: Mapping[str, Any]) -> dict[str, Any]:
    always = {name: fresh[name] for name in ("schema_version", "updated_at", "user_agent") if name in fresh}
    sdk = {**fresh, **given, **always}
    if isinstance(sdk["tags"], (list, set, frozenset)) and all(isinstance(tag, str) for tag in sdk["tags"]):
        sdk["tags"] = sorted(set(sdk["tags"]))
    return {**whole, "sdk": sdk}


def note_of(custom_metadata: Mapping[str, Any] | None) -> str:
    """The note of a run, empty where there is none."""
    return str(_sdk(custom_metadata).get("note") or "")


def tags_of(custom_metadata: Mapping[str, Any] | None) -> list[str]:
    """The tags of a run."""
    tags = _sdk(custom_metadata).get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, list) else []


def _sdk(custom_metadata: Mapping[str, Any] | None) -> Mapping[str, Any]:
    sdk = (custom_metadata or {}).get("sdk")
    return sdk if isinstance(sdk, Mapping) else {}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
