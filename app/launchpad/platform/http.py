"""HTTP to one platform: bearer token, timeouts, retries, and errors in words."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import ValidationError

from launchpad.bucket.address import is_loopback
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.custom_metadata import user_agent
from launchpad.platform.line import CONNECT, is_page, page_instead, translated
from launchpad.platform.models import Model
from launchpad.settings import Retries
from launchpad.tls import verification

_M = TypeVar("_M", bound=Model)

_BUDGET = 60.0  # seconds for all tries of one read together
_AGAIN = (408, 429, 500, 502, 503, 504)
_STALLED = 4.0  # times its timeout an answer may take that comes in drops
_MOST = 256 << 20  # bytes of an answer
_CLOCK = 300.0  # seconds that clocks may differ


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


class QuotaExceededException(ForbiddenException):
    """403: a quota of the platform does not suffice.

    Attributes:
        quota: its name.
        used, limit: what is used of how much.
        renews_at: when it is renewed, ISO text, or None.
    """

    quota: str = ""
    used: int | None = None
    limit: int | None = None
    renews_at: str | None = None


class UnauthorizedException(ApiException):
    """401: the sign-in is missing or has ended."""


class UnprocessableException(ApiException, ValueError):
    """422 or 400: the platform does not accept what was sent."""

    exit_code = 2


class ConcurrencyConflictError(ApiException):
    """412: somebody else changed it meanwhile."""

    exit_code = 3


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
    """Requests below one API root. Thread-safe.

    `renew` gives another token in place of one that was refused; a request that was refused for its token was not
    carried out, so that it goes out once more with the new one, whatever it is. `retries` says for a path how reads are
    tried again; what changes something is never sent twice.
    """

    def __init__(
        self,
        api_root: str,
        token: Callable[[], str],
        *,
        timeout: float = 30.0,
        renew: Callable[[str], str] | None = None,
        retries: Callable[[str], Retries] | None = None,
    ) -> None:
        self.root = api_root.rstrip("/")
        self._token = token
        self._renew = renew
        self._retries = retries or (lambda path: Retries())
        self._timeout = timeout
        self.clock_offset: float | None = None
        """Seconds that the platform's clock is ahead of this computer's, as its last answer said; None: not known."""
        self._http = httpx.Client(
            verify=verification(),
            timeout=httpx.Timeout(timeout, connect=min(CONNECT, timeout)),
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
        """JSON of a GET; tried again for up to a minute on 408, 429, 5xx, timeouts and connection errors.

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
        retries = self._retries(path)
        wait, end = retries.first_wait, time.monotonic() + _BUDGET
        for attempt in range(retries.attempts + 1):
            pause = random.uniform(0, wait)  # noqa: S311 - full jitter
            try:
                response = self._send("GET", path, query=query, timeout=timeout, signed=signed, fresh=attempt > 0)
            except Unreachable as error:
                if attempt == retries.attempts or not _passing(error) or time.monotonic() + pause > end:
                    raise
            else:
                damaged = response.status_code == 304 or not _whole(response)
                if response.status_code not in _AGAIN and not damaged:
                    return response
                pause = max(pause, _retry_after(response))
                if attempt == retries.attempts or time.monotonic() + pause > end:
                    return response
            time.sleep(pause)
            wait = min(wait * 2, retries.longest_wait)
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
        fresh: bool = False,
    ) -> httpx.Response:
        token = self._token() if signed else ""
        response = self._once(method, path, query, body, timeout, token, fresh=fresh)
        if response.status_code == 401 and signed and self._renew is not None:
            other = self._renew(token)
            if other != token:
                response = self._once(method, path, query, body, timeout, other, fresh=fresh)
        return response

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        timeout: float | None,
        token: str,
        *,
        fresh: bool,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if fresh:  # what came from a cache on the way was of no use
            headers |= {"Cache-Control": "no-cache", "Pragma": "no-cache"}
        values = {name: value for name, value in (query or {}).items() if value is not None}
        limit = self._timeout if timeout is None else timeout
        url = f"{self.root}{path}"
        try:
            request = self._http.build_request(
                method,
                url,
                params=values or None,
                json=body,
                headers=headers,
                timeout=httpx.Timeout(limit, connect=min(CONNECT, limit)),
            )
            response = self._http.send(request, stream=True)
            try:
                _fill(response, time.monotonic() + limit * _STALLED)
            finally:
                response.close()
            self.clock_offset = clock_offset(response.headers.get("Date", ""), time.time())
        except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
            raise translated(error, self.root) from error
        return response


def _passing(error: Unreachable) -> bool:
    """Whether it may be better in a second: not so with certificates and proxies that say no."""
    cause = error.__cause__
    kinds = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)
    return isinstance(cause, kinds) and "CERTIFICATE" not in str(cause)


def _fill(response: httpx.Response, end: float) -> None:
    """Read an answer whole, but not for ever: httpx's timeouts count from byte to byte."""
    pieces, size = [], 0
    for piece in response.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > end or size > _MOST:
            raise httpx.ReadTimeout("the answer has no end", request=response.request)
    response._content = b"".join(pieces)


