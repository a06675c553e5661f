"""Upload and submission as one piece of work: the state that the last step shows, and the work itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.application.draft import Slide, SubmissionDraft, delete_draft
from launchpad.desktop.background import Job, Jobs
from launchpad.desktop.session import Session
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket
    from launchpad.platform.client import Client
    from launchpad.platform.models import VersionReadResponse


@dataclass(frozen=True)
class Outcome:
    """How it ended: the id of the run, or the slides that could not be uploaded (then nothing was submitted)."""

    run_id: str
    failed: tuple[Slide, ...]


class Submission(QObject):
    """One attempt after the other to upload and submit a draft.

    Signals:
        changed: it began, moved on or ended.
        submitted: id of the run that the platform accepted.
        failed: an exception for the person to see.
    """

    changed = Signal()
    submitted = Signal(str)
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._jobs = jobs
        self._finished: deque[Slide] = deque()
        self.job: Job | None = None
        self.results: dict[str, Slide] = {}
        """Slides of the latest attempt that are done, with `bucket_url` or `error`, by id."""
        self.done = 0
        self.total = 0
        self.what = ""
        self.rate = 0.0
        self.cancelled = False
        self.run_id = ""

    @property
    def running(self) -> bool:
        """Whether an attempt is under way."""
        return self.job is not None

    def start(self, draft: SubmissionDraft, version: VersionReadResponse) -> None:
        """Upload and submit; `draft` is a copy that nobody changes meanwhile."""
        if self.job is not None or self.run_id:
            return
        self.results.clear()
        self._finished.clear()
        self.done = self.total = 0
        self.what, self.rate, self.cancelled = "", 0.0, False
        self.job = Job(
            self.tr("Upload slides"),
            partial(
                upload_and_submit, draft, version, self._session.client, self._session.bucket, self._finished.append
            ),
        )
        self.job.progress.connect(self._moved)
        self.job.finished.connect(self._ended)
        self.job.failed.connect(self._broken)
        self.job.cancelled.connect(self._stopped)
        self._jobs.start(self.job)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; what is uploaded need not be uploaded again."""
        if self.job is not None:
            self.job.cancel()

    def begin_anew(self) -> None:
        """Forget the run that was submitted, for the next one."""
        self.run_id = ""
        self.results.clear()
        self.changed.emit()

    def _take(self) -> None:
        if self.job is not None and self.job.report.latest is not None:
            self.done, self.total, self.what = self.job.report.latest
        while self._finished:
            slide = self._finished.popleft()
            self.results[slide.id] = slide

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self.rate = rate
        self._take()
        self.changed.emit()

    @Slot(object)
    def _ended(self, outcome: object) -> None:
        self._take()
        self.job = None
        assert isinstance(outcome, Outcome)
        self.results.update({slide.id: slide for slide in outcome.failed})
        self.run_id = outcome.run_id
        self.changed.emit()
        if outcome.run_id:
            self.submitted.emit(outcome.run_id)

    @Slot(object)
    def _broken(self, error: object) -> None:
        self._take()
        self.job = None
        self.changed.emit()
        self.failed.emit(error)

    @Slot()
    def _stopped(self) -> None:
        self._take()
        self.job = None
        self.cancelled = True
        self.changed.emit()


def upload_and_submit(
    draft: SubmissionDraft,
    version: VersionReadResponse,
    client: Client,
    bucket: Callable[[], Bucket],
    on_slide: Callable[[Slide], None],
    progress: Progress,
) -> Outcome:
    """Upload every slide, then submit the run and forget the draft. In a worker thread; knows no Qt.

    With slides that failed nothing is submitted: a person decides whether to try again or to go without them.
    """
    from launchpad.application.submit import submit, upload

    storage = bucket()
    uploaded = upload(
        draft.included(),
        client=client,
        bucket=storage,
        application_id=draft.application_id,
        version=draft.version,
        progress=progress,
        on_slide=on_slide,
    )
    failed = tuple(slide for slide in uploaded if slide.error)
    if failed:
        return Outcome("", failed)
    progress.check()
    run_id = submit(
        replace(draft, slides=list(uploaded)), client=client, bucket=storage, version=version, interface="launchpad"
    )
    delete_draft(draft.id)
    return Outcome(run_id, ())
