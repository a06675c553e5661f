"""The button that shows results in QuPath: makes the project, finds the program, starts it at the slide.

It wants the folder of a run and, if one slide is meant, its item. Without QuPath it offers to choose the program, to
install it, or to show the folder.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton

from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.opening import open_folder
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import IconButton
from launchpad.desktop.widgets.qupath_install import QuPathInstall
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.progress import Progress
    from launchpad.qupath.service import Opened
    from launchpad.wsi.isolation import SlideService


class OpenInQuPath(IconButton):
    """Open in QuPath.

    Signals:
        opened: QuPath was started (an `Opened`).
        noted: something that one should know, in words.
        failed: the exception that kept it from opening.
    """

    opened = Signal(object)
    noted = Signal(str)
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, folder: Path, item: str | None = None) -> None:
        super().__init__("microscope", self.tr("Open in QuPath"), kind="secondary", name="open_in_qupath")
        self._session, self._jobs, self._folder, self._item = session, jobs, folder, item
        self._ready, self._job = True, False
        self._install = QuPathInstall(session, jobs, self)
        self._install.installed.connect(self.open_now)
        self._install.failed.connect(self.failed)
        self._install.changed.connect(self._restate)
        self.clicked.connect(self.open_now)

    def set_ready(self, ready: bool) -> None:
        """Whether the results are on this computer."""
        self._ready = ready
        self._restate()

    def set_item(self, item: str | None) -> None:
        """The slide to show; None shows the project."""
        self._item = item

    @Slot()
    def open_now(self) -> None:
        """Do it. Does nothing while it is being done."""
        if self._job:
            return
        self._job = True
        job = Job(self.tr("Open in QuPath"), partial(_open, self._folder, self._item, self._session.slides))
        job.progress.connect(self._moved)
        job.finished.connect(self._finished)
        job.failed.connect(self._broke)
        job.cancelled.connect(self._ended)
        self._restate()
        self._jobs.start(job)

    def _restate(self) -> None:
        words = self.tr("Open in QuPath")
        if self._job:
            words = self.tr("Opening …")
        elif self._install.words:
            words = self._install.words
        self.set_words(words)
        self.setEnabled(self._ready and not self._job and not self._install.running)
        waiting = self.tr("The results are not on this computer yet.")
        self.setToolTip(waiting if not self._ready else "" if self.text() else words)

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        if total > 1:
            self.set_words(self.tr("Preparing slide {0} of {1} …").format(min(done + 1, total), total))

    @Slot()
    def _ended(self) -> None:
        self._job = False
        self._restate()

    @Slot(object)
    def _finished(self, opened: Opened) -> None:
        self._ended()
        if opened.notes:
            self.noted.emit("\n".join(opened.notes))
        self.opened.emit(opened)

    @Slot(object)
    def _broke(self, error: BaseException) -> None:
        from launchpad.qupath.installation import QuPathMissing

        self._ended()
        if isinstance(error, QuPathMissing):
            self._offer()
        else:
            self.failed.emit(error)

    # --- without QuPath ---------------------------------------------------------------------------------------------
    def _offer(self) -> None:
        box = QMessageBox(self.window())
        box.setObjectName("qupath_missing")
        box.setWindowTitle(self.tr("QuPath"))
        box.setText(self.tr("QuPath was not found on this computer."))
        box.setInformativeText(
            self.tr("Launchpad can install it for you, without administrator rights. Or choose where it is.")
        )
        box.addButton(self.tr("Not now"), QMessageBox.ButtonRole.RejectRole)
        for name, words in (
            ("qupath_show_folder", self.tr("Show folder")),
            ("qupath_choose", self.tr("Choose program …")),
            ("qupath_install", self.tr("Install QuPath")),
        ):
            button = box.addButton(words, QMessageBox.ButtonRole.ActionRole)
            button.setObjectName(name)
            if name == "qupath_install":
                box.setDefaultButton(button)
        box.buttonClicked.connect(self._answered)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot(object)
    def _answered(self, button: QPushButton) -> None:
        if button.objectName() == "qupath_install":
            self._install.begin()
        elif button.objectName() == "qupath_show_folder":
            open_folder(self._folder, self)
        elif button.objectName() == "qupath_choose":
            dialog = QFileDialog(self.window(), self.tr("Choose the program QuPath"))
            dialog.setObjectName("qupath_choose_dialog")
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.fileSelected.connect(self.choose)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    @Slot(str)
    def choose(self, path: str) -> None:
        """Use the QuPath at a path from now on, and open."""
        self._session.spawn(self._choose(Path(path)), self)

    async def _choose(self, path: Path) -> None:
        from launchpad.qupath.installation import choose

        try:
            await in_thread(choose, path)
        except LaunchpadError as error:
            self.failed.emit(error)
        else:
            self.open_now()


def _open(folder: Path, item: str | None, slides: SlideService, progress: Progress) -> Opened:
    from launchpad.qupath.service import open_run

    return open_run(folder, item, slides=slides, progress=progress)
