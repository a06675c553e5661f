"""Keeps the draft on disk: a moment after each change, off the GUI thread, in the order of the changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from launchpad.application.draft import SubmissionDraft, delete_draft
from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress

SAVE_AFTER = 300  # ms without a change
_log = logging.getLogger(__name__)


class DraftKeeper(QObject):
    """Saves what `snapshot` returns (a copy that nobody changes).

    Signals:
        failed: a LaunchpadError: the draft could not be saved or deleted.
    """

    failed = Signal(object)

    def __init__(
        self, snapshot: Callable[[], SubmissionDraft], session: Session, jobs: Jobs, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._snapshot = snapshot
        self._session = session
        self._jobs = jobs
        self._stopped = False
        self._under_way = 0
        self._asked = 0  # number of the latest save or deletion, in the order of asking
        self._done = 0  # the latest that was carried out; guarded by the lock
        self._lock = threading.Lock()
        self.kept = False
        """Whether the draft store has this draft, or will in a moment."""
        self._timer = QTimer(self)
        self._timer.setObjectName("draft_save_timer")
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER)
        self._timer.timeout.connect(self._save)

    def save_soon(self) -> None:
        """The draft has changed."""
        if not self._stopped:
            self.kept = True
            self._timer.start()

    def save_now(self) -> None:
        """Save what is not saved, by a job: the window waits for jobs when it closes, but cancels coroutines."""
        if self.kept and not self._stopped and (self._timer.isActive() or self._under_way):
            self._timer.stop()
            self._jobs.start(Job(self.tr("Save draft"), partial(self._last_save, self._snapshot(), self._number())))

    def forget(self, draft_id: str) -> None:
        """Delete a draft; what is being saved of it at this moment goes, too."""
        self._timer.stop()
        self.kept = False
        self._session.spawn(self._in_thread(self._delete, draft_id, self._number()))

    def stop(self) -> None:
        """Save nothing any more."""
        self._timer.stop()
        self._stopped = True

    def resume(self) -> None:
        """Save again, a new draft."""
        self._stopped = self.kept = False

    def _number(self) -> int:
        self._asked += 1
        return self._asked

    @Slot()
    def _save(self) -> None:
        self._session.spawn(self._in_thread(self._write, self._snapshot(), self._number()))

    async def _in_thread(self, call: Callable[..., None], *arguments: object) -> None:
        self._under_way += 1
        try:
            await in_thread(call, *arguments)
        except LaunchpadError as error:
            if self._stopped:  # the page may be gone, and its signals with it
                _log.error("a draft could not be kept: %s", error.title)
            else:
                self.failed.emit(error)
        finally:
            self._under_way -= 1

    def _last_save(self, draft: SubmissionDraft, number: int, progress: Progress) -> None:
        # Short, and not to be cancelled: it does not look at the progress.
        try:
            self._write(draft, number)
        except LaunchpadError as error:
            _log.error("a draft could not be kept: %s", error.title)

    def _write(self, draft: SubmissionDraft, number: int) -> None:
        """In a worker thread. An older state never overtakes a newer one, nor a deletion."""
        with self._lock:
            if number > self._done:
                self._done = number
                draft.save()

    def _delete(self, draft_id: str, number: int) -> None:
        """In a worker thread."""
        with self._lock:
            self._done = max(self._done, number)
            delete_draft(draft_id)
