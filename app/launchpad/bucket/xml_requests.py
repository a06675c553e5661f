"""Signed requests to the XML API of a bucket: sent again while their failure may pass, errors in words."""

from __future__ import annotations

import email.utils
import http.client
import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import httpx

from launchpad.bucket import signing
from launchpad.bucket.address import exact, is_loopback, is_proxied
from launchpad.bucket.http_put import BodySender
from launchpad.errors import BadInput, LaunchpadError, TransferError, Unreachable
from launchpad.progress import Progress
from launchpad.tls import verification

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_TRIES = 4  # of a request that nothing went before
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 32.0  # seconds, doubled each time, with full jitter
PATIENCE = 600.0  # seconds without any success before an upload that was under way gives up
_PASSING = (408, 429, 500, 502, 503, 504)  # answers after which the same request may succeed
_SECONDS = 60.0  # without a byte
_FAR = 0.02  # seconds of a round trip
_COMPLETE_SECONDS = 600.0  # a large object takes the store minutes to put together
_ADVICE = {
    "RequestTimeTooSkewed": "Set this computer's clock: it differs from the store's by more than 15 minutes.",
    "InvalidAccessKeyId": "The keys of the organization were changed: sign in again, or ask your administrator.",
    "SignatureDoesNotMatch": "The keys of the organization were changed: sign in again, or ask your administrator.",
    "NoSuchBucket": "Ask your administrator: the organization's bucket is gone.",
    "InsufficientStorage": "Free space on the disk of the platform, or ask who runs it.",
}
_KEYS_CHANGED = ("InvalidAccessKeyId", "SignatureDoesNotMatch")


class Refused(TransferError):
    """The store said no; `code` is its error code, "" where it gave none."""

    code = ""


class Passing(Refused):
    """The store failed in a way that may pass; `wait` is how many seconds it asked for."""

    wait = 0.0


