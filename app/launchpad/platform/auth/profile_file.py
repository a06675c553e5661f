"""The profiles that a person added, and which one is in use: one file, written whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import portalocker

from launchpad import paths
from launchpad.errors import BadInput, SettingsError
from launchpad.platform.auth.profiles import (
    BUILT_IN,
    Links,
    OAuthAddresses,
    Profile,
    is_address,
    is_safe,
    profile_named,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9\-_.]{0,39}")
_KEPT = (
    "name", "title", "api_root", "issuer", "client_id", "audience", "storage_endpoint", "redirect_uris",
    "device_client_id", "scope", "organization",
)  # fmt: skip


@dataclass(frozen=True)
class ProfileFile:
    """What the file says; `active` is empty where nothing was chosen."""

    profiles: tuple[Profile, ...] = ()
    active: str = ""


def load() -> ProfileFile:
    """Read it; an empty one where there is none.

    Raises:
        SettingsError: it is damaged.
    """
    path = paths.profiles_file()
    try:
        document = json.loads(path.read_bytes())
        found = tuple(_profile(item) for item in document["profiles"])
        return ProfileFile(found, str(document.get("active", "")))
    except FileNotFoundError:
        return ProfileFile()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            "The file of the profiles cannot be read",
            detail=f"{type(error).__name__}: {error}.",
            advice="Correct it, or move it away and add the profiles again.",
            subject=str(path),
        ) from error


def add(profile: Profile) -> None:
    """Keep a profile, in place of one of the same name that was added before.

    Raises:
        BadInput: its name or an address cannot be used.
    """
    if not _NAME.fullmatch(profile.name) or profile.name in (*(item.name for item in BUILT_IN), "custom"):
        raise BadInput(
            "This name cannot be used for a profile",
            advice="Use small letters, digits and - _ . and not the name of a built-in profile.",
            subject=profile.name,
        )
    for what, value in (("API root", profile.api_root), ("issuer", profile.issuer)):
        if not is_safe(value):
            raise BadInput(
                f"The {what} is not an address that tokens may be sent to",
                advice="Write it like https://platform.example.org; http is for this computer only.",
                subject=value,
            )
    if not is_address(profile.storage_endpoint):
        raise BadInput(
            "The storage endpoint is malformed",
            advice="Write it like https://storage.example.org.",
            subject=profile.storage_endpoint,
        )
    for name in ("client_id", "audience"):
        if not getattr(profile, name):
            raise BadInput(
                f"The profile has no {name.replace('_', ' ')}", advice=f"Say it by --{name.replace('_', '-')}."
            )
    own = replace(profile, origin="added", kind="remote", launch_secret="")
    _change(lambda old: replace(old, profiles=(*(item for item in old.profiles if item.name != own.name), own)))


def remove(name: str) -> Profile:
    """Forget a profile that was added; it is returned.

    Raises:
        BadInput: it is built in.
        NotFound: there is none.
    """
    profile = profile_named(name)
    if profile.origin == "built-in":
        raise BadInput(
            "A built-in profile stays", advice="Choose another one by `launchpad profile use`.", subject=name
        )
    _change(
        lambda old: replace(
            old,
            profiles=tuple(item for item in old.profiles if item.name != name),
            active="" if old.active == name else old.active,
        )
    )
    return profile


def use(name: str) -> Profile:
    """Choose a profile for all that is started from now on, unless the settings name another. Raises NotFound."""
    profile = profile_named(name)
    _change(lambda old: replace(old, active=name))
    return profile


def _change(change: Callable[[ProfileFile], ProfileFile]) -> None:
    path = paths.profiles_file()
    paths.ensure_private(path.parent)
    with path.with_suffix(".lock").open("a+") as lock:
        portalocker.lock(lock, portalocker.LOCK_EX)
        new = change(load())
        document = {"active": new.active, "profiles": [_document(item) for item in new.profiles]}
        paths.write_private(path, json.dumps(document, indent=2, ensure_ascii=False).encode())


def _document(profile: Profile) -> dict[str, Any]:
    document: dict[str, Any] = {name: getattr(profile, name) for name in _KEPT}
    document["links"] = asdict(profile.links)
    if profile.addresses is not None:
        document["addresses"] = asdict(profile.addresses)
    return document


def _profile(item: dict[str, Any]) -> Profile:
    links = {one.name: item.get("links", {}).get(one.name) for one in fields(Links)}
    addresses = item.get("addresses")
    known = {name: item[name] for name in _KEPT if name in item}
    known["redirect_uris"] = tuple(known.get("redirect_uris", ())) or Profile.redirect_uris
    return Profile(
        kind="remote",
        links=Links(**links),
        addresses=OAuthAddresses(**addresses) if addresses else None,
        origin="added",
        **known,
    )
