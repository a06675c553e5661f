"""Updates: signed, newer, whole, at most once a day, and only where nobody switched them off."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from launchpad import __version__, paths
from launchpad.errors import BadInput, ChecksumError, LaunchpadError, NotFound, SettingsError, TransferError
from launchpad.system import updates
from launchpad.system.release_feed import Release, ReleaseFile, believed, order, safe_url

PAYLOAD = b"an installer " * 1000


class Server:
    """A release server: path -> body, or (status, location); counts what is asked."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | str] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                found = outer.pages.get(self.path)
                self.send_response(404 if found is None else 302 if isinstance(found, str) else 200)
                body = found if isinstance(found, bytes) else b""
                if isinstance(found, str):
                    self.send_header("Location", found)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def server(data_dir: Path, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A release server that this build was made for."""
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.05,))
    thread.start()
    shipped = data_dir / "updates.toml"
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    shipped.write_text(f'feed = "{made.address}/feed"\nkeys = ["{public}"]\n')
    resource = paths.resource
    monkeypatch.setattr(paths, "resource", lambda *parts: shipped if parts == ("updates.toml",) else resource(*parts))
    monkeypatch.setattr(updates, "managed_file", lambda: data_dir / "managed.toml")
    yield made
    made.http.shutdown()
    made.http.server_close()
    thread.join()


def feed(key: Ed25519PrivateKey, *releases: dict[str, Any]) -> bytes:
    text = json.dumps({"schema": 1, "releases": releases})
    return json.dumps({"signed": text, "signature": base64.b64encode(key.sign(text.encode())).decode()}).encode()


def release(version: str, server: Server, **other: Any) -> dict[str, Any]:
    file = {
        "kind": "deb", "machine": "any", "name": f"launchpad_{version}.deb", "url": f"{server.address}/file",
        "size": len(PAYLOAD), "sha256": hashlib.sha256(PAYLOAD).hexdigest(),
    }  # fmt: skip
    return {"version": version, "date": "2026-01-02", "notes": "# New\n- faster", "files": [file | other]}


def test_versions_are_in_order() -> None:
    names = ["0.1.0.dev3", "0.1.0a1", "0.1.0b2", "0.1.0rc1", "0.1.0", "0.1.1", "0.9.0", "0.10.0", "1.0"]
    assert sorted(set(names), key=order) == names
    for wrong in ("", "1", "v1.2", "1.2.3/../x", "latest"):
        with pytest.raises(BadInput):
            order(wrong)


def test_only_what_a_shipped_key_signed_is_believed(key: Ed25519PrivateKey, server: Server) -> None:
    good = feed(key, release("9.0.0", server), release("10.0.0", server))
    keys = (key.public_key().public_bytes_raw(),)
    assert [item.version for item in believed(good, keys)] == ["10.0.0", "9.0.0"]
    other = Ed25519PrivateKey.generate()
    with pytest.raises(ChecksumError, match="not signed"):
        believed(feed(other, release("9.0.0", server)), keys)
    with pytest.raises(ChecksumError):
        believed(good.replace(b"9.0.0", b"9.0.1"), keys)
    with pytest.raises(ChecksumError):
        believed(good, ())
    for broken in (b"", b"<html>", b"[]", b'{"signed": 1}', b'{"signed": "{}", "signature": "?"}', b"\xff"):
        with pytest.raises(LaunchpadError):
            believed(broken, keys)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../evil.deb"}, {"name": ""}, {"sha256": "12"}, {"size": 0}, {"size": 1 << 40},
        {"url": "http://example.org/x"}, {"url": "file:///etc/passwd"},
    ],
    ids=str,
)  # fmt: skip
def test_a_signed_announcement_of_nonsense_is_refused(
    wrong: dict[str, Any], key: Ed25519PrivateKey, server: Server
) -> None:
    with pytest.raises(LaunchpadError, match="cannot be read"):
        believed(feed(key, release("9.0.0", server, **wrong)), (key.public_key().public_bytes_raw(),))


def test_nothing_goes_over_an_open_line() -> None:
    assert safe_url("https://example.org/x")
    assert safe_url("http://127.0.0.1:8/x")
    assert not safe_url("http://example.org/x")
    assert not safe_url("ftp://127.0.0.1/x")


def test_one_looks_at_most_once_a_day(server: Server, key: Ed25519PrivateKey) -> None:
    server.pages["/feed"] = feed(key, release("99.0.0", server))
    first = updates.check(now=1_000_000)
    assert first is not None
    assert first.release.version == "99.0.0"
    assert updates.check(now=1_000_000 + updates.DAY - 1) == first
    assert server.asked == ["/feed"]
    updates.check(now=1_000_000 + updates.DAY)
    assert len(server.asked) == 2
    updates.check(now=5, force=False)  # the clock was set back: one looks again
    assert len(server.asked) == 3
    updates.check(now=6, force=True)
    assert len(server.asked) == 4


def test_a_look_that_fails_counts_and_what_was_kept_is_not_believed_blindly(
    server: Server, key: Ed25519PrivateKey
) -> None:
    with pytest.raises(TransferError, match="404"):
        updates.check(now=1_000_000)
    assert updates.check(now=1_000_100) is None
    assert server.asked == ["/feed"]
    forged = feed(Ed25519PrivateKey.generate(), release("99.0.0", server)).decode()
    (paths.data_dir() / "updates.json").write_text(json.dumps({"looked": 1_000_000, "feed": forged}))
    assert updates.check(now=1_000_200) is None


def test_no_downgrade_and_no_trial_version(server: Server, key: Ed25519PrivateKey) -> None:
    for version in ("0.0.1", __version__, "99.0.0rc1"):
        server.pages["/feed"] = feed(key, release(version, server))
        assert updates.check(force=True) is None
    old = updates.Update(Release("0.0.1", "", "", ()), ReleaseFile("deb", "any", "a.deb", "", 1, ""))
    for step in (updates.download, lambda update: updates.hand_over(update, Path("a.deb"))):
        with pytest.raises(BadInput, match="no newer version"):
            step(old)


def test_it_is_off_in_the_settings_for_managed_computers_and_without_a_key(
    server: Server, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert updates.why_off() == ""
    monkeypatch.setenv("LAUNCHPAD_UPDATES", "off")
    assert "settings" in updates.why_off()
    assert updates.check() is None
    with pytest.raises(BadInput, match="switched off"):
        updates.check(force=True)
    monkeypatch.delenv("LAUNCHPAD_UPDATES")
    for text in ("updates = false\n", "not toml ["):
        (data_dir / "managed.toml").write_text(text)
        assert "administrator" in updates.why_off()
    (data_dir / "managed.toml").write_text("updates = true\n")
    assert updates.why_off() == ""
    (data_dir / "updates.toml").write_text('feed = ""\nkeys = []\n')
    assert "without a place" in updates.why_off()
    assert server.asked == []
    monkeypatch.setenv("LAUNCHPAD_UPDATE_FEED", "http://example.org/feed")
    with pytest.raises(SettingsError):
        updates.why_off()


def of_this_computer(server: Server, **other: Any) -> updates.Update:
    file = release("99.0.0", server, **other)["files"][0]
    return updates.Update(Release("99.0.0", "", "", ()), ReleaseFile(**file))


def test_the_installer_is_fetched_checked_and_kept(server: Server) -> None:
    server.pages["/file"] = f"{server.address}/real"
    server.pages["/real"] = PAYLOAD
    old = paths.ensure_private(updates.downloads_dir()) / "old.deb"
    old.write_text("old")
    file = updates.download(of_this_computer(server))
    assert file.read_bytes() == PAYLOAD
    assert [item.name for item in updates.downloads_dir().iterdir()] == ["launchpad_99.0.0.deb"]
    count = len(server.asked)
    assert updates.download(of_this_computer(server)) == file
    assert len(server.asked) == count, "what is there and whole is not fetched again"


@pytest.mark.parametrize(
    "served", [PAYLOAD[:-1] + b"!", PAYLOAD[:-1], PAYLOAD + b"x", b""], ids=["flipped", "short", "long", "none"]
)
def test_an_installer_that_is_not_as_announced_is_not_kept(served: bytes, server: Server) -> None:
    server.pages["/file"] = served
    with pytest.raises(ChecksumError, match="not what was announced"):
        updates.download(of_this_computer(server))
    assert list(updates.downloads_dir().iterdir()) == []


def test_a_redirection_to_an_open_line_is_not_followed(server: Server) -> None:
    server.pages["/file"] = "http://example.org/real"
    with pytest.raises(TransferError, match="unprotected"):
        updates.download(of_this_computer(server))


def test_what_changed_after_the_download_is_not_started(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.pages["/file"] = PAYLOAD
    update = of_this_computer(server)
    file = updates.download(update)
    file.write_bytes(PAYLOAD[:-1] + b"!")
    with pytest.raises(ChecksumError):
        updates.hand_over(update, file)


def test_the_systems_installer_gets_the_file_and_a_clean_environment(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages["/file"] = PAYLOAD
    told = tmp_path / "told"
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\nprintf "%s|%s" "$1" "${{LAUNCHPAD_DATA_DIR:-none}}" > "{told}.part"\n'
                      f'mv "{told}.part" "{told}"\n')  # fmt: skip
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    update = of_this_computer(server)
    file = updates.download(update)
    updates.hand_over(update, file)
    assert told.read_text() == f"{file}|none"
    opener.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(LaunchpadError, match="nothing that opens"):
        updates.hand_over(update, file)
    assert updates.opener(Path("/x/a.tar.xz"))[-1] == "/x", "an archive's folder is shown"


def test_the_file_is_of_this_machine_and_the_way_it_was_installed() -> None:
    def item(kind: str, machine: str) -> ReleaseFile:
        return ReleaseFile(kind, machine, f"{kind}-{machine}", "", 1, "")

    found = Release("9.0", "", "", (item("deb", "x86_64"), item("deb", "arm64"), item("dmg", "any")))
    assert updates.file_for(found, "deb", "aarch64") == item("deb", "arm64")
    assert updates.file_for(found, "deb", "AMD64") == item("deb", "x86_64")
    assert updates.file_for(found, "dmg", "arm64") == item("dmg", "any")
    assert updates.file_for(found, "rpm", "x86_64") is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="packages of Linux")
def test_a_package_is_told_from_an_archive_that_somebody_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert updates.installed_as(tmp_path) == "python"
    program, listed = tmp_path / "opt/pathology-launchpad/launchpad", tmp_path / "var/lib/dpkg/info"
    for name in (program, tmp_path / "opt/tools/launchpad", listed / "python3-launchpadlib.list"):
        name.parent.mkdir(parents=True, exist_ok=True)
        name.touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    assert updates.installed_as(tmp_path) == "tar.xz"
    entry = tmp_path / "usr/share/applications/pathology-launchpad.desktop"
    entry.parent.mkdir(parents=True)
    entry.touch()
    assert updates.installed_as(tmp_path) == "rpm"
    (listed / "pathology-launchpad.list").touch()
    monkeypatch.setenv("APPIMAGE", "/home/person/Terminal.AppImage")  # a program that started ours
    assert updates.installed_as(tmp_path) == "deb"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "opt/tools/launchpad"))
    assert updates.installed_as(tmp_path) == "appimage"


def test_without_a_file_for_this_computer_there_is_a_line_to_type() -> None:
    assert updates.installed_as() == "python"
    with pytest.raises(NotFound, match="pip install"):
        updates.download(updates.Update(Release("99.0", "", "", ()), None))


def test_the_commands_say_what_there_is(
    server: Server, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from launchpad.cli.app import app
    from launchpad.cli.errors import guarded

    def launchpad(*arguments: str) -> tuple[int, str]:
        code = guarded(lambda: app(list(arguments), standalone_mode=False))
        return code, "".join(capsys.readouterr())

    server.pages["/feed"] = feed(key, release("99.0.0", server))
    assert launchpad("update", "check") == (
        0,
        f"Launchpad 99.0.0 is there; this is {__version__}.\n# New\n- faster\n{updates.by_hand('99.0.0')}\n",
    )
    code, text = launchpad("update", "check", "--format", "json")
    assert (code, json.loads(text)["newest"]) == (0, "99.0.0")
    assert launchpad("update", "install", "--yes")[0] == 2
    monkeypatch.setattr(updates, "installed_as", lambda: "deb")
    server.pages["/file"] = PAYLOAD
    code, text = launchpad("update", "install", "--yes", "--only-download")
    assert code == 0, text
    assert "Fetched and checked" in text
    server.pages["/feed"] = feed(key)
    assert launchpad("update", "check") == (0, f"Launchpad {__version__} is the newest version.\n")
