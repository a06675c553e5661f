"""GET of a byte range from a signed URL, read into a buffer.

Large bodies through the standard library's client: it fills a buffer of one MiB, which costs half of what httpx does
for the same bytes. Where a proxy is set, httpx, which knows how.
"""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from launchpad.bucket.address import exact, is_proxied
from launchpad.errors import TransferError, Unreachable
from launchpad.tls import verification

_CONNECT, _READ = 10.0, 60.0  # seconds


@dataclass(frozen=True)
class Answer:
    """An answer whose body is being read: `headers` in lower case, `read_into` fills a buffer, 0 at the end."""

    status: int
    headers: Mapping[str, str]
    read_into: Callable[[memoryview], int]


@contextlib.contextmanager
def get(url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    """Ask for what a URL names; redirects are answers.

    Raises:
        TransferError: the URL is none.
        Unreachable: there is no answer, or it breaks off (also while the body is read).
    """
    import httpx

    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is no http address")
        exact(url)
    except (httpx.InvalidURL, ValueError) as malformed:
        raise TransferError(
            "The platform gave an address that is none",
            detail=f"{malformed}.",
            advice="Tell those who run the platform.",
        ) from malformed
    headers = {**headers, "Accept-Encoding": "identity"}
    address = f"{parts.scheme}://{parts.netloc}"
    try:
        with (_by_httpx if is_proxied(url) else _by_standard_library)(url, headers) as answer:
            yield answer
    except (OSError, http.client.HTTPException, httpx.TransportError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of a file that is written meanwhile
        raise Unreachable(
            "The store stopped answering",
            detail=f"{str(error).rstrip('.')}." if str(error) else "",
            advice="Check the network, then try again: what is complete is not fetched again.",
            subject=address,
        ) from error


@contextlib.contextmanager
def _by_standard_library(url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_CONNECT, context=verification())
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_CONNECT)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        connection.connect()
        connection.sock.settimeout(_READ)
        connection.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as response:
            found = {name.lower(): value for name, value in response.getheaders()}
            yield Answer(response.status, found, response.readinto)
    finally:
        connection.close()


@contextlib.contextmanager
def _by_httpx(url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
    import httpx

    with (
        httpx.Client(timeout=httpx.Timeout(_READ, connect=_CONNECT), verify=verification()) as client,
        client.stream("GET", exact(url), headers=dict(headers)) as response,
    ):
        blocks = response.iter_raw()
        left = memoryview(b"")

        def read_into(buffer: memoryview) -> int:
            nonlocal left
            while not left:
                block = next(blocks, None)
                if block is None:
                    return 0
                left = memoryview(block)
            count = min(len(left), len(buffer))
            buffer[:count] = left[:count]
            left = left[count:]
            return count

        yield Answer(response.status_code, {key.lower(): value for key, value in response.headers.items()}, read_into)
