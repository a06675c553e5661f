"""The store's HTTP: PUT, GET (one range), HEAD, DELETE of objects, each signed, on the standard library's server."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from launchpad.bucket import signing
from launchpad.bucket.crc32c import Crc32c
from launchpad.errors import SlideError
from launchpad.localplatform.database.tables import ObjectRow
from launchpad.localplatform.objectstore.storage import Keys, Storage

_BLOCK = 1 << 20
_IDLE = 120  # seconds
_STATUS = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "AuthorizationQueryParametersError": 400,
    "BadDigest": 400,
    "ExpiredToken": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidRange": 416,
    "InvalidRequest": 400,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NotImplemented": 501,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
    "SourceChanged": 409,
}


class StoreError(Exception):
    """An answer with an error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class StoreServer(ThreadingHTTPServer):
    """The store on a port of this computer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], storage: Storage, keys: Keys, launch_secret: str) -> None:
        self.storage = storage
        self.keys = keys
        self.launch_secret = launch_secret
        super().__init__(address, _Handler)
        self._thread = threading.Thread(target=self.serve_forever, name="object store", daemon=True)

    @property
    def endpoint(self) -> str:
        """The store's address."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End, and close the port."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: StoreServer
    server_version = "LaunchpadStore"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: object) -> None:
        """Requests are not logged: their paths name slides."""

    def do_PUT(self) -> None:
        self._answer(self._put)

    def do_GET(self) -> None:
        self._answer(lambda bucket, key: self._get(bucket, key, body=True))

    def do_HEAD(self) -> None:
        self._answer(lambda bucket, key: self._get(bucket, key, body=False))

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def do_POST(self) -> None:
        self._answer(self._not_yet)

    # --- each request -----------------------------------------------------------------------------------------------
    def _answer(self, act: Callable[[str, str], None]) -> None:
        self._body_read = self.command in ("GET", "HEAD", "DELETE")
        try:
            host = self.headers.get("Host", "")
            if host != "{}:{}".format(*self.server.server_address[:2]) and not host.startswith("localhost:"):
                raise StoreError("AccessDenied", "The host is not this store's.")
            signing.verify(self.command, self.path, dict(self.headers.items()), self._secret)
            parts = urlsplit(self.path)
            bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
            if bucket != self.server.keys.bucket:
                raise StoreError("NoSuchBucket", "The bucket does not exist.")
            if not key or any(name in parts.query for name in ("uploads", "uploadId", "list-type")):
                raise StoreError("NotImplemented", "Listing and multipart uploads are not there yet.")
            act(bucket, key)
        except signing.SignatureError as error:
            self._fail(error.code, error.message)
        except StoreError as error:
            self._fail(error.code, error.message)
        except SlideError as error:
            self._fail("SourceChanged", str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except OSError as error:
            self._fail("InternalError", f"{error.strerror or error}.")

    def _secret(self, access_key: str) -> str | None:
        return self.server.keys.secret_key if access_key == self.server.keys.access_key else None

    def _not_yet(self, bucket: str, key: str) -> None:
        raise StoreError("NotImplemented", "This operation is not there yet.")

    def _put(self, bucket: str, key: str) -> None:
        if len(key.encode()) > 1024:
            raise StoreError("InvalidArgument", "The key is longer than 1024 bytes.")
        if self.headers.get("x-goog-if-generation-match") == "0" and self.server.storage.find(bucket, key):
            raise StoreError("PreconditionFailed", "The object exists.")
        reference = self.headers.get("x-launchpad-reference")
        row = self._refer(bucket, key, reference) if reference else self._store(bucket, key)
        self._send(200, self._headers_of(row) | {"Content-Length": "0"})

    def _store(self, bucket: str, key: str) -> ObjectRow:
        storage = self.server.storage
        temporary = storage.temporary()
        checksum = Crc32c()
        size = 0
        try:
            with temporary.open("xb", buffering=0) as file:
                for block in self._blocks():
                    file.write(block)
                    checksum.update(bytes(block))
                    size += len(block)
                os.fsync(file.fileno())
            self._body_read = True
            wanted = _hash(self.headers.get("x-goog-hash", ""))
            if wanted is not None and wanted != checksum.base64():
                raise StoreError("BadDigest", f"The CRC32C is {checksum.base64()}, not {wanted}.")
            content_type = self.headers.get("Content-Type", "application/octet-stream")
            return storage.commit(
                temporary, bucket, key, size=size, crc32c=checksum.base64(), content_type=content_type
            )
        finally:
            temporary.unlink(missing_ok=True)

    def _blocks(self) -> Iterator[bytes | memoryview]:
        length, encoding = self.headers.get("Content-Length"), self.headers.get("Transfer-Encoding", "").lower()
        if length is not None and encoding:
            raise StoreError("InvalidRequest", "Content-Length and Transfer-Encoding exclude each other.")
        if encoding == "chunked":
            yield from self._chunks()
        elif length is None or not length.isdigit():
            raise StoreError("MissingContentLength", "Content-Length is missing.")
        else:
            left = int(length)
            buffer = memoryview(bytearray(min(_BLOCK, max(left, 1))))
            while left:
                got = self.rfile.readinto(buffer[: min(left, len(buffer))])
                if not got:
                    raise ConnectionError("the client went away")
                yield buffer[:got]
                left -= got

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self.rfile.readline(1024)
            try:
                left = int(line.split(b";")[0], 16)
            except ValueError:
                raise StoreError("InvalidRequest", "A chunk has no size.") from None
            if left == 0:
                while self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
                    pass
                return
            while left:
                block = self.rfile.read(min(left, _BLOCK))
                if not block:
                    raise ConnectionError("the client went away")
                yield block
                left -= len(block)
            self.rfile.readline(1024)

    def _refer(self, bucket: str, key: str, reference: str) -> ObjectRow:
        self._body_read = self.headers.get("Content-Length", "0") == "0"
        given = self.headers.get("x-launchpad-launch-secret", "")
        if not hmac.compare_digest(given.encode(), self.server.launch_secret.encode()):
            raise StoreError("AccessDenied", "A reference needs the launch secret.")
        try:
            value = json.loads(base64.b64decode(reference, validate=True))
            path = Path(str(value["path"]))
            size, mtime_ns, inode = (int(value[name]) for name in ("size", "mtime_ns", "inode"))
            crc32c = str(value["crc32c"])
        except (ValueError, KeyError, TypeError):
            raise StoreError("InvalidArgument", "The reference is malformed.") from None
        if not path.is_absolute() or not path.is_file():
            raise StoreError("InvalidArgument", "The reference names no file of this computer.")
        row = self.server.storage.refer(
            bucket, key, path=path, size=size, mtime_ns=mtime_ns, inode=inode, crc32c=crc32c
        )
        self.server.storage.open_path(row)  # changed between the client's look and ours: refused at once
        return row

    def _get(self, bucket: str, key: str, *, body: bool) -> None:
        row = self.server.storage.find(bucket, key)
        if row is None:
            raise StoreError("NoSuchKey", "The object does not exist.")
        path = self.server.storage.open_path(row)
        span = self._range(row.size)
        headers = self._headers_of(row) | {"Content-Type": row.content_type, "Accept-Ranges": "bytes"}
        start, end = span or (0, row.size)
        headers["Content-Length"] = str(end - start)
        if span:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size}"
        with path.open("rb") as file:
            self._send(206 if span else 200, headers)
            if body:
                self._copy(file, start, end - start)

    def _copy(self, file: BinaryIO, start: int, count: int) -> None:
        file.seek(start)
        self.wfile.flush()
        sent = self.connection.sendfile(file, start, count) if count else 0
        if sent != count:
            self.close_connection = True  # the file became shorter under us; the client sees a cut answer

    def _range(self, size: int) -> tuple[int, int] | None:
        """Start and end (exclusive) of the one range that was asked for; None for the whole object."""
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip())
        if match is None or match.group(0) == "bytes=-":
            return None
        first, last = match.groups()
        if first == "":
            start, end = max(0, size - int(last)), size
        else:
            start, end = int(first), min(int(last) + 1 if last else size, size)
        if start >= end:
            raise StoreError("InvalidRange", "The range lies outside the object.")
        return start, end

    def _delete(self, bucket: str, key: str) -> None:
        if not self.server.storage.remove(bucket, key):
            raise StoreError("NoSuchKey", "The object does not exist.")
        self._send(204, {})

    # --- answers ----------------------------------------------------------------------------------------------------
    def _headers_of(self, row: ObjectRow) -> dict[str, str]:
        return {
            "ETag": f'"{row.etag}"',
            "x-goog-hash": f"crc32c={row.crc32c}",
            "x-goog-stored-content-length": str(row.size),
            "x-goog-stored-content-encoding": "identity",
        }

    def _send(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _fail(self, code: str, message: str) -> None:
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        data = f"<?xml version='1.0' encoding='UTF-8'?><Error>{inner}</Error>".encode()
        if not self._body_read:
            self.close_connection = True  # what is left of the body would be taken for the next request
        with suppress(OSError):
            headers = {"Content-Type": "application/xml", "Content-Length": str(len(data))}
            if self.close_connection:
                headers["Connection"] = "close"
            self._send(_STATUS.get(code, 400), headers)
            if self.command != "HEAD":
                self.wfile.write(data)


def _hash(header: str) -> str | None:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return value
    return None
