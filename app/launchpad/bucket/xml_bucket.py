"""A bucket by the XML API of Google Cloud Storage with HMAC keys; also the embedded platform's store.

To a store on this computer that shares the launch secret a file is sent by reference: path, size, modification time,
inode and checksum instead of its bytes. Otherwise large files go in parts, small ones in one request.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import unquote
from xml.etree import ElementTree

import httpx

from launchpad.bucket.address import is_loopback
from launchpad.bucket.base import Bucket, ObjectInfo, Receipt
from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.bucket.journal import Fingerprint, Journal
from launchpad.bucket.limits import Bandwidth
from launchpad.bucket.multipart import SMALLEST, MultipartUpload, head
from launchpad.bucket.xml_requests import PATIENCE, XmlRequests, changed, crc_of, error_of, tree_of
from launchpad.errors import NotFound, TransferError
from launchpad.progress import Progress

_T = TypeVar("_T")
_BLOCK = 1 << 17  # larger ones cost page faults
_CONNECTIONS = 4  # and so many more on a long line


class XmlBucket(Bucket):
    """A bucket at an endpoint. `launch_secret` allows uploads by reference to a store on this computer.

    Args:
        endpoint: the store's address.
        bucket: name of the bucket.
        access_key: of the HMAC key.
        secret_key: of the HMAC key.
        region: that signatures name.
        launch_secret: of the platform on this computer.
        connections: requests with bytes at once, all files together; None: 4, and 8 on a long line.
        bytes_per_second: that are sent at most; None is no limit.
        renew_keys: asked once for (access key, secret) where the store does not know those given.
        patience: seconds without success before an upload in parts gives up.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        region: str = "auto",
        launch_secret: str = "",
        connections: int | None = None,
        bytes_per_second: float | None = None,
        renew_keys: Callable[[], tuple[str, str]] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.name = bucket
        self._requests = XmlRequests(
            endpoint, bucket, access_key, secret_key, region=region, renew_keys=renew_keys, patience=patience
        )
        self.endpoint = self._requests.endpoint
        self._launch_secret = launch_secret if is_loopback(self.endpoint) else ""
        self._may_widen = connections is None
        self._connections = connections or _CONNECTIONS
        self._lanes = threading.Semaphore(self._connections)
        self._widening = threading.Lock()
        self._bandwidth = Bandwidth(bytes_per_second)

    def close(self) -> None:
        self._requests.close()

    def head(self, key: str) -> ObjectInfo | None:
        return self._requests.again(lambda: head(self._requests, key), Progress())

    def put(self, path: Path, key: str, progress: Progress | None = None, *, expected: str | None = None) -> Receipt:
        progress = progress or Progress()
        progress.check()
        size = _status(path).st_size
        known = self._again(lambda: head(self._requests, key), progress)
        self._widen()
        if known is not None and known.size == size and expected is None:
            expected = crc32c_file(path)
        in_parts = not self._launch_secret and size > SMALLEST
        if known is not None and (known.size, known.crc32c) == (size, expected):
            if in_parts:  # who completed it may have been killed before that was noted
                with Journal() as journal:
                    self._multipart(journal).forget(key)
            progress.report(size, size, path.name)
            return Receipt(path, key, size, known.crc32c or "", False, True, etag=known.etag or "")
        if in_parts:
            return self._put_parts(path, key, progress, expected)
        send = self._put_reference if self._launch_secret else self._put_bytes
        return self._again(lambda: send(path, key, progress, expected), progress)

    def _widen(self) -> None:
        with self._widening:
            if self._may_widen and self._requests.is_far:
                self._may_widen = False
                self._connections += _CONNECTIONS
                self._lanes.release(_CONNECTIONS)

    def _again(self, act: Callable[[], _T], progress: Progress) -> _T:
        """Patient with a store that has answered before; one that never did is soon said to be unreachable."""
        return self._requests.again(act, progress, under_way=self._requests.reached)

    def signed_url(self, key: str, expires: int, method: str = "GET") -> str:
        return self._requests.presign(method, key, expires)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        query = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
        while True:

            def ask(query: dict[str, str] = query) -> ElementTree.Element:
                response = self._requests.send("GET", "", query=query)
                tree = tree_of(response) if response.is_success else None
                if tree is None:
                    raise self._requests.refused(response, self.name)
                return tree

            page = self._requests.again(ask, Progress())
            for item in page.iter("Contents"):
                yield ObjectInfo(
                    unquote(item.findtext("Key") or ""),
                    int(item.findtext("Size") or 0),
                    None,
                    item.findtext("ETag"),
                    _time(item.findtext("LastModified")),
                )
            token = page.findtext("NextContinuationToken")
            if (page.findtext("IsTruncated") or "").lower() != "true" or not token:
                return
            query = {**query, "continuation-token": token}

    def delete(self, keys: Iterable[str]) -> int:
        count = 0
        for key in keys:

            def act(key: str = key) -> bool:
                response = self._requests.send("DELETE", key)
                if response.is_success or response.status_code == 404:
                    return response.is_success
                raise self._requests.refused(response, key)

            count += self._requests.again(act, Progress())
        return count

    def begun(self, path: Path) -> str | None:
        if self._launch_secret:
            return None  # by reference, at once
        fingerprint = Fingerprint.of(path) if path.is_file() else None
        with Journal() as journal:
            for upload in journal.open_uploads():
                if (upload.endpoint, upload.bucket, upload.path) == (self.endpoint, self.name, path):
                    return upload.key if upload.fingerprint == fingerprint else None
        return None

    def abandon(self, key: str) -> bool:
        with Journal() as journal:
            upload = journal.find(self.endpoint, self.name, key)
            if upload is None:
                return False
            self._multipart(journal).abort(upload, Progress())
        return True

    def _put_parts(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        with Journal() as journal:
            try:
                return self._multipart(journal).send(path.absolute(), key, progress, expected)
            except OSError as error:
                raise _unreadable(path, error) from error

    def _multipart(self, journal: Journal) -> MultipartUpload:
        return MultipartUpload(self._requests, journal, self._lanes, self._connections, self._bandwidth)

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
        response = self._requests.send("PUT", key, headers, content=b"")
        self._confirm(response, key, path, crc32c)
        return Receipt(path, key, status.st_size, crc32c, True, False, etag=response.headers.get("etag", ""))

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
            with self._lanes, path.open("rb") as file:
                content = self._blocks(file, path, size, progress, sent)
                response = self._requests.send("PUT", key, headers, content=content)
        except OSError as error:
            raise _unreadable(path, error) from error
        if response.is_success or (response.status_code == 400 and error_of(response)[0] == "BadDigest"):
            _check_source(path, crc32c, sent.base64())
        self._confirm(response, key, path, crc32c)
        return Receipt(path, key, size, crc32c, False, False, 1, response.headers.get("etag", ""))

    def _confirm(self, response: httpx.Response, key: str, path: Path, crc32c: str) -> None:
        if not response.is_success:
            raise self._requests.refused(response, str(path))
        confirmed = crc_of(response)
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

    def _blocks(self, file: BinaryIO, path: Path, total: int, progress: Progress, checksum: Crc32c) -> Iterator[bytes]:
        done = 0
        while done < total:
            try:
                block = file.read(min(_BLOCK, total - done))
            except OSError as error:  # named, so that it is not taken for one of the line
                raise OSError(error.errno, error.strerror, str(path)) from error
            if not block:
                raise changed(str(path), "It became shorter while it was sent.")
            self._bandwidth.take(len(block), progress)
            checksum.update(block)
            done += len(block)
            progress.report(done, total, path.name)
            yield block


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None


def _check_source(path: Path, expected: str | None, found: str) -> None:
    if expected is not None and expected != found:
        raise changed(str(path), "Its checksum is another now.")


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> NotFound:
    return NotFound(
        "The slide cannot be read",
        detail=f"{error.strerror or error}.",
        advice="Check that it is still there and that you may read it.",
        subject=str(path),
    )
