"""V4 signatures (AWS4-HMAC-SHA256) as Google Cloud Storage's XML API takes them from HMAC keys.

Pure standard library; the client signs with it, the local platform's object store verifies with it. Payloads are not
signed (UNSIGNED-PAYLOAD): CRC32C guards the bytes. Source: the provider's public description of signature version 4.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote_to_bytes, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_PAYLOAD = "UNSIGNED-PAYLOAD"
_STAMP = "%Y%m%dT%H%M%SZ"
MAX_EXPIRES = 604_800  # seconds: 7 days
_SKEW = timedelta(minutes=15)


class SignatureError(Exception):
    """A request is not signed as it must be; `code` is the store's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


def quote_path(path: str) -> str:
    """Percent-encode an object path once, as it is signed and sent."""
    return quote(path, safe="-_.~/")


def sign_headers(
    method: str,
    url: str,
    headers: Mapping[str, str],
    access_key: str,
    secret_key: str,
    *,
    region: str = "auto",
    now: datetime | None = None,
) -> dict[str, str]:
    """The headers to send: those given plus host, date and signature. All of them are signed.

    `url` carries the path percent-encoded exactly as it is sent.
    """
    parts = urlsplit(url)
    stamp = (now or datetime.now(UTC)).strftime(_STAMP)
    signed = {name.lower(): value for name, value in headers.items()}
    signed |= {"host": _host(parts), "x-amz-date": stamp, "x-amz-content-sha256": _PAYLOAD}
    names = ";".join(sorted(signed))
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    canonical = _canonical(method, parts.path, _query(parts.query), signed, sorted(signed), _PAYLOAD)
    signature = _sign(canonical, stamp, scope, secret_key)
    authorization = f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    sent = dict(headers) | {"x-amz-date": stamp, "x-amz-content-sha256": _PAYLOAD}
    return sent | {"Authorization": authorization}


