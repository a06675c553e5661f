"""How the platform is run: limits, slow clients, headers, sign-in, the log, stopping in order, programs' variables."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from launchpad.bucket import signing
from launchpad.platform import embedded
from launchpad.platform.environment import variables

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")


@contextmanager
def serving(data: Path, settings: str = "") -> Iterator[tuple[subprocess.Popen[bytes], embedded.Endpoint]]:
    data.mkdir(parents=True, exist_ok=True)
    if settings:
        (data / "platform.toml").write_text(settings)
    arguments = [*embedded.command_line(), "platform", "serve", "--data", str(data)]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE) as process:
        try:
            end = time.monotonic() + 60
            endpoint = None
            while endpoint is None:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                assert time.monotonic() < end
                endpoint = embedded.find(data)
                time.sleep(0.02)
            yield process, endpoint
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def strict(module_data_dir: Path) -> Iterator[embedded.Endpoint]:
    """A platform with tight limits."""
    settings = (
        "header_seconds = 0.5\nbody_seconds = 0.5\nfailed_logins_per_minute = 5\nrequest_max_bytes = 100000\n"
        'log_level = "DEBUG"\nstore_max_bytes = 100000\n'
    )
    with serving(module_data_dir / "strict", settings) as (_, endpoint):
        yield endpoint


def token_of(endpoint: embedded.Endpoint) -> str:
    form = {
        "grant_type": "urn:launchpad:launch-secret",
        "client_id": endpoint.client_id,
        "launch_secret": endpoint.launch_secret,
    }
    answer = httpx.post(f"{endpoint.issuer}oauth/token", data=form, trust_env=False)
    return str(answer.raise_for_status().json()["access_token"])


def until(condition: Callable[[], Any], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def submitted(service: Any, slide: Path, *, changed: bool = False) -> str:
    """A run of one slide, which may be changed after it was handed over; its id."""
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft

    version = service.application_version("test-app")
    slides = service.upload(service.prepare([slide], version).slides, "test-app", version.version_number)
    fields = columns(input_artifact(version).metadata_schema)
    draft = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=slides)
    if changed:
        slide.write_bytes(b"something else")
    return str(service.submit(draft, version))


def connected(address: str) -> socket.socket:
    url = httpx.URL(address)
    connection = socket.create_connection((url.host, url.port or 80), timeout=20)
    connection.settimeout(20)
    return connection


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = b""
    try:
        while block := connection.recv(65_536):
            received += block
    except ConnectionResetError:
        pass
    return received


def host(address: str) -> bytes:
    return address.removeprefix("http://").encode()


# --- limits ---------------------------------------------------------------------------------------------------------
def test_a_client_that_says_nothing_is_closed(strict: embedded.Endpoint) -> None:
    with connected(strict.api_root) as connection:
        assert everything(connection).startswith(b"HTTP/1.1 408")


def test_a_head_that_trickles_is_cut(strict: embedded.Endpoint) -> None:
    begin = time.monotonic()
    with connected(strict.api_root) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: " + host(strict.api_root) + b"\r\n")
        received = b""
        connection.settimeout(0.05)
        while not received and time.monotonic() - begin < 15:
            try:
                connection.sendall(b"x: y\r\n")
                received = connection.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - begin < 10
    assert received.startswith(b"HTTP/1.1 408")


def test_a_body_that_does_not_come_is_refused(strict: embedded.Endpoint) -> None:
    with connected(strict.api_root) as connection:
        connection.sendall(
            b"POST /oauth/token HTTP/1.1\r\nHost: " + host(strict.api_root) + b"\r\nContent-Length: 100\r\n\r\ngrant"
        )
        assert everything(connection).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "head",
    [b"".join(b"x-%d: y\r\n" % number for number in range(150)), b"x: " + b"y" * 40_000 + b"\r\n"],
    ids=["many headers", "large head"],
)
def test_an_immoderate_head_is_refused(strict: embedded.Endpoint, head: bytes) -> None:
    with connected(strict.api_root) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: " + host(strict.api_root) + b"\r\n" + head + b"\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 431")


def test_bodies_have_limits(strict: embedded.Endpoint) -> None:
    headers = {"Authorization": f"Bearer {token_of(strict)}", "Content-Type": "application/json"}
    url = f"{strict.api_root}/api/v1/runs"
    deep = b'{"application_id": "test-app", "items": [], "custom_metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 101
    answer = httpx.post(url, content=deep, headers=headers, trust_env=False)
    assert (answer.status_code, "levels" in answer.json()["detail"]) == (400, True)
    assert httpx.post(url, content=b" " * 100_001, headers=headers, trust_env=False).status_code == 413

    def chunks() -> Iterator[bytes]:
        yield b" " * 60_000
        yield b" " * 60_000

    assert httpx.post(url, content=chunks(), headers=headers, trust_env=False).status_code == 413
    odd = httpx.post(url, content=b"{}", headers=headers | {"Content-Length": "2"}, trust_env=False)
    assert odd.status_code == 422


def test_a_sign_in_that_fails_again_and_again_is_slowed_down(module_data_dir: Path) -> None:
    with serving(module_data_dir / "sign-in", "failed_logins_per_minute = 5\n") as (_, endpoint):
        form = {"grant_type": "refresh_token", "client_id": endpoint.client_id, "refresh_token": "no"}
        codes = [httpx.post(f"{endpoint.issuer}oauth/token", data=form, trust_env=False).status_code for _ in range(8)]
        assert codes == [400] * 5 + [429] * 3
        last = httpx.post(f"{endpoint.issuer}oauth/token", data=form, trust_env=False)
        assert 1 <= int(last.headers["Retry-After"]) <= 60
        assert httpx.get(f"{endpoint.api_root}/health", trust_env=False).status_code == 200


def test_a_slow_client_of_the_store_is_cut(strict: embedded.Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, so that its time can be short."""
    from http.server import BaseHTTPRequestHandler

    from launchpad.localplatform.objectstore import connections

    monkeypatch.setattr(connections, "_HEAD", 0.2)

    class Handler(connections.ConnectionHandler):
        do_GET = BaseHTTPRequestHandler.send_error  # noqa: N815 - never reached

    server = connections.ConnectionServer(socket.create_server(("127.0.0.1", 0)), Handler, "slow")
    server.start()
    try:
        with socket.create_connection(server.server_address[:2], timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nx: y\r\n")
            assert everything(connection) == b""
    finally:
        server.stop()


def test_the_store_keeps_no_more_than_it_may(strict: embedded.Endpoint) -> None:
    headers = {"Authorization": f"Bearer {token_of(strict)}"}
    me = httpx.get(f"{strict.api_root}/api/v1/me", headers=headers, trust_env=False).raise_for_status().json()
    keys = [me["organization"][f"aignostics_bucket_hmac_{part}"] for part in ("access_key_id", "secret_access_key")]
    url = f"{strict.storage_endpoint}/{me['organization']['aignostics_bucket_name']}/x"
    for size, status in ((100_001, 507), (90_000, 200), (20_000, 507)):
        signed = signing.sign_headers("PUT", url, {}, *keys, region="auto")
        answer = httpx.put(url, headers=signed, content=b"x" * size, trust_env=False)
        assert (answer.status_code, "InsufficientStorage" in answer.text) == (status, status == 507)


# --- headers --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/health", "/api/v1/me", "/nothing", "/.well-known/jwks.json", "/docs"])
def test_every_answer_of_the_api_carries_the_headers_that_keep_browsers_safe(
    strict: embedded.Endpoint, path: str
) -> None:
    answer = httpx.get(f"{strict.api_root}{path}", trust_env=False)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "server" not in answer.headers


def test_so_do_refusals_and_the_store(strict: embedded.Endpoint) -> None:
    for answer in (
        httpx.get(f"{strict.api_root}/health", headers={"Host": "evil.example"}, trust_env=False),
        httpx.get(f"{strict.storage_endpoint}/launchpad-local/x", trust_env=False),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


# --- settings, addresses, stopping ----------------------------------------------------------------------------------
def test_bad_settings_stop_the_start(data_dir: Path) -> None:
    (data_dir / "platform").mkdir()
    (data_dir / "platform" / "platform.toml").write_text("prot = 80\n")
    done = subprocess.run([*embedded.command_line(), "platform", "serve"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78
    assert "line 1, prot: there is no such setting; did you mean port?" in " ".join(done.stderr.split())


def test_it_stops_in_order_and_comes_back_at_its_address(module_data_dir: Path) -> None:
    data = module_data_dir / "orderly"
    with serving(data) as (process, endpoint):
        token = token_of(endpoint)
        keys = httpx.get(
            f"{endpoint.api_root}/api/v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        ).json()["organization"]
        access, secret = (keys[f"aignostics_bucket_hmac_{name}"] for name in ("access_key_id", "secret_access_key"))
        url = f"{endpoint.storage_endpoint}/{keys['aignostics_bucket_name']}/begun"

        def signed(method: str, query: str = "") -> str:
            return signing.presign(method, f"{url}{query}", access, secret, expires=600)

        begun = httpx.post(signed("POST", "?uploads"), trust_env=False)
        upload_id = re.findall("<UploadId>(.*)</UploadId>", begun.text)[0]
        with connected(endpoint.storage_endpoint) as slow, connected(endpoint.storage_endpoint) as idle:
            target = signed("PUT").removeprefix(endpoint.storage_endpoint)
            slow.sendall(
                f"PUT {target} HTTP/1.1\r\nHost: {host(endpoint.storage_endpoint).decode()}\r\n"
                "Content-Length: 6\r\n\r\nabc".encode()
            )
            # The store has it in hand once a second request on another connection is answered.
            assert httpx.get(f"{endpoint.storage_endpoint}/x", trust_env=False).status_code == 403
            process.send_signal(signal.SIGTERM)
            closed = time.monotonic() + 20
            while time.monotonic() < closed:
                try:
                    httpx.get(f"{endpoint.api_root}/health", trust_env=False)
                    time.sleep(0.02)
                except httpx.HTTPError:
                    break
            assert everything(idle) == b""  # idle ones are closed, the slow one may finish
            slow.sendall(b"def")
            assert b"HTTP/1.1 200" in slow.recv(1000)
        assert process.wait(timeout=30) == 0
    with serving(data) as (_, again):
        assert (again.api_root, again.storage_endpoint) == (endpoint.api_root, endpoint.storage_endpoint)
        assert httpx.get(signed("GET"), trust_env=False).content == b"abcdef"
        listed = httpx.get(signed("GET", f"?uploadId={upload_id}"), trust_env=False)
        assert (listed.status_code, upload_id in listed.text) == (200, True)  # open uploads stay
        assert again.launch_secret != endpoint.launch_secret


def test_a_slide_under_way_goes_back_into_the_queue(data_dir: Path, sample_svs: Path) -> None:
    from launchpad.application.service import Service

    embedded.ensure_running()
    with Service() as service:
        run_id = submitted(service, sample_svs)
        run = service.application_run(run_id)
        until(lambda: run.details().statistics.item_processing_count)
    embedded.release()
    assert embedded.stop()  # by SIGTERM
    with closing(sqlite3.connect(data_dir / "platform" / "platform.sqlite")) as database:
        (state,) = database.execute("SELECT state FROM item").fetchone()
    assert state in ("PENDING", "TERMINATED")  # the latter when it was done that very moment
    assert not list((data_dir / "platform" / "work").iterdir())
    embedded.ensure_running()
    try:
        with Service() as service:
            run = service.application_run(run_id)
            until(lambda: run.details().state == "TERMINATED")
            assert run.details().statistics.item_succeeded_count == 1
    finally:
        embedded.release()
        assert embedded.stop()


# --- clients of the platform that this one stands for ---------------------------------------------------------------
def test_programs_sign_in_with_what_platform_env_prints(data_dir: Path, tmp_path: Path) -> None:
    endpoint = embedded.ensure_running()
    try:
        file = tmp_path / "platform env"
        done = subprocess.run(
            [*embedded.command_line(), "platform", "env", "--output", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        shell = subprocess.run(
            ["sh", "-c", 'set -a; . "$0"; env', str(file)], capture_output=True, text=True, env={"PATH": os.defpath}
        )
        told = dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith("AIGNOSTICS_"))
        assert told["AIGNOSTICS_API_ROOT"] == endpoint.api_root
        names = "AUDIENCE AUTHORIZATION_BASE_URL TOKEN_URL REDIRECT_URI DEVICE_URL JWS_JSON_URL CLIENT_ID_INTERACTIVE"
        assert {f"AIGNOSTICS_{name}" for name in names.split()} < set(told)
        assert 10 <= len(told["AIGNOSTICS_REFRESH_TOKEN"]) <= 1000
        assert told["AIGNOSTICS_CACHE_DIR"].startswith(str(data_dir))  # with its space and its letters
        form = {
            "grant_type": "refresh_token",
            "client_id": told["AIGNOSTICS_CLIENT_ID_INTERACTIVE"],
            "refresh_token": told["AIGNOSTICS_REFRESH_TOKEN"],
        }
        tokens = []
        for _ in range(2):  # again and again: it is not replaced
            answer = httpx.post(told["AIGNOSTICS_TOKEN_URL"], data=form, trust_env=False)
            tokens.append(answer.raise_for_status().json()["access_token"])
        keys = httpx.get(told["AIGNOSTICS_JWS_JSON_URL"], trust_env=False).json()["keys"]
        assert [(key["kty"], key["use"], key["alg"]) for key in keys] == [("RSA", "sig", "RS256")]
        assert len(base64.urlsafe_b64decode(keys[0]["n"] + "==")) * 8 >= 2048
        assert jwt.get_unverified_header(tokens[1])["kid"] == keys[0]["kid"]
        base = httpx.URL(told["AIGNOSTICS_AUTHORIZATION_BASE_URL"])
        claims = jwt.decode(
            tokens[1],
            jwt.PyJWK(keys[0]).key,
            algorithms=["RS256"],
            audience=told["AIGNOSTICS_AUDIENCE"],
            issuer=f"{base.scheme}://{base.host}:{base.port}/",
        )
        assert 10 <= len(told["AIGNOSTICS_AUDIENCE"]) <= 100
        assert claims["exp"] - claims["iat"] >= 3600
        assert all(isinstance(claims[name], str) for name in ("azp", "org_id", "scope", "sub"))
        assert claims[f"{told['AIGNOSTICS_AUDIENCE']}/role"] == "admin"
        headers = {"Authorization": f"Bearer {tokens[0]}"}
        health = httpx.get(f"{endpoint.api_root}/health", headers=headers, trust_env=False)
        assert (health.status_code, health.json()["status"]) == (200, "UP")
        me = httpx.get(f"{endpoint.api_root}/api/v1/me", headers=headers, trust_env=False).json()
        assert isinstance(me["user"]["email"], str)  # what the SDK's own record of a run wants
        kept = b"".join(path.read_bytes() for path in (data_dir / "platform").glob("platform.sqlite*"))
        assert told["AIGNOSTICS_REFRESH_TOKEN"].encode() not in kept  # its hash only
    finally:
        embedded.release()
        assert embedded.stop()


# --- the log --------------------------------------------------------------------------------------------------------
def test_the_log_of_a_whole_journey_tells_no_secrets_and_no_names(data_dir: Path, sample_svs: Path) -> None:
    from launchpad.application.service import Service

    data = data_dir / "platform"
    data.mkdir()
    (data / "platform.toml").write_text('log_level = "DEBUG"\n')
    endpoint = embedded.ensure_running()
    try:
        name = "Patient Mustermann 4711"
        slide = data_dir / f"{name}.svs"
        slide.write_bytes(sample_svs.read_bytes())
        token = token_of(endpoint)
        lasting = variables(endpoint)["AIGNOSTICS_REFRESH_TOKEN"]
        with Service() as service:
            run_id = submitted(service, slide)
            run = service.application_run(run_id)
            until(lambda: run.details().state == "TERMINATED")
            assert run.details().statistics.item_succeeded_count == 1
            another = data_dir / f"{name} b.svs"
            another.write_bytes(sample_svs.read_bytes())
            again = service.application_run(submitted(service, another, changed=True))  # and one that goes wrong
            until(lambda: again.details().state == "TERMINATED")
            assert again.details().statistics.item_user_error_count == 1
            keys = service.client.me().organization
        httpx.post(f"{endpoint.issuer}oauth/token", data={"refresh_token": lasting}, trust_env=False)
    finally:
        embedded.release()
        assert embedded.stop()
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(data.glob("platform.log*")))
    assert [json.loads(line) for line in text.splitlines()]
    assert run_id in text
    signature = re.compile(r"[Ss]ignature=[0-9a-f]{8}|eyJ[\w-]{10}")
    assert not signature.search(text)
    for secret in (
        *("Mustermann", "4711.svs", token, lasting, endpoint.launch_secret),
        *(keys.aignostics_bucket_hmac_secret_access_key, keys.aignostics_bucket_hmac_access_key_id),
        (data / "keys" / "signing.pem").read_text().splitlines()[1],
    ):
        assert secret not in text
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.glob("platform.log*")} == {0o600}


def test_a_restore_waits_for_the_end_of_the_platform(data_dir: Path, tmp_path: Path) -> None:
    def launchpad(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*embedded.command_line(), "platform", *arguments], capture_output=True, text=True, timeout=120
        )

    embedded.ensure_running()
    try:
        file = str(tmp_path / "backup.tar")
        made = launchpad("backup", file)
        assert made.returncode == 0, made.stderr
        assert "verified" in made.stdout
        refused = launchpad("restore", file, "--force")
        assert (refused.returncode, "runs on this data folder" in refused.stderr) == (1, True)
    finally:
        embedded.release()
        assert embedded.stop()
    assert launchpad("restore", file).returncode == 2  # there is one already
    assert launchpad("restore", file, "--force").returncode == 0
    assert launchpad("restore", str(tmp_path / "nothing")).returncode == 2
    endpoint = embedded.ensure_running()
    try:
        assert token_of(endpoint)
    finally:
        embedded.release()
        assert embedded.stop()
