"""An unchanged client of the Aignostics Platform (its SDK, 1.6.0) works on this platform: command line and library.

Run by `make test-peer` only: it wants an environment with that SDK, which PEER_PYTHON names.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from launchpad.platform import embedded
from launchpad.platform.environment import variables

HERE = Path(__file__).parent
OUTPUTS = 5  # files of a slide that test-app makes


@pytest.fixture(scope="module")
def environment(module_data_dir: Path) -> Iterator[dict[str, str]]:
    endpoint = embedded.ensure_running()
    values = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "AIGNOSTICS"))
    }
    yield (
        values
        | variables(endpoint)
        | {"PEER_STORE": endpoint.storage_endpoint, "PYTHONWARNINGS": "ignore", "HOME": str(module_data_dir)}
        | {"COLUMNS": "400", "NO_COLOR": "1", "AIGNOSTICS_LOG_LEVEL": "ERROR"}
    )
    embedded.release()
    assert embedded.stop()


class Shell:
    """The peer's command line."""

    def __init__(self, environment: dict[str, str]) -> None:
        arguments = [os.environ["PEER_PYTHON"], str(HERE / "shell.py")]
        self.process = subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __call__(self, *arguments: object, code: int = 0) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while line and not line.startswith('{"code"'):
            line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        answer = json.loads(line)
        assert answer["code"] == code, (arguments, answer)
        return str(answer["out"])

    def json(self, *arguments: object) -> Any:
        out = self(*arguments)
        start = min(at for at in (out.find("{"), out.find("[")) if at >= 0)
        return json.JSONDecoder().raw_decode(out[start:])[0]


