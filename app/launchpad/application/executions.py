"""What `run execute` began with a metadata file, so that it goes on with its run instead of making a second one."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import state
from launchpad.application.allowance import split
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.application.submit import find_submission
from launchpad.application.uploaded import profile_key

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile
    from launchpad.platform.client import Client
    from launchpad.platform.models import RunReadResponse


@dataclass(frozen=True)
class Execution:
    """What was begun; `again` when an earlier call began it. The runs are found by the submission id."""

    submission_id: str
    again: bool


def begin(profile: Profile, manifest: Path, draft: SubmissionDraft, *, new: bool = False) -> Execution:
    """Note that the draft's slides are being sent with this metadata file.

    It is the same execution as an earlier one when application, version, slides, their content and what is said about
    each of them are the same; `new` begins another one all the same. One is kept for each file.

    Raises:
        LaunchpadError: the state cannot be written.
    """
    key, mark = (profile_key(profile), str(manifest.absolute())), _mark(draft)
    with closing(state.connect()) as database, database:
        row = database.execute(
            "SELECT mark, submission_id FROM execution WHERE profile = ? AND manifest = ?", key
        ).fetchone()
        if row is not None and row["mark"] == mark and not new:
            return Execution(str(row["submission_id"]), again=True)
        made = str(uuid.uuid4())
        database.execute("INSERT OR REPLACE INTO execution VALUES (?, ?, ?, ?, ?)", (*key, mark, made, time.time()))
    return Execution(made, again=False)


def runs_of(client: Client, draft: SubmissionDraft, items_per_run: int | None) -> list[RunReadResponse]:
    """The runs that a draft became; none when one of them is missing. Raises as `client.runs.list`."""
    found = []
    for part in split(draft, items_per_run):
        run_id = find_submission(client, part)
        if run_id is None:
            return []
        found.append(client.run(run_id).details())
    return found


def with_earlier(slides: Sequence[Slide], earlier: Sequence[Slide]) -> tuple[Slide, ...]:
    """The slides with what an earlier metadata file says about those whose content is still the same.

    That is where they were uploaded to, what a person filled in, and an MPP that the file itself does not know.
    """
    known = {(slide.external_id, slide.crc32c or ""): slide for slide in earlier if slide.crc32c}
    result = []
    for slide in slides:
        before = known.get((slide.external_id, slide.crc32c or ""))
        if before is not None:
            slide = replace(slide, bucket_url=before.bucket_url, values={**slide.values, **before.values})
            if slide.mpp is None and before.mpp is not None:
                slide = replace(slide, mpp=before.mpp, mpp_origin="user", mpp_problem="")
        result.append(slide)
    return tuple(result)


def _mark(draft: SubmissionDraft) -> str:
    rows = sorted(
        [slide.external_id, slide.crc32c, slide.mpp, sorted(slide.values.items())] for slide in draft.included()
    )
    return hashlib.sha256(json.dumps([draft.application_id, draft.version, rows]).encode()).hexdigest()
