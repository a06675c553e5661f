"""Connection profiles: which platform one talks to. Nothing outside the profile differs between platforms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from launchpad.errors import SettingsError
from launchpad.settings import Settings, load_settings


@dataclass(frozen=True)
class Links:
    """Web pages that belong to a platform; None where it has none."""

    console: str | None = None
    documentation: str | None = None
    support: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Profile:
    """A platform. `api_root` is empty while an embedded platform is not started."""

    name: str
    title: str
    kind: Literal["embedded", "remote"]
    api_root: str
    issuer: str
    client_id: str
    audience: str
    storage_endpoint: str
    links: Links = Links()
    launch_secret: str = field(default="", repr=False)


LOCAL = Profile("local", "On this computer", "embedded", "", "", "", "", "")
_CLOUD = Profile(
    name="aignostics",
    title="Aignostics Platform",
    kind="remote",
    api_root="https://platform.aignostics.com",
    issuer="https://aignostics-platform.eu.auth0.com/",
    client_id="YtJ7F9lAtxx16SZGQlYPe6wcjlXB78MM",
    audience="https://aignostics-platform-samia",
    storage_endpoint="https://storage.googleapis.com",
    links=Links(
        console="https://platform.aignostics.com",
        documentation="https://aignostics.readthedocs.io/en/latest/",
        support="https://platform.aignostics.com/support",
        status="https://status.platform.aignostics.com",
    ),
)
_STAGING = replace(
    _CLOUD,
    name="aignostics-staging",
    title="Aignostics Platform (staging)",
    api_root="https://platform-staging.aignostics.com",
    issuer="https://aignostics-platform-staging.eu.auth0.com/",
    client_id="fQkbvYzQPPVwLxc3uque5JsyFW00rJ7b",
    audience="https://aignostics-platform-staging-samia",
    links=Links(
        console="https://platform-staging.aignostics.com", status="https://status.platform-staging.aignostics.com"
    ),
)
BUILT_IN = (LOCAL, _CLOUD, _STAGING)


def select_profile(settings: Settings | None = None) -> Profile:
    """The profile that the settings choose: by name, by the address of a built-in one, or made from an address.

    Starts nothing: the embedded platform's addresses stay empty.

    Raises:
        SettingsError: the name is not known, or an address lacks what belongs to it.
    """
    settings = settings or load_settings()
    if settings.profile:
        for profile in BUILT_IN:
            if profile.name == settings.profile:
                return profile
        raise SettingsError(
            "There is no such profile",
            advice=f"Choose one of: {', '.join(profile.name for profile in BUILT_IN)}.",
            subject=settings.profile,
        )
    if not settings.api_root:
        return LOCAL
    root = settings.api_root.rstrip("/")
    for profile in BUILT_IN:
        if profile.api_root == root:
            return profile
    return _custom(root, settings)


def _custom(root: str, settings: Settings) -> Profile:
    wanted = {
        "LAUNCHPAD_ISSUER": settings.issuer,
        "LAUNCHPAD_CLIENT_ID": settings.client_id,
        "LAUNCHPAD_AUDIENCE": settings.audience,
        "LAUNCHPAD_STORAGE_ENDPOINT": settings.storage_endpoint,
    }
    missing = [name for name, value in wanted.items() if not value]
    if missing and settings.token is None:
        raise SettingsError(
            "The settings of this platform are not complete",
            detail=f"Missing: {', '.join(missing)}.",
            advice="Set them, or set LAUNCHPAD_TOKEN to a bearer token.",
            subject=root,
        )
    return Profile(
        name="custom",
        title=root,
        kind="remote",
        api_root=root,
        issuer=settings.issuer or "",
        client_id=settings.client_id or "",
        audience=settings.audience or "",
        storage_endpoint=settings.storage_endpoint or "",
    )
