"""A proxy before the real store that does harm on purpose, as its script says."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.objectstore.server import StoreServer
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.objectstore.uploads import Uploads

Act = Callable[["Request"], bool]
"""Does harm to a request; True when the request was dealt with, False to let it pass."""


class Request:
    """A request on its way: what harm may look at and change."""

    def __init__(self, handler: _Handler, body: bytes) -> None:
        self.handler = handler
        self.method, self.target, self.headers = handler.command, handler.path, dict(handler.headers.items())
        self.body = body

    @property
    def is_part(self) -> bool:
        return self.method == "PUT" and "partNumber=" in self.target

    @property
    def is_init(self) -> bool:
        return self.method == "POST" and self.target.endswith("uploads=")

    @property
    def is_complete(self) -> bool:
        return self.method == "POST" and "uploadId=" in self.target

    def answer(self, status: int, body: str = "", **headers: str) -> bool:
        data = body.encode()
        self.handler.send_response(status)
        self.handler.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()
        self.handler.wfile.write(data)
        return True

    def error(self, status: int, code: str, **headers: str) -> bool:
        return self.answer(status, f"<Error><Code>{code}</Code><Message>on purpose</Message></Error>", **headers)

    def reset(self) -> bool:
        self.handler.connection.close()
        self.handler.close_connection = True
        return True

    def pass_on(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the real store."""
        store = self.handler.server.store
        connection = http.client.HTTPConnection(store.hostname or "", store.port or 80, timeout=30)
        try:
            connection.putrequest(self.method, self.target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)  # the host, too: it is signed
            connection.endheaders(self.body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class MisbehavingStore(ThreadingHTTPServer):
    """Each act of the script is asked for each request, until one deals with it."""

    daemon_threads = True

    def __init__(self, store_endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = urlsplit(store_endpoint)
        self.script: list[Act] = []
        self.log: list[tuple[str, str, int]] = []
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def endpoint(self) -> str:
        return f"http://localhost:{self.server_address[1]}"  # any port of it is the store's own

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up here, by design."""

    def parts_sent(self) -> int:
        with self.lock:
            return sum(1 for method, target, _ in self.log if method == "PUT" and "partNumber=" in target)


class Line:
    """A real store behind a proxy that misbehaves; tests add what is sent or fetched."""

    keys = Keys("bucket", "KEY", "secret")

    def __init__(self, folder: Path) -> None:
        objects = folder / "objects"
        objects.mkdir()
        self.database = Database(folder / "platform.sqlite")
        self.storage = Storage(objects, self.database)
        self.uploads = Uploads(self.storage, self.database)
        listener = socket.create_server(("127.0.0.1", 0))
        self.store = StoreServer(listener, self.storage, self.uploads, self.keys, "launch")
        self.store.start()
        self.proxy = MisbehavingStore(self.store.endpoint)
        self.proxy.start()

    def close(self) -> None:
        self.proxy.stop()
        self.store.stop()
        self.database.close()


class _Handler(BaseHTTPRequestHandler):
    server: MisbehavingStore
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        self.close_connection = True
        wanted = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            return  # the client went away
        request = Request(self, body)
        with self.server.lock:
            self.server.log.append((request.method, request.target, len(body)))
            script = list(self.server.script)
        for act in script:
            if act(request):
                return
        status, headers, answer = request.pass_on()
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("server", "date", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815 - the server's names


def times(count: int, wanted: Callable[[Request], bool], act: Act) -> Act:
    """Do harm to the first `count` requests that are wanted."""
    left = [count]
    lock = threading.Lock()

    def harm(request: Request) -> bool:
        with lock:
            if not left[0] or not wanted(request):
                return False
            left[0] -= 1
        return act(request)

    return harm


def for_seconds(seconds: float, act: Act) -> Act:
    """Do harm to all requests from the first one on, for a while."""
    began: list[float] = []

    def harm(request: Request) -> bool:
        began.append(time.monotonic())
        return time.monotonic() - began[0] < seconds and act(request)

    return harm
