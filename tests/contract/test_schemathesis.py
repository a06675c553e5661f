"""Schemathesis, a judge that is not ours, sends requests that it makes from the published description.

All its checks, over valid and malformed requests and sequences of them. What it may not hold against the platform is
in schemathesis.toml, each with a reason.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from platform_callers import caller, ended, item, submitted, uploaded

HERE = Path(__file__).parent
_STATEFUL = """
[phases.stateful.generation]
max-examples = {}
"""


def things(api: httpx.Client, endpoint: Any, slide: Path | None) -> dict[str, list[str]]:
    """A run (with results where a slide is given), its first artifact, a grant and a share token, for paths."""
    if slide is None:
        run_id = submitted(api, item("a/b.svs"))
    else:
        url, metadata = uploaded(endpoint, api, slide)
        run_id = submitted(api, item("a/b.svs", url, **metadata))
        assert ended(api, run_id)["output"] == "FULL"
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


def run(endpoint: Any, folder: Path, *arguments: str, scenarios: int, slide: Path | None = None) -> str:
    """What it says, without colours; fails the test unless it found nothing in any of the 26 operations."""
    with caller(endpoint, "local|user", role="admin") as api:
        token = api.headers["Authorization"].split()[1]
        environment = os.environ | {"THINGS_THAT_EXIST": json.dumps(things(api, endpoint, slide))}
    settings = folder / "schemathesis.toml"
    text = (HERE / settings.name).read_text(encoding="utf-8")
    shutil.copy(HERE / "schemathesis_hooks.py", folder)  # it runs where its cache may lie
    settings.write_text(text + _STATEFUL.format(scenarios), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"]
    command += [f"{endpoint.api_root}/openapi.json", "--header", f"Authorization: Bearer {token}", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=1200,
    )
    said = done.stdout.replace(token, "…")
    assert done.returncode == 0, said[-8000:] + done.stderr[-2000:]
    assert "Tested: 26" in said, said[-3000:]
    cases = re.search(r"(\d+) generated", said)
    assert cases is not None, said[-3000:]
    print(said[-1500:])
    assert int(cases[1]) > 80
    return said


def test_requests_made_from_the_description_find_no_fault(platform_endpoint: Any, tmp_path: Path) -> None:
    quick = ("--phases", "fuzzing,stateful", "--max-examples", "3", "--generation-deterministic")
    assert "✅ Stateful" in run(platform_endpoint, tmp_path, *quick, scenarios=8)


@pytest.mark.long
def test_many_requests_and_all_corners_of_the_description_find_no_fault(
    platform_endpoint: Any, tmp_path: Path, sample_svs: Path
) -> None:
    said = run(platform_endpoint, tmp_path, "--max-examples", "40", scenarios=60, slide=sample_svs)
    assert "✅ Coverage" in said
