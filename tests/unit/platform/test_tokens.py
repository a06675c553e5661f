"""Stored sign-ins: whose they are, how they are kept, and how many processes refresh them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import keyring
import keyring.core
import pytest

import keyrings
from launchpad import paths
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth import keyring_key, oauth
from launchpad.platform.auth.oauth import SignInNeeded
from launchpad.platform.auth.profiles import Profile
from launchpad.platform.auth.sign_in import sign_out
from launchpad.platform.auth.store import StoredTokens, TokenStore
from launchpad.platform.auth.tokens import StoredSignIn
from launchpad.platform.http import Api

LAB = Profile(
    "lab", "Lab", "remote", "https://lab.example", "https://id.example/", "client", "https://lab.example/api",
    "https://store.example", origin="added",
)  # fmt: skip


def tokens(**changes: Any) -> StoredTokens:
    now = time.time()
    values = {"access_token": "access 1", "refresh_token": "refresh 1", "issued_at": now, "expires_at": now + 3600}
    return StoredTokens(**(values | {"user": {"sub": "me"}} | changes))


@pytest.fixture(params=["Working"])
def ring(
    request: pytest.FixtureRequest, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A keyring of some kind, in this process and in those that it starts."""
    before = keyring.get_keyring()
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"keyrings.{request.param}")
    monkeypatch.setenv("TEST_KEYRING_FILE", str(tmp_path / "keyring.json"))
    keyring.set_keyring(getattr(keyrings, request.param)())
    keyring_key.forget()
    keyrings.released.clear()
    keyrings.asked.clear()
    yield request.param
    keyrings.released.set()
    keyring.set_keyring(before)
    keyring_key.forget()


def test_a_sign_in_is_encrypted_by_a_key_of_the_keyring(ring: str, tmp_path: Path) -> None:
    store = TokenStore(LAB)
    long = tokens(access_token="a" * 3000, refresh_token="r" * 3000)  # more than a keyring of Windows takes
    assert store.write(long).encrypted
    assert store.read() == long
    written = store.path.read_text()
    assert "aaaa" not in written
    assert "rrrr" not in written
    kept = json.loads((tmp_path / "keyring.json").read_text())
    assert [len(value) for value in kept.values()] == [44]
    keyring_key.forget()
    assert store.read() == long


def test_files_and_folder_are_for_this_account_alone(ring: str) -> None:
    store = TokenStore(LAB)
    store.write(tokens())
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    store.path.chmod(0o640)
    with pytest.raises(LaunchpadError, match="Others could read"):
        store.read()
    with pytest.raises(LaunchpadError, match="Others could read"):
        StoredSignIn(LAB).token()
    store.write(tokens())
    assert store.read() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a right there")
def test_a_link_in_place_of_the_file_is_not_followed(ring: str, tmp_path: Path) -> None:
    store = TokenStore(LAB)
    store.write(tokens())
    store.path.rename(tmp_path / "elsewhere")
    store.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LaunchpadError, match="cannot be read"):
        store.read()


