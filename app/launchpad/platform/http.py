"""HTTP to one platform: bearer token, timeouts, retries, and errors in words."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from launchpad.bucket.address import is_loopback
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.custom_metadata import user_agent
from launchpad.platform.models import Model

_M = TypeVar("_M", bound=Model)

_RETRIES = 3  # of reads only: what changes something is never sent twice
_FIRST_WAIT = 0.3  # seconds
_LONGEST_WAIT = 8.0


class ApiException(LaunchpadError):
    """The platform refused or failed.

    Attributes:
        status: HTTP status, or None when the answer could not be understood.
        reason: its phrase.
        body: the answer's text.
    """

    def __init__(
        self, title: str, detail: str = "", advice: str = "", subject: str = "", *, status: int | None = None,
        reason: str = "", body: str = "",
    ) -> None:  # fmt: skip
        super().__init__(title, detail, advice, subject)
        self.status = status
        self.reason = reason
        self.body = body


class NotFoundException(ApiException):
    """404: it does not exist, or is not yours to see."""

    exit_code = 2


class ForbiddenException(ApiException):
    """403: you may not."""


class UnauthorizedException(ApiException):
    """401: the sign-in is missing or has ended."""


class UnprocessableException(ApiException, ValueError):
    """422 or 400: the platform does not accept what was sent."""

    exit_code = 2


class ConcurrencyConflictError(ApiException):
    """412: somebody else changed it meanwhile."""

    exit_code = 3


def verification() -> ssl.SSLContext:
    """TLS by the system's certificates, so that private authorities of a hospital work."""
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def segment(text: str) -> str:
    """A text as one part of a path: whatever is in it, also `/` and `..`, stays in its part."""
    return text.replace(".", "%2E") if text in (".", "..") else quote(text, safe="")


def parse(model: type[_M], answer: object, subject: str) -> _M:
    """An answer as a model.

    Raises:
        ApiException: the answer lacks what the contract promises.
    """
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:3])
        raise ApiException(
            "The platform's answer cannot be understood",
            detail=f"{places}.",
            advice="Update Launchpad; if that does not help, tell those who run the platform.",
            subject=subject,
        ) from error


