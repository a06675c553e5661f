"""The line to a server: clients that know proxies and private authorities, and what goes wrong on it in words."""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from launchpad.bucket.address import is_loopback
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.tls import verification

if TYPE_CHECKING:
    import httpx

CONNECT = 10.0  # seconds
_NOISE = re.compile(r"\[Errno -?\d+\] |\s*\(_ssl\.c:\d+\)")  # says nothing to a person


def plain_client(url: str, timeout: float) -> httpx.Client:
    """A client for one address; it follows nothing and sends nothing by itself."""
    import httpx

    return httpx.Client(
        verify=verification(),
        timeout=httpx.Timeout(timeout, connect=min(CONNECT, timeout)),
        follow_redirects=False,
        # A proxy of the environment must not come between us and our own computer.
        trust_env=not is_loopback(url),
    )


def translated(error: Exception, address: str) -> LaunchpadError:
    """What happened on the way to an address, in words."""
    import httpx

    text = _NOISE.sub("", f"{error}").strip().rstrip(".")
    text = text[:1].upper() + text[1:]
    causes = list(_causes(error))
    if "407" in text or "Proxy Authentication" in text:
        return Unreachable(
            "The network's proxy wants a sign-in",
            detail="It answered “407 Proxy Authentication Required”.",
            advice="Set HTTPS_PROXY to http://name:password@proxy:port, or ask your IT for a way without a password.",
            subject=address,
        )
    if isinstance(error, httpx.ProxyError):
        return Unreachable(
            "The network's proxy does not let this through",
            detail=f"{text}.",
            advice="Ask your IT to allow this address, or correct HTTPS_PROXY.",
            subject=address,
        )
    certificate = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if certificate is not None or "CERTIFICATE_VERIFY_FAILED" in text:
        return _untrusted(getattr(certificate, "verify_message", "") or text, address)
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "SSL" in text:
        return Unreachable(
            "No safe connection comes about",
            detail=f"{text}.",
            advice="Check that the address is right and wants https; a proxy that opens https does this too.",
            subject=address,
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "Name or service not known" in text:
        return Unreachable(
            "The name of the server is not known",
            detail=f"{urlsplit(address).hostname or address} has no address.",
            advice="Check the address and the network connection (VPN, DNS), then try again.",
            subject=address,
        )
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(
            "No connection comes about in time",
            detail="A firewall that drops what it does not know does this.",
            advice="Check the network connection (proxy, VPN), then try again.",
            subject=address,
        )
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(
            "The platform does not answer in time",
            advice="Check the network connection, then try again.",
            subject=address,
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError | httpx.DecodingError):
        return Unreachable(
            "The answer broke off",
            detail=f"{text}." if text else "The connection was closed in the middle.",
            advice="Try again; if this stays, a proxy or firewall on the way cuts connections.",
            subject=address,
        )
    return Unreachable(
        "The platform cannot be reached",
        detail=f"{text}." if text else "",
        advice="Check the address and the network connection (proxy, VPN), then try again.",
        subject=address,
    )


def is_page(answer: httpx.Response) -> bool:
    """Whether a web page came where data were asked for."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or answer.status_code == 511


class WebPageAnswered(Unreachable):
    """A page for people came where data were asked for."""


def page_instead(address: str) -> WebPageAnswered:
    """A captive portal, a proxy's page of blame, or an address that is no platform's."""
    return WebPageAnswered(
        "A web page answered instead of the platform",
        detail="Networks that want a sign-in of their own do this, and proxies that block an address.",
        advice="Open any web page in the browser and sign in to the network there, then try again; "
        "otherwise check the address.",
        subject=address,
    )


def _untrusted(reason: str, address: str) -> Unreachable:
    if "expired" in reason or "not yet valid" in reason:
        return Unreachable(
            "The server's certificate is not valid today",
            detail=f"{reason[:1].upper()}{reason[1:]}.",
            advice="Check the date and time of this computer; if they are right, tell those who run the server.",
            subject=address,
        )
    return Unreachable(
        "The server's certificate is not trusted",
        detail=f"{reason[:1].upper()}{reason[1:]}.",
        advice="If your institute has a certificate authority of its own, have it installed in the system, "
        "or set SSL_CERT_FILE to its file.",
        subject=address,
    )


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
