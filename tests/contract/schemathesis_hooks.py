"""For schemathesis: valid requests name things that exist, so that they go further than the first refusal.

Only requests that are meant to be valid are changed; malformed ones are sent as they were made. One in four keeps the
ids that were made up, to see what is said of things that do not exist.
"""

from __future__ import annotations

import itertools
import json
import os
import uuid
from typing import Any

import schemathesis

_NAMED = {"application_id": "test-app", "version": "0.1.0", "name": "outputs.md"}
_ARTIFACT = {
    "name": "whole_slide_image",
    "download_url": "http://127.0.0.1:9/slide.svs",
    "metadata": {"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 10, "height_px": 20},
}
_LATER = "2999-01-01T00:00:00Z"
_seen: dict[str, list[str]] = json.loads(os.environ.get("THINGS_THAT_EXIST", "{}"))  # of the test that starts us
_count = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Fill in what the contract's schema cannot say."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    made_up = next(_count) % 4 == 0
    for name, value in (case.path_parameters or {}).items():
        known = _seen.get(name, [])
        if name in _NAMED:
            case.path_parameters[name] = _NAMED[name]
        elif known and value not in known and not made_up:
            case.path_parameters[name] = known[-1]
    # The schema says string where only some strings have a meaning.
    for name, value in (("sort", []), ("custom_metadata", '$.sdk.tags[*] ? (@ == "x")')):
        if (case.query or {}).get(name) is not None:
            case.query[name] = value
    body = case.body
    if not isinstance(body, dict):
        return
    if case.operation.label == "POST /v1/runs":
        body["application_id"], body["version_number"] = "test-app", None
        body["items"] = [
            {**item, "external_id": f"{number}/{item['external_id']}"[:255], "input_artifacts": [_ARTIFACT]}
            for number, item in enumerate(body["items"])
        ]
        if body.get("scheduling"):
            body["scheduling"] = {"due_date": _LATER, "deadline": None}
    elif case.operation.label == "POST /v1/access/share-tokens" and body.get("expires_at"):
        body["expires_at"] = _LATER
    elif case.operation.label == "POST /v1/access/grants":
        body["subject_type"], body["subject_id"], body["subject_email"] = "user", str(uuid.uuid4()), None
        if body["resource_type"] == "share_token" or (_seen and not made_up):
            body["resource_type"], body["resource_id"] = "run", _seen.get("run_id", [str(uuid.uuid4())])[-1]


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember what was made."""
    label = case.operation.label
    if response.status_code not in (200, 201):
        return
    if label == "POST /v1/runs":
        _seen.setdefault("run_id", []).append(response.json()["run_id"])
        _seen.setdefault("external_id", []).append(case.body["items"][0]["external_id"])
    elif label == "POST /v1/access/grants":
        _seen.setdefault("grant_id", []).append(response.json()["grant_id"])
    elif label == "POST /v1/access/share-tokens":
        _seen.setdefault("share_token_id", []).append(response.json()["share_token_id"])
    elif label == "GET /v1/runs/{run_id}/items":
        for item in response.json():
            _seen.setdefault("artifact_id", []).extend(part["output_artifact_id"] for part in item["output_artifacts"])