def _retry_after(response: httpx.Response) -> float:
    """Seconds that the server asks to wait; 0 where it does not, or says something that is no time."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _whole(response: httpx.Response) -> bool:
    """Whether an answer that says it is JSON is it: cut ones may come better the next time."""
    if not response.is_success or "json" not in response.headers.get("Content-Type", ""):
        return True
    try:
        response.json()
    except ValueError:
        return False
    return True


def clock_offset(date: str, now: float) -> float | None:
    """Seconds between a `Date` header and our clock; None where the header says nothing."""
    try:
        return email.utils.parsedate_to_datetime(date).timestamp() - now
    except (TypeError, ValueError):
        return None


def _json(response: httpx.Response) -> Any:
    if response.is_success:
        if not response.content:
            return None
        if is_page(response):
            raise page_instead(str(response.url.copy_with(query=None)))
        try:
            return response.json()
        except ValueError as error:
            raise ApiException(
                "The platform's answer is cut off or damaged",
                detail=f"{len(response.content):,} bytes came that are no whole JSON.",
                advice="Try again; if this stays, check that the address is a platform's.",
                subject=str(response.url.copy_with(query=None)),
                status=response.status_code,
                body=response.text[:2000],
            ) from error
    raise _refused(response)


def _refused(response: httpx.Response) -> LaunchpadError:
    status, path = response.status_code, response.url.path
    if response.has_redirect_location:
        return ApiException(
            "The platform's answer leads elsewhere",
            detail=f"To {urlsplit(response.headers['Location']).netloc or 'another address'} (HTTP {status}). "
            "It was not followed, and your token was not sent there.",
            advice="Check the address of the platform; a network that wants a sign-in of its own does this too.",
            subject=path,
            status=status,
            reason=response.reason_phrase,
        )
    if status == 403 and (document := _quota_of(response)) is not None:
        return _over_quota(response, document)
    address = str(response.url.copy_with(query=None))
    if status == 407:
        return translated(httpx.ProxyError("407 Proxy Authentication Required"), address)
    if status == 401 and abs(_clock_off(response)) > _CLOCK:
        minutes = round(_clock_off(response) / 60)
        return UnauthorizedException(
            "This computer's clock is wrong",
            detail=f"It is {abs(minutes)} minutes {'ahead of' if minutes > 0 else 'behind'} the platform's, "
            "so that your sign-in is not accepted (HTTP 401).",
            advice="Set the date and time of this computer, then try again.",
            subject=path,
            status=status,
            reason=response.reason_phrase,
        )
    if status == 304:
        return ApiException(
            "A cache on the way answered instead of the platform",
            detail="It says that nothing has changed, though nobody asked that (HTTP 304).",
            advice="Try again; if this stays, ask your IT not to cache this address.",
            subject=path,
            status=status,
            reason=response.reason_phrase,
        )
    if is_page(response) and (status == 511 or status < 500) and status not in (401, 404):
        return page_instead(address)
    title, advice, kind = {
        401: ("You are not signed in to this platform", "Sign in again.", UnauthorizedException),
        403: ("The platform does not allow this", "Ask the owner or your administrator.", ForbiddenException),
        404: ("The platform does not know this", "Check the id.", NotFoundException),
        409: ("The platform cannot do this in the present state", "Reload, and try again.", ApiException),
        429: ("The platform is asked too often", "Wait a minute, then try again.", ApiException),
        412: ("Somebody else changed this meanwhile", "Reload, and try again.", ConcurrencyConflictError),
        400: ("The platform does not accept this", "Correct it, and try again.", UnprocessableException),
        422: ("The platform does not accept this", "Correct it, and try again.", UnprocessableException),
        501: ("The platform cannot do this yet", "Do without it, or ask those who run the platform.", ApiException),
    }.get(
        status,
        ("The platform failed", "Try again later.", ApiException)
        if status >= 500
        else ("The platform refused", "Check the address of the platform, then try again.", ApiException),
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


def _clock_off(response: httpx.Response) -> float:
    """Seconds that this computer's clock is ahead of the server's."""
    try:
        return (datetime.now(UTC) - email.utils.parsedate_to_datetime(response.headers["Date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return 0.0


def _quota_of(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("quota"), str) else None


def _over_quota(response: httpx.Response, document: Mapping[str, Any]) -> QuotaExceededException:
    title = "The platform's quota does not suffice"
    advice = "Submit fewer slides, or ask those who run the platform."
    if document["quota"] == "items_per_run":
        title, advice = "The run has more slides than the platform takes", "Submit the slides as several runs."
    elif document["quota"] == "parallel_runs":
        title, advice = "Too many of your runs are under way", "Wait until one of them has ended, or cancel one."
    elif document.get("renews_at"):
        advice = (
            f"Submit fewer slides, wait until it is renewed on {str(document['renews_at'])[:10]}, "
            "or ask those who run the platform."
        )
    error = QuotaExceededException(
        title,
        detail=f"{_words(response)} (HTTP 403).",
        advice=advice,
        subject=str(document["quota"]),
        status=403,
        reason=response.reason_phrase,
        body=response.text[:10_000],
    )
    error.quota, error.used, error.limit = document["quota"], document.get("used"), document.get("limit")
    error.renews_at = document.get("renews_at")
    return error


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
