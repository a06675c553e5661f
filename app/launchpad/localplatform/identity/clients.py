"""Which clients the issuer knows, and where it may send their codes."""

from __future__ import annotations

from urllib.parse import urlsplit

from launchpad.localplatform.identity.tokens import AUDIENCE, CLIENT_ID, SCOPE

NAMES = {CLIENT_ID: "Launchpad"}
# Any port of this computer (RFC 8252 section 7.3), by address, never by a name that somebody may point elsewhere.
_PATHS = ("", "/", "/callback")
# The one fixed address that existing clients are registered with.
_FIXED = "http://localhost:8989/"


def is_known(client_id: str) -> bool:
    """Whether there is such a client."""
    return client_id in NAMES


def may_receive(uri: str) -> bool:
    """Whether codes may go to an address."""
    if uri == _FIXED:
        return True
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "http"
        and parts.hostname in ("127.0.0.1", "::1")
        and port is not None
        and "@" not in parts.netloc
        and parts.path in _PATHS
        and "?" not in uri
        and "#" not in uri
    )


def granted(scope: str) -> str:
    """Of the scopes that are asked for those that there are; all but offline access where none is named."""
    known = SCOPE.split()
    wanted = scope.replace(",", " ").split()  # existing clients write commas
    if not wanted:
        return " ".join(name for name in known if name != "offline_access")
    return " ".join(name for name in known if name in wanted)


def is_audience(audience: str) -> bool:
    """Whether tokens may be asked for an audience; none means the platform's."""
    return audience in ("", AUDIENCE)
