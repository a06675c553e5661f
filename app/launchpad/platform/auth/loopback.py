"""Where the browser comes back to after a sign-in: a server on this computer that waits for one answer."""

from __future__ import annotations

import contextlib
import hmac
import os
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from launchpad.errors import LaunchpadError

_IDLE = 5.0  # seconds that a connection without a request may stay
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Launchpad</title></head>'
    '<body style="font: 16px/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 30rem; padding: 0 1rem">'
    "<h1>{title}</h1><p>{words}</p></body></html>"
)


class PortBusy(LaunchpadError):
    """Another program has the port that the browser would come back to."""


class LoopbackServer:
    """Listens on both addresses of this computer where the redirect says `localhost`, otherwise on the one it says.

    Use as a context manager; `redirect_uri` holds the port that was taken.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise LaunchpadError(
                "The browser cannot come back to this address",
                detail="It is not one of this computer.",
                advice="Correct the redirect URI of the profile: http://localhost:8989/, for example.",
                subject=redirect_uri,
            )
        hosts = ["127.0.0.1", "::1"] if parts.hostname == "localhost" else [parts.hostname]
        self._path = parts.path or "/"
        self._state = state
        self._answer: dict[str, str] | None = None
        self._answered = threading.Event()
        self._servers: list[_Server] = []
        self._threads: list[threading.Thread] = []
        port = parts.port or (0 if ":0" in parts.netloc else 80)
        try:
            for host in hosts:
                server = _bound(host, port, self)
                if server is not None:
                    self._servers.append(server)
                    port = server.server_address[1]
        except OSError as error:
            self._close()
            raise PortBusy(
                f"Port {port} of this computer is in use",
                detail=f"The browser would come back there after the sign-in{_user_of(port)}.",
                advice="End that program and try again, or sign in with a code by `launchpad user login --device`.",
                subject=redirect_uri,
            ) from error
        shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.redirect_uri = f"http://{shown}:{port}{parts.path}"

    def __enter__(self) -> Self:
        for server in self._servers:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sign-in")
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
        for thread in self._threads:
            thread.join()
        self._close()

    def wait(self, seconds: float) -> dict[str, str] | None:
        """The parameters of the answer with our state, once it came; None when it did not within `seconds`."""
        return self._answer if self._answered.wait(seconds) else None

    def take(self, target: str) -> bool:
        """Look at a request; whether it is the answer that is waited for. Everything else is a stray one."""
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        values = dict(pairs)
        ours = hmac.compare_digest(values.get("state", "").encode(), self._state.encode())
        if parts.path != self._path or not ours or len(values) != len(pairs) or self._answered.is_set():
            return False
        if not values.get("code") and not values.get("error"):
            return False
        self._answer = values
        return True

    def done(self) -> None:
        """The browser has its page: the answer may be used."""
        self._answered.set()

    def _close(self) -> None:
        for server in self._servers:
            server.hang_up()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    # Elsewhere the option would let another program listen beside us.
    allow_reuse_address = os.name == "posix"

    def __init__(self, family: socket.AddressFamily, address: str, port: int, owner: LoopbackServer) -> None:
        self.address_family = family
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Not HTTPServer's, which asks for this computer's name and may wait for a name server.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def process_request_thread(self, request: object, client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.add(request)
            super().process_request_thread(request, client_address)
            with self._lock:
                self._open.discard(request)

    def hang_up(self) -> None:
        """End connections that browsers open in advance and leave."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no matter."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _IDLE
    server_version = "Launchpad"
    sys_version = ""

    def log_message(self, *_: object) -> None:
        """Codes are not logged."""

    def do_GET(self) -> None:
        owner = self.server.owner
        if not owner.take(self.path):
            self._page(404, "Not found", "This page belongs to a sign-in of Launchpad.")
            return
        self._page(200, "You may close this page", "Launchpad goes on with your sign-in.")
        owner.done()

    def _page(self, status: int, title: str, words: str) -> None:
        body = _PAGE.format(title=title, words=words).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)
            self.wfile.flush()


def _bound(host: str, port: int, owner: LoopbackServer) -> _Server | None:
    """A server on an address; None where this computer has no such family. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    if family == socket.AF_INET6 and not _has_ipv6():
        return None
    return _Server(family, host, port, owner)


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _user_of(port: int) -> str:
    """Which program has a port, where the system tells."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        for item in psutil.net_connections("tcp"):
            if item.laddr and item.laddr.port == port and item.status == psutil.CONN_LISTEN and item.pid:
                return f"; {psutil.Process(item.pid).name()} (process {item.pid}) listens there"
    return ""
