"""What may be said about a run when it is submitted or looked for, in the words of the old SDK's functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from launchpad.errors import BadInput
from launchpad.platform.custom_metadata import note_of, tags_of

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse


def time_of(value: str | datetime | None) -> datetime | None:
    """A time with its zone. Raises BadInput when it has none, ValueError when it is malformed."""
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    if time is not None and time.tzinfo is None:
        raise BadInput("The time has no zone", advice="Write it like 2026-01-31T18:00:00Z.", subject=str(value))
    return time


def pipeline_hints(
    gpu: str | None, mode: str | None, most: int | None, flex: int | None, cpu: str | None, node: int | None
) -> dict[str, Any]:
    """The hints for a cloud's scheduler that were given, as the run's metadata have them."""
    wanted = {
        "gpu_type": gpu,
        "provisioning_mode": mode,
        "max_gpus_per_slide": most,
        "flex_start_max_run_duration_minutes": flex,
    }
    hints: dict[str, Any] = {
        "gpu": {name: value for name, value in wanted.items() if value is not None},
        "cpu": {"provisioning_mode": cpu} if cpu else {},
        "node_acquisition_timeout_minutes": node,
    }
    return {name: value for name, value in hints.items() if value}


def future(value: str | datetime | None) -> datetime | None:
    """As `time_of`; BadInput also when it is over."""
    time = time_of(value)
    if time is not None and time <= datetime.now(UTC):
        raise BadInput("The time lies in the past", advice="Choose a later one.", subject=str(value))
    return time


def matcher(
    note_regex: str | None, ignore_case: bool, tags: set[str] | None, query: str | None
) -> Callable[[RunReadResponse], bool]:
    """Whether a run fits. Raises BadInput when the conditions exclude each other or the expression is malformed."""
    if query is not None and (tags or note_regex is not None):
        raise BadInput("query cannot be combined with tags or note_regex", advice="Leave out one of them.")
    try:
        pattern = re.compile(note_regex, re.IGNORECASE if ignore_case else 0) if note_regex is not None else None
    except re.error as error:
        raise BadInput(
            "The regular expression is malformed", detail=f"{error}.", advice="Correct it.", subject=str(note_regex)
        ) from error

    def matches(run: RunReadResponse) -> bool:
        note, own = note_of(run.custom_metadata), tags_of(run.custom_metadata)
        if query is not None:
            return any(query.casefold() in text.casefold() for text in (note, *own))
        if tags and not tags <= set(own):
            return False
        return pattern is None or pattern.search(note) is not None

    return matches