class Api:
    """Requests below one API root. Thread-safe."""

    def __init__(self, api_root: str, token: Callable[[], str], *, timeout: float = 30.0) -> None:
        self.root = api_root.rstrip("/")
        self._token = token
        self.clock_offset: float | None = None
        """Seconds that the platform's clock is ahead of this computer's, as its last answer said; None: not known."""
        secure = self.root.startswith("https")
        self._http = httpx.Client(
            verify=verification() if secure else True,
            timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)),
            follow_redirects=False,
            # A proxy of the environment must not come between us and our own computer.
            trust_env=not is_loopback(self.root),
            headers={"User-Agent": user_agent()},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(
        self, path: str, query: Mapping[str, Any] | None = None, *, timeout: float | None = None, signed: bool = True
    ) -> Any:
        """JSON of a GET; tried again on 5xx, timeouts and connection errors.

        Raises:
            Unreachable: the platform does not answer.
            ApiException: it refused or failed.
        """
        return _json(self._read(path, query, timeout=timeout, signed=signed))

    def post(self, path: str, body: Any = None, *, timeout: float | None = None) -> Any:
        """JSON of a POST, sent once. Raises as `get`."""
        return _json(self._send("POST", path, body=body, timeout=timeout))

    def put(self, path: str, body: Any, *, timeout: float | None = None) -> Any:
        """JSON of a PUT, sent once. Raises as `get`."""
        return _json(self._send("PUT", path, body=body, timeout=timeout))

    def delete(self, path: str, *, timeout: float | None = None) -> Any:
        """JSON of a DELETE, sent once. Raises as `get`."""
        return _json(self._send("DELETE", path, timeout=timeout))

    def location(self, path: str, query: Mapping[str, Any] | None = None, *, timeout: float | None = None) -> str:
        """Where a redirect leads; it is not followed, so that the token goes nowhere else. Raises as `get`."""
        response = self._read(path, query, timeout=timeout)
        if response.has_redirect_location:
            return str(response.url.join(response.headers["Location"]))
        if response.is_success:
            raise ApiException(
                "The platform did not say where the file is", subject=self.root, status=response.status_code
            )
        raise _refused(response)

    def _read(
        self, path: str, query: Mapping[str, Any] | None, *, timeout: float | None = None, signed: bool = True
    ) -> httpx.Response:
        """A GET, tried again where that may help."""
        wait = _FIRST_WAIT
        for attempt in range(_RETRIES + 1):
            try:
                response = self._send("GET", path, query=query, timeout=timeout, signed=signed)
            except Unreachable:
                if attempt >= 1:
                    raise
            else:
                if response.status_code < 500 or response.status_code == 501 or attempt == _RETRIES:
                    return response
            time.sleep(random.uniform(0, wait))  # noqa: S311 - jitter
            wait = min(wait * 2, _LONGEST_WAIT)
        raise AssertionError("unreachable")

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
        signed: bool = True,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token()}"} if signed else {}
        values = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._http.request(
                method,
                f"{self.root}{path}",
                params=values or None,
                json=body,
                headers=headers,
                timeout=httpx.USE_CLIENT_DEFAULT if timeout is None else timeout,
            )
            self.clock_offset = clock_offset(response.headers.get("Date", ""), time.time())
            return response
        except httpx.TimeoutException as error:
            raise Unreachable(
                "The platform does not answer in time",
                advice="Check the network connection, then try again.",
                subject=self.root,
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable(
                "The platform cannot be reached",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="Check the address and the network connection (proxy, VPN), then try again.",
                subject=self.root,
            ) from error


def clock_offset(date: str, now: float) -> float | None:
    """Seconds between a `Date` header and our clock; None where the header says nothing."""
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (TypeError, ValueError):
        return None


def _json(response: httpx.Response) -> Any:
    if response.is_success:
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            raise ApiException(
                "The platform's answer cannot be understood",
                advice="Check that the address is a platform's.",
                subject=str(response.url.copy_with(query=None)),
                status=response.status_code,
                body=response.text[:2000],
            ) from error
    raise _refused(response)


def _refused(response: httpx.Response) -> ApiException:
    status, path = response.status_code, response.url.path
    if response.has_redirect_location:
        return ApiException(
            "The platform's answer leads elsewhere",
            detail=f"To {urlsplit(response.headers['Location']).netloc or 'another address'} (HTTP {status}).",
            advice="Check the address of the platform; a network that wants a sign-in of its own does this too.",
            subject=path,
            status=status,
            reason=response.reason_phrase,
        )
    title, advice, kind = {
        401: ("You are not signed in to this platform", "Sign in again.", UnauthorizedException),
        403: ("The platform does not allow this", "Ask the owner or your administrator.", ForbiddenException),
        404: ("The platform does not know this", "Check the id.", NotFoundException),
        409: ("The platform cannot do this in the present state", "Reload, and try again.", ApiException),
        429: ("The platform is asked too often", "Wait a minute, then try again.", ApiException),
        412: ("Somebody else changed this meanwhile", "Reload, and try again.", ConcurrencyConflictError),
        400: ("The platform does not accept this", "Correct it, and try again.", UnprocessableException),
        422: ("The platform does not accept this", "Correct it, and try again.", UnprocessableException),
        501: ("The platform cannot do this yet", "", ApiException),
    }.get(
        status,
        ("The platform failed", "Try again later.", ApiException)
        if status >= 500
        else ("The platform refused", "", ApiException),
    )
    return kind(
        title,
        detail=f"{_words(response)} (HTTP {status}).",
        advice=advice,
        subject=path,
        status=status,
        reason=response.reason_phrase,
        body=response.text[:10_000],
    )


def _words(response: httpx.Response) -> str:
    """What the server said, in words: a problem's detail, or the list of a 422 with its places."""
    try:
        body = response.json()
    except ValueError:
        text = "" if "html" in response.headers.get("Content-Type", "") else response.text[:200].strip()
        return text.rstrip(".") or response.reason_phrase
    detail = body.get("detail", body.get("title")) if isinstance(body, dict) else body
    if isinstance(detail, list):
        said = []
        for item in detail[:10]:
            if isinstance(item, dict):
                place = ".".join(str(part) for part in item.get("loc", ()) if part != "body")
                said.append(f"{place}: {item.get('msg', '')}")
            else:
                said.append(str(item))
        if len(detail) > 10:
            said.append(f"and {len(detail) - 10} more")
        return "; ".join(said)
    return str(detail).strip().rstrip(".") if detail else response.reason_phrase
