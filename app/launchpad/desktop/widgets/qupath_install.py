"""Installing QuPath from the window: asks where there is no checksum, shows how far it is, can be stopped."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.progress import Progress
    from launchpad.qupath.installation import Installation
    from launchpad.qupath.releases import Release


class QuPathInstall(QObject):
    """One installation at a time.

    Signals:
        changed: it moved; `words` say how far it is, `done` and `total` are bytes.
        installed: it is there.
        failed: the exception that ended it.
    """

    changed = Signal()
    installed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._window = session, jobs, parent
        self._job: Job | None = None
        self.running = False
        self.words = ""
        self.done, self.total = 0, 0
        self._release: Release | None = None

    def begin(self, version: str = "") -> None:
        """Install a version; "" installs the one that Launchpad was tried with."""
        if not self.running:
            self._say(self.tr("Connecting …"), running=True)
            self._session.spawn(self._look(version), self)

    @Slot()
    def cancel(self) -> None:
        """Stop; what was there stays."""
        if self._job is not None:
            self._job.cancel()

    async def _look(self, version: str) -> None:
        from launchpad.qupath import releases

        try:
            found = await in_thread(releases.release, version or releases.DEFAULT_VERSION)
        except LaunchpadError as error:
            self._broke(error)
            return
        self._release = found
        if found.sha256:
            self._start(found)
        else:
            self._ask(found)

    def _ask(self, found: Release) -> None:
        box = QMessageBox(self._window.window())
        box.setObjectName("qupath_unverified")
        box.setWindowTitle(self.tr("Install QuPath"))
        box.setText(self.tr("The server gives no checksum for QuPath {0}.").format(found.version))
        box.setInformativeText(self.tr("Nobody can tell whether it arrives unchanged. Install it all the same?"))
        box.addButton(self.tr("Do not install"), QMessageBox.ButtonRole.RejectRole)
        box.addButton(self.tr("Install"), QMessageBox.ButtonRole.AcceptRole).setObjectName("qupath_accept")
        box.accepted.connect(self._accepted)
        box.rejected.connect(self._stopped)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot()
    def _accepted(self) -> None:
        if self._release is not None:
            self._start(self._release)

    def _start(self, found: Release) -> None:
        self._job = Job(self.tr("Install QuPath"), partial(_install, found))
        self._job.progress.connect(self._moved)
        self._job.finished.connect(self._finished)
        self._job.failed.connect(self._broke)
        self._job.cancelled.connect(self._stopped)
        self._jobs.start(self._job)

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self.done, self.total = done, total
        share = f"{100 * done // total} %" if total else ""
        self._say(self.tr("Installing QuPath: {0}").format(share or "…"), running=True)

    @Slot(object)
    def _finished(self, made: Installation) -> None:
        self._stopped()
        self.installed.emit()

    @Slot(object)
    def _broke(self, error: BaseException) -> None:
        self._stopped()
        self.failed.emit(error)

    @Slot()
    def _stopped(self) -> None:
        self._job = None
        self.done = self.total = 0
        self._say("", running=False)

    def _say(self, words: str, *, running: bool) -> None:
        self.words, self.running = words, running
        self.changed.emit()


def _install(found: Release, progress: Progress) -> Installation:
    from launchpad.qupath import installation

    return installation.install(found, accept_unverified=lambda _: True, progress=progress)
