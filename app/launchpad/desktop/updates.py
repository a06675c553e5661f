"""Newer versions for the window: looked for in a thread, fetched by a job, handed to the system's installer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.progress import Progress
    from launchpad.system.updates import Update


class Updates(QObject):
    """One look and one download at a time.

    Signals:
        changed: something that the attributes tell is different.
        failed: the exception that ended a look that a person asked for, or a download.
    """

    changed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._job: Job | None = None
        self.looking = False
        self.looked = False
        self.why_off = ""
        self.found: Update | None = None
        self.percent: int | None = None
        self.started = False  # the system's installer

    def look(self, *, force: bool = False) -> None:
        """Look for a newer version: at most once a day, unless a person asks for it."""
        if not self.looking:
            self.looking = True
            self.changed.emit()
            self._session.spawn(self._look(force), self)

    async def _look(self, force: bool) -> None:
        from launchpad.system import updates

        try:
            self.why_off = await in_thread(updates.why_off)
            if not self.why_off:
                self.found = await in_thread(partial(updates.check, force=force))
                self.looked = True
        except LaunchpadError as error:
            if force:
                self.failed.emit(error)
            else:  # nobody asked, so nobody is disturbed; tomorrow it looks again
                import logging

                logging.getLogger(__name__).info("no look for updates: %s", error.title)
        finally:
            self.looking = False
            self.changed.emit()

    def fetch(self) -> None:
        """Fetch the update and start the system's installer with it."""
        if self.found is None or self._job is not None:
            return
        self.percent, self.started = 0, False
        self._job = Job(self.tr("Fetch the update"), partial(_fetched, self.found))
        self._job.progress.connect(self._moved)
        self._job.finished.connect(self._finished)
        self._job.failed.connect(self._broke)
        self._job.cancelled.connect(self._stopped)
        self._jobs.start(self._job)
        self.changed.emit()

    @Slot()
    def cancel(self) -> None:
        """Stop the download; nothing of it stays."""
        if self._job is not None:
            self._job.cancel()

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self.percent = 100 * done // total if total else 0
        self.changed.emit()

    @Slot(object)
    def _finished(self, file: Path) -> None:
        self.started = True
        self._stopped()

    @Slot(object)
    def _broke(self, error: BaseException) -> None:
        self._stopped()
        self.failed.emit(error)

    @Slot()
    def _stopped(self) -> None:
        self._job, self.percent = None, None
        self.changed.emit()


def _fetched(found: Update, progress: Progress) -> Path:
    from launchpad.system import updates

    file = updates.download(found, progress)
    updates.hand_over(found, file)
    return file
