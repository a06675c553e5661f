"""Signing in and out: by the browser (authorization code with PKCE on a loopback redirect), or by a device code."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth import oauth
from launchpad.platform.auth.loopback import LoopbackServer, PortBusy
from launchpad.platform.auth.oauth import Provider, Refusal, provider_of
from launchpad.platform.auth.profiles import Profile
from launchpad.platform.auth.store import Protection, StoredTokens, TokenStore
from launchpad.platform.auth.tokens import tokens_of
from launchpad.progress import Progress

LIMIT = 300.0  # seconds that a person has in the browser
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5.0


@dataclass(frozen=True)
class DeviceCode:
    """What a person types, and where. `complete` has the code in it, for a QR code. Times are seconds."""

    user_code: str
    address: str
    complete: str
    expires_in: float
    device_code: str
    interval: float


@dataclass(frozen=True)
class SignedIn:
    """How a sign-in ended, and how it is kept."""

    tokens: StoredTokens
    protection: Protection


def by_browser(
    profile: Profile,
    *,
    open_browser: Callable[[str], bool],
    progress: Progress | None = None,
    again: bool = False,
    timeout: float = 30.0,
    limit: float = LIMIT,
) -> SignedIn:
    """Sign in by the browser, and store it. With `again` the issuer asks the person in any case.

    Raises:
        PortBusy: the port that the issuer would send the browser to is in use.
        LaunchpadError: no browser opens, the person refuses or takes too long, or the answer cannot be trusted.
        Unreachable: the issuer does not answer.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    provider = provider_of(profile, timeout)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    with _server(profile, provider, state) as server:
        query = {
            "response_type": "code",
            "client_id": profile.client_id,
            "redirect_uri": server.redirect_uri,
            "scope": profile.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "audience": profile.audience,
        }
        if profile.organization:
            query["organization"] = profile.organization
        if again:
            query["prompt"] = "login"
        _open(
            open_browser, f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(query)}"
        )
        answer = _waited(server, progress, profile, limit)
    if ("iss" in answer or provider.names_itself) and answer.get("iss") != provider.issuer:
        raise _mistrusted(profile, "the answer came from another issuer")
    if "error" in answer:
        raise Refusal(
            "The sign-in was refused",
            detail=f"{(answer.get('error_description') or answer['error'])[:300].rstrip('.')}.",
            advice="Try again; if this stays, ask those who run the platform.",
            subject=profile.title,
            code=answer["error"],
        )
    progress.check()
    form = {
        "grant_type": "authorization_code",
        "client_id": profile.client_id,
        "code": answer["code"],
        "redirect_uri": server.redirect_uri,
        "code_verifier": verifier,
    }
    tokens = oauth.token_request(provider, form, timeout)
    return _stored(profile, provider, tokens, client_id=profile.client_id, nonce=nonce, timeout=timeout)


