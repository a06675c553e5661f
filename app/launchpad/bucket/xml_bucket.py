"""A bucket by the XML API of Google Cloud Storage with HMAC keys; also the embedded platform's store.

To a store on this computer that shares the launch secret a file is sent by reference: path, size, modification time,
inode and checksum instead of its bytes.
"""

from __future__ import annotations

import base64
import json
import os
import random
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar
from xml.etree import ElementTree

import httpx

from launchpad.bucket import signing
from launchpad.bucket.address import exact, is_loopback
from launchpad.bucket.base import Bucket, ObjectInfo, Receipt
from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.errors import BadInput, LaunchpadError, NotFound, TransferError, Unreachable
from launchpad.progress import Progress

_T = TypeVar("_T")
_BLOCK = 1 << 20
_TRIES = 4
_FIRST_WAIT = 0.5  # seconds, doubled each time, with full jitter
_PASSING = (408, 429, 500, 502, 503, 504)  # answers after which the same request may succeed
_ADVICE = {
    "RequestTimeTooSkewed": "Set this computer's clock: it differs from the store's by more than 15 minutes.",
    "InvalidAccessKeyId": "The keys of the organization were changed: sign in again, or ask your administrator.",
    "SignatureDoesNotMatch": "The keys of the organization were changed: sign in again, or ask your administrator.",
    "NoSuchBucket": "Ask your administrator: the organization's bucket is gone.",
}


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
        local = is_loopback(self.endpoint)
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
        return self._again(lambda: self._head(key), Progress())

    def _head(self, key: str) -> ObjectInfo | None:
        response = self._request("HEAD", key, {})
        if response.status_code == 404:
            return None
        if not response.is_success:
            raise self._refused(response, key)
        size = response.headers.get("x-goog-stored-content-length") or response.headers.get("content-length", "0")
        return ObjectInfo(key, int(size), _crc(response), response.headers.get("etag"))

    def put(self, path: Path, key: str, progress: Progress | None = None, *, expected: str | None = None) -> Receipt:
        progress = progress or Progress()
        progress.check()
        size = _status(path).st_size
        known = self._again(lambda: self._head(key), progress) if expected is not None else None
        if known is not None and (known.size, known.crc32c) == (size, expected):
            progress.report(size, size, path.name)
            return Receipt(path, key, size, known.crc32c or "", by_reference=False, already_there=True)
        send = self._put_reference if self._launch_secret else self._put_bytes
        return self._again(lambda: send(path, key, progress, expected), progress)

    def _put_reference(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        status = _status(path)
        crc32c = crc32c_file(path, progress)
        _check_source(path, expected, crc32c)
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
        size = _status(path).st_size
        # The store compares with this while it receives; a file that changed meanwhile is refused there.
        crc32c = expected or crc32c_file(path)
        sent = Crc32c()
        headers = {
            "content-length": str(size),
            "content-type": "application/octet-stream",
            "x-goog-hash": f"crc32c={crc32c}",
        }
        try:
            with path.open("rb") as file:
                response = self._request("PUT", key, headers, content=_blocks(file, path, size, progress, sent))
        except OSError as error:
            raise _unreadable(path, error) from error
        if response.is_success or (response.status_code == 400 and _error(response)[0] == "BadDigest"):
            _check_source(path, crc32c, sent.base64())
        self._confirm(response, key, path, crc32c)
        return Receipt(path, key, size, crc32c, by_reference=False, already_there=False)

    def _again(self, act: Callable[[], _T], progress: Progress) -> _T:
        """Try a few times what may have failed for a passing reason; all requests here can be repeated."""
        wait = _FIRST_WAIT
        for _ in range(_TRIES - 1):
            try:
                return act()
            except (Unreachable, _Passing):
                progress.sleep(random.uniform(0, wait))  # noqa: S311 - jitter
                wait *= 2
        return act()

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
        try:
            return self._http.request(method, exact(url), headers=sent, content=content)
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

    def _refused(self, response: httpx.Response, subject: str) -> LaunchpadError:
        code, message = _error(response)
        if code == "SourceChanged":
            return _changed(subject, f"{message.rstrip('.')}.")
        # BadDigest: the file is as it was, so the bytes were damaged on their way.
        passing = response.status_code in _PASSING or code == "BadDigest"
        return (_Passing if passing else TransferError)(
            "The store refused the request",
            detail=f"{': '.join(part for part in (code, message) if part)} (HTTP {response.status_code})",
            advice=_ADVICE.get(code, "Try again; when it happens again, ask your administrator."),
            subject=subject,
        )


class _Passing(TransferError):
    """The store failed in a way that may pass."""


def _blocks(file: BinaryIO, path: Path, total: int, progress: Progress, checksum: Crc32c) -> Iterator[bytes]:
    done = 0
    while done < total:
        block = file.read(min(_BLOCK, total - done))
        if not block:
            raise _changed(str(path), "It became shorter while it was sent.")
        checksum.update(block)
        done += len(block)
        progress.report(done, total, path.name)
        yield block


def _check_source(path: Path, expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        raise _changed(str(path), "Its checksum is another now.")


def _changed(subject: str, detail: str) -> BadInput:
    return BadInput(
        "The slide changed since it was prepared",
        detail=detail,
        advice="Prepare it again, then upload it.",
        subject=subject,
    )


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error


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
        return response.reason_phrase, ""
    return root.findtext("Code") or "", root.findtext("Message") or ""


def _unreadable(path: Path, error: OSError) -> NotFound:
    return NotFound(
        "The slide cannot be read",
        detail=f"{error.strerror or error}.",
        advice="Check that it is still there and that you may read it.",
        subject=str(path),
    )
