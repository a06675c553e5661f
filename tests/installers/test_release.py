"""Releases: checksums and feed signed by a throwaway key, the SBOM, the workflows' scripts."""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from launchpad import __version__
from launchpad.system.release_feed import believed, shipped_source

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "installers" / "release"


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


feed = load(RELEASE / "feed.py")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    for name in (
        "launchpad_99.0.0_amd64.deb", "launchpad-99.0.0-windows-x64-setup.exe", "launchpad-99.0.0-macos-arm64.dmg"
    ):  # fmt: skip
        (folder / name).write_bytes(name.encode() * 50)
    return folder


def test_checksums_are_signed_and_a_flipped_bit_is_refused(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = feed.new_keys()
    assert len(feed.sums(release, None)) == 1
    assert not (release / "SHA256SUMS.sig").exists(), "without a key nothing looks signed"
    monkeypatch.setenv(feed.KEY, private)
    assert len(feed.sums(release, feed.private_key())) == 2
    feed.verify(release, public)
    with pytest.raises(ValueError, match="not signed by this key"):
        feed.verify(release, feed.new_keys()[1])
    file = release / "launchpad_99.0.0_amd64.deb"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(ValueError, match="not what was signed"):
        feed.verify(release, public)
    file.write_bytes(good)
    (release / "more.exe").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"more\.exe"):
        feed.verify(release, public)
    (release / "more.exe").unlink()
    listed = release / "SHA256SUMS"
    listed.write_bytes(listed.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(ValueError, match="not signed"):
        feed.verify(release, public)


def test_the_application_believes_the_feed_that_a_release_writes(release: Path, tmp_path: Path) -> None:
    private, public = feed.new_keys()
    (tmp_path / "notes.md").write_text("- faster\n")
    run = {**os.environ, feed.KEY: private}
    announced, out = tmp_path / "releases.json", tmp_path / "updates.json"
    for arguments in (
        ["announce", "99.0.0", str(tmp_path / "notes.md"), "https://example.org/v99", str(release), str(announced)],
        ["sign-feed", str(announced), str(out)],
    ):
        subprocess.run([sys.executable, str(RELEASE / "feed.py"), *arguments], check=True, env=run)
    (found,) = believed(out.read_bytes(), (base64.b64decode(public),))
    assert (found.version, found.notes) == ("99.0.0", "- faster\n")
    assert {(file.kind, file.machine) for file in found.files} == {
        ("deb", "x86_64"), ("exe", "x86_64"), ("dmg", "arm64"),
    }  # fmt: skip
    assert found.files[0].url.startswith("https://example.org/v99/launchpad")


def test_without_a_key_no_feed_is_written(tmp_path: Path) -> None:
    (tmp_path / "releases.json").write_text("{}")
    environment = {name: value for name, value in os.environ.items() if name != feed.KEY}
    done = subprocess.run(
        [sys.executable, str(RELEASE / "feed.py"), "sign-feed", str(tmp_path / "releases.json"), str(tmp_path / "out")],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.stdout.startswith("unsigned:")
    assert not (tmp_path / "out").exists()


def test_a_build_is_told_where_updates_come_from() -> None:
    configure = load(RELEASE / "configure_updates.py")
    public = feed.new_keys()[1]
    made = tomllib.loads(configure.text("https://example.org/updates.json", [public]))
    assert made == {"feed": "https://example.org/updates.json", "keys": [public]}
    for address, keys in (("http://example.org", [public]), ("https://example.org", ["c2hvcnQ="])):
        with pytest.raises(ValueError):
            configure.text(address, keys)
    source = shipped_source()
    assert bool(source.feed) == bool(source.keys), "a feed without a key, or a key without a feed"


def test_the_bill_of_materials_names_every_locked_dependency_and_library(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    bill = load(RELEASE / "bill_of_materials.py")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(SystemExit, match="is no bundle"):
        bill.main(tmp_path, tmp_path)
    library = bill.resources_of(tmp_path) / "libraries" / "libssl3.txt"
    library.parent.mkdir(parents=True)
    library.write_text("The licence of OpenSSL")
    made = bill.document(moment, tmp_path)
    assert made == bill.document(moment, tmp_path)
    assert [part["type"] for part in made["components"] if part["name"] == "libssl3"] == ["library"]
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.5")
    references = [part["bom-ref"] for part in made["components"]]
    assert len(references) == len(set(references))
    assert set(made["dependencies"][0]["dependsOn"]) == set(references)
    named = {part["purl"].partition("@")[0].rpartition("/")[2] for part in made["components"] if "purl" in part}
    locked = re.findall(
        r"^([a-z0-9._-]+)==\S+ ?(?:; (.*?))? ?\\$", (ROOT / "requirements/runtime.lock").read_text(), re.M
    )
    here = {re.sub(r"[-_.]+", "-", name) for name, marker in locked if not marker}
    assert len(here) > 40
    assert here <= named, f"not named: {here - named}"
    assert all(part["licenses"][0]["license"]["name"] for part in made["components"])
    said = bill.texts(tmp_path)
    assert "Inter 4.1: OFL-1.1" in said
    assert "The licence of OpenSSL" in said


def collect(release: Path, version: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", str(RELEASE / "collect.sh"), str(release), version, "https://example.org/releases"]
    run = {**os.environ, "PYTHON": sys.executable, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=run)


@pytest.mark.skipif(sys.platform == "win32", reason="releases are put together on Linux")
def test_a_release_is_put_together_signed_and_checked(release: Path) -> None:
    private, public = feed.new_keys()
    # While a key is replaced builds know two.
    keys = {feed.KEY: private, "LAUNCHPAD_UPDATE_PUBLIC_KEY": f"{feed.new_keys()[1]}, {public}"}
    assert "no SBOM" in collect(release, __version__, **keys).stderr
    (release / f"launchpad-{__version__}-linux-x86_64-sbom.cdx.json").write_text("{}")
    refused = collect(release, "99.0.0", **keys)
    assert refused.returncode == 1
    assert f"the program says {__version__}" in refused.stderr
    done = collect(release, __version__, **keys)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "verified"), done.stderr
    (found,) = believed((release / "updates.json").read_bytes(), (base64.b64decode(public),))
    assert (found.version, found.notes) == (__version__, (release / "release-notes.md").read_text())
    assert "updates.json" in (release / "SHA256SUMS").read_text()


def test_every_script_that_a_workflow_runs_is_there_and_parses() -> None:
    flows = list((ROOT / ".github" / "workflows").glob("*.yml"))
    assert {flow.name for flow in flows} >= {"ci.yml", "release.yml"}
    named = {name for flow in flows for name in re.findall(r"installers/[\w./-]+\.(?:sh|py)", flow.read_text())}
    assert len(named) > 8
    for name in named:
        assert (ROOT / name).is_file(), name
    for script in (ROOT / "installers").rglob("*.sh"):
        shell = "bash" if "bash" in script.read_text().partition("\n")[0] else "sh"
        subprocess.run([shell, "-n", str(script)], check=True)


def test_actions_are_pinned_and_no_job_may_more_than_it_says() -> None:
    for flow in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = flow.read_text()
        actions = re.findall(r"uses: (.*)", text)
        assert actions
        for action in actions:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), f"a tag can be moved: {action}"
        assert "\npermissions:\n  contents: read\n" in text
        assert "pull_request_target" not in text
        assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")


def test_secrets_are_given_to_scripts_and_written_nowhere() -> None:
    for flow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in flow.read_text().splitlines():
            if "secrets." in line:
                assert re.fullmatch(r" +[A-Z_]+: \$\{\{ secrets\.[A-Z_]+ \}\}", line), line
