"""One upload or download of the window: its work, its state, and what one can do with it.

A transfer outlives the page that began it. Its work is a Job; pausing ends the job, and resuming begins one that goes
on where the journals say that the bytes are.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.application.download_plan import DownloadPlan
from launchpad.application.draft import Slide, SubmissionDraft, load_drafts
from launchpad.application.transfers import TransferRecord
from launchpad.bucket.board import FileBoard
from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.models.words import counted
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError, NotFound
from launchpad.progress import Pace

if TYPE_CHECKING:
    from launchpad.application.results import Downloaded
    from launchpad.application.send import Sent
    from launchpad.bucket.base import Bucket
    from launchpad.platform.client import Client
    from launchpad.progress import Progress

State = Literal["running", "pausing", "paused", "interrupted", "failed", "done", "cancelling", "cancelled"]

_log = logging.getLogger(__name__)


class Transfer(QObject):
    """One upload or download.

    Signals:
        changed: it moved, or its state is another one.
        ended: what the work returned, when it came to its end.
        broke: the exception that ended it.
    """

    changed = Signal()
    ended = Signal(object)
    broke = Signal(object)

    def __init__(self, record: TransferRecord, session: Session, jobs: Jobs, keep: Callable[[Transfer], None]) -> None:
        super().__init__()
        self.record = record
        self.board = FileBoard()
        self.state: State = record.state
        self.error = record.error
        self.job: Job | None = None
        self.cause: BaseException | None = None
        """What ended it, while it is failed."""
        self._session, self._jobs, self._keep = session, jobs, keep
        self._pace = Pace()
        self._wish: State = "interrupted"

    @property
    def title(self) -> str:
        """What it is, in words."""
        return self.record.title

    @property
    def running(self) -> bool:
        """Whether its work is under way, also while it is being stopped."""
        return self.job is not None

    @property
    def bytes(self) -> tuple[int, int]:
        """Bytes that are through, and all."""
        files = self.board.files()
        if not files:
            return self.record.done, self.record.total
        return sum(file.done for file in files), sum(file.size for file in files)

    @property
    def rate(self) -> float:
        """Bytes a second."""
        return self._pace.rate if self.running else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds that are left, None while nobody can tell."""
        return self._pace.remaining(*self.bytes) if self.running else None

    @Slot()
    def resume(self) -> None:
        """Begin, or go on."""
        if self.job is not None or self.state in ("done", "cancelled"):
            return
        if self.record.profile != self._session.profile.name:
            words = self.tr("It belongs to another platform ({0}). Switch to that one in the header to go on.")
            self._set("failed", words.format(self.record.profile))
            return
        self.cause = None
        self.board, self._pace, self._wish = FileBoard(), Pace(), "interrupted"
        self.job = Job(self.title, self._work())
        self.job.progress.connect(self._moved)
        self.job.finished.connect(self._finished)
        self.job.failed.connect(self._failed)
        self.job.cancelled.connect(self._stopped)
        self._set("running")
        self._jobs.start(self.job)

    @Slot()
    def pause(self) -> None:
        """Stop for now; nothing that was confirmed is moved again."""
        self._stop("pausing", "paused")

    @Slot()
    def cancel(self) -> None:
        """Stop for good; what the store has of files that are not whole is thrown away there."""
        if self.job is not None:
            self._stop("cancelling", "cancelled")
        elif self.state not in ("done", "cancelled"):
            self._set("cancelled")
            self._session.spawn(self._throw_away())

    def _stop(self, now: State, then: State) -> None:
        if self.job is not None:
            self._wish = then
            self.job.cancel()
            self.state = now
            self.changed.emit()

    def _work(self) -> Callable[[Progress], object]:
        """The work as a function for a worker thread, which must not touch this object."""
        raise NotImplementedError

    def _trouble(self, result: object) -> str:
        """What is wrong with a result in words, "" when all is well."""
        raise NotImplementedError

    async def _throw_away(self) -> None:
        """After it was cancelled: leave nothing half done behind."""

    def _set(self, state: State, error: str = "") -> None:
        self.state, self.error = state, error
        done, total = self.bytes
        if state in ("running", "paused", "interrupted", "failed"):
            self.record = replace(self.record, state=state, done=done, total=total, error=error)
        self._keep(self)
        self.changed.emit()

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self._pace.add(self.bytes[0])
        self._look()
        self.changed.emit()

    def _look(self) -> None:
        """Take over what the worker left."""

    @Slot(object)
    def _finished(self, result: object) -> None:
        self.job = None
        self._look()
        trouble = self._trouble(result)
        self._set("failed" if trouble else "done", trouble)
        self.ended.emit(result)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self.job = None
        self.board.stopped()
        self._look()
        self.cause = error
        self._set("failed", str(error))
        self.broke.emit(error)

    @Slot()
    def _stopped(self) -> None:
        self.job = None
        self.board.stopped()
        self._look()
        self._set(self._wish)
        if self._wish == "cancelled":
            self._session.spawn(self._throw_away())


