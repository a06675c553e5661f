"""Schemathesis, a judge that is not ours, sends requests that it makes from the published description.

All its checks, over valid and malformed requests and sequences of them. What it may not hold against the platform is
in schemathesis.toml, each with a reason.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).parent
ARTIFACT = {
    "name": "whole_slide_image",
    "download_url": "http://127.0.0.1:9/slide.svs",
    "metadata": {"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 10, "height_px": 20},
}


def things(api: httpx.Client) -> dict[str, list[str]]:
    """A run, its first artifact, a grant and a share token: names for path parameters."""
    item = {"external_id": "a/b.svs", "input_artifacts": [ARTIFACT]}
    run_id = api.post("/runs", json={"application_id": "test-app", "items": [item]}).json()["run_id"]
    artifact = api.get(f"/runs/{run_id}/items").json()[0]["output_artifacts"][0]["output_artifact_id"]
    grant = {"resource_type": "run", "resource_id": run_id, "relation": "viewer"}
    grant |= {"subject_type": "user", "subject_id": "local|another"}
    return {
        "run_id": [run_id],
        "external_id": ["a/b.svs"],
        "artifact_id": [artifact],
        "grant_id": [api.post("/access/grants", json=grant).json()["grant_id"]],
        "share_token_id": [api.post("/access/share-tokens", json={}).json()["share_token_id"]],
    }


def run(endpoint: Any, *arguments: str) -> str:
    """What it says, without colours; fails the test unless it found nothing in any of the 26 operations."""
    from launchpad.platform.client import Client

    with Client() as client:
        token = client.token()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{endpoint.api_root}/api/v1", headers=headers, trust_env=False) as api:
        environment = os.environ | {"THINGS_THAT_EXIST": json.dumps(things(api))}
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [f"{endpoint.api_root}/openapi.json", "--header", f"Authorization: Bearer {token}", *arguments]
    done = subprocess.run(
        command, cwd=HERE, env=environment, capture_output=True, text=True, encoding="utf-8", check=False, timeout=560
    )
    said = done.stdout.replace(token, "…")
    assert done.returncode == 0, said[-8000:] + done.stderr[-2000:]
    assert "Tested: 26" in said, said[-3000:]
    cases = re.search(r"(\d+) generated", said)
    assert cases is not None, said[-3000:]
    print(said[-1500:])
    assert int(cases[1]) > 80
    return said


def test_requests_made_from_the_description_find_no_fault(platform_endpoint: Any) -> None:
    said = run(platform_endpoint, "--phases", "fuzzing,stateful", "--max-examples", "3", "--generation-deterministic")
    assert "✅ Stateful" in said


@pytest.mark.long
def test_many_requests_and_all_corners_of_the_description_find_no_fault(platform_endpoint: Any) -> None:
    run(platform_endpoint, "--max-examples", "40")
