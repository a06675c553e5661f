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
            "disk": _disk(),
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
