"""Whether Launchpad and its platform can work: each part UP, DEGRADED or DOWN, with a reason and a remedy.

Asks the platform alone, no third party. Degraded counts as healthy.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchpad import paths
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.client import Client

_ORDER = ("UP", "DEGRADED", "DOWN")
_LITTLE = 2 << 30  # bytes of free disk space
_NOTHING = 100 << 20
_STORAGE_SECONDS = 10.0
_CLOCK_OFF = 60.0  # seconds
_CLOCK_WRONG = 900.0  # of which signatures are refused


@dataclass(frozen=True)
class Component:
    """One part."""

    status: str
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Health:
    """All parts; the worst of them is the whole's."""

    components: Mapping[str, Component]

    @property
    def status(self) -> str:
        """UP, DEGRADED or DOWN."""
        return max((part.status for part in self.components.values()), key=_ORDER.index, default="UP")

    @property
    def reason(self) -> str:
        """Why it is not UP; empty when it is."""
        return next((part.reason for part in self.components.values() if part.status == self.status != "UP"), "")

    @property
    def healthy(self) -> bool:
        """Whether runs can be submitted."""
        return self.status != "DOWN"

    def __bool__(self) -> bool:
        return self.healthy

    def document(self) -> dict[str, object]:
        """As the command line prints it."""
        return {
            "status": self.status,
            "reason": self.reason or None,
            "components": {
                name: {"status": part.status, "reason": part.reason or None, "remedy": part.remedy or None}
                for name, part in self.components.items()
            },
            "uptime_statistics": {},
        }


def check(client: Client) -> Health:
    """Look at everything once; never raises LaunchpadError."""
    return Health(
        {
            "platform": _platform(client),
            "sign-in": _sign_in(client),
            "storage": _storage(client),
            "disk": _disk(),
            "clock": _clock(client),
            "checksums": _checksums(),
            "slides": _slides(),
        }
    )


def unreachable(error: LaunchpadError) -> Health:
    """The health when there is no client at all."""
    return Health({"platform": _down(error), "disk": _disk(), "checksums": _checksums(), "slides": _slides()})


def _down(error: LaunchpadError) -> Component:
    head = f"{error.title}: {error.subject}." if error.subject else f"{error.title}."
    return Component("DOWN", " ".join(part for part in (head, error.detail) if part), error.advice)


def _platform(client: Client) -> Component:
    try:
        answer = client.health()
    except LaunchpadError as error:
        return _down(error)
    status = str(answer.get("status"))
    if status == "UP":
        return Component("UP")
    reason = str(answer.get("reason") or "The platform says that it is not well.")
    return Component("DEGRADED" if status == "DEGRADED" else "DOWN", reason, "Try again later.")


def _sign_in(client: Client) -> Component:
    try:
        client.me()
    except LaunchpadError as error:
        return _down(error)
    return Component("UP")


def _storage(client: Client) -> Component:
    """Whether the store of the profile answers at all; it is asked without a signature, so any answer will do."""
    import httpx

    from launchpad.bucket.address import is_loopback
    from launchpad.tls import verification

    endpoint = client.profile.storage_endpoint
    if not endpoint:
        return Component("DEGRADED", "The profile names no storage.", "Slides cannot be uploaded; choose a profile.")
    try:
        with httpx.Client(
            verify=verification(),
            timeout=min(client.settings.health_timeout, _STORAGE_SECONDS),
            trust_env=not is_loopback(endpoint),
        ) as http:
            status = http.head(endpoint).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        words = f"The storage cannot be reached: {endpoint}. {str(error).rstrip('.') or type(error).__name__}."
        return Component("DOWN", words, "Check the network connection (proxy, VPN, firewall).")
    if status >= 500:
        words = f"The storage answers with an error: {endpoint} (HTTP {status})."
        return Component("DEGRADED", words, "Try again later; uploads may fail meanwhile.")
    return Component("UP")


def _clock(client: Client) -> Component:
    """Signatures and tokens hold for a time: a clock that is wrong makes them worthless."""
    offset = client.api.clock_offset
    if offset is None or abs(offset) < _CLOCK_OFF:
        return Component("UP")
    minutes = round(abs(offset) / 60)
    way = "behind" if offset > 0 else "ahead of"
    words = f"The clock of this computer is {minutes} minute(s) {way} the platform's."
    down = abs(offset) >= _CLOCK_WRONG
    return Component("DOWN" if down else "DEGRADED", words, "Set the clock, best by the system's time service.")


def _disk() -> Component:
    folder = paths.data_dir()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < _LITTLE:
        words = f"{free / 1e9:.1f} GB are free where Launchpad keeps its data."
        return Component("DOWN" if free < _NOTHING else "DEGRADED", words, "Make room on that disk.")
    return Component("UP")


def _checksums() -> Component:
    from launchpad.bucket.crc32c import is_fast

    if is_fast():
        return Component("UP")
    return Component(
        "DEGRADED", "Checksums are computed slowly (10 MB/s).", "Install google-crc32c with its C implementation."
    )


def _slides() -> Component:
    try:
        import openslide
    except (ImportError, OSError) as error:
        return Component("DOWN", f"Slides cannot be read: {error}.", "Install Launchpad again.")
    return Component("UP") if openslide.__library_version__ else Component("DOWN", "OpenSlide has no version.")
