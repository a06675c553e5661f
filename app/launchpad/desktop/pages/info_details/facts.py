"""Versions and paths, the log, and the report for whoever helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from launchpad import paths
from launchpad.desktop.background import in_thread
from launchpad.desktop.opening import open_folder
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, label
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from collections.abc import Mapping


class FactsTab(QWidget):
    """What IT people ask for."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._told = Notice("circle-check", "done", name="report_told")
        copy = IconButton("copy", self.tr("Copy diagnostic report"), kind="primary", name="copy_report", small=True)
        copy.clicked.connect(self._copy)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("This installation"), "section"))
        head.addStretch(1)
        head.addWidget(copy)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        card = Card(20)
        card.column.addLayout(head)
        card.column.addWidget(
            label(
                self.tr("The report has health, versions, settings and the end of the logs, but no secrets and names."),
                "muted",
                wrap=True,
            )
        )
        card.column.addWidget(self._told)
        card.column.addLayout(self._grid)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(card)
        box.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._session.spawn(self._load(), self)

    async def _load(self) -> None:
        from launchpad.system.information import collect

        try:
            self._show(await in_thread(collect))
        except LaunchpadError as error:
            self._told.say(str(error))

    def _show(self, document: Mapping[str, object]) -> None:
        while (entry := self._grid.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        package, runtime = document["package"], document["runtime"]
        assert isinstance(package, dict)
        assert isinstance(runtime, dict)
        facts = {
            self.tr("Launchpad"): str(package["version"]),
            self.tr("Python"): f"{runtime['python']}, {runtime['system']}",
        }
        if self._session.is_connected:
            profile = self._session.profile
            facts[self.tr("Platform")] = f"{profile.title} ({profile.api_root})"
            facts[self.tr("Storage of slides")] = profile.storage_endpoint or "–"
        facts |= {str(name): str(version or "–") for name, version in package["dependencies"].items()}
        words = {
            "data": self.tr("Data"), "settings": self.tr("Settings"), "cache": self.tr("Cache"),
            "logs": self.tr("Logs"), "results": self.tr("Results"),
        }  # fmt: skip
        facts |= {words.get(name, name): place for name, place in runtime["folders"].items()}
        for row, (name, value) in enumerate(facts.items()):
            self._grid.addWidget(label(name, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            text = label(value, wrap=True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(text, row, 1)

    @Slot()
    def _copy(self) -> None:
        self._session.spawn(self._copy_now(), self)

    async def _copy_now(self) -> None:
        from launchpad.system.diagnostics import report

        try:
            text = await in_thread(report, self._session.health)
        except LaunchpadError as error:
            self._told.say(str(error))
            return
        QGuiApplication.clipboard().setText(text)
        self._told.say(self.tr("The report is on the clipboard. Read it before you send it."))


class LogTab(QWidget):
    """The end of a log."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._files = QComboBox()
        self._files.setObjectName("log_choice")
        self._files.setAccessibleName(self.tr("Log"))
        self._files.setMinimumWidth(220)
        self._files.activated.connect(self._chosen)
        refresh = IconButton("refresh-cw", tip=self.tr("Read again"), name="log_refresh")
        refresh.clicked.connect(self._load)
        folder = IconButton("folder-open", self.tr("Open folder"), name="log_folder")
        folder.clicked.connect(self._open)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._files)
        row.addWidget(refresh)
        row.addStretch(1)
        row.addWidget(folder)
        self._text = QPlainTextEdit()
        self._text.setObjectName("log_text")
        self._text.setReadOnly(True)
        self._text.setAccessibleName(self.tr("End of the log"))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        card = Card(16)
        card.column.addLayout(row)
        card.column.addWidget(self._text, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(card, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._load()

    @Slot()
    def _load(self) -> None:
        self._session.spawn(self._read(), self)

    @Slot(int)
    def _chosen(self, number: int) -> None:
        self._load()

    async def _read(self) -> None:
        from launchpad.system.diagnostics import log_files, log_tail

        files = await in_thread(log_files)
        names = [file.name for file in files]
        if names != [self._files.itemText(row) for row in range(self._files.count())]:
            chosen = self._files.currentText()
            self._files.clear()
            self._files.addItems(names)
            self._files.setCurrentIndex(max(0, self._files.findText(chosen)))
        file = next((file for file in files if file.name == self._files.currentText()), None)
        if file is None:
            self._text.setPlainText(self.tr("There is no log yet."))
            return
        try:
            text = await in_thread(log_tail, file)
        except OSError as error:
            text = self.tr("The log cannot be read: %1").replace("%1", str(error))
        self._text.setPlainText(text or self.tr("The log is empty."))
        bar = self._text.verticalScrollBar()
        bar.setValue(bar.maximum())

    @Slot()
    def _open(self) -> None:
        open_folder(paths.log_dir(), self)
