"""Trying a profile part by part, so that a person sees which one does not work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchpad.errors import LaunchpadError
from launchpad.platform.auth.profiles import Profile

if TYPE_CHECKING:
    from launchpad.platform.client import Client

_PATIENCE = 10.0  # seconds for the store


@dataclass(frozen=True)
class Step:
    """A part that was tried: what was found, or the error."""

    name: str
    words: str = ""
    error: LaunchpadError | None = None


def steps(profile: Profile) -> Iterator[Step]:
    """Try address, issuer, sign-in and store of a profile, in this order."""
    from launchpad.platform.client import Client

    try:
        client = Client(profile=profile)
    except LaunchpadError as error:
        yield Step("platform", error=error)
        return
    with client:
        yield _tried("platform", lambda: f"{client.api.root} is {client.health()['status']}")
        yield _tried("issuer", lambda: _issuer(client.profile))
        signed_in = _tried("sign-in", lambda: _who(client))
        yield signed_in
        if signed_in.error is None:
            yield _tried("store", lambda: _store(client))


def _tried(name: str, work: Callable[[], str]) -> Step:
    try:
        return Step(name, work())
    except LaunchpadError as error:
        return Step(name, error=error)


def _issuer(profile: Profile) -> str:
    from launchpad.platform.auth.oauth import provider_of

    if not profile.issuer:
        return "none; the bearer token of the settings is used"
    provider = provider_of(profile)
    ways = [words for words, there in (("browser", provider.authorization), ("code", provider.device)) if there]
    return f"{provider.issuer} (sign-in by {' or '.join(ways) or 'token only'})"


def _who(client: Client) -> str:
    me = client.me(nocache=True)
    return f"{me.user.name or me.user.email or me.user.id} of {me.organization.name or me.organization.id}"


def _store(client: Client) -> str:
    from launchpad.bucket.xml_bucket import XmlBucket

    organization = client.me().organization
    bucket = XmlBucket(
        client.profile.storage_endpoint,
        organization.aignostics_bucket_name,
        organization.aignostics_bucket_hmac_access_key_id,
        organization.aignostics_bucket_hmac_secret_access_key,
        patience=_PATIENCE,
    )
    try:
        bucket.head("launchpad-profile-test")  # there is no such object; that it can be asked is enough
    finally:
        bucket.close()
    return f"{bucket.endpoint}, bucket {bucket.name}"
