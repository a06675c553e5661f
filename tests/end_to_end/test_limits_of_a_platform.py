"""A platform with limits: what its users see before they send, what it refuses, and its use."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from launchpad.application.allowance import Allowance, load_allowance
from launchpad.cli.app import app
from launchpad.cli.errors import guarded
from launchpad.platform import Client, embedded
from launchpad.platform.auth.profiles import BUILT_IN, Profile
from launchpad.platform.http import QuotaExceededException

LIMITS = """
items_per_run = 2
slides_per_month_user = 5
retention_days = 30
callback_hosts = ["hooks.example.org"]
"""


def launchpad(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command, in this process."""
    words = [str(argument) for argument in arguments]
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["launchpad", *words]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = guarded(lambda: app(words, standalone_mode=False, prog_name="launchpad"))
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def limited(module_data_dir: Path) -> Iterator[Any]:
    """A running platform with limits."""
    folder = module_data_dir / "platform"
    folder.mkdir()
    (folder / "platform.toml").write_text(LIMITS)
    yield embedded.ensure_running()
    embedded.release()
    assert embedded.stop()


@pytest.fixture(scope="module")
def slides(small_tiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three slides")
    for number in range(3):
        shutil.copy(small_tiff, folder / f"{number}.tiff")
    return folder


@pytest.fixture(scope="module")
def executed(limited: Any, slides: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Three slides where a run may have two: what was printed, and the folder of the metadata file."""
    folder = tmp_path_factory.mktemp("work")
    answer = launchpad("application", "run", "execute", "test-app", folder / "meta.csv", slides, "--tags", "mine")
    assert answer.returncode == 0, answer.stderr
    return answer.stderr + answer.stdout, folder


def run_ids(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Submitted run")]


def test_more_slides_than_a_run_may_have_become_several_runs_with_a_common_tag(executed: tuple[str, Path]) -> None:
    output, folder = executed
    assert "3 slides become 2 runs: a run has at most 2 slides" in output
    assert "Quota: 0 of your 5 slides this month are used; it is renewed on " in output
    assert output.index("Quota:") < output.index("Submitted run")
    first, second = run_ids(output)
    with Client() as client:
        found = [client.run(run_id).details() for run_id in (first, second)]
        names = [item.external_id for run_id in (first, second) for item in client.run(run_id).results()]
    assert [run.statistics.item_succeeded_count for run in found] == [2, 1]
    assert len(set(names)) == 3
    tags = [set(dict(run.custom_metadata or {})["sdk"]["tags"]) for run in found]
    (common,) = {tag for tag in tags[0] & tags[1] if tag.startswith("batch-")}
    assert f"with the tag “{common}”" in output
    assert "mine" in tags[0] & tags[1]
    for run_id, count in ((first, 2), (second, 1)):
        assert len(list((folder / run_id).glob("*/readout_generation_json_summary.json"))) == count


def test_a_quota_that_does_not_suffice_is_said_before_anything_is_sent(executed: tuple[str, Path]) -> None:
    for command in ("upload", "submit"):
        answer = launchpad("application", "run", command, "test-app", executed[1] / "meta.csv")
        assert answer.returncode == 1
        assert "Quota: 3 of your 5 slides this month are used" in answer.stderr
        assert "quota does not suffice" in answer.stderr
        assert "3 more slide(s) are too many" in answer.stderr


def test_the_refusal_of_the_platform_is_explained(executed: tuple[str, Path]) -> None:
    """By force the platform is asked all the same; the first run of the two fits, the second does not."""
    answer = launchpad("application", "run", "submit", "test-app", executed[1] / "meta.csv", "--force")
    assert answer.returncode == 1
    assert "The platform's quota does not suffice" in answer.stderr
    assert "You submitted 5 of 5 slides of this month" in answer.stderr
    assert "wait until it is renewed on 20" in answer.stderr
    assert "1 of 2 runs were submitted before" in answer.stderr


def test_the_body_of_a_refusal_says_which_quota(limited: Any, executed: tuple[str, Path]) -> None:
    with Client() as client:
        headers = {"Authorization": f"Bearer {client.token()}"}
    metadata = {"checksum_base64_crc32c": "AAAAAA==", "resolution_mpp": 0.5, "width_px": 1, "height_px": 1}
    artifact = {"name": "whole_slide_image", "download_url": "http://127.0.0.1:9/x", "metadata": metadata}

    def submit(count: int, **more: Any) -> httpx.Response:
        items = [{"external_id": str(number), "input_artifacts": [artifact]} for number in range(count)]
        body = {"application_id": "test-app", "items": items, **more}
        return httpx.post(f"{limited.api_root}/api/v1/runs", json=body, headers=headers, trust_env=False)

    refused = submit(3)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    document = refused.json()
    assert (document["quota"], document["limit"], document["requested"]) == ("items_per_run", 2, 3)
    for url in ("https://elsewhere.example.org/", "ftp://hooks.example.org/", 7):
        answer = submit(1, callback_context={"callback_url": url})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["body", "callback_context", "callback_url"]


def test_the_library_tells_limits_and_refusals(executed: tuple[str, Path]) -> None:
    with Client() as client:
        report = client.quota()
        assert report is not None
        monthly = report.get("slides_per_month_user")
        assert monthly is not None
        assert (monthly.limit, monthly.renews_at is not None) == (5, True)
        organization = report.get("slides_per_month_organization")
        assert organization is not None
        assert organization.limit is None
        assert load_allowance(client).items_per_run == 2
        with pytest.raises(QuotaExceededException) as caught:
            client.api.post("/api/v1/runs", {"application_id": "test-app", "items": items(client, executed[0])})
    assert (caught.value.quota, caught.value.limit) == ("items_per_run", 2)
    assert "as several runs" in caught.value.advice


def items(client: Client, output: str) -> list[dict[str, Any]]:
    """Three items like those of the first run."""
    item = next(iter(client.run(run_ids(output)[0]).results()))
    (artifact,) = item.input_artifacts
    given = {"name": artifact.name, "download_url": artifact.download_url, "metadata": artifact.metadata}
    return [{"external_id": f"again {number}", "input_artifacts": [given]} for number in range(3)]


def test_the_use_of_the_platform(executed: tuple[str, Path]) -> None:
    answer = launchpad("platform", "usage", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["succeeded_items"]["total"] >= 3
    (row,) = found["by_user"]
    assert (row["application_id"], row["succeeded_items"]) == ("test-app", found["succeeded_items"]["total"])
    assert found["disk_bytes"]["results"] > 0
    assert found["disk_bytes"]["uploads"] == 0  # read where they are
    assert found["disk_bytes"]["references"] > 0
    text = launchpad("platform", "usage").stdout
    assert re.search(r"Slides analysed: [3-5], [3-5] of them this month", text)
    assert "kept 30 days" in text


class Elsewhere(BaseHTTPRequestHandler):
    """A platform that knows nothing of quotas: 404, or a page for people."""

    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("status", [404, 200])
def test_where_a_platform_does_not_tell_only_its_profile_is_known(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(Elsewhere, "status", status)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        profile = Profile("x", "X", "remote", f"http://127.0.0.1:{server.server_address[1]}", "", "", "", "")
        with Client(token_provider=lambda: "token", profile=profile) as client:
            assert client.quota() is None
            assert load_allowance(client) == Allowance()
        with Client(token_provider=lambda: "token", profile=replace(profile, items_per_run=500)) as client:
            allowance = load_allowance(client)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (allowance.lines(), allowance.items_per_run, allowance.runs(1001)) == ([], 500, 3)
    assert allowance.problem(10_000) == ""


def test_the_aignostics_platform_takes_500_slides_a_run() -> None:
    assert [(profile.name, profile.items_per_run) for profile in BUILT_IN] == [
        ("local", None),
        ("aignostics", 500),
        ("aignostics-staging", 500),
    ]
