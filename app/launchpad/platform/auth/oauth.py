"""Talking to an issuer: discovery, the token endpoint, keys, identities, revocation. No state, no storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth.profiles import Profile, is_safe
from launchpad.platform.line import plain_client, translated

if TYPE_CHECKING:
    import httpx

_KEYS_LIVE = 600.0  # seconds
_LEEWAY = 60  # seconds that clocks may differ
_TRIES = 3


class SignInNeeded(LaunchpadError):
    """A person has to sign in (again). `subject` is the platform's title."""


class Refusal(LaunchpadError):
    """The issuer refused; `code` is OAuth's word for why."""

    def __init__(self, title: str, detail: str = "", advice: str = "", subject: str = "", *, code: str = "") -> None:
        super().__init__(title, detail, advice, subject)
        self.code = code


@dataclass(frozen=True)
class Provider:
    """The addresses of an issuer; empty where it has none."""

    issuer: str
    authorization: str
    token: str
    device: str
    revocation: str
    keys: str
    any_port: bool = False
    names_itself: bool = False


_lock = threading.Lock()
_providers: dict[str, Provider] = {}
_keys: dict[str, tuple[float, list[dict[str, Any]]]] = {}


def provider_of(profile: Profile, timeout: float = 30.0) -> Provider:
    """The addresses of a profile's issuer: its own, or discovered once a process.

    Raises:
        Unreachable: it does not answer.
        LaunchpadError: it is no issuer, or another one than it should be.
    """
    if profile.addresses is not None:
        own = profile.addresses
        revocation = f"{profile.issuer}oauth/revoke"
        return Provider(profile.issuer, own.authorization, own.token, own.device, revocation, own.keys)
    with _lock:
        known = _providers.get(profile.issuer)
    if known is not None:
        return known
    url = f"{profile.issuer}.well-known/openid-configuration"
    if not is_safe(profile.issuer):
        raise LaunchpadError(
            "The address of the sign-in is not safe",
            detail="It is not https.",
            advice="Correct the issuer of the profile.",
            subject=profile.issuer,
        )
    document = _json(_request("GET", url, timeout=timeout), url)
    if document.get("issuer") != profile.issuer and document.get("issuer") != profile.issuer.rstrip("/"):
        raise LaunchpadError(
            "The issuer calls itself differently",
            detail=f"It says {str(document.get('issuer'))[:200]}.",
            advice="Correct the issuer of the profile; a proxy that changes answers does this too.",
            subject=profile.issuer,
        )
    names = {
        "authorization": "authorization_endpoint",
        "token": "token_endpoint",
        "device": "device_authorization_endpoint",
        "revocation": "revocation_endpoint",
        "keys": "jwks_uri",
    }
    found = {what: str(document.get(name) or "") for what, name in names.items()}
    for what, value in found.items():
        if (value and not is_safe(value)) or (not value and what in ("token", "keys")):
            raise LaunchpadError(
                "The issuer's description of itself cannot be used",
                detail=f"{names[what]} is “{value[:200]}”.",
                advice="Tell those who run the platform.",
                subject=profile.issuer,
            )
    provider = Provider(
        str(document["issuer"]),
        **found,
        any_port=document.get("loopback_any_port") is True,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )
    with _lock:
        _providers[profile.issuer] = provider
    return provider


def token_request(provider: Provider, form: Mapping[str, str], timeout: float = 30.0) -> dict[str, Any]:
    """Ask the token endpoint.

    Raises:
        Unreachable: it does not answer.
        Refusal: it refuses.
    """
    return _posted(provider.token, form, timeout)


def device_request(provider: Provider, form: Mapping[str, str], timeout: float = 30.0) -> dict[str, Any]:
    """Ask for a device code. Raises as `token_request`."""
    return _posted(provider.device, form, timeout)


def revoke(provider: Provider, client_id: str, token: str, timeout: float = 30.0) -> bool:
    """Ask the issuer to end a sign-in; False where it has no way to.

    Raises:
        Unreachable: it does not answer.
        Refusal: it refuses.
    """
    if not provider.revocation or not is_safe(provider.revocation):
        return False
    _posted(provider.revocation, {"client_id": client_id, "token": token}, timeout, empty=True)
    return True


