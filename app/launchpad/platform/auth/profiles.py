"""Connection profiles: which platform one talks to. Nothing outside the profile differs between platforms."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from launchpad.bucket.address import is_loopback
from launchpad.errors import NotFound, SettingsError
from launchpad.settings import ENVIRONMENT, Settings, load_settings, place_of

GOOGLE_STORAGE = "https://storage.googleapis.com"
REDIRECT = "http://localhost:8989/"  # the one that existing clients are registered with


@dataclass(frozen=True)
class Links:
    """Web pages that belong to a platform; None where it has none."""

    console: str | None = None
    documentation: str | None = None
    support: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class OAuthAddresses:
    """Addresses of an issuer that publishes none of them by itself."""

    authorization: str
    token: str
    device: str
    keys: str


@dataclass(frozen=True)
class Profile:
    """A platform. `api_root` is empty while an embedded platform is not started.

    Attributes:
        issuer: of the identity provider, ends in a slash; what belongs to it is discovered unless `addresses` say it.
        redirect_uris: where the issuer may send the browser after a sign-in; the first one whose port is free is used.
        origin: who made it.
    """

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
    addresses: OAuthAddresses | None = None
    redirect_uris: tuple[str, ...] = (REDIRECT,)
    device_client_id: str = ""
    scope: str = "openid profile email offline_access"
    organization: str = ""
    origin: Literal["built-in", "added", "settings"] = "built-in"
    hidden: bool = False
    items_per_run: int | None = None
    """Slides that a run may have; more are sent as several runs. None where the platform has no limit or tells it."""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What a stored token belongs to: API root, issuer, client id and audience together."""
        return (self.api_root.rstrip("/"), self.issuer, self.client_id, self.audience)

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the identity."""
        return hashlib.sha256("\n".join(self.identity).encode()).hexdigest()[:16]


LOCAL = Profile("local", "On this computer", "embedded", "", "", "", "", "")
CLOUD = Profile(
    name="aignostics",
    title="Aignostics Platform",
    kind="remote",
    api_root="https://platform.aignostics.com",
    issuer="https://aignostics-platform.eu.auth0.com/",
    client_id="YtJ7F9lAtxx16SZGQlYPe6wcjlXB78MM",
    audience="https://aignostics-platform-samia",
    storage_endpoint=GOOGLE_STORAGE,
    links=Links(
        console="https://platform.aignostics.com",
        documentation="https://aignostics.readthedocs.io/en/latest/",
        support="https://platform.aignostics.com/support",
        status="https://status.platform.aignostics.com",
    ),
    items_per_run=500,
)
_STAGING = replace(
    CLOUD,
    name="aignostics-staging",
    title="Aignostics Platform (staging)",
    api_root="https://platform-staging.aignostics.com",
    issuer="https://aignostics-platform-staging.eu.auth0.com/",
    client_id="fQkbvYzQPPVwLxc3uque5JsyFW00rJ7b",
    audience="https://aignostics-platform-staging-samia",
    links=Links(
        console="https://platform-staging.aignostics.com", status="https://status.platform-staging.aignostics.com"
    ),
    hidden=True,
)
BUILT_IN = (LOCAL, CLOUD, _STAGING)


def all_profiles() -> tuple[Profile, ...]:
    """The built-in profiles and those that a person added. Raises SettingsError when their file is damaged."""
    from launchpad.platform.auth.profile_file import load

    return (*BUILT_IN, *load().profiles)


def profile_named(name: str) -> Profile:
    """A profile by its name.

    Raises:
        NotFound: there is none.
        SettingsError: the file of the profiles is damaged.
    """
    for profile in all_profiles():
        if profile.name == name:
            return profile
    known = ", ".join(profile.name for profile in all_profiles() if not profile.hidden)
    raise NotFound("There is no such profile", advice=f"Choose one of: {known}.", subject=name)


def select_profile(settings: Settings | None = None) -> Profile:
    """The profile that the settings choose: by name, by the address of a built-in one, or made from an address.

    Without either, a refresh token chooses the Aignostics Platform, as it does for clients of the old SDK; otherwise it
    is the profile that was chosen by `launchpad profile use`, or the platform on this computer. Starts nothing: the
    embedded platform's addresses stay empty.

    Raises:
        SettingsError: the name is not known, an address lacks what belongs to it, or a token would go elsewhere.
    """
    settings = settings or load_settings()
    profile = _selected(settings)
    if settings.organization_id and profile.kind == "remote":
        profile = replace(profile, organization=settings.organization_id)
    _keep_tokens_at_home(settings, profile)
    return profile


def _selected(settings: Settings) -> Profile:
    root = (settings.api_root or "").rstrip("/")
    if settings.profile:
        try:
            profile = profile_named(settings.profile)
        except NotFound as error:
            raise SettingsError(error.title, advice=error.advice, subject=error.subject) from None
        if root in ("", profile.api_root):
            return profile
        raise SettingsError(  # a token for one must not go to the other
            "The settings name two platforms",
            detail=f"LAUNCHPAD_PROFILE is “{profile.name}”, LAUNCHPAD_API_ROOT (or AIGNOSTICS_API_ROOT) is {root}.",
            advice="Remove one of the two.",
        )
    if root:
        for profile in BUILT_IN:
            if profile.api_root == root:
                return profile
        return _custom(root, settings)
    if settings.refresh_token is not None:
        return CLOUD
    from launchpad.platform.auth.profile_file import load

    chosen = load()
    return next((item for item in (*BUILT_IN, *chosen.profiles) if item.name == chosen.active), LOCAL)


def is_chosen_by(settings: Settings, profile: Profile) -> bool:
    """Whether the tokens of the settings are for a profile: only for the one that the settings themselves choose."""
    return profile.kind == "remote" and _selected(settings).identity == profile.identity


def may_use_refresh_token(profile: Profile, settings: Settings) -> bool:
    """Whether a refresh token of the settings is for a profile: the Aignostics Platform, or the address beside it."""
    if settings.refresh_token is None or not is_chosen_by(settings, profile):
        return False
    return profile.identity == CLOUD.identity or (bool(settings.api_root) and profile.origin != "added")


def _keep_tokens_at_home(settings: Settings, profile: Profile) -> None:
    """A token of the environment is not led elsewhere by a `.env` of some folder."""
    if profile.kind != "remote":
        return
    chooser = "api_root" if settings.api_root else "profile" if settings.profile else ""
    place = place_of(chooser) if chooser else ""
    if place != ".env":
        return
    for name in ("token", "refresh_token"):
        if getattr(settings, name) is not None and place_of(name) != place:
            raise SettingsError(
                "A token would go to another platform than it is for",
                detail=f"LAUNCHPAD_{name.upper()} comes from {place_of(name)}, "
                f"LAUNCHPAD_{chooser.upper()} from the file .env in this folder.",
                advice=f"Set both in {ENVIRONMENT}, or both in one file.",
                subject=profile.api_root,
            )


_COMPANIONS = (
    "AUDIENCE", "AUTHORIZATION_BASE_URL", "TOKEN_URL", "REDIRECT_URI", "DEVICE_URL", "JWS_JSON_URL",
    "CLIENT_ID_INTERACTIVE",
)  # fmt: skip


def _custom(root: str, settings: Settings) -> Profile:
    if not is_address(root):
        raise SettingsError(
            "The platform's address is malformed",
            advice="Write LAUNCHPAD_API_ROOT like https://platform.example.org, without a path.",
            subject=root,
        )
    old = {
        "AUDIENCE": settings.audience,
        "AUTHORIZATION_BASE_URL": settings.authorization_base_url,
        "TOKEN_URL": settings.token_url,
        "REDIRECT_URI": settings.redirect_uri,
        "DEVICE_URL": settings.device_url,
        "JWS_JSON_URL": settings.jws_json_url,
        "CLIENT_ID_INTERACTIVE": settings.client_id,
    }
    new = {
        "LAUNCHPAD_ISSUER": settings.issuer,
        "LAUNCHPAD_CLIENT_ID": settings.client_id,
        "LAUNCHPAD_AUDIENCE": settings.audience,
        "LAUNCHPAD_STORAGE_ENDPOINT": settings.storage_endpoint,
    }
    own = ("AUTHORIZATION_BASE_URL", "TOKEN_URL", "REDIRECT_URI", "DEVICE_URL", "JWS_JSON_URL")
    by_old_names = not settings.issuer and any(old[name] for name in own)
    missing = [f"AIGNOSTICS_{name}" for name in _COMPANIONS if not old[name]] if by_old_names else []
    if not by_old_names:
        missing = [name for name, value in new.items() if not value]
    if missing and settings.token is None:
        raise SettingsError(
            "The settings of this platform are not complete",
            detail=f"Missing: {', '.join(missing)}.",
            advice="Set them, or all of AIGNOSTICS_{" + ",".join(_COMPANIONS) + "}; "
            "or set LAUNCHPAD_TOKEN to a bearer token; or add the platform once by `launchpad profile add`.",
            subject=root,
        )
    addresses, issuer = None, settings.issuer or ""
    if by_old_names and not missing:
        addresses = OAuthAddresses(
            str(settings.authorization_base_url),
            str(settings.token_url),
            str(settings.device_url),
            str(settings.jws_json_url),
        )
        parts = urlsplit(str(settings.authorization_base_url))
        issuer = f"{parts.scheme}://{parts.netloc}"
    return Profile(
        name="custom",
        title=root,
        kind="remote",
        api_root=root,
        issuer=f"{issuer.rstrip('/')}/" if issuer else "",
        client_id=settings.client_id or "",
        audience=settings.audience or "",
        storage_endpoint=settings.storage_endpoint or GOOGLE_STORAGE,
        links=Links(status=settings.status_page_url),
        addresses=addresses,
        redirect_uris=(settings.redirect_uri,) if settings.redirect_uri else (REDIRECT,),
        device_client_id=settings.client_id_device or "",
        scope=(settings.scope or "openid profile email offline_access").replace(",", " "),
        origin="settings",
    )


def is_address(root: str) -> bool:
    """Whether a text is the address of a server: http or https, a host, nothing behind it that is not a path."""
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        return False
    usable = parts.scheme in ("http", "https") and parts.hostname and port != 0
    return bool(usable and not parts.query and not parts.fragment and "@" not in parts.netloc)


def is_safe(url: str) -> bool:
    """Whether secrets may be sent to an address: https, or this computer."""
    return is_address(url.partition("?")[0]) and (url.startswith("https://") or is_loopback(url))
