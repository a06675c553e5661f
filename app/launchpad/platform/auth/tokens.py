"""Bearer tokens for one profile; never sent anywhere else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from launchpad.bucket.address import is_loopback
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth.oauth import Refusal, SignInNeeded, provider_of, token_request
from launchpad.platform.auth.profiles import Profile, is_chosen_by, may_use_refresh_token
from launchpad.platform.auth.store import StoredTokens, TokenStore
from launchpad.settings import Settings
from launchpad.tls import verification

LAUNCH_SECRET_GRANT = "urn:launchpad:launch-secret"
_EARLY = 300.0  # seconds before its end at which a token is replaced
_LAST = 60.0  # seconds of life with which one still goes out when no new one is to be had


class TokenSource(Protocol):
    """Whatever gives a bearer token."""

    def token(self) -> str:
        """A token that is valid for some minutes."""
        ...

    def renew(self, rejected: str) -> str:
        """Another token than the one that the platform just refused; the same where there is no other."""
        ...


class GivenToken:
    """Tokens from the environment or from the caller's own function; not stored, not refreshed."""

    def __init__(self, give: Callable[[], str]) -> None:
        self._give = give

    def token(self) -> str:
        """The token."""
        return self._give()

    def renew(self, rejected: str) -> str:
        """The token, asked for once more."""
        return self._give()


class LaunchSecretToken:
    """Tokens of the embedded platform for the holder of its launch secret. Thread-safe."""

    def __init__(self, profile: Profile, timeout: float = 30.0) -> None:
        self._profile = profile
        self._timeout = timeout
        self._lock = threading.Lock()
        self._value = ""
        self._end = 0.0

    def token(self) -> str:
        """A token, renewed five minutes before its end.

        Raises:
            Unreachable: the platform does not answer.
            LaunchpadError: it does not accept the secret.
        """
        with self._lock:
            if time.monotonic() >= self._end - _EARLY:
                self._renew()
            return self._value

    def renew(self, rejected: str) -> str:
        """A new token in place of a refused one. Raises as `token`."""
        with self._lock:
            if self._value == rejected:
                self._renew()
            return self._value

    def _renew(self) -> None:
        url = f"{self._profile.issuer}oauth/token"
        if not is_loopback(url):
            raise LaunchpadError(
                "The launch secret stays on this computer",
                detail="The platform names a sign-in address that is elsewhere.",
                advice="Stop it by `launchpad platform stop`, then try again.",
                subject=self._profile.issuer,
            )
        form = {
            "grant_type": LAUNCH_SECRET_GRANT,
            "client_id": self._profile.client_id,
            "launch_secret": self._profile.launch_secret,
        }
        try:
            response = httpx.post(url, data=form, timeout=self._timeout, trust_env=False, verify=verification())
        except httpx.HTTPError as error:
            raise Unreachable(
                "The platform on this computer does not answer",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="Try again; `launchpad platform status` says how it is.",
                subject=self._profile.issuer,
            ) from error
        if response.status_code != 200:
            raise LaunchpadError(
                "The platform on this computer refused to sign you in",
                detail=f"HTTP {response.status_code}.",
                advice="Stop it by `launchpad platform stop`, then try again.",
                subject=self._profile.issuer,
            )
        try:
            answer = response.json()
            value, lives = str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError) as error:
            raise LaunchpadError(
                "The platform on this computer gave no token",
                detail="Its answer is not understood.",
                advice="Stop it by `launchpad platform stop`, then try again.",
                subject=self._profile.issuer,
            ) from error
        self._value, self._end = value, time.monotonic() + lives


class RefreshTokenOfSettings:
    """Tokens by the refresh token of the environment (AIGNOSTICS_REFRESH_TOKEN), for scripts; nothing is stored."""

    def __init__(self, profile: Profile, refresh_token: str, timeout: float = 30.0) -> None:
        self._profile = profile
        self._refresh_token = refresh_token
        self._timeout = timeout
        self._lock = threading.Lock()
        self._value = ""
        self._end = 0.0

    def token(self) -> str:
        """A token, renewed five minutes before its end.

        Raises:
            Unreachable: the issuer does not answer.
            SignInNeeded: it does not accept the refresh token.
        """
        with self._lock:
            if time.monotonic() >= self._end - _EARLY:
                self._renew()
            return self._value

    def renew(self, rejected: str) -> str:
        """A new token in place of a refused one. Raises as `token`."""
        with self._lock:
            if self._value == rejected:
                self._renew()
            return self._value

    def _renew(self) -> None:
        try:
            answer = refreshed(self._profile, self._refresh_token, self._timeout)
        except Refusal as error:
            raise SignInNeeded(
                "The refresh token of the settings is not accepted",
                detail=error.detail,
                advice="Set AIGNOSTICS_REFRESH_TOKEN to a new one, or remove it and sign in by `launchpad user login`.",
                subject=self._profile.title,
            ) from error
        self._refresh_token = answer.refresh_token or self._refresh_token
        self._value, self._end = answer.access_token, time.monotonic() + answer.expires_at - answer.issued_at


