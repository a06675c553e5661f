"""Signing in to a real issuer by browser and by code, and what may come back instead of an answer."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from a_browser import Browser, Page, agree, codes
from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.platform.auth import profile_file
from launchpad.platform.auth.loopback import LoopbackServer, PortBusy
from launchpad.platform.auth.oauth import Refusal, SignInNeeded, provider_of
from launchpad.platform.auth.profiles import Profile
from launchpad.platform.auth.sign_in import by_browser, by_device, device_code, sign_out
from launchpad.platform.auth.store import TokenStore
from launchpad.platform.auth.tokens import StoredSignIn
from launchpad.platform.client import Client
from launchpad.platform.embedded import command_line
from launchpad.progress import Cancelled, Progress
from remote_platform import browser_command, open_by, remote


@pytest.fixture
def lab(platform_endpoint: Any) -> Iterator[Profile]:
    profile = remote(platform_endpoint)
    profile_file.add(profile)
    yield profile
    sign_out(profile)
    profile_file.remove(profile.name)


@pytest.fixture
def browser(platform_endpoint: Any, module_data_dir: Path, tmp_path: Path) -> str:
    return browser_command(module_data_dir / "platform", tmp_path)


def test_by_browser(lab: Profile, browser: str) -> None:
    with Client(profile=lab) as client, pytest.raises(SignInNeeded):
        client.me()
    signed = by_browser(lab, open_browser=open_by(browser))
    assert signed.tokens.user["sub"]
    with Client(profile=lab) as client:
        assert client.me().user.id == signed.tokens.user["sub"]


def test_by_code(lab: Profile, platform_endpoint: Any) -> None:
    code = device_code(lab)
    secret = {"X-Launchpad-Launch-Secret": platform_endpoint.launch_secret}
    form = {"user_code": code.user_code}
    httpx.post(code.address, data=form, headers=secret, trust_env=False).raise_for_status()
    by_device(lab, replace(code, interval=0.0))
    with Client(profile=lab) as client:
        assert client.me().user.id


def test_by_code_is_patient_and_ends(lab: Profile, platform_endpoint: Any) -> None:
    code = replace(device_code(lab), interval=0.05)
    with pytest.raises(LaunchpadError, match="has expired"):
        by_device(lab, replace(code, expires_in=0.2))
    progress = Progress()
    timer = threading.Timer(0.3, progress.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        by_device(lab, code, progress=progress)  # slow_down adds five seconds, which a person need not wait
    timer.join()
    secret = {"X-Launchpad-Launch-Secret": platform_endpoint.launch_secret}
    form = {"user_code": code.user_code, "answer": "refuse"}
    httpx.post(code.address, data=form, headers=secret, trust_env=False).raise_for_status()
    with pytest.raises(LaunchpadError, match="refused"):
        by_device(lab, replace(code, interval=0.0))
    assert TokenStore(lab).read() is None


def test_signing_out_revokes(lab: Profile, browser: str) -> None:
    signed = by_browser(lab, open_browser=open_by(browser))
    assert sign_out(lab) == (True, None)
    assert TokenStore(lab).read() is None
    answer = httpx.get(
        f"{lab.api_root}/api/v1/me",
        headers={"Authorization": f"Bearer {signed.tokens.access_token}"},
        trust_env=False,
    )
    assert answer.status_code == 401
    TokenStore(lab).write(replace(signed.tokens, expires_at=0.0))
    with pytest.raises(SignInNeeded, match="has ended"):
        StoredSignIn(lab).token()


def test_a_person_who_refuses_is_told(lab: Profile) -> None:
    def refuse(url: str) -> bool:
        with Browser() as browser:
            page = browser.open(url)
            assert isinstance(page, Page)
            where = browser.send(url, page, answer="refuse")
            assert isinstance(where, str)
            browser.open(where)
        return True

    with pytest.raises(Refusal, match="refused"):
        by_browser(lab, open_browser=refuse)


def test_a_sign_in_ends_by_itself_and_on_cancel(lab: Profile) -> None:
    with pytest.raises(LaunchpadError, match="took too long"):
        by_browser(lab, open_browser=lambda _: True, limit=0.2)
    progress = Progress()
    timer = threading.Timer(0.2, progress.cancel)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        by_browser(lab, open_browser=lambda _: True, progress=progress)
    assert time.monotonic() - begun < 5
    timer.join()
    with pytest.raises(LaunchpadError, match="No browser opens") as caught:
        by_browser(lab, open_browser=lambda _: False)
    assert "--device" in caught.value.advice


def test_an_answer_of_another_issuer_is_not_taken(lab: Profile) -> None:
    def mixed_up(url: str) -> bool:
        query = parse_qs(urlsplit(url).query)
        back = f"{query['redirect_uri'][0]}?code=x&state={query['state'][0]}&iss=https://evil.example/"
        return httpx.get(back, trust_env=False).is_success

    with pytest.raises(LaunchpadError, match="cannot be trusted"):
        by_browser(lab, open_browser=mixed_up)


def test_an_identity_for_another_request_is_not_taken(lab: Profile, platform_endpoint: Any) -> None:
    """The nonce: a code that was made for another sign-in is put into ours, with our challenge."""

    def swapped(url: str) -> bool:
        changed = re.sub(r"nonce=[^&]+", "nonce=another", url)
        return httpx.get(agree(platform_endpoint, changed), trust_env=False).is_success

    with pytest.raises(LaunchpadError, match="nonce"):
        by_browser(lab, open_browser=swapped)
    assert TokenStore(lab).read() is None


def test_stray_requests_are_ignored() -> None:
    with LoopbackServer("http://localhost:0/", "our state") as server:
        port = urlsplit(server.redirect_uri).port
        idle = socket.create_connection(("127.0.0.1", port or 0))  # browsers connect in advance
        hosts = ["127.0.0.1", "[::1]"] if socket.has_ipv6 and has_ipv6() else ["127.0.0.1"]
        for host in hosts:
            for target in ("/favicon.ico", "/", "/?code=x", "/?code=x&state=theirs", "/other?code=x&state=our%20state"):
                answer = httpx.get(f"http://{host}:{port}{target}", trust_env=False)
                assert answer.status_code == 404
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "script" not in answer.text
        assert (
            httpx.get(f"http://127.0.0.1:{port}/?state=our%20state&state=x&code=y", trust_env=False).status_code == 404
        )
        assert server.wait(0) is None
        assert httpx.get(f"http://{hosts[-1]}:{port}/?state=our+state&code=right", trust_env=False).status_code == 200
        answer = server.wait(5)
        assert answer is not None
        assert answer["code"] == "right"
        late = httpx.get(f"http://127.0.0.1:{port}/?state=our+state&code=late", trust_env=False)
        assert late.status_code == 404
        assert answer["code"] == "right"
        idle.close()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_busy_port_is_named_with_who_has_it(lab: Profile, address: str) -> None:
    if address == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as taken:
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=f"Port {port} of this computer is in use") as caught:
            LoopbackServer(f"http://localhost:{port}/", "state")
        assert f"process {os.getpid()}" in caught.value.detail
        assert "--device" in caught.value.advice


@pytest.mark.parametrize("uri", ["https://localhost:8989/", "http://0.0.0.0:8989/", "http://example.org:8989/"])
def test_the_browser_comes_back_to_this_computer_only(uri: str) -> None:
    with pytest.raises(LaunchpadError, match="cannot come back"):
        LoopbackServer(uri, "state")


def test_discovery_is_of_the_right_issuer(lab: Profile, platform_endpoint: Any) -> None:
    other = replace(lab, issuer=lab.issuer.replace("127.0.0.1", "localhost"))
    with pytest.raises(LaunchpadError, match="calls itself differently"):
        provider_of(other)


# --- by the commands ---------------------------------------------------------------------------------------------
def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command_line(), *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, **environment},
    )


def test_the_commands_from_login_to_logout(lab: Profile, browser: str) -> None:
    nobody = run("--profile", "lab", "user", "whoami")
    assert nobody.returncode == 1
    assert "not signed in" in nobody.stderr
    done = run("--profile", "lab", "user", "login", BROWSER=browser)
    assert (done.returncode, done.stdout) == (0, "Successfully logged in.\n"), done.stderr
    assert "in the clear" in done.stderr
    assert "this system has no keyring" in done.stderr
    who = run("--profile", "lab", "user", "whoami")
    document = json.loads(who.stdout)
    assert document["profile"] == "lab"
    assert document["role"] == "admin"
    assert document["token"]["issuer"] == lab.issuer
    assert document["token"]["expires_in"] > 3600
    assert document["organization"]["aignostics_bucket_hmac_secret_access_key"] == "***"
    assert "in the clear" in document["stored"]
    token = run("--profile", "lab", "user", "token").stdout.strip()
    assert token not in who.stdout
    tried = run("profile", "test", "lab")
    assert tried.returncode == 0, tried.stdout
    assert [line.split()[0] for line in tried.stdout.splitlines()] == ["ok"] * 4
    out = run("--profile", "lab", "user", "logout")
    assert (out.returncode, out.stdout) == (0, "Successfully logged out.\n"), out.stderr
    assert run("--profile", "lab", "user", "logout").returncode == 2
    again = run("profile", "test", "lab")
    assert again.returncode == 1
    assert "failed  sign-in: You are not signed in" in again.stdout
    logs = "".join(path.read_text() for path in paths.log_dir().glob("*.log"))
    assert token not in logs


def test_login_without_a_browser_is_by_code(lab: Profile, platform_endpoint: Any) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment.pop("BROWSER", None)
    arguments = [*command_line(), "--profile", "lab", "user", "login"]
    with subprocess.Popen(
        arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as login:
        assert login.stderr is not None
        line = login.stderr.readline()
        found = re.search(r"enter the code (\S+)", line)
        assert found is not None, line
        with Browser() as browser:
            url = f"{lab.issuer}activate?user_code={found[1]}"
            page = browser.open(url)
            assert isinstance(page, Page)
            done = browser.send(url, page, code=codes(platform_endpoint)[0]["code"], answer="allow")
            assert isinstance(done, Page)
            assert done.status == 200
        out, _ = login.communicate(timeout=60)
    assert (login.returncode, out) == (0, "Successfully logged in.\n")


def test_a_busy_port_leads_to_a_code(lab: Profile, platform_endpoint: Any, browser: str) -> None:
    """An issuer that allows one fixed address only, whose port somebody has."""
    provider = provider_of(lab)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        values = {
            "AIGNOSTICS_API_ROOT": lab.api_root,
            "AIGNOSTICS_AUDIENCE": lab.audience,
            "AIGNOSTICS_AUTHORIZATION_BASE_URL": provider.authorization,
            "AIGNOSTICS_TOKEN_URL": provider.token,
            "AIGNOSTICS_REDIRECT_URI": f"http://localhost:{port}/",
            "AIGNOSTICS_DEVICE_URL": provider.device,
            "AIGNOSTICS_JWS_JSON_URL": provider.keys,
            "AIGNOSTICS_CLIENT_ID_INTERACTIVE": lab.client_id,
        }
        arguments = [*command_line(), "user", "login", "--browser"]
        environment = {**os.environ, **values, "BROWSER": browser}
        with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=environment) as login:
            assert login.stderr is not None
            said = [login.stderr.readline() for _ in range(3)]
            try:
                login.send_signal(2)
                login.communicate(timeout=60)
            finally:
                login.kill()  # nothing where it has ended
    assert login.returncode == 130
    assert f"Port {port} of this computer is in use" in said[1]
    assert "enter the code" in said[2]


def test_profiles_by_the_commands(platform_endpoint: Any) -> None:
    endpoint = platform_endpoint
    values = ["--api-root", endpoint.api_root, "--issuer", endpoint.issuer, "--client-id", endpoint.client_id]
    values += ["--audience", endpoint.audience, "--storage-endpoint", endpoint.storage_endpoint]
    assert run("profile", "add", "ward 7", *values).returncode == 2
    wrong = [value.replace(platform_endpoint.issuer, "http://127.0.0.1:9/") for value in values]
    refused = run("profile", "add", "ward", *wrong)
    assert refused.returncode == 1
    assert "cannot be reached" in refused.stderr
    assert run("profile", "add", "ward", *values, "--title", "Ward").returncode == 0
    try:
        used = run("profile", "use", "ward")
        assert used.stdout == "Launchpad now talks to Ward.\n"
        assert "signed in: no" in run("profile", "show").stdout
        assert "* ward" in run("profile", "list").stdout
        assert "another platform" in run("profile", "use", "ward", LAUNCHPAD_PROFILE="local").stderr
    finally:
        assert run("profile", "remove", "ward").returncode == 0
    assert "* local" in run("profile", "list").stdout
    assert run("profile", "show", "ward").returncode == 2


def test_a_refresh_token_of_the_environment_is_enough(lab: Profile, platform_endpoint: Any) -> None:
    form = {
        "grant_type": "urn:launchpad:launch-secret",
        "client_id": lab.client_id,
        "launch_secret": platform_endpoint.launch_secret,
        "scope": "offline_access",
    }
    provider = provider_of(lab)
    token = httpx.post(provider.token, data=form, trust_env=False).json()["refresh_token"]
    values = {
        "AIGNOSTICS_API_ROOT": lab.api_root,
        "LAUNCHPAD_ISSUER": lab.issuer,
        "LAUNCHPAD_CLIENT_ID": lab.client_id,
        "LAUNCHPAD_AUDIENCE": lab.audience,
        "LAUNCHPAD_STORAGE_ENDPOINT": lab.storage_endpoint,
        "AIGNOSTICS_REFRESH_TOKEN": token,
    }
    done = run("user", "whoami", **values)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored"] == "not at all: the settings hold a token"
    assert not list(paths.sign_in_dir().glob("*.json"))
    bad = run("user", "whoami", **(values | {"AIGNOSTICS_REFRESH_TOKEN": "x" * 40}))
    assert bad.returncode == 1
    assert "refresh token of the settings is not accepted" in bad.stderr


def test_a_token_provider_replaces_signing_in(lab: Profile, platform_endpoint: Any) -> None:
    asked: list[int] = []
    with Client() as here:

        def provide() -> str:
            asked.append(1)
            return here.token() if len(asked) > 1 else "ended"

        with Client(token_provider=provide, profile=lab) as client:
            assert client.me().user.id
    assert len(asked) == 2