class XmlRequests:
    """Requests to one bucket. Thread-safe.

    `renew_keys` gives (access key, secret) again where the store does not know those that were given.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        region: str = "auto",
        renew_keys: Callable[[], tuple[str, str]] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.bucket = bucket
        self._keys = access_key, secret_key
        self._renew = renew_keys
        self._region = region
        self._patience = patience
        self._offset = timedelta(0)  # of the store's clock to ours
        self.reached = False
        """Whether the store has answered before."""
        self.round_trip = math.inf
        """Seconds from a request without a body to its answer, the shortest seen."""
        local = is_loopback(self.endpoint)
        self._http = httpx.Client(
            timeout=httpx.Timeout(_SECONDS, connect=10),
            trust_env=not local,
            follow_redirects=False,
            verify=verification(),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
        )
        self._bodies = None if is_proxied(self.endpoint) else BodySender(self.endpoint, _SECONDS)

    @property
    def is_far(self) -> bool:
        """Whether the line to the store is long: one connection carries little, whatever the line could."""
        return _FAR < self.round_trip < math.inf

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if self._bodies is not None:
            self._bodies.close()

    def url(self, key: str, query: Mapping[str, str] | None = None) -> str:
        """The address of an object, "" for the bucket's own; encoded exactly as it is signed."""
        address = f"{self.endpoint}/{signing.quote_path(f'{self.bucket}/{key}' if key else self.bucket)}"
        if query:
            pairs = [f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query.items()]
            address += "?" + "&".join(sorted(pairs))
        return address

    def presign(self, method: str, key: str, expires: int) -> str:
        """A URL that opens the object for `expires` seconds."""
        return signing.presign(method, self.url(key), *self._keys, expires=expires, region=self._region)

    def send(
        self,
        method: str,
        key: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request once.

        Raises:
            Unreachable: there was no answer.
        """
        url = self.url(key, query)
        signed = {name: value for name, value in (headers or {}).items() if name.startswith("x-")}
        sent = {
            **(headers or {}),
            **signing.sign_headers(
                method, url, signed, *self._keys, region=self._region, now=datetime.now(UTC) + self._offset
            ),
        }
        slow = method == "POST" and query is not None and "uploadId" in query
        timeout = httpx.Timeout(_COMPLETE_SECONDS, connect=10) if slow else httpx.USE_CLIENT_DEFAULT
        try:
            if self._bodies is not None and content is not None and not isinstance(content, bytes):
                parts = urlsplit(url)
                target = f"{parts.path}?{parts.query}" if parts.query else parts.path
                response = self._bodies.send(method, target, sent, content)
            else:
                response = self._http.request(method, exact(url), headers=sent, content=content, timeout=timeout)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Unreachable(
                "The store does not answer in time", advice="Check the network, then try again.", subject=self.endpoint
            ) from error
        except (httpx.TransportError, httpx.StreamError, http.client.HTTPException, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise  # of the file that is sent
            raise Unreachable(
                "The store cannot be reached",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="Check the network connection (proxy, VPN), then try again.",
                subject=self.endpoint,
            ) from error
        self.reached = True
        if method == "HEAD":
            self.round_trip = min(self.round_trip, response.elapsed.total_seconds())
        return response

    def again(self, act: Callable[[], _T], progress: Progress, *, under_way: bool = False) -> _T:
        """Try what may fail for a passing reason; `act` can be repeated.

        A few tries, or, when an upload is `under_way`, until it failed for `patience` seconds. A clock that is wrong
        and keys that were changed are corrected once.

        Raises:
            Whatever `act` raised last.
        """
        wait, tries, began = _FIRST_WAIT, 0, time.monotonic()
        corrected: set[str] = set()
        while True:
            asked = 0.0
            try:
                return act()
            except Passing as error:
                last: LaunchpadError = error
                asked = error.wait
            except Unreachable as error:
                last = error
            except Refused as error:
                if error.code in corrected or not self._correct(error):
                    raise
                corrected.add(error.code)
                continue
            tries += 1
            if (time.monotonic() - began > self._patience) if under_way else (tries >= _TRIES):
                raise last
            pause = max(asked, random.uniform(0, wait))  # noqa: S311 - jitter
            _log.info("%s; again in %.1f s", last.title, pause)
            _log.debug("it was: %s", last.detail)  # which may name a file
            progress.sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _correct(self, error: Refused) -> bool:
        if error.code == "RequestTimeTooSkewed" and isinstance(error.__cause__, _Clock):
            self._offset = error.__cause__.offset
            return True
        if error.code in _KEYS_CHANGED and self._renew is not None:
            before = self._keys
            self._keys = self._renew()
            return self._keys != before
        return False

    def refused(self, response: httpx.Response, subject: str) -> LaunchpadError:
        """The error that an answer means."""
        code, message = error_of(response)
        if code == "SourceChanged":
            return changed(subject, f"{message.rstrip('.')}.")
        # BadDigest: the file is as it was, so the bytes were damaged on their way.
        passing = response.status_code in _PASSING or code == "BadDigest"
        error = (Passing if passing else Refused)(
            "The store refused the request",
            detail=f"{': '.join(part for part in (code, message) if part)} (HTTP {response.status_code})",
            advice=_ADVICE.get(code, "Try again; when it happens again, ask your administrator."),
            subject=subject,
        )
        error.code = code
        if isinstance(error, Passing):
            error.wait = _retry_after(response)
        if code == "RequestTimeTooSkewed" and (offset := _offset(response)) is not None:
            error.__cause__ = _Clock(offset)
        return error


class _Clock(Exception):
    """How far the store's clock is from ours."""

    def __init__(self, offset: timedelta) -> None:
        super().__init__(str(offset))
        self.offset = offset


def changed(subject: str, detail: str) -> BadInput:
    """The error for a file that is not as it was prepared."""
    return BadInput(
        "The slide changed since it was prepared",
        detail=detail,
        advice="Prepare it again, then upload it.",
        subject=subject,
    )


def crc_of(response: httpx.Response) -> str | None:
    """The CRC32C that an answer carries, base64."""
    for part in response.headers.get("x-goog-hash", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return str(value)
    return None


def tree_of(response: httpx.Response) -> ElementTree.Element | None:
    """The XML of an answer without its namespace, None where it is none."""
    try:
        root = ElementTree.fromstring(response.text)  # noqa: S314 - a small answer of the store
    except ElementTree.ParseError:
        return None
    for item in root.iter():
        item.tag = item.tag.rpartition("}")[2]
    return root


def error_of(response: httpx.Response) -> tuple[str, str]:
    """Error code and message of an answer."""
    root = tree_of(response)
    if root is None:
        return response.reason_phrase, ""
    return root.findtext("Code") or "", root.findtext("Message") or ""


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return min(float(text), 120.0)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), 120.0)


def _offset(response: httpx.Response) -> timedelta | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers.get("Date", "")) - datetime.now(UTC)
    except ValueError:
        return None
