"""A bucket by the XML API of Google Cloud Storage with HMAC keys; also the embedded platform's store.

To a store on this computer that shares the launch secret a file is sent by reference: path, size, modification time,
inode and checksum instead of its bytes.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx

from launchpad.bucket import signing
from launchpad.bucket.base import Bucket, ObjectInfo, Receipt
from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.errors import BadInput, NotFound, TransferError, Unreachable
from launchpad.progress import Progress

_BLOCK = 1 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class XmlBucket(Bucket):
    """A bucket at an endpoint. `launch_secret` allows uploads by reference to a store on this computer."""

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        region: str = "auto",
        launch_secret: str = "",
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.name = bucket
        self._access_key = access_key
        self._secret_key = secret_key
        self._region = region
        local = urlsplit(self.endpoint).hostname in _LOOPBACK
        self._launch_secret = launch_secret if local else ""
        verify: ssl.SSLContext | bool = True
        if self.endpoint.startswith("https"):
            import truststore

            verify = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(
            timeout=httpx.Timeout(60, connect=10), trust_env=not local, follow_redirects=False, verify=verify
        )

    def close(self) -> None:
        self._http.close()

    def head(self, key: str) -> ObjectInfo | None:
        response = self._request("HEAD", key, {})
        if response.status_code == 404:
            return None
        if not response.is_success:
            raise self._refused(response, key)
        size = response.headers.get("x-goog-stored-content-length") or response.headers.get("content-length", "0")
        return ObjectInfo(key, int(size), _crc(response), response.headers.get("etag"))

    def put(self, path: Path, key: str, progress: Progress | None = None, *, expected: str | None = None) -> Receipt:
        progress = progress or Progress()
        try:
            status = path.stat()
        except OSError as error:
            raise _unreadable(path, error) from error
        known = self.head(key)
        if known is not None and known.size == status.st_size and expected is not None and known.crc32c == expected:
            progress.report(status.st_size, status.st_size, path.name)
            return Receipt(path, key, status.st_size, expected, by_reference=False, already_there=True)
        if self._launch_secret:
            return self._put_reference(path, key, progress, expected)
        return self._put_bytes(path, key, progress, expected)

    def _put_reference(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        status = path.stat()
        crc32c = crc32c_file(path, progress)
        self._check_source(path, expected, crc32c)
        reference = {
            "path": str(path.absolute()),
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "inode": status.st_ino,
            "crc32c": crc32c,
        }
        headers = {
            "content-length": "0",
            "x-launchpad-reference": base64.b64encode(json.dumps(reference).encode()).decode(),
            "x-launchpad-launch-secret": self._launch_secret,
        }
        response = self._request("PUT", key, headers, content=b"")
        self._confirm(response, key, path, crc32c)
        return Receipt(path, key, status.st_size, crc32c, by_reference=True, already_there=False)

    def _put_bytes(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        status = path.stat()
        # The store compares with this while it receives; a file that changed meanwhile is refused there.
        crc32c = expected or crc32c_file(path)
        sent = Crc32c()
        headers = {
            "content-length": str(status.st_size),
            "content-type": "application/octet-stream",
            "x-goog-hash": f"crc32c={crc32c}",
        }
        try:
            with path.open("rb") as file:
                blocks = _blocks(file, path.name, status.st_size, progress, sent)
                response = self._request("PUT", key, headers, content=blocks)
        except OSError as error:
            raise _unreadable(path, error) from error
        if response.status_code == 400 and sent.base64() != crc32c:
            self._check_source(path, crc32c, sent.base64())
        self._confirm(response, key, path, crc32c)
        self._check_source(path, crc32c, sent.base64())
        return Receipt(path, key, status.st_size, crc32c, by_reference=False, already_there=False)

    def signed_url(self, key: str, expires: int, method: str = "GET") -> str:
        return signing.presign(
            method, self._url(key), self._access_key, self._secret_key, expires=expires, region=self._region
        )

    def _confirm(self, response: httpx.Response, key: str, path: Path, crc32c: str) -> None:
        if not response.is_success:
            raise self._refused(response, str(path))
        confirmed = _crc(response)
        if confirmed is None:
            info = self.head(key)
            confirmed = info.crc32c if info else None
        if confirmed != crc32c:
            raise TransferError(
                "The store did not keep what was sent",
                detail=f"Its checksum is {confirmed}, the file's is {crc32c}.",
                advice="Upload the slide again.",
                subject=str(path),
            )

    def _check_source(self, path: Path, expected: str | None, found: str) -> None:
        if expected is not None and expected != found:
            raise BadInput(
                "The slide changed since it was prepared",
                detail="Its checksum is another now.",
                advice="Prepare it again, then upload it.",
                subject=str(path),
            )

    def _url(self, key: str) -> str:
        return f"{self.endpoint}/{signing.quote_path(f'{self.name}/{key}')}"

    def _request(
        self, method: str, key: str, headers: dict[str, str], content: bytes | Iterator[bytes] | None = None
    ) -> httpx.Response:
        url = self._url(key)
        signed = {name: value for name, value in headers.items() if name.startswith("x-")}
        sent = headers | signing.sign_headers(
            method, url, signed, self._access_key, self._secret_key, region=self._region
        )
        parts = urlsplit(url)
        # The path goes out exactly as it was signed; httpx would normalise some characters.
        raw = httpx.URL(f"{parts.scheme}://{parts.netloc}").copy_with(raw_path=parts.path.encode())
        try:
            return self._http.request(method, raw, headers=sent, content=content)
        except httpx.TimeoutException as error:
            raise Unreachable(
                "The store does not answer in time", advice="Check the network, then try again.", subject=self.endpoint
            ) from error
        except httpx.TransportError as error:
            raise Unreachable(
                "The store cannot be reached",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="Check the network connection (proxy, VPN), then try again.",
                subject=self.endpoint,
            ) from error

    def _refused(self, response: httpx.Response, subject: str) -> TransferError:
        code, message = _error(response)
        return TransferError(
            "The store refused the request",
            detail=f"{code}: {message} (HTTP {response.status_code})",
            advice="Try again; when it happens again, ask your administrator.",
            subject=subject,
        )


def _blocks(file: BinaryIO, name: str, total: int, progress: Progress, checksum: Crc32c) -> Iterator[bytes]:
    done = 0
    while done < total and (block := file.read(min(_BLOCK, total - done))):
        checksum.update(block)
        done += len(block)
        progress.report(done, total, name)
        yield block


def _crc(response: httpx.Response) -> str | None:
    for part in response.headers.get("x-goog-hash", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return str(value)
    return None


def _error(response: httpx.Response) -> tuple[str, str]:
    try:
        root = ElementTree.fromstring(response.text)  # noqa: S314 - a small answer of the store
    except ElementTree.ParseError:
        return response.reason_phrase, response.text[:200]
    return root.findtext("Code") or "", root.findtext("Message") or ""


def _unreadable(path: Path, error: OSError) -> NotFound:
    return NotFound(
        "The slide cannot be read",
        detail=f"{error.strerror or error}.",
        advice="Check that it is still there and that you may read it.",
        subject=str(path),
    )