@pytest.fixture(scope="module")
def peer(environment: dict[str, str]) -> Iterator[Shell]:
    shell = Shell(environment)
    yield shell
    shell.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def run_id(peer: Shell, sample_tiff: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of one slide, prepared, uploaded and submitted by the peer."""
    folder = tmp_path_factory.mktemp("peer")
    slides, table = folder / "slides", folder / "slides.csv"
    slides.mkdir()
    shutil.copy(sample_tiff, slides / "a slide.tiff")  # for test-app the peer takes no other kind
    peer("application", "run", "prepare", "test-app", table, slides)
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert [Path(row["external_id"]).name for row in rows] == ["a slide.tiff"]
    peer("application", "run", "upload", "test-app", table, "--upload-prefix", "peer", "--force")
    with table.open(newline="") as file:
        assert next(csv.DictReader(file, delimiter=";"))["platform_bucket_url"].startswith("gs://")
    out = peer(
        *("application", "run", "submit", "test-app", table, "--force", "--tags", "peer,one", "--note", "of the peer")
    )
    listed = peer.json("application", "run", "list", "--format", "json", "--tags", "peer")
    assert len(listed) == 1
    identity = str(listed[0]["run_id"])
    assert identity in out
    return identity


def test_who_is_signed_in(peer: Shell) -> None:
    told = peer.json("user", "whoami")
    assert (told["token"]["role"], told["user"]["id"]) == ("admin", "local|user")


def test_applications_are_listed_and_described(peer: Shell, tmp_path: Path) -> None:
    assert "test-app" in peer("application", "list")
    assert "whole_slide_image" in peer("application", "describe", "test-app", "--verbose")
    schemata = tmp_path / "schemata"
    schemata.mkdir()
    peer("application", "dump-schemata", "test-app", "--destination", schemata)
    assert any(schemata.iterdir())


def test_documents_are_listed_and_downloaded(peer: Shell, tmp_path: Path) -> None:
    document = ("application", "version", "document")
    listed = peer.json(*document, "list", "test-app", "--format", "json")
    assert listed
    name = listed[0]["name"]
    assert name in peer(*document, "describe", "test-app", name)
    peer(*document, "download", "test-app", name, "--output", tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]


def test_results_are_watched_and_downloaded(peer: Shell, run_id: str, tmp_path: Path) -> None:
    peer("application", "run", "result", "download", run_id, tmp_path / "results")
    files = [path for path in (tmp_path / "results").rglob("*") if path.is_file() and run_id in str(path)]
    assert len([path for path in files if path.suffix != ".json" or "metadata" not in path.name]) >= OUTPUTS
    told = peer.json("application", "run", "describe", run_id, "--format", "json")
    assert (told["state"], told["statistics"]["item_succeeded_count"]) == ("TERMINATED", 1)


def test_runs_are_found_by_tag_note_and_text(peer: Shell, run_id: str) -> None:
    for option, value, count in (
        ("--note-regex", "of the P", 1),
        ("--note-regex", "nothing", 0),
        ("--query", "one", 1),
    ):
        listed = peer("application", "run", "list", option, value, "--format", "json")
        assert (run_id in listed) == bool(count), (option, value, listed)


def test_custom_metadata_are_read_and_changed(peer: Shell, run_id: str) -> None:
    before = peer.json("application", "run", "dump-metadata", run_id, "--show-checksum")
    checksum = before.get("custom_metadata_checksum") or before.get("checksum")
    assert checksum, before
    change = ("application", "run", "update-metadata", run_id, '{"mine": 1}', "--checksum", checksum)
    peer(*change)
    assert peer.json("application", "run", "dump-metadata", run_id)["mine"] == 1
    peer(*change, code=3)  # changed meanwhile
    item = peer.json("application", "run", "describe", run_id, "--format", "json")["items"][0]["external_id"]
    peer("application", "run", "update-item-metadata", run_id, item, '{"mine": 2}')
    assert peer.json("application", "run", "dump-item-metadata", run_id, item)["mine"] == 2


def test_a_run_is_shared_by_token_and_with_an_organization(peer: Shell, run_id: str) -> None:
    share = ("application", "run", "share")
    token = peer.json(*share, "token", "create", run_id, "--format", "json")
    secret = next(value for name, value in token.items() if name in ("share_token", "secret", "token"))
    told = peer.json("application", "run", "describe", run_id, "--format", "json", "--share-token", secret)
    assert told["run_id"] == run_id
    identity = token["share_token_id"]
    assert identity in peer(*share, "token", "list", run_id, "--format", "json")
    peer(*share, "organization", "grant", run_id, "another-lab")
    assert "another-lab" in peer(*share, "organization", "list", run_id, "--format", "json")
    status = peer(*share, "status", run_id)
    assert "another-lab" in status
    assert identity in status
    peer(*share, "organization", "revoke", run_id, "another-lab")
    peer(*share, "token", "revoke", run_id, identity)


def test_files_in_the_bucket_are_uploaded_found_downloaded_and_deleted(
    peer: Shell, sample_tiff: Path, tmp_path: Path
) -> None:
    peer("bucket", "upload", sample_tiff, "--destination-prefix", "of-the-peer")
    key = f"of-the-peer/{sample_tiff.name}"
    assert key in peer("bucket", "find", "of-the-peer.*")
    peer("bucket", "download", key, "--what-is-key", "--destination", tmp_path)
    (found,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found.read_bytes() == sample_tiff.read_bytes()
    peer("bucket", "delete", key, "--what-is-key", "--no-dry-run")
    assert key not in peer("bucket", "find", "of-the-peer.*")


def test_runs_are_cancelled_and_results_deleted(peer: Shell, run_id: str, sample_tiff: Path, tmp_path: Path) -> None:
    peer("application", "run", "cancel", run_id, code=1)  # it has ended
    peer("application", "run", "result", "delete", run_id)
    told = peer.json("application", "run", "describe", run_id, "--format", "json")
    assert "DELETED_BY_USER" in json.dumps(told)
    (tmp_path / "slides").mkdir()
    for number in range(6):
        shutil.copy(sample_tiff, tmp_path / "slides" / f"{number}.tiff")
    table = tmp_path / "table.csv"
    peer("application", "run", "prepare", "test-app", table, tmp_path / "slides")
    peer("application", "run", "upload", "test-app", table, "--upload-prefix", "cancelled", "--force")
    peer("application", "run", "submit", "test-app", table, "--force", "--tags", "to-cancel")
    (run,) = peer.json("application", "run", "list", "--format", "json", "--tags", "to-cancel")
    peer("application", "run", "cancel", run["run_id"])
    told = peer.json("application", "run", "describe", run["run_id"], "--format", "json")
    assert (told["state"], told["termination_reason"]) == ("TERMINATED", "CANCELED_BY_USER")


def test_the_library(environment: dict[str, str], sample_svs: Path, tmp_path: Path) -> None:
    arguments = [os.environ["PEER_PYTHON"], str(HERE / "library.py"), str(sample_svs), str(tmp_path)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    seen = json.loads(done.stdout.strip().splitlines()[-1])
    assert seen["user"] == "local|user"
    assert seen["applications"] == ["he-tme", "test-app"]
    assert (seen["versions"], seen["inputs"]) == (["0.1.0"], ["whole_slide_image"])
    assert seen["run"] == ["TERMINATED", "ALL_ITEMS_PROCESSED", 1]
    assert seen["listed"]
    assert len(seen["files"]) >= OUTPUTS
    assert seen["items"] == [["folder/peer slide.svs", "TERMINATED", OUTPUTS]]
    assert (seen["metadata"], seen["stale"], seen["item metadata"]) == ("changed", 412, 2)
    assert (seen["shared"], seen["grants"], seen["grants left"]) == (True, 1, 0)
    assert seen["cancelled"] == ["TERMINATED", "CANCELED_BY_USER"]
    assert seen["deleted"] == ["DELETED_BY_USER"]