def check_identity(
    provider: Provider, profile: Profile, id_token: str, *, client_id: str, nonce: str | None, timeout: float
) -> dict[str, Any]:
    """What an id token says, after its signature, issuer, audience, time and nonce (where we gave one) were checked.

    Raises:
        LaunchpadError: it is not for us, or this computer's clock is wrong.
    """
    import jwt

    try:
        header = jwt.get_unverified_header(id_token)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _key(provider, str(header.get("kid", "")), timeout),
            algorithms=["RS256"],
            audience=client_id,
            issuer=[provider.issuer, profile.issuer],
            leeway=_LEEWAY,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
        if "azp" in claims and claims["azp"] != client_id:
            raise jwt.InvalidTokenError("azp is another client")
        if nonce is not None and claims.get("nonce") != nonce:
            raise jwt.InvalidTokenError("the nonce is not ours")
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise LaunchpadError(
            "The sign-in is not valid at this computer's time",
            detail=f"It is {time.strftime('%Y-%m-%d %H:%M %Z')} here.",
            advice="Set this computer's clock, then sign in again.",
            subject=profile.title,
        ) from error
    except jwt.InvalidTokenError as error:
        raise LaunchpadError(
            "The sign-in cannot be trusted",
            detail=f"{error}.",
            advice="Sign in again; if this stays, tell those who run the platform.",
            subject=profile.title,
        ) from error
    return claims


def unchecked_claims(token: str) -> dict[str, Any]:
    """What a token says of itself, to be shown; empty when it is not one that can be read."""
    import jwt

    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return claims


def _key(provider: Provider, kid: str, timeout: float) -> Any:
    import jwt

    for fresh in (False, True):  # an unknown key: one look whether there are new ones
        for item in _key_set(provider, timeout, fresh=fresh):
            if item.get("kid") == kid and item.get("kty") == "RSA":
                return jwt.PyJWK(item, algorithm="RS256").key
    raise jwt.InvalidTokenError("it is signed by an unknown key")


def _key_set(provider: Provider, timeout: float, *, fresh: bool) -> list[dict[str, Any]]:
    with _lock:
        known = _keys.get(provider.keys)
    if known is not None and not fresh and time.monotonic() - known[0] < _KEYS_LIVE:
        return known[1]
    document = _json(_request("GET", provider.keys, timeout=timeout), provider.keys)
    found = [item for item in document.get("keys", []) if isinstance(item, dict)]
    with _lock:
        _keys[provider.keys] = (time.monotonic(), found)
    return found


def _posted(url: str, form: Mapping[str, str], timeout: float, *, empty: bool = False) -> dict[str, Any]:
    import httpx

    answer = _request("POST", url, form=form, timeout=timeout)
    if answer.is_success:
        return {} if empty else _json(answer, url)
    try:
        body = answer.json()
        code, words = str(body["error"]), str(body.get("error_description") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        code, words = "", ""
    reason = words or code or httpx.codes.get_reason_phrase(answer.status_code)
    raise Refusal(
        "The issuer refused",
        detail=f"{reason[:300].rstrip('.')} (HTTP {answer.status_code}).",
        advice="Sign in again; if this stays, ask those who run the platform.",
        subject=url,
        code=code,
    )


def _json(answer: httpx.Response, url: str) -> dict[str, Any]:
    from launchpad.platform.line import is_page, page_instead

    if answer.has_redirect_location or is_page(answer):
        raise page_instead(url)
    try:
        document = answer.json() if answer.is_success else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise LaunchpadError(
            "The issuer's answer cannot be understood",
            detail=f"HTTP {answer.status_code}.",
            advice="Check the issuer of the profile.",
            subject=url,
        )
    return document


def _request(method: str, url: str, *, timeout: float, form: Mapping[str, str] | None = None) -> httpx.Response:
    """One request; what only reads is tried again, and so is what did not even get a connection."""
    import httpx

    wait = 0.3
    with plain_client(url, timeout) as http:
        for attempt in range(_TRIES):
            try:
                answer = http.request(method, url, data=dict(form) if form is not None else None)
                if answer.status_code < 500 or method != "GET" or attempt == _TRIES - 1:
                    return answer
            except (httpx.TransportError, httpx.InvalidURL) as error:
                again = method == "GET" or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not again or attempt == _TRIES - 1 or "CERTIFICATE" in str(error):
                    raise translated(error, url) from error
            time.sleep(wait)
            wait *= 3
    raise Unreachable("The issuer does not answer", subject=url)
