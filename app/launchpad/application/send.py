"""A draft to a run in one piece: upload what is not there yet, then submit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from launchpad.application.allowance import load_allowance, submit_all
from launchpad.application.draft import Slide, SubmissionDraft, delete_draft
from launchpad.application.submit import upload
from launchpad.bucket.board import FileBoard
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket
    from launchpad.platform.client import Client
    from launchpad.platform.models import VersionReadResponse


@dataclass(frozen=True)
class Sent:
    """How it ended: the ids of the runs, or the slides that could not be uploaded (then nothing was submitted)."""

    run_ids: tuple[str, ...]
    failed: tuple[Slide, ...]

    @property
    def run_id(self) -> str:
        """The first run, "" where there is none."""
        return self.run_ids[0] if self.run_ids else ""


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
    """Upload every slide, then submit the run, or several where one may not have so many, and forget the draft.

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
        return Sent((), failed)
    progress.check()
    run_ids = submit_all(
        replace(draft, slides=list(uploaded)),
        client=client,
        bucket=bucket,
        version=version,
        items_per_run=load_allowance(client).items_per_run,
        interface=interface,
    )
    delete_draft(draft.id)
    return Sent(tuple(run_ids), ())


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
