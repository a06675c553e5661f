"""Bearer tokens for one profile; never sent anywhere else."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import httpx

from launchpad.bucket.address import is_loopback
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth.profiles import Profile
from launchpad.settings import Settings

LAUNCH_SECRET_GRANT = "urn:launchpad:launch-secret"
_EARLY = 300.0  # seconds before its end at which a token is replaced


class TokenSource(Protocol):
    """Whatever gives a bearer token."""

    def token(self) -> str:
        """A token that is valid for some minutes."""
        ...


class GivenToken:
    """A token from the environment; not stored, not refreshed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        """The token."""
        return self._token


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
            response = httpx.post(url, data=form, timeout=self._timeout, trust_env=False)
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


class NotSignedIn:
    """A remote platform without a token."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def token(self) -> str:
        """Always raises LaunchpadError, which says what to do."""
        raise LaunchpadError(
            "You are not signed in",
            advice="Set LAUNCHPAD_TOKEN to a bearer token of this platform, or choose the profile “local”.",
            subject=self._profile.title,
        )


def token_source(profile: Profile, settings: Settings) -> TokenSource:
    """The source for a profile: the environment's token, the launch secret, or an explanation."""
    if profile.kind == "embedded":
        return LaunchSecretToken(profile, settings.auth_timeout)
    if settings.token is not None:
        return GivenToken(settings.token.get_secret_value())
    return NotSignedIn(profile)
