"""Note and tags of a run after it was submitted; somebody else's change is told, never overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from launchpad.errors import Changed
from launchpad.platform.custom_metadata import note_of, tags_of, with_note_and_tags
from launchpad.platform.http import ConcurrencyConflictError

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import RunReadResponse


def change_note_and_tags(client: Client, seen: RunReadResponse, note: str, tags: Sequence[str]) -> RunReadResponse:
    """Give a run another note and other tags; the run as it is then.

    `seen` is the run as the person saw it. What others changed elsewhere in its metadata meanwhile is kept; a change of
    the note or the tags themselves is an error.

    Raises:
        Changed: somebody else changed the note or the tags since then.
        Unreachable, ApiException: the platform does not answer or refuses.
    """
    handle = client.run(seen.run_id)
    for attempt in range(3):
        now = handle.details()
        before, present = ((note_of(run.custom_metadata), sorted(tags_of(run.custom_metadata))) for run in (seen, now))
        if present not in (before, (note, sorted(tags))):
            raise Changed(
                "Somebody else changed the note or the tags meanwhile",
                detail=f"They are now: “{present[0]}”, {', '.join(present[1]) or 'no tags'}.",
                advice="Take theirs, or save yours over it.",
                subject=seen.run_id,
            )
        changed = with_note_and_tags(now.custom_metadata, note, tags)
        try:
            handle.update_custom_metadata(
                changed, custom_metadata_checksum=now.custom_metadata_checksum, enrich_sdk_metadata=False
            )
        except ConcurrencyConflictError:  # between our reading and our writing: look again
            if attempt == 2:
                raise
            continue
        return handle.details()
    raise AssertionError("unreachable")
