"""What happens on the line to a platform, and what a person reads then: docs/faults-http.md is made of it."""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform import http as ours
from launchpad.platform.http import Api, ApiException, UnauthorizedException, parse
from launchpad.platform.line import WebPageAnswered
from launchpad.platform.models import RunReadResponse
from launchpad.settings import Retries, load_settings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults-http.md"
TOKEN = "a-token-that-goes-nowhere-else"
ROOT = "https://platform.example.org"
PORTAL = "<html><body>Welcome to the guest network. Please sign in.</body></html>"
Act = Callable[["Handler"], None]


class Server(ThreadingHTTPServer):
    """Answers each request as its script says, the last act for ever."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Handler)
        self.context = context
        self.script: list[Act] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "server", self.server_address[1]

    @property
    def root(self) -> str:
        host = f"[{self.server_address[0]}]" if self.address_family == socket.AF_INET6 else "127.0.0.1"
        return f"{'https' if self.context else 'http'}://{host if not self.context else 'localhost'}:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        if self.context is None:
            return connection, address
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up, by design."""

    def end(self) -> None:
        self.stop.set()
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.now, usegmt=True) if hasattr(self, "now") else super().date_time_string(timestamp)

    def _any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        script = self.server.script
        self.server.asked.append((self.command, self.path, dict(self.headers.items())))
        act = script.pop(0) if len(script) > 1 else script[0]
        act(self)

    do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = _any  # noqa: N815 - the server's names

    def answer(self, status: int, body: str | bytes = "", kind: str = "application/json", **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 304:
            self.send_header("Content-Length", headers.pop("length", str(len(data))))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True


def says(status: int, body: str | bytes = "", kind: str = "application/json", **headers: str) -> Act:
    return lambda handler: handler.answer(status, body, kind, **headers)


def hangs_up(handler: Handler) -> None:
    handler.connection.close()
    handler.close_connection = True


def stalls(handler: Handler) -> None:
    handler.server.stop.wait(20)


def drips(handler: Handler) -> None:
    """A byte now and then, for ever: no single wait is long."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while not handler.server.stop.wait(0.05):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return


def of_another_time(handler: Handler) -> None:
    handler.now = datetime.now(UTC) + timedelta(minutes=42)
    handler.answer(401, '{"detail": "token expired"}')


QUICK = Retries(first_wait=0.01, longest_wait=0.05)
GOOD = says(200, '{"ok": true}')


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.end()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def api(server: Server | str, timeout: float = 5.0) -> Api:
    root = server if isinstance(server, str) else server.root
    return Api(root, lambda: TOKEN, timeout=timeout, retries=lambda path: QUICK)


def fault(root: Server | str, timeout: float = 5.0, *, post: bool = False) -> LaunchpadError:
    made = api(root, timeout)
    try:
        with pytest.raises(LaunchpadError) as caught:
            made.post("/api/v1/runs", {}) if post else made.get("/api/v1/me")
    finally:
        made.close()
    assert TOKEN not in str(caught.value)
    assert caught.value.advice, "a person is told what to do next"
    return caught.value


# --- the table ------------------------------------------------------------------------------------------------------
def read(error: LaunchpadError) -> str:
    """What a person reads, with the addresses of the tests made general."""
    text = re.sub(r"(https?)://(?:127\.0\.0\.1|localhost|\[::1\])(:\d+)?", ROOT, str(error))
    return re.sub(r"[A-Za-z0-9.\-]+\.test(:\d+)?", "platform.example.org", text)


def in_the_table(name: str, error: LaunchpadError) -> None:
    """That the document says just this, so that it stays true."""
    row = f"| {name} | {read(error)} |"
    if os.environ.get("WRITE_FAULTS"):  # how the table is made anew
        lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.startswith(f"| {name} |")]
        DOCUMENT.write_text("\n".join([*kept, row]) + "\n", encoding="utf-8")
    assert row in DOCUMENT.read_text(encoding="utf-8").splitlines()


SIMPLE: list[tuple[str, Act, type[LaunchpadError]]] = [
    ("a web page instead of JSON (captive portal)", says(200, PORTAL, "text/html"), WebPageAnswered),
    ("511 of a network that wants a sign-in", says(511, PORTAL, "text/html"), WebPageAnswered),
    ("a page of a proxy that blocks the address", says(403, PORTAL, "text/html"), WebPageAnswered),
    ("a redirect to another host", says(302, "", Location="http://portal.example.org/login"), ApiException),
    ("JSON that ends in the middle", says(200, '{"user": {"id": "x'), ApiException),
    ("an answer that breaks off", says(200, '{"user":', length="5000"), Unreachable),
    ("a connection that is closed without an answer", hangs_up, Unreachable),
    ("304 of a cache that nobody asked", says(304), ApiException),
    ("407 of a proxy", says(407, "", Proxy_Authenticate="Basic"), Unreachable),
    ("429, asked too often", says(429, '{"detail": "slow down"}'), ApiException),
    ("500, the platform fails", says(500, '{"detail": "database is gone"}'), ApiException),
    ("502 of a gateway, as a page", says(502, "<html>Bad Gateway</html>", "text/html"), ApiException),
    ("503, out of order", says(503, '{"detail": "maintenance until 18:00"}'), ApiException),
    ("401, the sign-in has ended", says(401, '{"detail": "expired"}'), UnauthorizedException),
    ("401, and this computer's clock is wrong", of_another_time, UnauthorizedException),
]


@pytest.mark.parametrize(("name", "act", "kind"), SIMPLE, ids=[name for name, _, _ in SIMPLE])
def test_each_fault_is_told_in_words(server: Server, name: str, act: Act, kind: type[LaunchpadError]) -> None:
    server.script = [act]
    error = fault(server)
    assert type(error) is kind
    in_the_table(name, error)


def test_a_server_that_stalls(server: Server) -> None:
    server.script = [stalls]
    begun = time.monotonic()
    error = fault(server, 0.2)
    assert time.monotonic() - begun < 4
    in_the_table("a server that stalls", error)


def test_a_server_that_drips(server: Server) -> None:
    server.script = [drips]
    begun = time.monotonic()
    fault(server, 0.2, post=True)
    assert time.monotonic() - begun < 4


def test_nobody_there_and_no_such_name() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    in_the_table("nobody listens", fault(f"http://127.0.0.1:{port}"))
    in_the_table("a name that is not known (DNS)", fault("http://platform.no-such-domain.test"))


# --- certificates ---------------------------------------------------------------------------------------------------
def https(authority: trustme.CA, *names: str) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return Server(context=context)


def test_a_private_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    server = https(authority, "localhost")
    try:
        server.script = [GOOD]
        in_the_table("a private certificate authority", fault(server))
        assert server.asked == []
        own = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(own))
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        made = api(server)
        assert made.get("/x") == {"ok": True}
        made.close()
    finally:
        server.end()


def test_a_certificate_of_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    server = https(authority, "elsewhere.example")
    try:
        own = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(str(own))
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        error = fault(server)
        assert "not trusted" in error.title
        assert server.asked == []
    finally:
        server.end()


def test_a_certificate_that_is_not_valid_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a wrong clock looks like to TLS: all certificates are of another time."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    start = datetime.now(UTC) - timedelta(days=400)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "old.pem"
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(own + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = Server(context=context)
    try:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        in_the_table("a certificate that is not valid at this computer's time", fault(server))
    finally:
        server.end()


def test_plain_http_where_https_is_asked(server: Server) -> None:
    server.script = [GOOD]
    in_the_table("no https where https is asked for", fault(server.root.replace("http:", "https:")))


# --- proxies --------------------------------------------------------------------------------------------------------
def test_a_proxy_that_wants_a_password(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script = [says(407, "", Proxy_Authenticate="Basic")]
    monkeypatch.setenv("HTTPS_PROXY", server.root)
    error = fault("https://platform.hospital.test")
    in_the_table("407 of a proxy, before https", error)
    assert all("Authorization" not in headers for _, _, headers in server.asked), "the proxy gets no token"


def test_a_proxy_that_forbids(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.script = [says(403)]
    monkeypatch.setenv("HTTPS_PROXY", server.root)
    in_the_table("a proxy that does not let https through", fault("https://platform.hospital.test"))


# --- what goes on ---------------------------------------------------------------------------------------------------
def test_no_token_goes_to_another_host(server: Server) -> None:
    other = Server()
    try:
        other.script = [GOOD]
        for status in (301, 302, 303, 307, 308):
            server.script = [says(status, "", Location=f"{other.root}/api/v1/me")]
            fault(server)
            fault(server, post=True)
        assert other.asked == []
    finally:
        other.end()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_reads_are_tried_again(server: Server, status: int) -> None:
    server.script = [says(status), says(status), GOOD]
    made = api(server)
    assert made.get("/x") == {"ok": True}
    made.close()
    assert len(server.asked) == 3


def test_settings_say_how_often_reads_are_tried_again(
    server: Server, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGNOSTICS_RUN_RETRY_ATTEMPTS", "1")
    monkeypatch.setenv("AIGNOSTICS_ME_RETRY_ATTEMPTS", "0")
    monkeypatch.setenv("AIGNOSTICS_APPLICATION_VERSION_RETRY_ATTEMPTS", "2")
    for kind in ("RUN", "APPLICATION", "APPLICATION_VERSION"):
        monkeypatch.setenv(f"AIGNOSTICS_{kind}_RETRY_WAIT_MIN", "0.01")
        monkeypatch.setenv(f"LAUNCHPAD_{kind}_RETRY_WAIT_MAX", "0.02")
    made = Api(server.root, lambda: TOKEN, retries=load_settings().retries)
    for path, tries in (("/api/v1/runs/x", 2), ("/api/v1/me", 1), ("/api/v1/applications/a/versions/1", 3),
                        ("/api/v1/applications", 5), ("/health", 1)):  # fmt: skip
        server.script, before = [says(503)] * 6, len(server.asked)
        with pytest.raises(ApiException):
            made.get(path)
        assert len(server.asked) - before == tries, path
    made.close()


@pytest.mark.parametrize("act", [hangs_up, says(304), says(200, '{"cut": '), says(200, "{", length="90")])
def test_what_may_be_better_next_time_is_read_again(server: Server, act: Act) -> None:
    server.script = [act, GOOD]
    made = api(server)
    assert made.get("/x") == {"ok": True}
    made.close()
    assert server.asked[1][2]["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("act", [hangs_up, says(500), says(503, "", Retry_After="0"), says(429), says(200, "{")])
def test_what_changes_something_is_sent_once(server: Server, act: Act) -> None:
    server.script = [act, GOOD]
    for method in ("post", "put", "delete"):
        server.script = [act, GOOD]
        before = len(server.asked)
        made = api(server)
        with pytest.raises(LaunchpadError):
            getattr(made, method)("/x", *([] if method == "delete" else [{}]))
        made.close()
        assert len(server.asked) == before + 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 501])
def test_a_no_is_a_no(server: Server, status: int) -> None:
    server.script = [says(status), GOOD]
    fault(server)
    assert len(server.asked) == 1


def test_the_server_says_when_to_come_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(ours.time, "sleep", waited.append)
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    server.script = [
        says(503, "", Retry_After="3"),
        says(503, "", Retry_After=at),
        says(503, "", Retry_After="soon"),
        GOOD,
    ]
    made = api(server)
    assert made.get("/x") == {"ok": True}
    assert waited[0] == pytest.approx(3, abs=0.1)
    assert waited[1] == pytest.approx(6.5, abs=1)
    assert waited[2] < 0.1
    waited.clear()
    server.script = [says(503, "", Retry_After="3600")]
    with pytest.raises(ApiException):
        made.get("/x")
    made.close()
    assert waited == [], "longer than the budget is not waited"


def test_all_tries_together_have_a_budget(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_BUDGET", 0.3)
    server.script = [stalls]
    begun = time.monotonic()
    fault(server, 0.2)
    assert time.monotonic() - begun < 2
    assert len(server.asked) <= 2


def test_waits_are_of_full_jitter(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, float]] = []
    monkeypatch.setattr(ours.random, "uniform", lambda low, high: asked.append((low, high)) or 0.0)
    server.script = [says(500)]
    fault(server)
    assert asked == [(0, 0.01), (0, 0.02), (0, 0.04), (0, 0.05), (0, 0.05)]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_only() -> None:
    try:
        server = Server("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    server.script = [GOOD]
    try:
        names = {item[4][0] for item in socket.getaddrinfo("localhost", None)}
        roots = [server.root, *([f"http://localhost:{server.server_port}"] if "::1" in names else [])]
        for root in roots:
            made = api(root)
            assert made.get("/x") == {"ok": True}
            made.close()
    finally:
        server.end()


def test_a_newer_platform_is_understood() -> None:
    run = {
        "run_id": "0190f3c6-0000-7000-8000-000000000000", "application_id": "a", "version_number": "1.0.0",
        "state": "HIBERNATING", "output": "HOLOGRAM",
        "termination_reason": "BORED", "error_code": None, "error_message": None, "new_field": {"x": 1},
        "statistics": dict.fromkeys(
            ("item_count", "item_pending_count", "item_processing_count", "item_user_error_count",
             "item_system_error_count", "item_skipped_count", "item_succeeded_count", "item_dreaming_count"), 0),
        "submitted_at": "2026-01-01T00:00:00Z", "submitted_by": "u",
    }  # fmt: skip
    read_run = parse(RunReadResponse, json.loads(json.dumps(run)), "/x")
    assert str(read_run.state) == "HIBERNATING"
    from launchpad.application.states import run_state

    assert run_state(read_run).words
