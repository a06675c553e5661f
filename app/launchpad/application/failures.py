"""Why slides of a run failed, gathered by cause, with what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse

# What to do next, by error code; the reason decides where the code is not known.
_ADVICE = {
    "TRANSFERERROR": "The file did not arrive as it was. Check that nothing changes it, then resubmit.",
    "UNREACHABLE": "The platform could not fetch the file. Check the bucket and the network, then resubmit.",
    "WORKER_DIED": "The slide needs more memory or time than the platform gives. Resubmit it alone; if it fails again, "
    "send the run's id to support.",
    "DEADLINE": "There was not enough time. Resubmit with a later deadline, or without one.",
}
_BY_REASON = {
    "USER_ERROR": "Correct what the message names, then resubmit. Nothing else of the run needs to be done again.",
    "SYSTEM_ERROR": "The platform failed, not the slide. Resubmit; if it fails again, send the run's id to support.",
    "SKIPPED": "The run ended before these slides were begun. Resubmit them.",
}


@dataclass(frozen=True)
class Failure:
    """Slides that failed for the same cause: `code` and `message` as the platform says, `advice` what to do next."""

    code: str
    message: str
    advice: str
    reason: str
    items: tuple[ItemResultReadResponse, ...]


def failures(items: Iterable[ItemResultReadResponse]) -> list[Failure]:
    """The failed and the skipped items by cause; the cause of the most slides first, skipped ones last."""
    groups: dict[tuple[str, str, str], list[ItemResultReadResponse]] = {}
    for item in items:
        reason = str(item.termination_reason or "")
        if item.state == "TERMINATED" and reason not in ("SUCCEEDED", ""):
            groups.setdefault((reason, item.error_code or "", _cause(item)), []).append(item)
    found = [
        Failure(
            code,
            members[0].error_message or "",
            _ADVICE.get(code.upper()) or _BY_REASON.get(reason, "Resubmit these slides."),
            reason,
            tuple(members),
        )
        for (reason, code, _), members in groups.items()
    ]
    return sorted(found, key=lambda failure: (failure.reason == "SKIPPED", -len(failure.items)))


def _cause(item: ItemResultReadResponse) -> str:
    """The message without what differs from slide to slide: its name, paths, ids, numbers."""
    text = item.error_message or ""
    for name in (item.external_id, item.external_id.replace("\\", "/").rpartition("/")[2]):
        if name:
            text = text.replace(name, "…")
    text = re.sub(r"(?:[A-Za-z]:)?[\\/][^\s:;,]+", "…", text)
    return re.sub(r"[0-9a-fA-F-]{16,}|\d+(?:[.,]\d+)*", "…", text)
