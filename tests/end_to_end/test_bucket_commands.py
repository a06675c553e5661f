"""`launchpad bucket` on the platform of this computer."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from launchpad.bucket.base import ObjectInfo
from launchpad.bucket.objects import find as find_objects
from launchpad.cli.bucket import app
from launchpad.errors import BadInput, NotFound

pytestmark = pytest.mark.usefixtures("platform_endpoint")


def bucket(*arguments: str | Path, code: int = 0) -> Result:
    answer = CliRunner().invoke(app, [*map(str, arguments)])
    assert answer.exit_code == code, answer.output
    return answer


def keys(*arguments: str) -> list[str]:
    found = json.loads(bucket("find", *arguments).stdout)
    assert isinstance(found, list)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"a.txt": b"one", "sub ä/a.txt": b"two", "sub ä/b #1+.bin": bytes(range(256)) * 50, ".hidden": b"x"}
    for name, content in files.items():
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "mine"


def test_upload_find_download_delete(folder: Path, tmp_path: Path) -> None:
    done = bucket("upload", folder, "--destination-prefix", "{username}/set")
    assert "Uploaded 3 of 3 file(s)" in done.output
    user = getpass.getuser()
    mine = [f"{user}/set/mine/{name}" for name in ("a.txt", "sub ä/a.txt", "sub ä/b #1+.bin")]
    assert keys("/set/mine/") == mine
    assert keys("b #1") == [mine[2]]
    assert keys("--what-is-key", mine[0], "not there") == [mine[0]]

    (row,) = json.loads(bucket("find", "--what-is-key", mine[2], "--detail", "--signed-urls").stdout)
    assert (row["key"], row["size"], row["size_human"]) == (mine[2], 12800, "12.8 kB")
    assert row["etag"]
    assert httpx.get(row["signed_download_url"], trust_env=False).content == bytes(range(256)) * 50

    target = tmp_path / "down"
    assert "Downloaded 3 of 3" in bucket("download", "/set/mine/", "--destination", target).output
    found = sorted(path.name for path in target.iterdir())
    assert len(found) == 3  # two keys end in a.txt: neither overwrites the other
    assert "b #1+.bin" in found
    assert {path.read_bytes() for path in target.glob("a~*.txt")} == {b"one", b"two"}

    assert "Would delete 2" in bucket("delete", r"a\.txt$").output
    assert keys("/set/mine/") == mine
    assert "Deleted 2" in bucket("delete", r"a\.txt$", "--no-dry-run").output
    assert keys("/set/mine/") == [mine[2]]
    assert "Would delete 0" in bucket("purge", "--older-than-days", "1").output
    assert "Deleted 1" in bucket("purge", "--no-dry-run").output
    assert keys() == []
    assert (folder / "a.txt").read_bytes() == b"one"  # uploads to this computer are references; the files stay


def test_what_is_wrong_is_said(folder: Path, tmp_path: Path) -> None:
    for arguments, error in (
        (["upload", str(tmp_path / "gone")], NotFound),
        (["find", "("], BadInput),
        (["download", "nothing like this"], NotFound),
    ):
        answer = CliRunner().invoke(app, arguments)
        assert isinstance(answer.exception, error), (arguments, answer.output)
    assert CliRunner().invoke(app, ["delete"]).exit_code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode there")
def test_a_name_that_no_key_can_have_is_named_before_anything_is_sent(folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    (named / "a.txt").write_text("a")
    (named / os.fsdecode(b"b\xe4.txt")).write_text("b")
    answer = CliRunner().invoke(app, ["upload", str(named)])
    assert isinstance(answer.exception, BadInput)
    assert "not Unicode" in str(answer.exception)
    assert keys("/named/") == []


class _Many:
    """Counts how many objects are asked for."""

    def list(self, prefix: str = "") -> list[ObjectInfo]:
        return [ObjectInfo(f"k{number}", 1, None, None) for number in range(3)]


def test_several_patterns_are_alternatives() -> None:
    assert [info.key for info in find_objects(_Many(), ["0$", "2$"])] == ["k0", "k2"]  # type: ignore[arg-type]
