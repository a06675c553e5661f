"""Connection profiles: which platform one talks to. Nothing outside the profile differs between platforms."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

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
    items_per_run: int | None = None
    """Slides that a run may have; more are sent as several runs. None where the platform has no limit or tells it."""


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
    items_per_run=500,
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
    root = (settings.api_root or "").rstrip("/")
    if settings.profile:
        for profile in BUILT_IN:
            if profile.name == settings.profile and root in ("", profile.api_root):
                return profile
            if profile.name == settings.profile:  # a token for one must not go to the other
                raise SettingsError(
                    "The settings name two platforms",
                    detail=f"LAUNCHPAD_PROFILE is “{profile.name}”, "
                    f"LAUNCHPAD_API_ROOT (or AIGNOSTICS_API_ROOT) is {root}.",
                    advice="Remove one of the two.",
                )
        raise SettingsError(
            "There is no such profile",
            advice=f"Choose one of: {', '.join(profile.name for profile in BUILT_IN)}.",
            subject=settings.profile,
        )
    if not root:
        return LOCAL
    for profile in BUILT_IN:
        if profile.api_root == root:
            return profile
    return _custom(root, settings)


def _custom(root: str, settings: Settings) -> Profile:
    if not _is_address(root):
        raise SettingsError(
            "The platform's address is malformed",
            advice="Write LAUNCHPAD_API_ROOT like https://platform.example.org, without a path.",
            subject=root,
        )
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
        # The old SDK's variable names the page below the issuer.
        issuer=f"{settings.issuer.rstrip('/').removesuffix('/authorize')}/" if settings.issuer else "",
        client_id=settings.client_id or "",
        audience=settings.audience or "",
        storage_endpoint=settings.storage_endpoint or "",
    )


def _is_address(root: str) -> bool:
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        return False
    return bool(parts.scheme in ("http", "https") and parts.hostname and port != 0 and not parts.query)
