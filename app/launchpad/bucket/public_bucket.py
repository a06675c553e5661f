"""A bucket that anybody may read: listed and fetched over HTTP without credentials."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from launchpad.bucket.address import is_loopback
from launchpad.bucket.base import ObjectInfo
from launchpad.bucket.xml_requests import crc_of, error_of, tree_of
from launchpad.errors import NotFound, TransferError, Unreachable
from launchpad.progress import Progress
from launchpad.tls import verification

_SECONDS = 60.0
_TRIES = 4
_PASSING = (408, 429, 500, 502, 503, 504)


class PublicBucket:
    """Reads one bucket. `address` is that of the bucket, such as `https://s3.amazonaws.com/idc-open-data`.

    A context manager; thread-safe. Lists come in pages of `page_size` objects.
    """

    def __init__(self, address: str, *, page_size: int = 1000) -> None:
        self.address = address.rstrip("/")
        self._page_size = page_size
        self._http = httpx.Client(
            timeout=httpx.Timeout(_SECONDS, connect=10),
            trust_env=not is_loopback(self.address),
            follow_redirects=False,
            verify=verification(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def url(self, key: str) -> str:
        """The address of an object."""
        return f"{self.address}/{quote(key, safe='/-_.~')}"

    def list(self, prefix: str, progress: Progress | None = None) -> list[ObjectInfo]:
        """All objects whose keys begin so, in order.

        Raises:
            NotFound: there is no such bucket.
            Unreachable, TransferError: the store does not answer, or refuses.
            Cancelled: the progress was cancelled.
        """
        return list(self._pages(prefix, progress or Progress()))

    def _pages(self, prefix: str, progress: Progress) -> Iterator[ObjectInfo]:
        token = ""
        while True:
            query = {"list-type": "2", "prefix": prefix, "max-keys": str(self._page_size)}
            if token:
                query["continuation-token"] = token
            response = self._get(query, progress)
            root = tree_of(response)
            if root is None or root.tag != "ListBucketResult":
                raise TransferError(
                    "The store's list cannot be understood",
                    advice="Check the address of the mirror in the settings.",
                    subject=self.address,
                )
            for item in root.iter("Contents"):
                size = item.findtext("Size") or ""
                yield ObjectInfo(
                    item.findtext("Key") or "",
                    int(size) if size.isdigit() else 0,
                    None,
                    (item.findtext("ETag") or "").strip('"') or None,
                    _time(item.findtext("LastModified")),
                )
            token = root.findtext("NextContinuationToken") or ""
            if root.findtext("IsTruncated") != "true" or not token:
                return

    def head(self, key: str, progress: Progress | None = None) -> ObjectInfo | None:
        """What the store knows of an object, or None. Raises as `list`."""
        response = self._send("HEAD", self.url(key), None, progress or Progress())
        if response.status_code == 404:
            return None
        if not response.is_success:
            raise self._refused(response, key)
        size = response.headers.get("content-length", "")
        etag = response.headers.get("etag", "").strip('"') or None
        return ObjectInfo(key, int(size) if size.isdigit() else 0, crc_of(response), etag)

    def _get(self, query: dict[str, str], progress: Progress) -> httpx.Response:
        response = self._send("GET", f"{self.address}/", query, progress)
        if response.status_code == 404:
            raise NotFound(
                "The public bucket is not there",
                detail=f"{error_of(response)[0]} (HTTP 404).",
                advice="Check the address of the mirror in the settings.",
                subject=self.address,
            )
        if not response.is_success:
            raise self._refused(response, self.address)
        return response

    def _refused(self, response: httpx.Response, subject: str) -> TransferError:
        code, message = error_of(response)
        return TransferError(
            "The public bucket refused the request",
            detail=f"{': '.join(part for part in (code, message) if part)} (HTTP {response.status_code}).",
            advice="Try again later, or set another mirror.",
            subject=subject,
        )

    def _send(self, method: str, url: str, query: dict[str, str] | None, progress: Progress) -> httpx.Response:
        wait = 0.5
        for last in (False,) * (_TRIES - 1) + (True,):
            progress.check()
            try:
                response = self._http.request(method, url, params=query)
                if response.status_code not in _PASSING or last:
                    return response
            except httpx.TransportError as error:
                if last:
                    raise Unreachable(
                        "The public bucket cannot be reached",
                        detail=f"{str(error).rstrip('.')}." if str(error) else "",
                        advice="Check the network connection (proxy, VPN), or set another mirror; then try again.",
                        subject=self.address,
                    ) from error
            progress.sleep(random.uniform(wait / 2, wait))  # noqa: S311 - jitter
            wait *= 2
        raise AssertionError("unreachable")


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
