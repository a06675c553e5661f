"""The `sdk` part of custom metadata, as the old SDK writes it (run schema 0.0.6, item schema 0.0.3), and ours."""

from __future__ import annotations

import os
import platform as system
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from launchpad import __version__
from launchpad.platform.models import MeReadResponse

RUN_SCHEMA_VERSION = "0.0.6"
ITEM_SCHEMA_VERSION = "0.0.3"


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
            "initiator": "test" if "PYTEST_CURRENT_TEST" in os.environ else "user",
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
    if note:
        sdk["note"] = note
    if pipeline:
        sdk["pipeline"] = dict(pipeline)
    return {"sdk": sdk, "launchpad": {"submission_id": submission_id, "version": __version__}}


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
