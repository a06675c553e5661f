"""Who is signed in to what, and how the sign-in is kept; with the names of the old SDK."""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from launchpad.platform.auth.oauth import unchecked_claims
from launchpad.platform.auth.profiles import Profile, is_chosen_by
from launchpad.platform.auth.store import TokenStore
from launchpad.platform.models import Model, OrganizationReadResponse, UserReadResponse
from launchpad.settings import Settings, load_settings


class TokenInfo(Model):
    """What the token of a sign-in says of itself; times are Unix seconds."""

    issuer: str | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    scope: list[str] = Field(default_factory=list)
    audience: list[str] = Field(default_factory=list)
    authorized_party: str | None = None
    org_id: str | None = None
    role: str | None = None
    expires_in: int | None = None


class UserInfo(Model):
    """Who is signed in: role, token, user and organization."""

    role: str | None = None
    token: TokenInfo
    user: UserReadResponse
    organization: OrganizationReadResponse


_MASK = "***"
_SECRET = ("secret_access_key", "token", "dsn")


def who(profile: Profile, *, mask_secrets: bool = True) -> dict[str, Any]:
    """The role, token, user and organization of the sign-in of a profile.

    Raises:
        SignInNeeded: nobody is signed in.
        Unreachable, ApiException: the platform does not answer, or refuses.
    """
    from launchpad.platform.client import Client

    settings = load_settings()
    with Client(profile=profile, settings=settings) as client:
        me = client.me(nocache=True).model_dump(mode="json")
        token = client.token()
        profile = client.profile
    document: dict[str, Any] = {
        "profile": profile.name,
        "platform": profile.api_root,
        "stored": kept(profile, settings),
    }
    document |= {"role": role_of(token, profile), "token": describe(token), **me}
    if mask_secrets:
        for name, value in document["organization"].items():
            if value and name.endswith(_SECRET):
                document["organization"][name] = _MASK
        if document["user"].get("email"):
            document["user"]["email"] = _MASK
    return document


def describe(token: str) -> dict[str, Any]:
    """What a token says of itself; null where it is not one that can be read."""
    claims = unchecked_claims(token)
    audience = claims.get("aud", [])
    expires = claims.get("exp")
    return {
        "issuer": claims.get("iss"),
        "issued_at": claims.get("iat"),
        "expires_at": expires,
        "scope": str(claims.get("scope", "")).split(),
        "audience": [audience] if isinstance(audience, str) else list(audience),
        "authorized_party": claims.get("azp"),
        "org_id": claims.get("org_id"),
        "role": _role(claims),
        "expires_in": max(0, round(expires - time.time())) if isinstance(expires, (int, float)) else None,
    }


def role_of(token: str, profile: Profile) -> str:
    """The role that a token gives at a profile's platform."""
    claims = unchecked_claims(token)
    return str(claims.get(f"{profile.audience}/role") or _role(claims))


def kept(profile: Profile, settings: Settings) -> str:
    """How the sign-in of a profile is kept, in words."""
    if profile.kind == "embedded":
        return "not at all: the launch secret of this account opens the platform"
    given = settings.token is not None or settings.refresh_token is not None
    if given and is_chosen_by(settings, profile):
        return "not at all: the settings hold a token"
    protection = TokenStore(profile).protection()
    if protection is None:
        return "not at all"
    if protection.encrypted:
        return "encrypted, its key in the system's keyring"
    return f"in the clear, readable for this account alone, as {protection.reason}"


def _role(claims: dict[str, Any]) -> str:
    audience = claims.get("aud", "")
    names = [audience] if isinstance(audience, str) else list(audience)
    return next((str(claims[f"{name}/role"]) for name in names if f"{name}/role" in claims), "member")
