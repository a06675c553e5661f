"""A draft to a run in one piece: upload what is not there yet, then submit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from launchpad.application.draft import Slide, SubmissionDraft, delete_draft
from launchpad.application.submit import submit, upload
from launchpad.bucket.board import FileBoard
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket
    from launchpad.platform.client import Client
    from launchpad.platform.models import VersionReadResponse


@dataclass(frozen=True)
class Sent:
    """How it ended: the id of the run, or the slides that could not be uploaded (then nothing was submitted)."""

    run_id: str
    failed: tuple[Slide, ...]


def upload_and_submit(
    draft: SubmissionDraft,
    version: VersionReadResponse,
    client: Client,
    bucket: Bucket,
    *,
    interface: Literal["script", "cli", "launchpad"] = "launchpad",
    progress: Progress | None = None,
    on_slide: Callable[[Slide], None] | None = None,
    board: FileBoard | None = None,
) -> Sent:
    """Upload every slide, then submit the run and forget the draft.

    With slides that failed nothing is submitted: a person decides whether to try again or to go without them. Called
    again after it was stopped, it goes on where it was.

    Raises:
        BadInput: something is missing in the draft.
        Unreachable, ApiException: the platform does not answer or refuses.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    uploaded = upload(
        draft.included(),
        client=client,
        bucket=bucket,
        application_id=draft.application_id,
        version=draft.version,
        progress=progress,
        on_slide=on_slide,
        board=board,
    )
    failed = tuple(slide for slide in uploaded if slide.error)
    if failed:
        return Sent("", failed)
    progress.check()
    run_id = submit(
        replace(draft, slides=list(uploaded)), client=client, bucket=bucket, version=version, interface=interface
    )
    delete_draft(draft.id)
    return Sent(run_id, ())


def give_up(draft: SubmissionDraft, bucket: Bucket) -> int:
    """Throw away what the bucket has of slides that are not whole there; how many there were.

    Raises:
        Unreachable, TransferError: the store does not answer, or refuses.
    """
    count = 0
    for slide in draft.included():
        key = bucket.begun(slide.path)
        if key is not None:
            count += bucket.abandon(key)
    return count
