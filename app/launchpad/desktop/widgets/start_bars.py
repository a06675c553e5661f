"""Said above all pages: that an earlier start crashed, that there is a newer version, that this one was replaced."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import time_words
from launchpad.desktop.session import Session
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets.basics import IconButton, Notice
from launchpad.errors import LaunchpadError
from launchpad.own_program import OwnProgram

if TYPE_CHECKING:
    from launchpad.desktop.widgets.code_dialog import CodeDialog
    from launchpad.system.crash_reports import CrashReport


_LOOK = 5.0  # seconds between looks whether the program was replaced


class StartBars(QWidget):
    """Takes no room while there is nothing to say.

    Signals:
        update_wanted: a person wants to see what is new.
    """

    update_wanted = Signal()

    def __init__(self, session: Session, updates: Updates, program: OwnProgram | None = None) -> None:
        super().__init__()
        self._program = program or OwnProgram()
        self._session, self._updates = session, updates
        self._reports: list[CrashReport] = []
        self._text = ""
        self._dialog: CodeDialog | None = None
        self._told = ""
        self.crash = Notice("triangle-alert", "partial", name="crash_notice")
        show = IconButton("file-text", self.tr("Show the report"), name="crash_show", small=True)
        show.clicked.connect(self._show)
        delete = IconButton("trash-2", self.tr("Delete it"), kind="quiet", name="crash_delete", small=True)
        delete.clicked.connect(self._delete)
        self.crash.add(show)
        self.crash.add(delete)
        self.update_notice = Notice("info", "info", name="update_notice")
        see = IconButton("file-text", self.tr("What is new"), name="update_see", small=True)
        see.clicked.connect(self._see)
        self.update_notice.add(see)
        self.replaced = Notice("triangle-alert", "partial", name="replaced_notice")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.crash)
        box.addWidget(self.update_notice)
        box.addWidget(self.replaced)
        updates.changed.connect(self._updates_changed)

    async def watch_program(self) -> None:
        """Say when the program was replaced: what is not loaded yet would be another version's."""
        import asyncio

        while self._program.is_known:
            await asyncio.sleep(_LOOK)
            if await in_thread(self._program.is_replaced):
                self.update_notice.hide()
                self.replaced.say(self.tr("Launchpad was replaced by another version. Close it and start it again."))
                return

    async def look(self) -> None:
        """Look for what crashes have left, and say so."""
        from launchpad.system.crash_reports import waiting

        self._reports = await in_thread(waiting)
        if self._reports:
            self.crash.say(self._told_of(self._reports[0]))
        else:
            self.crash.hide()

    def _told_of(self, report: CrashReport) -> str:
        if report.process == "platform":
            words = self.tr("The platform on this computer failed on {0}. A report lies here; nothing was sent.")
        elif report.process.startswith(("slide-reader", "analysis")):
            words = self.tr("A process that works on slides failed on {0}. A report lies here; nothing was sent.")
        else:
            words = self.tr("Launchpad failed on {0}. A report lies on this computer; nothing was sent.")
        return words.format(time_words(report.when))

    # --- the report ---------------------------------------------------------------------------------------------------
    @Slot()
    def _show(self) -> None:
        if self._reports:
            self._session.spawn(self._open(self._reports[0]), self)

    async def _open(self, report: CrashReport) -> None:
        from launchpad.desktop.widgets.code_dialog import CodeDialog

        try:
            self._text = await in_thread(report.text)
        except LaunchpadError as error:
            self.crash.show_error(error)
            return
        words = self.tr("This is all that the report holds. Copy or save it for whoever helps you, or close it.")
        dialog = CodeDialog(self.tr("Crash report"), words, {self.tr("Report"): self._text}, self.window())
        dialog.offer("download", self.tr("Save as …"), "crash_save", self._choose_file)
        self._dialog = dialog
        dialog.finished.connect(self._closed)
        dialog.open()

    @Slot()
    def _closed(self) -> None:
        self._dialog = None

    def _choose_file(self) -> None:
        """Asks where to; only offered in the dialog that shows the report."""
        chooser = QFileDialog(self._dialog or self.window(), self.tr("Save the crash report"))
        chooser.setObjectName("crash_file")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.selectFile("launchpad-crash.txt")
        chooser.fileSelected.connect(self._save)
        chooser.open()

    @Slot(str)
    def _save(self, name: str) -> None:
        self._session.spawn(self._save_now(Path(name)), self)

    async def _save_now(self, file: Path) -> None:
        from launchpad.system.crash_reports import save

        try:
            await in_thread(save, self._text, file)
        except LaunchpadError as error:
            self.crash.show_error(error)
            return
        self.crash.say(self.tr("The report is saved: {0}").format(file))

    @Slot()
    def _delete(self) -> None:
        self._session.spawn(self._delete_now(), self)

    async def _delete_now(self) -> None:
        from launchpad.system.crash_reports import put_away

        try:
            for report in self._reports[:1]:
                await in_thread(partial(put_away, report))
        except LaunchpadError as error:
            self.crash.show_error(error)
            return
        await self.look()

    # --- updates ------------------------------------------------------------------------------------------------------
    @Slot()
    def _updates_changed(self) -> None:
        found = self._updates.found
        if found is None or self._updates.why_off:
            self.update_notice.hide()
        elif found.release.version != self._told:  # closed once, it stays closed until the next start
            self._told = found.release.version
            self.update_notice.say(self.tr("Launchpad {0} is available.").format(found.release.version))

    @Slot()
    def _see(self) -> None:
        self.update_notice.hide()
        self.update_wanted.emit()
