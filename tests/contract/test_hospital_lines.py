"""Transfers over https with a private certificate authority, and through the proxy of an institute."""

from __future__ import annotations

import base64
import os
import re
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.bucket.download import download
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import Unreachable

SIZE = 20_000_000


class Store(ThreadingHTTPServer):
    """Keeps objects in memory: who comes here came by the proxy, or trusted the certificate."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _StoreHandler)
        self.context = context
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = self.socket.accept()
        # The handshake is the handler's: a slow one must not keep the others waiting.
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us hangs up."""


class _StoreHandler(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _any(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key, query = parts.path, parts.query
        if self.command == "POST" and query == "uploads=":
            self.server.parts[key] = {}
            self._answer(200, b"<R><UploadId>u</UploadId></R>")
        elif self.command == "POST":
            pieces = self.server.parts.pop(key)
            self.server.objects[key] = b"".join(pieces[number] for number in sorted(pieces))
            self._answer(200, b"<CompleteMultipartUploadResult/>")
        elif self.command == "PUT":
            found = re.search(r"partNumber=(\d+)", query)
            assert found is not None
            self.server.parts[key][int(found[1])] = content
            self._answer(200, ETag='"e"', x_goog_hash=self.headers["x-goog-hash"])
        elif key not in self.server.objects:
            self._answer(404)
        else:
            self._serve(self.server.objects[key])

    def _serve(self, body: bytes) -> None:
        checksum = Crc32c()
        checksum.update(body)
        headers = {"ETag": '"e"', "x_goog_hash": f"crc32c={checksum.base64()}"}
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if span is None:
            self._answer(200, body, **headers)
            return
        start, end = int(span[1]), min(int(span[2]), len(body) - 1)
        self._answer(206, body[start : end + 1], Content_Range=f"bytes {start}-{end}/{len(body)}", **headers)

    do_GET = do_HEAD = do_PUT = do_POST = _any  # noqa: N815 - the server's names


class Proxy(ThreadingHTTPServer):
    """An institute's proxy: CONNECT with a password; every host name is the store's."""

    daemon_threads = True

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.store = store
        self.asked: list[str] = []


class _ProxyHandler(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        pass

    def do_CONNECT(self) -> None:
        expected = "Basic " + base64.b64encode(b"anna:secret").decode()
        if self.headers.get("Proxy-Authorization") != expected:
            self.send_error(407)
            return
        self.server.asked.append(self.path)
        with socket.create_connection(self.server.store.server_address[:2]) as far:  # type: ignore[arg-type]
            self.send_response(200)
            self.end_headers()
            both = [self.connection, far]
            while True:
                for ready in select.select(both, [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    (far if ready is self.connection else self.connection).sendall(data)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def store(authority: trustme.CA) -> Iterator[Store]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "store.hospital.test").configure_cert(context)
    yield from _running(Store(context))


@pytest.fixture
def proxy(store: Store) -> Iterator[Proxy]:
    yield from _running(Proxy(store))


def _running(server: ThreadingHTTPServer) -> Iterator[ThreadingHTTPServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def round_trip(endpoint: str, folder: Path) -> None:
    slide = folder / "a slide.svs"
    slide.write_bytes(os.urandom(SIZE))
    bucket = XmlBucket(endpoint, "bucket", "KEY", "secret", patience=3)
    try:
        receipt = bucket.put(slide, "user/a slide.svs", expected=crc32c_file(slide))
        url = bucket.signed_url(receipt.key, 600)
    finally:
        bucket.close()
    assert receipt.size == SIZE
    back = download(lambda: url, folder / "back.svs", crc32c=receipt.crc32c)
    assert back.read_bytes() == slide.read_bytes()


def test_a_private_authority_is_trusted_where_the_system_trusts_it(
    authority: trustme.CA, store: Store, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = f"https://localhost:{store.server_address[1]}"
    with pytest.raises(Unreachable, match="certificate"):
        round_trip(endpoint, tmp_path)
    assert store.objects == {}
    own = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(own))
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    round_trip(endpoint, tmp_path)


def test_the_institutes_proxy_is_used(
    authority: trustme.CA, proxy: Proxy, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(own))
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    monkeypatch.setenv("HTTPS_PROXY", f"http://anna:secret@127.0.0.1:{proxy.server_address[1]}")
    for name in ("https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    round_trip("https://store.hospital.test", tmp_path)
    assert set(proxy.asked) == {"store.hospital.test:443"}
    assert len(proxy.asked) >= 2
