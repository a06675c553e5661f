"""The variables with which clients of the old SDK use the platform on this computer, unchanged."""

from __future__ import annotations

import shlex

import httpx

from launchpad import paths
from launchpad.errors import LaunchpadError, Unreachable
from launchpad.platform.auth.tokens import LAUNCH_SECRET_GRANT
from launchpad.platform.embedded import Endpoint
from launchpad.tls import verification


def variables(endpoint: Endpoint, timeout: float = 30.0) -> dict[str, str]:
    """The `AIGNOSTICS_*` variables of a running platform, with a new refresh token.

    A cache folder of its own is among them: those clients keep one token, whatever platform it belongs to, and would
    send that of another platform to this one.

    Raises:
        Unreachable: the platform does not answer.
        LaunchpadError: it gives no refresh token.
    """
    return {
        "AIGNOSTICS_API_ROOT": endpoint.api_root,
        "AIGNOSTICS_AUDIENCE": endpoint.audience,
        "AIGNOSTICS_AUTHORIZATION_BASE_URL": f"{endpoint.issuer}authorize",
        "AIGNOSTICS_TOKEN_URL": f"{endpoint.issuer}oauth/token",
        "AIGNOSTICS_REDIRECT_URI": "http://localhost:8989/",
        "AIGNOSTICS_DEVICE_URL": f"{endpoint.issuer}oauth/device/code",
        "AIGNOSTICS_JWS_JSON_URL": f"{endpoint.issuer}.well-known/jwks.json",
        "AIGNOSTICS_CLIENT_ID_INTERACTIVE": endpoint.client_id,
        "AIGNOSTICS_CLIENT_ID_DEVICE": endpoint.client_id,
        "AIGNOSTICS_REFRESH_TOKEN": _refresh_token(endpoint, timeout),
        "AIGNOSTICS_CACHE_DIR": str(paths.cache_dir() / "aignostics"),
    }


def as_lines(values: dict[str, str]) -> str:
    """The variables as a `.env` file, which a shell reads too."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _refresh_token(endpoint: Endpoint, timeout: float) -> str:
    form = {
        "grant_type": LAUNCH_SECRET_GRANT,
        "client_id": endpoint.client_id,
        "launch_secret": endpoint.launch_secret,
        "scope": "openid profile email offline_access",
    }
    try:
        answer = httpx.post(
            f"{endpoint.issuer}oauth/token", data=form, timeout=timeout, trust_env=False, verify=verification()
        )
    except httpx.HTTPError as error:
        raise Unreachable(
            "The platform on this computer does not answer",
            detail=f"{type(error).__name__}.",
            advice="Try again; `launchpad platform status` says how it is.",
            subject=endpoint.issuer,
        ) from error
    token = answer.json().get("refresh_token") if answer.status_code == 200 else None
    if not isinstance(token, str):
        raise LaunchpadError(
            "The platform on this computer gave no refresh token",
            detail=f"HTTP {answer.status_code}.",
            advice="Stop it by `launchpad platform stop`, then try again.",
            subject=endpoint.issuer,
        )
    return token
