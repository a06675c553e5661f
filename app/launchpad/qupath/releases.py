"""What the release server offers of QuPath, and fetching it."""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from launchpad.errors import BadInput, LaunchpadError, NotFound, TransferError
from launchpad.progress import Progress

DEFAULT_VERSION = "0.6.0"
RELEASES = "https://api.github.com/repos/qupath/qupath/releases"
VERSION = re.compile(r"(\d+\.\d+\.\d+(?:-(?:rc|m|SNAPSHOT)\d*)?)")
_TIMEOUT = 30.0
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Release:
    """A file to install: its address, size in bytes and SHA-256 ("" where the server gives none)."""

    version: str
    name: str
    url: str
    size: int
    sha256: str


def asset_suffix(system: str | None = None, machine: str | None = None) -> str:
    """How the file for a system is called, behind `QuPath-v<version>`.

    Raises:
        BadInput: there is no QuPath for that system.
    """
    system, machine = system or platform.system(), (machine or platform.machine()).lower()
    arm = machine in ("arm64", "aarch64")
    if system == "Windows":
        return "-Windows.zip"
    if system == "Darwin":
        return "-Mac-arm64.pkg" if arm else "-Mac-x64.pkg"
    if system == "Linux" and not arm:
        return "-Linux.tar.xz"
    raise BadInput(
        "There is no QuPath to download for this computer",
        detail=f"{system} on {machine}.",
        advice="Install it by hand where it can be had, then name it by the setting `qupath`.",
    )


def release(version: str = DEFAULT_VERSION, system: str | None = None, machine: str | None = None) -> Release:
    """What the release server offers for a version.

    Raises:
        NotFound: it has no such version, or none for this system.
        LaunchpadError: it does not answer as it should.
    """
    suffix = asset_suffix(system, machine)
    if not re.fullmatch(r"\d+\.\d+\.\d+(-\w+)?", version):
        raise BadInput("The version is malformed", advice="Write it like 0.6.0.", subject=version)
    document = _get_json(f"{_releases()}/tags/v{quote(version)}")
    for asset in document.get("assets", []):
        if asset.get("name") == f"QuPath-v{version}{suffix}":
            kind, _, digest = str(asset.get("digest") or "").partition(":")
            checked = digest.lower() if kind == "sha256" and re.fullmatch(r"[0-9a-fA-F]{64}", digest) else ""
            return Release(version, asset["name"], asset["browser_download_url"], int(asset.get("size") or 0), checked)
    raise NotFound("This version has no file for this computer", advice="Choose another version.", subject=version)


def latest_version() -> str:
    """The newest version that the release server offers. Raises LaunchpadError as `release`."""
    name = str(_get_json(f"{_releases()}/latest").get("tag_name", ""))
    match = VERSION.search(name)
    if match is None:
        raise LaunchpadError("The release server names no version", subject=_releases())
    return match[1]


def _releases() -> str:
    from launchpad.settings import load_settings

    return (load_settings().qupath_releases or RELEASES).rstrip("/")


def _get_json(url: str) -> dict[str, Any]:
    import httpx

    from launchpad.bucket.address import is_loopback
    from launchpad.tls import verification

    try:
        with httpx.Client(
            verify=verification(), timeout=_TIMEOUT, follow_redirects=True, trust_env=not is_loopback(url)
        ) as client:
            answer = client.get(url, headers={"Accept": "application/json"})
        if answer.status_code == 404:
            raise NotFound("There is no such version of QuPath", advice="Choose another version.", subject=url)
        answer.raise_for_status()
        document = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise LaunchpadError(
            "The release server does not answer as it should",
            detail=f"{error or type(error).__name__}.",
            advice="Check your network and proxy, or install QuPath by hand and name it by the setting `qupath`.",
            subject=url,
        ) from error
    return document if isinstance(document, dict) else {}


def fetch(chosen: Release, destination: Path, progress: Progress) -> None:
    """Download to a file and check size and SHA-256 on the way. Progress in bytes.

    Raises:
        TransferError: it is not what was promised, or would come over an unprotected line.
        LaunchpadError: it cannot be fetched.
        Cancelled: the progress was cancelled.
    """
    import httpx

    from launchpad.bucket.address import is_loopback
    from launchpad.tls import verification

    parts = urlsplit(chosen.url)
    if parts.scheme != "https" and not is_loopback(chosen.url):
        raise TransferError("QuPath is not fetched over an unprotected line", subject=chosen.url)
    digest, done = hashlib.sha256(), 0
    try:
        with (
            httpx.Client(
                verify=verification(), timeout=_TIMEOUT, follow_redirects=True, trust_env=not is_loopback(chosen.url)
            ) as client,
            client.stream("GET", chosen.url) as answer,
            destination.open("wb") as out,
        ):
            answer.raise_for_status()
            total = chosen.size or int(answer.headers.get("content-length") or 0)
            for block in answer.iter_bytes(_BLOCK):
                out.write(block)
                digest.update(block)
                done += len(block)
                if total and done > total:
                    break
                progress.report(done, total, chosen.name)
    except httpx.HTTPError as error:
        raise LaunchpadError(
            "QuPath cannot be downloaded",
            detail=f"{error or type(error).__name__}.",
            advice="Check your network and proxy, then try again.",
            subject=chosen.url,
        ) from error
    wrong = (chosen.size and done != chosen.size) or (chosen.sha256 and digest.hexdigest() != chosen.sha256)
    if wrong:
        raise TransferError(
            "QuPath did not arrive as it was promised",
            detail=f"{done:,} of {chosen.size:,} bytes." if chosen.size != done else "Its checksum differs.",
            advice="Try again; when it happens again, tell those who run your network.",
            subject=chosen.name,
        )
