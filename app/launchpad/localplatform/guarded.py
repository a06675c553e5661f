"""Requests to addresses that somebody else named: only where they may lead, and to the very address that was checked.

A name is looked up once, its addresses are checked, and the connection goes to one of them: a name that answers
otherwise the next time gains nothing. Redirects are answers that are checked like the first address. No proxy of the
environment is used, which would look the name up anew.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from launchpad.bucket.http_get import Answer
from launchpad.errors import BadInput, SlideError, Unreachable
from launchpad.tls import verification

REDIRECTS = 3
_CONNECT, _READ = 10.0, 60.0  # seconds
_SLOWEST = 1024  # bytes a second, of those that have sent for a minute
_NEVER = frozenset(
    map(
        ipaddress.ip_address,
        ("168.63.129.16", "169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    )
)
"""Where clouds tell their machines secrets; not even a named host may be there."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse(url: str) -> SplitResult:
    """The parts of an http or https URL.

    Raises:
        BadInput: it is none, or carries a user's name.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadInput("The address is malformed", detail=f"{error}.", subject=url[:80]) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput("The address is not an http or https URL", subject=url[:80])
    if parts.username is not None or parts.password is not None:
        raise BadInput("The address carries a name or password", advice="Use a signed URL.", subject=parts.hostname)
    return parts


def is_named(parts: SplitResult, hosts: tuple[str, ...]) -> bool:
    """Whether a URL's host is in a list of `name` or `name:port`."""
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    return any(entry.lower() in (host, f"{host}:{port}") for entry in hosts)


def addresses(parts: SplitResult, inside: tuple[str, ...]) -> list[Address]:
    """Where a URL's host is, looked up once; all of its addresses may be reached.

    `inside` names the hosts that may be in a private network. One by a loopback address must be named by it.

    Raises:
        BadInput: it is at an address that may not be reached.
        Unreachable: the name is not known.
    """
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            "The host is not known", detail=f"{error}.", advice="Check the address.", subject=host
        ) from error
    result = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    named = is_named(parts, inside)
    for address in result:
        if not may_be_reached(address, named=named, itself=host in ("localhost", str(address))):
            raise BadInput(
                "The address may not be reached from here",
                detail=f"{host} is at {address}, which is not a public address.",
                advice="Use a public address; those who run the platform can allow a host of their own network.",
                subject=parts.netloc,
            )
    return result


def may_be_reached(address: Address, *, named: bool, itself: bool) -> bool:
    """Public ones, and of a `named` host also private ones; loopback and link-local only where they stand `itself`."""
    embedded = _embedded(address)
    if embedded is not None:
        return may_be_reached(embedded, named=named, itself=itself)
    if address in _NEVER or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or address.is_link_local:  # ::1 is of a reserved network, too
        return named and itself
    return not address.is_reserved and (address.is_global or named)


def _embedded(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address leads to."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class _Connection(http.client.HTTPConnection):
    """To one of the addresses, whatever the name says by then."""

    def __init__(self, parts: SplitResult, at: list[Address], patience: float = _READ) -> None:
        default = 443 if parts.scheme == "https" else 80
        super().__init__(parts.hostname or "", parts.port or default, timeout=_CONNECT)
        self.default_port = default  # the Host header names the port where it is another one
        self._at = at
        self._patience = patience
        self._secure = parts.scheme == "https"

    def connect(self) -> None:
        error: OSError | None = None
        for address in self._at:
            try:
                self.sock = socket.create_connection((str(address), self.port), self.timeout)
                break
            except OSError as problem:
                error = problem
        else:
            raise error or OSError("no address")
        if self._secure:
            self.sock = verification().wrap_socket(self.sock, server_hostname=self.host)
        self.sock.settimeout(self._patience)


def request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    inside: tuple[str, ...],
    *,
    patience: float = _READ,
) -> tuple[int, http.client.HTTPResponse, Callable[[], None]]:
    """Send one request; status, the answer with its body unread, and what closes it. Redirects are answers.

    `patience` is in seconds without a byte.

    Raises:
        BadInput: the address may not be reached.
        Unreachable: the name is not known.
        OSError, http.client.HTTPException: there is no answer.
    """
    parts = parse(url)
    connection = _Connection(parts, addresses(parts, inside), patience)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
    except BaseException:
        connection.close()
        raise

    def close() -> None:
        response.close()  # not by the connection where the server ends it with this answer
        connection.close()

    return response.status, response, close


class Getter:
    """GET of slides as `bucket.download` asks for them; up to three redirects, each checked."""

    def __init__(self, inside: tuple[str, ...]) -> None:
        self._inside = inside

    @contextlib.contextmanager
    def __call__(self, url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
        """Ask for what a URL names.

        Raises:
            SlideError: the address may not be reached, leads on too often, or does not open the slide.
            Unreachable: there is no answer, or it breaks off (also while the body is read).
        """
        host = urlsplit(url).hostname or ""
        try:
            with self._follow(url, {**headers, "Accept-Encoding": "identity"}) as response:
                found = {name.lower(): value for name, value in response.getheaders()}
                yield Answer(response.status, found, _paced(response))
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise  # of a file that is written meanwhile
            raise Unreachable(
                "The slide's address does not answer",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="It is tried again; check that the address can be reached from the platform.",
                subject=host,
            ) from error

    @contextlib.contextmanager
    def _follow(self, url: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        for _ in range(REDIRECTS + 1):
            host = urlsplit(url).hostname or ""
            try:
                status, response, close = request("GET", url, headers, None, self._inside)
            except BadInput as error:
                raise SlideError(error.title, error.detail, error.advice, error.subject) from error
            with contextlib.ExitStack() as stack:
                stack.callback(close)
                location = response.getheader("Location")
                if status not in (301, 302, 303, 307, 308) or not location:
                    if 400 <= status < 500 and status not in (408, 416, 425, 429):
                        raise SlideError(
                            "The slide's URL does not open it",
                            detail=f"HTTP {status}. It may be wrong, or have expired.",
                            advice="Submit the slide again, with a URL that is valid long enough.",
                            subject=host,
                        )
                    yield response
                    return
            onward = urljoin(url, location)
            if url.startswith("https:") and not onward.startswith("https:"):
                raise SlideError("The slide's URL leads from https to an open line", subject=host)
            url = onward
        raise SlideError(
            "The slide's URL leads on too often",
            detail=f"More than {REDIRECTS} redirects.",
            advice="Use the address where the slide is.",
            subject=urlsplit(url).hostname or "",
        )


def _paced(response: http.client.HTTPResponse) -> Callable[[memoryview], int]:
    """Reads into a buffer; who sends a drop at a time is given up, so that no worker waits for ever."""
    began, total = time.monotonic(), 0

    def read_into(buffer: memoryview) -> int:
        nonlocal total
        count = response.readinto(buffer)
        total += count
        spent = time.monotonic() - began
        if count and spent > _READ and total < _SLOWEST * spent:
            raise TimeoutError("it sends too slowly")
        return count

    return read_into
