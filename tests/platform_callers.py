"""For tests of the platform's API: people with tokens of their own, and a run with results."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import google_crc32c
import httpx

from launchpad import paths
from launchpad.bucket import signing

PLAIN = {"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 10, "height_px": 20}


def caller(endpoint: Any, user_id: str | None = None, organization_id: str = "local", role: str = "member") -> Any:
    """A client of the API for a person of the platform, or without a token where none is named; close it."""
    from launchpad.localplatform.identity.tokens import Identity
    from launchpad.localplatform.layout import Layout

    headers = {}
    if user_id is not None:
        issuer = Identity(Layout(paths.platform_dir()).keys, endpoint.issuer)
        headers["Authorization"] = f"Bearer {issuer.issue(user_id, organization_id, role)}"
    return httpx.Client(
        base_url=f"{endpoint.api_root}/api/v1", headers=headers, trust_env=False, verify=False, timeout=30
    )  # plain http


def item(external_id: str, url: str = "http://127.0.0.1:9/nothing", **metadata: Any) -> dict[str, Any]:
    """An item of a run; without an address one that ends as a user error."""
    artifact = {"name": "whole_slide_image", "download_url": url, "metadata": PLAIN | metadata}
    return {"external_id": external_id, "input_artifacts": [artifact]}


def submitted(api: httpx.Client, *items: dict[str, Any], **changes: Any) -> str:
    """The id of a new run of test-app."""
    answer = api.post("/runs", json={"application_id": "test-app", "items": list(items), **changes})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["run_id"])


def ended(api: httpx.Client, run_id: str) -> dict[str, Any]:
    """The run once it has ended."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        run: dict[str, Any] = api.get(f"/runs/{run_id}").json()
        if run["state"] == "TERMINATED":
            return run
        time.sleep(0.05)
    raise AssertionError("the run did not end")


def uploaded(endpoint: Any, api: httpx.Client, slide: Path) -> tuple[str, dict[str, Any]]:
    """A slide in the platform's store: an address to fetch it from, and what an item says of it."""
    organization = api.get("/me").json()["organization"]
    keys = (
        organization["aignostics_bucket_hmac_access_key_id"],
        organization["aignostics_bucket_hmac_secret_access_key"],
    )
    content = slide.read_bytes()
    url = f"{endpoint.storage_endpoint}/{organization['aignostics_bucket_name']}/tests/{slide.name}"
    put = httpx.put(signing.presign("PUT", url, *keys, expires=600), content=content, trust_env=False)
    assert put.status_code == 200, put.text
    checksum = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
    metadata = {"checksum_base64_crc32c": checksum, "resolution_mpp": 0.499, "width_px": 2220, "height_px": 2967}
    return signing.presign("GET", url, *keys, expires=600), metadata
