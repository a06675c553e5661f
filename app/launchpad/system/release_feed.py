"""What a release feed says, and whether one may believe it.

A feed is one JSON object: `signed`, the announcement as a text of JSON, and `signature`, the Ed25519 signature of that
text's UTF-8 bytes in base64. So text and signature cannot come apart on the way. The announcement is
`{"schema": 1, "releases": [{"version", "date", "notes", "files": [{"kind", "machine", "name", "url", "size",
"sha256"}]}]}`; what is unknown in it is left aside.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from launchpad import paths
from launchpad.bucket.address import is_loopback
from launchpad.errors import BadInput, ChecksumError, LaunchpadError

KINDS = ("deb", "rpm", "appimage", "tar.xz", "exe", "dmg")
SCHEMA = 1
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(a|b|rc)(\d+))?(\.dev\d+)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,120}")
_LARGEST = 2 << 30  # bytes of an installer


@dataclass(frozen=True)
class Source:
    """Where releases are announced, and the public keys (32 bytes each) of which one must have signed."""

    feed: str
    keys: tuple[bytes, ...]


@dataclass(frozen=True)
class ReleaseFile:
    """One installer: its kind (one of `KINDS`), machine (`x86_64`, `arm64`, `any`), size in bytes, SHA-256 in hex."""

    kind: str
    machine: str
    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """An announced version; `notes` is Markdown of somebody else."""

    version: str
    date: str
    notes: str
    files: tuple[ReleaseFile, ...]


def shipped_source() -> Source:
    """What this build was given in `resources/updates.toml`.

    Raises:
        LaunchpadError: the file is damaged.
    """
    file = paths.resource("updates.toml")
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        keys = tuple(base64.b64decode(key, validate=True) for key in document["keys"])
        if any(len(key) != 32 for key in keys):
            raise ValueError("a key is not 32 bytes long")
        return Source(str(document["feed"]), keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LaunchpadError(
            "This installation is damaged",
            detail=f"What says where updates come from cannot be read: {error}.",
            advice="Install Launchpad again.",
            subject=str(file),
        ) from error


def order(version: str) -> tuple[int, ...]:
    """What versions are compared by: 0.9 < 0.10.0a1 < 0.10.0rc1 < 0.10.0.

    Raises:
        BadInput: it is no version.
    """
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        raise BadInput("This is no version", advice="A version is written like 1.2.3.", subject=version[:80])
    numbers = [int(match[place] or 0) for place in range(1, 5)]
    before = {"a": 0, "b": 1, "rc": 2, None: 3}[match[5]]
    if match[7] and before == 3:
        before = -1  # a development version comes before all others of its number
    return (*numbers, before, int(match[6] or 0), 0 if match[7] else 1)


def safe_url(url: str) -> bool:
    """Whether an address is one that updates may come from: https, or this computer's own."""
    return urlsplit(url).scheme == "https" or (urlsplit(url).scheme == "http" and is_loopback(url))


def believed(feed: bytes, keys: tuple[bytes, ...]) -> tuple[Release, ...]:
    """The releases of a feed that one of the keys has signed, the newest first.

    Raises:
        ChecksumError: no key has signed it.
        LaunchpadError: it is no feed, or one for newer versions of Launchpad.
    """
    try:
        envelope = json.loads(feed)
        text, signature = str(envelope["signed"]).encode(), base64.b64decode(str(envelope["signature"]), validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise _not_a_feed(f"{error}") from error
    if not any(_signed(key, signature, text) for key in keys):
        raise ChecksumError(
            "The announcement of updates is not signed by the makers of this Launchpad",
            detail="It may have been changed on the way. Nothing of it was used.",
            advice="Try again on another network; if this stays, tell those who gave you Launchpad.",
        )
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise LaunchpadError(
                "The announcement of updates is for newer versions of Launchpad",
                advice="Get the installer from those who gave you Launchpad.",
            )
        releases = [_release(entry) for entry in document["releases"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_a_feed(f"{error}") from error
    return tuple(sorted(releases, key=lambda release: order(release.version), reverse=True))


def _signed(key: bytes, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _release(entry: Any) -> Release:
    order(entry["version"])
    files = [_file(item) for item in entry["files"] if item["kind"] in KINDS]
    return Release(entry["version"], str(entry.get("date") or ""), str(entry.get("notes") or ""), tuple(files))


def _file(entry: Any) -> ReleaseFile:
    made = ReleaseFile(
        str(entry["kind"]), str(entry["machine"]), str(entry["name"]), str(entry["url"]), int(entry["size"]),
        str(entry["sha256"]).lower(),
    )  # fmt: skip
    if not _NAME.fullmatch(made.name):
        raise ValueError("a file's name is not one")
    if not re.fullmatch(r"[0-9a-f]{64}", made.sha256):
        raise ValueError(f"{made.name} has no checksum")
    if not safe_url(made.url):
        raise ValueError(f"{made.name} would come over an unprotected line")
    if not 0 < made.size <= _LARGEST:
        raise ValueError(f"{made.name} has no possible size")
    return made


def _not_a_feed(reason: str) -> LaunchpadError:
    return LaunchpadError(
        "The announcement of updates cannot be read",
        detail=f"{reason}.",
        advice="Try again later; a network that wants a sign-in of its own does this, too.",
    )
