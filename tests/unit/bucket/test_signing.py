"""Our signatures equal botocore's, and what was tampered with is refused."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from launchpad.bucket import signing

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEYS = ("ACCESS", "secret/+key")
CHARACTERS = "abcXYZ019-_.~/ +#%?&=()'!*,:;@äöüß€日本"
METHODS = ("GET", "PUT", "HEAD", "DELETE", "POST")


def requests(count: int) -> list[tuple[str, str]]:
    rng = random.Random(7)
    made = []
    for _ in range(count):
        key = "".join(rng.choice(CHARACTERS) for _ in range(rng.randint(1, 40))).strip("/")
        key = key.replace("//", "/") or "x"
        made.append((rng.choice(METHODS), f"http://127.0.0.1:9000/{signing.quote_path(f'bucket/{key}')}"))
    return made


class Unsigned(S3SigV4Auth):
    """botocore's signer for a body that is not signed."""

    def payload(self, request: AWSRequest) -> str:
        return "UNSIGNED-PAYLOAD"


def theirs(method: str, url: str, headers: dict[str, str]) -> dict[str, str]:
    request = AWSRequest(method=method, url=url, headers=headers)
    Unsigned(Credentials(*KEYS), "s3", "EUROPE-WEST3").add_auth(request)
    return dict(request.headers.items())


def test_headers_equal_botocores() -> None:
    extra = {"x-goog-hash": "crc32c=AAAAAA==", "x-launchpad-reference": "e30="}
    for number, (method, url) in enumerate(requests(500)):
        headers = extra if number % 2 else {}
        expected = theirs(method, url.replace("http://", "https://"), dict(headers))
        stamp = datetime.strptime(expected["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        ours = signing.sign_headers(
            method, url.replace("http://", "https://"), headers, *KEYS, region="EUROPE-WEST3", now=stamp
        )
        assert expected["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
        assert ours["Authorization"] == expected["Authorization"], url


def test_urls_equal_botocores() -> None:
    for method, url in requests(500):
        request = AWSRequest(method=method, url=url)
        S3SigV4QueryAuth(Credentials(*KEYS), "s3", "EUROPE-WEST3", expires=600).add_auth(request)
        query = dict(part.split("=", 1) for part in urlsplit(request.url).query.split("&"))
        stamp = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        ours = signing.presign(method, url, *KEYS, expires=600, region="EUROPE-WEST3", now=stamp)
        own = dict(part.split("=", 1) for part in urlsplit(ours).query.split("&"))
        assert own["X-Amz-Signature"] == query["X-Amz-Signature"], url


def check(method: str, url: str, headers: dict[str, str] | None = None, now: datetime = NOW) -> str:
    parts = urlsplit(url)
    sent = {"host": parts.netloc, **(headers or {})}
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return signing.verify(method, target, sent, {KEYS[0]: KEYS[1]}.get, now=now)


def code(method: str, url: str, headers: dict[str, str] | None = None, now: datetime = NOW) -> str:
    with pytest.raises(signing.SignatureError) as caught:
        check(method, url, headers, now)
    return caught.value.code


def test_what_we_sign_we_accept() -> None:
    for method, url in requests(200):
        assert check(method, signing.presign(method, url, *KEYS, expires=60, now=NOW)) == "ACCESS"
        assert check(method, url, signing.sign_headers(method, url, {"x-goog-a": "b  c"}, *KEYS, now=NOW)) == "ACCESS"


def test_tampering_is_refused() -> None:
    url = "http://host/bucket/key.svs"
    signed = signing.presign("GET", url, *KEYS, expires=60, now=NOW)
    headers = signing.sign_headers("PUT", url, {"x-goog-hash": "crc32c=AAAAAA=="}, *KEYS, now=NOW)
    assert code("PUT", signed) == "SignatureDoesNotMatch"
    assert code("GET", signed.replace("key.svs", "kez.svs")) == "SignatureDoesNotMatch"
    assert code("GET", signed.replace("Expires=60", "Expires=600")) == "SignatureDoesNotMatch"
    assert code("PUT", url, headers | {"x-goog-hash": "crc32c=AAAAAB=="}) == "SignatureDoesNotMatch"
    assert code("PUT", url, headers | {"x-launchpad-reference": "e30="}) == "AccessDenied"
    assert code("GET", signed.replace("ACCESS", "OTHER")) == "InvalidAccessKeyId"
    assert code("GET", url) == "AccessDenied"


def test_time() -> None:
    url = "http://host/bucket/key"
    signed = signing.presign("GET", url, *KEYS, expires=60, now=NOW)
    assert check("GET", signed, now=NOW + timedelta(seconds=60)) == "ACCESS"
    assert code("GET", signed, now=NOW + timedelta(seconds=61)) == "ExpiredToken"
    headers = signing.sign_headers("GET", url, {}, *KEYS, now=NOW)
    assert check("GET", url, headers, now=NOW + timedelta(minutes=14)) == "ACCESS"
    assert code("GET", url, headers, now=NOW + timedelta(minutes=16)) == "RequestTimeTooSkewed"
    with pytest.raises(ValueError, match="604800"):
        signing.presign("GET", url, *KEYS, expires=604_801)