@pytest.mark.parametrize(
    ("ring", "why"),
    [
        ("Hanging", "does not answer within"),
        ("Refusing", "fails (PasswordSetError)"),
        ("Forgetting", "does not keep"),
    ],
    indirect=["ring"],
)
def test_a_keyring_that_does_not_work_costs_three_seconds_at_most(
    ring: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keyring_key.LIMIT == 3.0
    monkeypatch.setattr(keyring_key, "LIMIT", 0.3)
    store = TokenStore(LAB)
    begun = time.monotonic()
    kept = store.write(tokens())
    assert time.monotonic() - begun < 2
    assert not kept.encrypted
    assert why in kept.reason
    asked = len(keyrings.asked)
    assert store.read() == store.read()
    store.write(tokens(access_token="access 2"))
    assert len(keyrings.asked) == asked, "a keyring that failed is asked once"
    assert json.loads(store.path.read_text())["data"]["access_token"] == "access 2"
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    protection = store.protection()
    assert protection is not None
    assert why in protection.reason


def test_without_a_keyring_it_is_kept_in_the_clear(data_dir: Path) -> None:
    keyring_key.forget()
    kept = TokenStore(LAB).write(tokens())
    assert (kept.encrypted, kept.reason) == (False, "this system has no keyring")
    assert TokenStore(LAB).read() is not None


def test_a_key_that_is_out_of_reach_is_told_and_nothing_is_lost(
    ring: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TokenStore(LAB)
    store.write(tokens())
    keyring_key.forget()
    (tmp_path / "keyring.json").rename(tmp_path / "locked")
    with pytest.raises(LaunchpadError, match="cannot be opened") as caught:
        store.read()
    assert "--relogin" in caught.value.advice
    (tmp_path / "locked").rename(tmp_path / "keyring.json")
    keyring_key.forget()
    assert store.read() is not None


@pytest.mark.parametrize("change", ["api_root", "issuer", "client_id", "audience"])
def test_a_sign_in_belongs_to_root_issuer_client_and_audience_together(ring: str, change: str) -> None:
    TokenStore(LAB).write(tokens())
    other = replace(LAB, **{change: "https://evil.example/"})
    assert TokenStore(other).read() is None
    with pytest.raises(SignInNeeded, match="not signed in"):
        StoredSignIn(other).token()
    TokenStore(other).path.write_bytes(TokenStore(LAB).path.read_bytes())
    TokenStore(other).path.chmod(0o600)
    with pytest.raises(LaunchpadError, match="another platform"):
        TokenStore(other).read()


def test_a_damaged_file_is_told(ring: str) -> None:
    store = TokenStore(LAB)
    store.write(tokens())
    document = json.loads(store.path.read_text())
    for broken in ("", "{}", json.dumps(document | {"data": "AAAA"}), json.dumps(document | {"encrypted": False})):
        store.path.write_text(broken)
        with pytest.raises(LaunchpadError, match="damaged"):
            store.read()


class Issuer(ThreadingHTTPServer):
    """An issuer with rotation: it counts, and says what a test wants."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _IssuerHandler)
        self.refreshed: list[str] = []
        self.current = "refresh 1"
        self.slow = 0.0
        self.says: tuple[int, str] | None = None
        self.lives = 3600
        self.seen: list[tuple[str, str]] = []
        self.profile = replace(
            LAB, api_root=self.root, issuer=f"{self.root}/", audience="https://lab.example/api", redirect_uris=()
        )

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _IssuerHandler(BaseHTTPRequestHandler):
    server: Issuer

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        issuer = self.server
        if self.path.startswith("/.well-known"):
            document = {"issuer": f"{issuer.root}/", "token_endpoint": f"{issuer.root}/token"}
            self._answer(200, document | {"jwks_uri": f"{issuer.root}/keys"})
            return
        bearer = self.headers.get("Authorization", "")
        issuer.seen.append((self.command, bearer))
        good = bearer == f"Bearer access {len(issuer.refreshed) + 1}"
        self._answer(200 if good else 401, {"ok": good})

    def do_POST(self) -> None:
        issuer = self.server
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.path != "/token":
            self.do_GET()
            return
        time.sleep(issuer.slow)
        if issuer.says is not None:
            self._answer(issuer.says[0], {"error": issuer.says[1]})
        elif form["refresh_token"] != issuer.current:
            self._answer(400, {"error": "invalid_grant"})
        else:
            issuer.refreshed.append(form["refresh_token"])
            issuer.current = f"refresh {len(issuer.refreshed) + 1}"
            answer = {"access_token": f"access {len(issuer.refreshed) + 1}", "refresh_token": issuer.current}
            self._answer(200, answer | {"expires_in": issuer.lives})


@pytest.fixture
def issuer(data_dir: Path) -> Iterator[Issuer]:
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    keyring_key.forget()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    oauth._providers.clear()


def test_a_token_is_refreshed_five_minutes_before_its_end(issuer: Issuer) -> None:
    store = TokenStore(issuer.profile)
    store.write(tokens(expires_at=time.time() + 310))
    assert StoredSignIn(issuer.profile).token() == "access 1"
    store.write(tokens(expires_at=time.time() + 290))
    source = StoredSignIn(issuer.profile)
    assert source.token() == "access 2"
    assert source.token() == "access 2"
    kept = store.read()
    assert kept is not None
    assert (kept.access_token, kept.refresh_token, kept.user) == ("access 2", "refresh 2", {"sub": "me"})
    assert issuer.refreshed == ["refresh 1"]


def test_the_rotated_token_is_on_the_disk_before_it_is_used(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    store = TokenStore(issuer.profile)
    store.write(tokens(expires_at=time.time() - 10))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(paths, "write_private", full)
        source = StoredSignIn(issuer.profile)
        with pytest.raises(LaunchpadError, match="cannot be stored") as caught:
            source.token()
    assert "No space left" in caught.value.detail


EIGHT = """
import sys, json
from launchpad.platform.auth.profiles import Profile
from launchpad.platform.auth.tokens import StoredSignIn
profile = Profile(**json.loads(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(StoredSignIn(profile).token())
"""


def test_eight_processes_at_once_make_one_refresh_call(issuer: Issuer) -> None:
    TokenStore(issuer.profile).write(tokens(expires_at=time.time() + 60))
    issuer.slow = 0.3
    names = ("name", "title", "kind", "api_root", "issuer", "client_id", "audience", "storage_endpoint")
    words = json.dumps({name: getattr(issuer.profile, name) for name in names})
    started = [
        subprocess.Popen([sys.executable, "-c", EIGHT, words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in started]
    assert said == ["access 2"] * 8
    assert issuer.refreshed == ["refresh 1"]


def test_many_threads_make_one_refresh_call(issuer: Issuer) -> None:
    TokenStore(issuer.profile).write(tokens(expires_at=time.time() + 60))
    source, said = StoredSignIn(issuer.profile), []
    threads = [threading.Thread(target=lambda: said.append(source.token())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (said, issuer.refreshed) == (["access 2"] * 16, ["refresh 1"])


def test_an_issuer_that_is_away_matters_only_when_the_token_has_ended(issuer: Issuer) -> None:
    store = TokenStore(issuer.profile)
    away = replace(issuer.profile, issuer="http://127.0.0.1:9/")
    TokenStore(away).write(tokens(expires_at=time.time() + 200))
    assert StoredSignIn(away).token() == "access 1"
    TokenStore(away).write(tokens(expires_at=time.time() + 20))
    with pytest.raises(Unreachable):
        StoredSignIn(away).token()
    assert store.read() is None


def test_a_sign_in_that_has_ended_asks_for_a_new_one(issuer: Issuer) -> None:
    TokenStore(issuer.profile).write(tokens(expires_at=0.0, refresh_token="stolen and used"))
    with pytest.raises(SignInNeeded, match="has ended") as caught:
        StoredSignIn(issuer.profile).token()
    assert caught.value.subject == "Lab"
    issuer.says = (500, "server_error")
    with pytest.raises(LaunchpadError, match="refused") as other:
        StoredSignIn(issuer.profile).token()
    assert not isinstance(other.value, SignInNeeded)


def test_a_refused_token_is_renewed_once_whatever_the_request(issuer: Issuer) -> None:
    # The platform's clock and ours differ: to us the token has an hour left.
    TokenStore(issuer.profile).write(tokens(access_token="ended"))
    source = StoredSignIn(issuer.profile)
    api = Api(issuer.root, source.token, renew=source.renew)
    try:
        assert api.post("/api/v1/runs", {}) == {"ok": True}
        assert [bearer for _, bearer in issuer.seen] == ["Bearer ended", "Bearer access 2"]
        issuer.current = "somebody else's"
        TokenStore(issuer.profile).write(tokens(access_token="ended too"))
        again = StoredSignIn(issuer.profile)
        other = Api(issuer.root, again.token, renew=again.renew)
        try:
            with pytest.raises(SignInNeeded, match="has ended"):
                other.get("/api/v1/me")
        finally:
            other.close()
    finally:
        api.close()
    assert len(issuer.seen) == 3


def test_a_clock_that_was_put_back_does_not_keep_a_token_alive(issuer: Issuer) -> None:
    ahead = time.time() + 30 * 86_400
    TokenStore(issuer.profile).write(tokens(issued_at=ahead, expires_at=ahead + 3600))
    assert StoredSignIn(issuer.profile).token() == "access 2"


def test_a_dotenv_that_changes_the_root_gets_no_stored_token(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from launchpad.platform.auth.profiles import select_profile
    from launchpad.platform.client import Client
    from launchpad.settings import load_settings

    TokenStore(issuer.profile).write(tokens())
    with Client(profile=issuer.profile) as client:
        assert client.token() == "access 1"
    own = issuer.profile
    evil = Issuer()
    thread = threading.Thread(target=evil.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        lines = {
            "LAUNCHPAD_API_ROOT": evil.root,
            "LAUNCHPAD_ISSUER": own.issuer,
            "LAUNCHPAD_CLIENT_ID": own.client_id,
            "LAUNCHPAD_AUDIENCE": own.audience,
            "LAUNCHPAD_STORAGE_ENDPOINT": own.storage_endpoint,
        }
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        chosen = select_profile(load_settings())
        assert chosen.api_root == evil.root
        assert chosen.identity[1:] == own.identity[1:]
        with Client() as client, pytest.raises(SignInNeeded):
            client.me()
        assert evil.seen == []
        assert issuer.refreshed == []
    finally:
        evil.shutdown()
        thread.join()
        evil.server_close()


def test_signing_out_removes_the_file_also_without_the_issuer(issuer: Issuer) -> None:
    TokenStore(issuer.profile).write(tokens())
    assert sign_out(issuer.profile) == (True, None)  # this issuer has no way to revoke
    assert sign_out(issuer.profile) == (False, None)
    away = replace(issuer.profile, issuer="http://127.0.0.1:9/")
    TokenStore(away).write(tokens())
    removed, problem = sign_out(away)
    assert removed
    assert isinstance(problem, Unreachable)
    assert TokenStore(away).read() is None


def test_another_accounts_file_is_not_taken(data_dir: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only the administrator can give files away")
    store = TokenStore(LAB)
    store.write(tokens())
    os.chown(store.path, 65534, -1)
    with pytest.raises(LaunchpadError, match="Others could read"):
        store.read()