def device_code(profile: Profile, timeout: float = 30.0) -> DeviceCode:
    """Begin a sign-in without a browser here.

    Raises:
        LaunchpadError: the issuer has no such way, or refuses.
        Unreachable: it does not answer.
    """
    provider = provider_of(profile, timeout)
    if not provider.device:
        raise LaunchpadError(
            "This platform has no sign-in by a code",
            advice="Sign in by the browser: `launchpad user login`.",
            subject=profile.title,
        )
    form = {"client_id": _device_client(profile), "scope": profile.scope, "audience": profile.audience}
    answer = oauth.device_request(provider, form, timeout)
    try:
        address = str(answer.get("verification_uri") or answer["verification_url"])
        return DeviceCode(
            user_code=str(answer["user_code"]),
            address=address,
            complete=str(answer.get("verification_uri_complete") or address),
            expires_in=float(answer["expires_in"]),
            device_code=str(answer["device_code"]),
            interval=float(answer.get("interval", 5)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LaunchpadError(
            "The issuer gave no code", detail="Its answer is not understood.", subject=profile.issuer
        ) from error


def by_device(
    profile: Profile, code: DeviceCode, *, progress: Progress | None = None, timeout: float = 30.0
) -> SignedIn:
    """Wait until a person has agreed elsewhere, and store the sign-in.

    Raises:
        LaunchpadError: the person refused, or the code has expired.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    provider = provider_of(profile, timeout)
    end, wait = time.monotonic() + code.expires_in, code.interval
    form = {"grant_type": DEVICE_GRANT, "client_id": _device_client(profile), "device_code": code.device_code}
    while time.monotonic() < end:
        progress.report(0, 0, "Waiting for the sign-in")
        progress.sleep(min(wait, max(0.0, end - time.monotonic())))
        try:
            answer = oauth.token_request(provider, form, timeout)
        except Unreachable:
            wait *= 2  # RFC 8628 section 3.5
            continue
        except Refusal as error:
            if error.code == "slow_down":
                wait += _SLOWER
            elif error.code != "authorization_pending":
                raise _device_refused(profile, error) from error
            continue
        return _stored(profile, provider, answer, client_id=_device_client(profile), nonce=None, timeout=timeout)
    raise _device_refused(profile, Refusal("", code="expired_token"))


def sign_out(profile: Profile, timeout: float = 30.0) -> tuple[bool, LaunchpadError | None]:
    """Revoke and remove the stored sign-in: whether there was one, and why it could not be revoked where so."""
    store = TokenStore(profile)
    problem: LaunchpadError | None = None
    with store.locked():
        try:
            stored = store.read()
        except LaunchpadError as error:
            stored, problem = None, error
        removed = store.remove()
        if stored is not None and stored.refresh_token:
            try:
                oauth.revoke(provider_of(profile, timeout), profile.client_id, stored.refresh_token, timeout)
            except LaunchpadError as error:
                problem = error
    return removed, problem


def has_browser() -> bool:
    """Whether a browser can open here."""
    if os.environ.get("BROWSER"):
        return True
    shown = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    desktop = sys.platform in ("win32", "darwin") and not os.environ.get("SSH_CONNECTION")
    return shown or desktop


def open_browser(url: str) -> bool:
    """Open an address in the person's browser."""
    import webbrowser

    return webbrowser.open(url)


def _server(profile: Profile, provider: Provider, state: str) -> LoopbackServer:
    addresses = ("http://127.0.0.1:0/",) if provider.any_port else profile.redirect_uris
    busy: PortBusy | None = None
    for address in addresses:
        try:
            return LoopbackServer(address, state)
        except PortBusy as error:
            busy = error
    raise busy or LaunchpadError("The profile has no redirect URI", subject=profile.title)


def _open(open_browser: Callable[[str], bool], url: str) -> None:
    """Some browsers return at once, others when they are closed: neither is waited for longer than a moment."""
    opened: list[bool] = []
    done = threading.Event()

    def work() -> None:
        try:
            opened.append(open_browser(url))
        finally:
            done.set()

    threading.Thread(target=work, name="browser", daemon=True).start()
    if done.wait(2.0) and opened != [True]:
        raise LaunchpadError(
            "No browser opens here",
            advice="Sign in with a code: `launchpad user login --device`.",
        )


def _waited(server: LoopbackServer, progress: Progress, profile: Profile, limit: float) -> dict[str, str]:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        progress.report(0, 0, "Waiting for the sign-in in the browser")
        answer = server.wait(0.1)
        if answer is not None:
            return answer
    raise LaunchpadError(
        "The sign-in took too long",
        detail=f"Nothing came back from the browser within {limit / 60:.0f} minutes.",
        advice="Try again.",
        subject=profile.title,
    )


def _stored(
    profile: Profile, provider: Provider, answer: dict[str, Any], *, client_id: str, nonce: str | None, timeout: float
) -> SignedIn:
    user: dict[str, Any] = {}
    id_token = answer.get("id_token")
    if isinstance(id_token, str):
        user = oauth.check_identity(provider, profile, id_token, client_id=client_id, nonce=nonce, timeout=timeout)
    elif nonce is not None and "openid" in str(answer.get("scope", "")).split():
        raise _mistrusted(profile, "the id token is missing")
    keep: dict[str, Any] = {name: user[name] for name in ("sub", "name", "email") if name in user}
    tokens = tokens_of(profile, answer, refresh_token="", user=keep, client_id=client_id)
    store = TokenStore(profile)
    with store.locked():
        protection = store.write(tokens)
    return SignedIn(tokens, protection)


def _device_client(profile: Profile) -> str:
    return profile.device_client_id or profile.client_id


def _device_refused(profile: Profile, error: Refusal) -> LaunchpadError:
    if error.code == "expired_token":
        return LaunchpadError("The code has expired", advice="Begin the sign-in again.", subject=profile.title)
    if error.code == "access_denied":
        return LaunchpadError(
            "The sign-in was refused",
            detail="Somebody chose to refuse it on the page of the code.",
            advice="Begin again if that was a mistake.",
            subject=profile.title,
        )
    return error


def _mistrusted(profile: Profile, why: str) -> LaunchpadError:
    return LaunchpadError(
        "The sign-in cannot be trusted",
        detail=f"{why[:1].upper()}{why[1:]}.",
        advice="Try again; if this stays, tell those who run the platform.",
        subject=profile.title,
    )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