class StoredSignIn:
    """Tokens of the sign-in that is stored for a profile, refreshed by one process at a time. Thread-safe."""

    def __init__(self, profile: Profile, timeout: float = 30.0) -> None:
        self._profile = profile
        self._timeout = timeout
        self._store = TokenStore(profile)
        self._lock = threading.Lock()
        self._known: StoredTokens | None = None
        self._end = 0.0  # of the known token, by the monotonic clock

    def token(self) -> str:
        """A token, refreshed five minutes before its end.

        Raises:
            SignInNeeded: nobody is signed in, or the sign-in has ended.
            Unreachable: the issuer does not answer, and the token has ended.
            LaunchpadError: what is stored cannot be used.
        """
        with self._lock:
            if self._known is not None and time.monotonic() < self._end - _EARLY:
                return self._known.access_token
            return self._current("")

    def renew(self, rejected: str) -> str:
        """Another token than the one that was refused. Raises as `token`."""
        with self._lock:
            return self._current(rejected)

    def _current(self, rejected: str) -> str:
        stored = self._store.read()
        if stored is None:
            self._known = None
            raise not_signed_in(self._profile)
        if self._good(stored, rejected):
            return self._take(stored)
        with self._store.locked():
            stored = self._store.read()  # another process may have refreshed it while we waited
            if stored is None:
                raise not_signed_in(self._profile)
            if self._good(stored, rejected):
                return self._take(stored)
            return self._refresh(stored, rejected)

    def _refresh(self, stored: StoredTokens, rejected: str) -> str:
        if not stored.refresh_token:
            raise ended(self._profile)
        try:
            fresh = refreshed(self._profile, stored.refresh_token, self._timeout, stored)
        except Refusal as error:
            if error.code in ("invalid_grant", "invalid_token", "expired_token"):
                raise ended(self._profile) from error
            raise
        except Unreachable:
            if stored.access_token != rejected and stored.expires_at - time.time() > _LAST:
                return stored.access_token
            raise
        self._store.write(fresh)  # on the disk before it is used: the old one is worth nothing any more
        return self._take(fresh)

    def _good(self, stored: StoredTokens, rejected: str) -> bool:
        # A clock that was put back must not make a token look young for ever.
        early = time.time() < stored.issued_at - _EARLY
        return stored.access_token != rejected and not early and stored.expires_at - time.time() > _EARLY

    def _take(self, stored: StoredTokens) -> str:
        self._known = stored
        self._end = time.monotonic() + stored.expires_at - time.time()
        return stored.access_token


def refreshed(profile: Profile, refresh_token: str, timeout: float, before: StoredTokens | None = None) -> StoredTokens:
    """New tokens for a refresh token.

    Raises:
        Unreachable: the issuer does not answer.
        Refusal: it refuses.
    """
    provider = provider_of(profile, timeout)
    client_id = (before.client_id if before is not None else "") or profile.client_id
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token}
    answer = token_request(provider, form, timeout)
    user = before.user if before is not None else {}
    return tokens_of(profile, answer, refresh_token=refresh_token, user=user, client_id=client_id)


def tokens_of(
    profile: Profile, answer: dict[str, Any], *, refresh_token: str, user: dict[str, Any], client_id: str
) -> StoredTokens:
    """What a token endpoint answered.

    Raises:
        LaunchpadError: there is no token in it.
    """
    try:
        access, lives = str(answer["access_token"]), float(answer.get("expires_in", 3600))
    except (KeyError, TypeError, ValueError) as error:
        raise LaunchpadError(
            "The issuer gave no token",
            detail="Its answer is not understood.",
            advice="Sign in again; if this stays, tell those who run the platform.",
            subject=profile.issuer,
        ) from error
    now = time.time()
    return StoredTokens(
        access_token=access,
        refresh_token=str(answer.get("refresh_token") or refresh_token),
        issued_at=now,
        expires_at=now + lives,
        scope=str(answer.get("scope") or profile.scope),
        client_id=client_id,
        user=user,
    )


def not_signed_in(profile: Profile) -> SignInNeeded:
    """Nobody is signed in."""
    return SignInNeeded(
        "You are not signed in",
        advice="Sign in by `launchpad user login` or in the window, or choose the profile “local”.",
        subject=profile.title,
    )


def ended(profile: Profile) -> SignInNeeded:
    """The sign-in has ended."""
    return SignInNeeded(
        "Your sign-in has ended",
        advice="Sign in again by `launchpad user login` or in the window; what you were doing goes on then.",
        subject=profile.title,
    )


def token_source(profile: Profile, settings: Settings) -> TokenSource:
    """The source for a profile: the launch secret, a token of the settings that is for it, or the stored sign-in."""
    if profile.kind == "embedded":
        return LaunchSecretToken(profile, settings.auth_timeout)
    if settings.token is not None and is_chosen_by(settings, profile):
        value = settings.token.get_secret_value()
        return GivenToken(lambda: value)
    if settings.refresh_token is not None and may_use_refresh_token(profile, settings):
        return RefreshTokenOfSettings(profile, settings.refresh_token.get_secret_value(), settings.auth_timeout)
    return StoredSignIn(profile, settings.auth_timeout)