class Upload(Transfer):
    """A draft's slides to the bucket, then the run."""

    def __init__(
        self,
        record: TransferRecord,
        session: Session,
        jobs: Jobs,
        keep: Callable[[Transfer], None],
        draft: SubmissionDraft | None,
    ) -> None:
        super().__init__(record, session, jobs, keep)
        self.draft = draft
        self.run_id = ""
        self.results: dict[str, Slide] = {}
        """Slides of the latest attempt that are through, with `bucket_url` or `error`, by id."""
        self._through: deque[Slide] = deque()

    def _work(self) -> Callable[[Progress], object]:
        self.results.clear()
        self._through.clear()
        return partial(
            _send,
            self.record.subject,
            self.draft,
            self._session.client,
            partial(self._session.bucket, self._session.client),
            self._through.append,
            self.board,
        )

    def _look(self) -> None:
        while self._through:
            slide = self._through.popleft()
            self.results[slide.id] = slide

    def _trouble(self, result: object) -> str:
        sent: Sent = result  # type: ignore[assignment]
        self.run_id = sent.run_id
        self.results.update({slide.id: slide for slide in sent.failed})
        count = len(sent.failed)
        return (
            counted(
                count,
                self.tr("1 slide could not be uploaded, so nothing was submitted."),
                self.tr("%n slides could not be uploaded, so nothing was submitted.", "", count),
            )
            if count
            else ""
        )

    async def _throw_away(self) -> None:
        if self.record.profile != self._session.profile.name:
            return  # the store of another platform; it sweeps what nobody ends
        try:
            await in_thread(_give_up, self.record.subject, self.draft, self._session.bucket)
        except LaunchpadError as error:
            # The store sweeps what nobody ends; a person has nothing to do.
            _log.warning("parts of an upload stay on the store: %s", error.title)


class Download(Transfer):
    """The results of a run to this computer."""

    @property
    def plan(self) -> DownloadPlan:
        """What is downloaded, and where to."""
        return DownloadPlan.from_text(self.record.subject)

    def _work(self) -> Callable[[Progress], object]:
        return partial(_fetch, self.plan, self._session.client, self.board)

    def _trouble(self, result: object) -> str:
        results: list[Downloaded] = result  # type: ignore[assignment]
        count = sum(len(item.errors) for item in results)
        return (
            counted(
                count,
                self.tr("1 file could not be downloaded."),
                self.tr("%n files could not be downloaded.", "", count),
            )
            if count
            else ""
        )


# --- in worker threads ----------------------------------------------------------------------------------------------
def _draft(draft_id: str, draft: SubmissionDraft | None) -> SubmissionDraft:
    found = draft or next((kept for kept in load_drafts() if kept.id == draft_id), None)
    if found is None:
        raise NotFound("The draft of this upload is gone", advice="Remove the upload, and begin a new run.")
    return found


def _send(
    draft_id: str,
    draft: SubmissionDraft | None,
    client: Client,
    bucket: Callable[[], Bucket],
    through: Callable[[Slide], None],
    board: FileBoard,
    progress: Progress,
) -> Sent:
    from launchpad.application.send import upload_and_submit

    found = _draft(draft_id, draft)
    version = client.application_version(found.application_id, found.version)
    return upload_and_submit(found, version, client, bucket(), progress=progress, on_slide=through, board=board)


def _give_up(draft_id: str, draft: SubmissionDraft | None, bucket: Callable[[], Bucket]) -> int:
    from launchpad.application.send import give_up

    found = draft or next((kept for kept in load_drafts() if kept.id == draft_id), None)
    return give_up(found, bucket()) if found is not None else 0


def _fetch(plan: DownloadPlan, client: Client, board: FileBoard, progress: Progress) -> list[Downloaded]:
    """As planned; the QuPath project grows with each slide."""
    from launchpad.application.download_plan import carry_out
    from launchpad.qupath.builder import ProjectBuilder
    from launchpad.qupath.service import how_for

    with ProjectBuilder(how_for(None)) as builder:
        done = carry_out(plan, client, board, progress, builder.on_ready)
    for problem in builder.report.problems:
        _log.warning("something is missing in the QuPath project")  # which slide it is of is a name
        _log.debug("it is: %s", problem)
    return done