def presign(
    method: str,
    url: str,
    access_key: str,
    secret_key: str,
    *,
    expires: int,
    region: str = "auto",
    now: datetime | None = None,
) -> str:
    """A URL that carries its signature and is valid for `expires` seconds (at most 7 days).

    Raises:
        ValueError: `expires` is out of range.
    """
    if not 0 < expires <= MAX_EXPIRES:
        raise ValueError(f"a signed URL lives 1 to {MAX_EXPIRES} seconds, not {expires}")
    parts = urlsplit(url)
    stamp = (now or datetime.now(UTC)).strftime(_STAMP)
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    query = [
        *_query(parts.query),
        ("X-Amz-Algorithm", _ALGORITHM),
        ("X-Amz-Credential", f"{access_key}/{scope}"),
        ("X-Amz-Date", stamp),
        ("X-Amz-Expires", str(expires)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    canonical = _canonical(method, parts.path, query, {"host": _host(parts)}, ["host"], _PAYLOAD)
    signature = _sign(canonical, stamp, scope, secret_key)
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{_encode(query)}&X-Amz-Signature={signature}"


def verify(
    method: str,
    target: str,
    headers: Mapping[str, str],
    secret_for: Callable[[str], str | None],
    *,
    now: datetime | None = None,
) -> str:
    """Check a request's signature, in its headers or in its query; return the access key that signed it.

    `target` is the raw request target (path and query as sent), `headers` are looked up ignoring case, `secret_for`
    gives the secret of an access key or None.

    Raises:
        SignatureError: with the store's error code.
    """
    parts = urlsplit(target if target.startswith("/") else f"/{target}")
    path, query = parts.path, _query(parts.query)
    lower = {name.lower(): value for name, value in headers.items()}
    at = now or datetime.now(UTC)
    if any(name == "X-Amz-Signature" for name, _ in query):
        return _verify_query(method, path, query, lower, secret_for, at)
    if "authorization" in lower:
        return _verify_headers(method, path, query, lower, secret_for, at)
    raise SignatureError("AccessDenied", "The request is not signed.")


def _verify_headers(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    secret_for: Callable[[str], str | None],
    now: datetime,
) -> str:
    match = re.fullmatch(
        rf"{_ALGORITHM} +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)",
        headers["authorization"],
    )
    if match is None:
        raise SignatureError("InvalidArgument", "The Authorization header is not of version 4.")
    credential, names, signature = match.groups()
    stamp = headers.get("x-amz-date", "")
    if abs(_time(stamp) - now) > _SKEW:
        raise SignatureError("RequestTimeTooSkewed", "The clocks differ by more than 15 minutes.")
    payload = headers.get("x-amz-content-sha256", _PAYLOAD)
    if payload.startswith("STREAMING-"):  # its signed chunks would be kept as if they were the object's bytes
        raise SignatureError("InvalidArgument", "A body in signed chunks is not taken; send it as it is.")
    return _compare(method, path, query, headers, names.split(";"), payload, credential, stamp, signature, secret_for)


def _verify_query(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    secret_for: Callable[[str], str | None],
    now: datetime,
) -> str:
    values = dict(query)
    if values.get("X-Amz-Algorithm") != _ALGORITHM:
        raise SignatureError("InvalidArgument", "The signature's algorithm is not known.")
    stamp = values.get("X-Amz-Date", "")
    start = _time(stamp)
    try:
        expires = int(values.get("X-Amz-Expires", ""))
    except ValueError:
        raise SignatureError("AuthorizationQueryParametersError", "X-Amz-Expires is not a number.") from None
    if not 0 < expires <= MAX_EXPIRES:
        raise SignatureError("AuthorizationQueryParametersError", "X-Amz-Expires must be 1 to 604800 seconds.")
    if start - now > _SKEW:
        raise SignatureError("RequestTimeTooSkewed", "The URL was signed in the future.")
    if now > start + timedelta(seconds=expires):
        raise SignatureError("ExpiredToken", "The signed URL has expired.")
    return _compare(
        method,
        path,
        [item for item in query if item[0] != "X-Amz-Signature"],
        headers,
        values.get("X-Amz-SignedHeaders", "").split(";"),
        _PAYLOAD,
        values.get("X-Amz-Credential", ""),
        stamp,
        values["X-Amz-Signature"],
        secret_for,
    )


def _compare(
    method: str,
    path: str,
    query: list[tuple[str, str]],
    headers: Mapping[str, str],
    names: list[str],
    payload: str,
    credential: str,
    stamp: str,
    signature: str,
    secret_for: Callable[[str], str | None],
) -> str:
    access_key, _, scope = credential.partition("/")
    pieces = scope.split("/")
    if len(pieces) != 4 or pieces[0] != stamp[:8] or pieces[2:] != ["s3", "aws4_request"]:
        raise SignatureError("AuthorizationHeaderMalformed", "The credential's scope is not right.")
    if "host" not in names or any(name not in headers for name in names):
        raise SignatureError("AccessDenied", "The host and all headers that are named must be signed.")
    # A header that changes what the request does counts only when it is signed.
    unsigned = [name for name in headers if name.startswith(("x-goog-", "x-launchpad-")) and name not in names]
    if unsigned:
        raise SignatureError("AccessDenied", f"These headers must be signed: {', '.join(unsigned)}.")
    secret = secret_for(access_key)
    if secret is None:
        raise SignatureError("InvalidAccessKeyId", "The access key is not known.")
    canonical = _canonical(method, path, query, headers, names, payload)
    if not hmac.compare_digest(_sign(canonical, stamp, scope, secret).encode(), signature.encode()):
        raise SignatureError("SignatureDoesNotMatch", "The signature does not match.")
    return access_key


def _host(parts: SplitResult) -> str:
    """The Host header that a client sends for a URL: lower case, without user and without the scheme's own port."""
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"


def _time(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError("AccessDenied", "X-Amz-Date is missing or malformed.") from None


def _query(query: str) -> list[tuple[str, str]]:
    # `+` in a query is a plus here, not a blank.
    return parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)


def _encode(query: Iterable[tuple[str, str]]) -> str:
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    )


def _canonical(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    names: list[str],
    payload: str,
) -> str:
    lines = "".join(f"{name}:{re.sub(' +', ' ', headers[name].strip())}\n" for name in names)
    # Whatever was encoded on the way is encoded once and the same way for the signature; as bytes, so that no two
    # paths that are not UTF-8 become one.
    same = quote(unquote_to_bytes(path), safe="-_.~/")
    return "\n".join((method.upper(), same or "/", _encode(query), lines, ";".join(names), payload))


def _sign(canonical: str, stamp: str, scope: str, secret: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}"
    return hmac.new(_key(secret, scope), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=64)
def _key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
