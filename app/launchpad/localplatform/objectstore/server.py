"""The store's HTTP: objects, lists and uploads in parts, each request signed, on the standard library's server."""

from __future__ import annotations

import base64
import hmac
import json
import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from launchpad.bucket import signing
from launchpad.errors import SlideError
from launchpad.localplatform.database.tables import ObjectRow
from launchpad.localplatform.objectstore import body, listing, xml
from launchpad.localplatform.objectstore.connections import ConnectionHandler, ConnectionServer
from launchpad.localplatform.objectstore.errors import STATUS, StoreError
from launchpad.localplatform.objectstore.headers import etags, http_date
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.objectstore.uploads import LARGEST_PART, MOST_PARTS, Uploads

_BLOCK = 1 << 18  # larger ones cost page faults
_LINGER, _LINGER_IDLE = 30.0, 2.0  # seconds that a refused body is still read, and waited for
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LONGEST_KEY = 1024  # bytes
_LIST_PARAMETERS = frozenset(
    (
        "prefix",
        "delimiter",
        "max-keys",
        "marker",
        "list-type",
        "continuation-token",
        "start-after",
        "encoding-type",
        "fetch-owner",
    )
)


class StoreServer(ConnectionServer):
    """The store on a port of this computer."""

    def __init__(
        self, listener: socket.socket, storage: Storage, uploads: Uploads, keys: Keys, launch_secret: str
    ) -> None:
        """Answer on a listening socket, which becomes the server's."""
        self.storage = storage
        self.uploads = uploads
        self.keys = keys
        self.launch_secret = launch_secret
        super().__init__(listener, _Handler, "object store")

    @property
    def endpoint(self) -> str:
        """The store's address."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(ConnectionHandler):
    server: StoreServer
    server_version = "LaunchpadStore"
    sys_version = ""
    disable_nagle_algorithm = True  # a small body after its head would wait for an acknowledgement

    def end_headers(self) -> None:
        for name, value in _SECURITY.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Requests are not logged: their paths name slides."""

    def do_PUT(self) -> None:
        self._answer(self._put)

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_HEAD(self) -> None:
        self._answer(self._get)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def do_POST(self) -> None:
        self._answer(self._post)

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
            if len(key.encode()) > _LONGEST_KEY:
                raise StoreError("InvalidArgument", f"The key is longer than {_LONGEST_KEY} bytes.")
            query = parse_qsl(parts.query, keep_blank_values=True)
            self._query = {name: value for name, value in query if not name.startswith(("X-Amz-", "x-id"))}
            act(bucket, key)
        except signing.SignatureError as error:
            self._fail(error.code, error.message)
        except StoreError as error:
            self._body_read = self._body_read or isinstance(error, body.DigestError)
            self._fail(error.code, error.message)
        except SlideError as error:
            self._fail("SourceChanged", str(error))
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except OSError as error:
            self._fail("InternalError", f"{error.strerror or error}.")

    def _secret(self, access_key: str) -> str | None:
        return self.server.keys.secret_key if access_key == self.server.keys.access_key else None

    def _put(self, bucket: str, key: str) -> None:
        if not key:
            raise StoreError("MethodNotAllowed", "The bucket is there; it is not made or changed by requests.")
        if "uploadId" in self._query:
            self._put_part(bucket, key)
            return
        if self._query:
            raise StoreError("NotImplemented", f"This store has no {', '.join(self._query)}.")
        if "x-amz-copy-source" in self.headers or "x-goog-copy-source" in self.headers:
            raise StoreError("NotImplemented", "This store does not copy.")
        if self.headers.get("x-goog-if-generation-match") == "0" and self.server.storage.find(bucket, key):
            raise StoreError("PreconditionFailed", "The object exists.")
        if self.headers.get("If-None-Match") == "*" and self.server.storage.find(bucket, key):
            raise StoreError("PreconditionFailed", "The object exists.")
        reference = self.headers.get("x-launchpad-reference")
        row = self._refer(bucket, key, reference) if reference else self._store(bucket, key)
        self._send(200, self._headers_of(row) | {"Content-Length": "0"})

    def _post(self, bucket: str, key: str) -> None:
        if key and "uploads" in self._query:
            self._refuse_preconditions()
            self._small_body()
            content_type = self.headers.get("Content-Type", "application/octet-stream")
            upload_id = self.server.uploads.begin(bucket, key, content_type)
            self._send_xml(xml.document("InitiateMultipartUploadResult", Bucket=bucket, Key=key, UploadId=upload_id))
        elif key and "uploadId" in self._query:
            self._refuse_preconditions()
            wanted = xml.read_complete(self._small_body())
            row = self.server.uploads.complete(self._query["uploadId"], bucket, key, wanted)
            place = f"{self.server.endpoint}/{signing.quote_path(f'{bucket}/{key}')}"
            answer = xml.document(
                "CompleteMultipartUploadResult", Location=place, Bucket=bucket, Key=key, ETag=f'"{row.etag}"'
            )
            self._send_xml(answer, {"x-goog-hash": f"crc32c={row.crc32c}"})
        elif not key and "delete" in self._query:
            keys, quiet = xml.read_delete(self._small_body())
            for name in keys:
                self.server.storage.remove(bucket, name)  # one that is not there counts as deleted
            self._send_xml(xml.document("DeleteResult", xml.deleted([] if quiet else keys, {})))
        else:
            raise StoreError("NotImplemented", "This operation is not there.")

    def _put_part(self, bucket: str, key: str) -> None:
        self._refuse_preconditions()
        number, upload_id = self._query.get("partNumber", ""), self._query["uploadId"]
        if not number.isdigit() or not 1 <= int(number) <= MOST_PARTS:
            raise StoreError("InvalidArgument", f"The part number must be 1 to {MOST_PARTS}.")
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise StoreError("MissingContentLength", "A part needs Content-Length.")
        if int(length) > LARGEST_PART:
            raise StoreError("EntityTooLarge", "The part is larger than 5 GiB.")
        self.server.uploads.check(upload_id, bucket, key)
        temporary = self.server.storage.temporary()
        try:
            with self.server.storage.room(int(length)) as room:
                size, crc32c, md5 = body.receive(self.rfile, self.headers, temporary, room, sync=False)
                self._body_read = True
                etag = self.server.uploads.put(upload_id, bucket, key, int(number), temporary, size, crc32c, md5)
        finally:
            temporary.unlink(missing_ok=True)
        self._send(200, {"ETag": f'"{etag}"', "x-goog-hash": f"crc32c={crc32c}", "Content-Length": "0"})

    def _refuse_preconditions(self) -> None:
        """As the cloud's store does for uploads in parts."""
        for name in self.headers:
            if name.lower().startswith(("x-goog-if-", "if-match", "if-none-match")):
                raise StoreError("InvalidArgument", f"{name} is not taken for uploads in parts.")

    def _small_body(self) -> bytes:
        data = bytearray()
        if self.headers.get("Content-Length") is None and self.headers.get("Transfer-Encoding") is None:
            self._body_read = True
            return b""
        for block in body.blocks(self.rfile, self.headers):
            data += block
            if len(data) > xml.LIMIT:
                raise StoreError("EntityTooLarge", "The body is too large.")
        self._body_read = True
        return bytes(data)

    def _store(self, bucket: str, key: str) -> ObjectRow:
        storage = self.server.storage
        temporary = storage.temporary()
        length = self.headers.get("Content-Length", "")
        content_type = self.headers.get("Content-Type", "application/octet-stream")
        try:
            with storage.room(int(length) if length.isdigit() else 0) as room:
                size, crc32c, md5 = body.receive(self.rfile, self.headers, temporary, room, sync=True)
                self._body_read = True
                return storage.commit(
                    temporary, bucket, key, size=size, crc32c=crc32c, content_type=content_type, md5=md5
                )
        finally:
            temporary.unlink(missing_ok=True)

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

    def _get(self, bucket: str, key: str) -> None:
        if not key:
            self._get_bucket(bucket)
            return
        if "uploadId" in self._query:
            self._list_parts(bucket, key)
            return
        row = self.server.storage.find(bucket, key)
        if row is None:
            raise StoreError("NoSuchKey", "The object does not exist.")
        self._check_conditions(row)
        pieces = self.server.storage.pieces(row)
        same = self.headers.get("If-Range", "").strip('"')
        span = self._range(row.size) if same in ("", row.etag) else None
        headers = self._headers_of(row) | {"Content-Type": row.content_type, "Accept-Ranges": "bytes"}
        start, end = span or (0, row.size)
        headers["Content-Length"] = str(end - start)
        if span:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size}"
        with ExitStack() as stack:
            # Opened before the answer begins: replaced meanwhile, they are still read as they were.
            files = [(stack.enter_context(path.open("rb")), size) for path, size in pieces]
            self._send(206 if span else 200, headers)
            if self.command == "GET":
                self._copy(files, start, end)

    def _check_conditions(self, row: ObjectRow) -> None:
        wanted, unwanted = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if wanted is not None and wanted.strip() != "*" and row.etag not in etags(wanted):
            raise StoreError("PreconditionFailed", "The object has another ETag.")
        if unwanted is not None and (unwanted.strip() == "*" or row.etag in etags(unwanted)):
            raise StoreError("NotModified", "The object has this ETag.")

    def _get_bucket(self, bucket: str) -> None:
        if self.command == "HEAD":
            self._send(200, {"Content-Length": "0"})
        elif "location" in self._query:
            self._send_xml(xml.document("LocationConstraint"))
        elif "uploads" in self._query:
            self._list_uploads(bucket)
        elif self._query.keys() <= _LIST_PARAMETERS:
            self._send_xml(listing.objects(self.server.storage, bucket, self._query))
        else:
            raise StoreError("NotImplemented", f"This store has no {', '.join(sorted(self._query))}.")

    def _list_parts(self, bucket: str, key: str) -> None:
        upload_id = self._query["uploadId"]
        count = listing.number(self._query, "max-parts", 1000)
        after = listing.number(self._query, "part-number-marker", MOST_PARTS, 0)
        rows = self.server.uploads.parts(upload_id, bucket, key, after, count)
        shown = rows[:count]
        answer = xml.document(
            "ListPartsResult",
            xml.parts(shown),
            Bucket=bucket,
            Key=key,
            UploadId=upload_id,
            StorageClass="STANDARD",
            PartNumberMarker=after,
            NextPartNumberMarker=shown[-1].number if shown else None,
            MaxParts=count,
            IsTruncated=len(rows) > count,
        )
        self._send_xml(answer)

    def _list_uploads(self, bucket: str) -> None:
        count, encoding = listing.number(self._query, "max-uploads", 1000), self._query.get("encoding-type")
        prefix = self._query.get("prefix", "")
        marker = self._query.get("key-marker", "")
        after = (marker, self._query.get("upload-id-marker", "\U0010ffff" if marker else ""))
        rows = self.server.uploads.open(bucket, prefix, after, count)
        shown, more = rows[:count], len(rows) > count
        answer = xml.document(
            "ListMultipartUploadsResult",
            xml.uploads(shown, encoding),
            Bucket=bucket,
            Prefix=xml.key_text(prefix, encoding),
            KeyMarker=xml.key_text(marker, encoding),
            NextKeyMarker=xml.key_text(shown[-1].key, encoding) if more and shown else None,
            NextUploadIdMarker=shown[-1].id if more and shown else None,
            MaxUploads=count,
            EncodingType=encoding,
            IsTruncated=more,
        )
        self._send_xml(answer)

    def _copy(self, files: Sequence[tuple[BinaryIO, int]], start: int, end: int) -> None:
        self.wfile.flush()
        position = 0
        for file, size in files:
            first, last = max(start, position), min(end, position + size)
            if first < last:
                file.seek(first - position)
                if self.connection.sendfile(file, first - position, last - first) != last - first:
                    self.close_connection = True  # the file became shorter under us; the client sees a cut answer
                    return
            position += size

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
        if not key:
            raise StoreError("MethodNotAllowed", "The bucket is not deleted.")
        if "uploadId" in self._query:
            self.server.uploads.abort(self._query["uploadId"], bucket, key)
        elif not self.server.storage.remove(bucket, key):
            raise StoreError("NoSuchKey", "The object does not exist.")
        self._send(204, {})

    # --- answers ----------------------------------------------------------------------------------------------------
    def _headers_of(self, row: ObjectRow) -> dict[str, str]:
        return {
            "ETag": f'"{row.etag}"',
            "Last-Modified": http_date(row.created),
            "x-goog-hash": f"crc32c={row.crc32c}",
            "x-goog-stored-content-length": str(row.size),
            "x-goog-stored-content-encoding": "identity",
        }

    def _send(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send_xml(self, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._send(200, {"Content-Type": "application/xml", "Content-Length": str(len(data))} | dict(headers or {}))
        self.wfile.write(data)

    def _fail(self, code: str, message: str) -> None:
        data = b"" if code == "NotModified" else xml.error(code, message)
        if not self._body_read:
            self.close_connection = True  # what is left of the body would be taken for the next request
        with suppress(OSError):
            headers = {"Content-Type": "application/xml", "Content-Length": str(len(data))}
            if self.close_connection:
                headers["Connection"] = "close"
            self._send(STATUS.get(code, 400), headers)
            if self.command != "HEAD":
                self.wfile.write(data)
        if not self._body_read:
            self._linger()

    def _linger(self) -> None:
        """Read what the client still sends: a connection that is closed before takes the answer along."""
        end = time.monotonic() + _LINGER
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER_IDLE)
            while time.monotonic() < end and self.connection.recv(_BLOCK):
                pass  # it is thrown away
