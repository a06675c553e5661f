"""MCP over standard input and output, by the SDK's own client, against a real platform with a finished run."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from launchpad import paths
from launchpad.application.service import Service
from launchpad.cli.app import app
from launchpad.cli.errors import guarded
from launchpad.mcp import tools

mcp = pytest.importorskip("mcp")


@pytest.fixture(scope="module")
def run_id(platform_endpoint: object, small_tiff: Path, module_data_dir: Path) -> str:
    """A run of one slide, whose results are in the data folder."""
    with Service() as service:
        rows = Service.generate_metadata_from_source_directory(small_tiff.parent, "test-app")
        assert Service.application_run_upload("test-app", rows)
        run = service.application_run_submit_from_metadata("test-app", rows, note="for the tools", tags={"mcp"})
        service.application_run_download(run.run_id, paths.results_dir())
        return run.run_id


def asked(*calls: tuple[str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The tools that a fresh server offers, and its answers to some calls."""

    async def ask() -> tuple[list[Any], list[Any]]:
        server = mcp.StdioServerParameters(
            command=sys.executable, args=["-m", "launchpad", "mcp", "run"], env=dict(os.environ)
        )
        async with mcp.Client(server) as client:
            offered = (await client.list_tools()).tools
            return offered, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(ask())


def text(answer: Any) -> str:
    return " ".join(part.text for part in answer.content)


def test_the_tools_read_applications_runs_items_results_and_health(run_id: str) -> None:
    offered, answers = asked(
        ("applications", {}),
        ("runs", {"query": "for the tools"}),
        ("run", {"run_id": run_id}),
        ("items", {"run_id": run_id}),
        ("results", {"run_id": run_id}),
        ("results", {"run_id": run_id, "file": "summary.csv", "limit": 1}),
        ("health", {}),
    )
    assert {tool.name for tool in offered} == {"applications", "runs", "run", "items", "results", "health"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in offered)
    assert not any(answer.is_error for answer in answers), [text(answer) for answer in answers if answer.is_error]
    found = [json.loads(text(answer)) for answer in answers]
    assert {"test-app", "he-tme"} <= {item["application_id"] for item in found[0]["applications"]}
    assert [run["run_id"] for run in found[1]["runs"]] == [run_id]
    assert found[2]["state"] == "TERMINATED"
    assert (found[2]["note"], found[2]["tags"]) == ("for the tools", ["mcp"])
    assert found[3]["items"][0]["state"] == "TERMINATED"
    assert found[3]["items"][0]["artifacts"]
    assert "summary.csv" in found[4]["tables"]
    assert found[5]["columns"]
    assert len(found[5]["rows"]) == 1
    assert found[6]["status"] in ("UP", "DEGRADED")

    everything = " ".join(text(answer) for answer in answers).lower()
    for word in ("x-goog-signature", "x-amz-signature", "bearer", "token", "hmac", "secret"):
        assert word not in everything


def test_paths_outside_of_the_data_folder_and_its_private_parts_are_refused(run_id: str, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("secret\n1\n")
    folder = paths.results_dir() / run_id
    (folder / "link.csv").symlink_to(tmp_path / "other.csv")
    (paths.platform_dir() / "private.csv").write_text("secret\n1\n")
    paths.datasets_dir().mkdir(exist_ok=True)
    (paths.datasets_dir() / "other.csv").write_text("secret\n1\n")
    refused = (
        {"run_id": run_id, "file": "../../../../../etc/passwd"},
        {"run_id": run_id, "file": str(tmp_path / "other.csv")},
        {"run_id": run_id, "file": "link.csv"},
        {"run_id": run_id, "file": "../../platform/private.csv"},
        {"run_id": "../platform", "file": "private.csv"},
        {"run_id": str(tmp_path), "file": "other.csv"},
        {"run_id": "", "file": None},
        {"run_id": ".."},
        {"run_id": "../datasets", "file": "other.csv"},
        {"run_id": "x" * 5000},
        {"run_id": run_id, "file": "summary.csv", "offset": 10**30},
        {"run_id": run_id, "file": "run.json"},
        {"run_id": run_id, "file": "summary.csv", "limit": 0},
    )
    _, answers = asked(*(("results", arguments) for arguments in refused))
    for arguments, answer in zip(refused, answers, strict=True):
        assert answer.is_error, arguments
        assert "1\\n" not in text(answer)
        assert ": " in text(answer), f"no reason is given for {arguments}"
    assert "outside of the results" in text(answers[1])
    assert "link.csv" not in tools.results(run_id)["tables"]


def test_what_failed_is_told_without_signed_addresses() -> None:
    words = "The slide is not there: https://storage.example/b/slide.svs?X-Goog-Signature=0123abcd&X-Goog-Date=1."
    assert tools._said(words) == "The slide is not there: https://storage.example/b/slide.svs?…"
    assert tools._said(None) is None


def test_the_command_lists_the_tools(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: app(["mcp", "list-tools", "--format", "json"], standalone_mode=False)) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [tool["name"] for tool in listed] == [tool.__name__ for tool in tools.TOOLS]
