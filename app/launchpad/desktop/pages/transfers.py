"""Uploads and downloads: what is under way, what waits to go on, what is through."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.models.file_list import FileListModel
from launchpad.desktop.models.words import counted, file_size, pace_words
from launchpad.desktop.navigation import Route, RunPage
from launchpad.desktop.transfer import Download, Transfer, Upload
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import Card, IconButton, Pill, StateIcon, label
from launchpad.desktop.widgets.file_table import ROW, FileTable

_SHOWN = 6  # files without scrolling

# State of a transfer to token and icon.
_LOOK = {
    "running": ("uploading", "loader"),
    "pausing": ("pending", "pause"),
    "paused": ("pending", "pause"),
    "interrupted": ("partial", "circle-alert"),
    "failed": ("failed", "circle-x"),
    "done": ("done", "circle-check"),
    "cancelling": ("cancelled", "ban"),
    "cancelled": ("cancelled", "ban"),
}


class TransferCard(Card):
    """One transfer with its files."""

    def __init__(self, transfers: Transfers, transfer: Transfer, navigate: Callable[[Route], None]) -> None:
        super().__init__(16)
        self.setObjectName("transfer_card")
        self.transfer = transfer
        self._transfers, self._navigate = transfers, navigate
        kind = transfer.record.kind
        self._pill = Pill("clock", "pending", name="transfer_state", whole=True)
        self._files_button = IconButton(
            "chevron-down", self.tr("Files"), kind="quiet", name="transfer_files", small=True
        )
        self._files_button.setCheckable(True)
        self._pause = IconButton("pause", self.tr("Pause"), name="transfer_pause", small=True)
        self._resume = IconButton("play", self.tr("Resume"), name="transfer_resume", small=True)
        self._cancel = IconButton("x", self.tr("Cancel"), name="transfer_cancel", small=True)
        self._open = IconButton("arrow-right", self.tr("Open run"), name="transfer_open", small=True)
        self._pause.clicked.connect(transfer.pause)
        self._resume.clicked.connect(self._go_on)
        self._cancel.clicked.connect(transfer.cancel)
        self._open.clicked.connect(self._open_run)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(StateIcon("upload" if kind == "upload" else "download", "accent", 18))
        title = label(transfer.title, "strong", wrap=True, name="transfer_title")
        title.setMinimumWidth(60)
        head.addWidget(title, 1)
        for widget in (self._pill, self._files_button, self._open, self._pause, self._resume, self._cancel):
            head.addWidget(widget)
        self._bar = QProgressBar()
        self._bar.setObjectName("transfer_progress")
        self._bar.setAccessibleName(transfer.title)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._words = label("", "muted", wrap=True, name="transfer_words")
        self._model = FileListModel(self)
        self._table = FileTable(self._model)
        self._table.setAccessibleName(self.tr("Files of the transfer"))
        self._table.hide()
        self._files_button.toggled.connect(self._show_files)
        self.column.setSpacing(8)
        self.column.addLayout(head)
        self.column.addWidget(self._bar)
        self.column.addWidget(self._words)
        self.column.addWidget(self._table)
        self._opened = ""
        transfer.changed.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show how the transfer is now."""
        transfer = self.transfer
        token, icon = _LOOK[transfer.state]
        self._pill.set_state(self._state_words(), token, icon)
        can_go_on = transfer.state in ("paused", "interrupted", "failed")
        self._pause.setVisible(transfer.running)
        self._pause.setEnabled(transfer.state == "running")
        self._resume.setVisible(can_go_on)
        self._resume.setText(self.tr("Try again") if transfer.state == "failed" else self.tr("Resume"))
        self._cancel.setVisible(can_go_on or transfer.running)
        self._cancel.setEnabled(transfer.state != "cancelling")
        self._cancel.setText(self.tr("Remove") if transfer.state == "failed" else self.tr("Cancel"))
        if transfer.state in ("running", "failed") and self._opened != transfer.state:
            self._opened = transfer.state  # once; then as the person likes
            self._files_button.setChecked(True)
        self._open.setVisible(transfer.state == "done")
        done, total = transfer.bytes
        self._bar.setVisible(transfer.state not in ("done", "cancelled", "failed"))
        self._bar.setRange(0, 1000 if total or not transfer.running else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        self._words.setText(self._detail(done, total))
        files = transfer.board.files()
        self._model.set_files(files)
        self._files_button.setVisible(bool(files))
        self._files_button.setText(counted(len(files), self.tr("1 file"), self.tr("%n files", "", len(files))))
        self._table.setVisible(bool(files) and self._files_button.isChecked())
        self._table.setFixedHeight(max(1, min(len(files), _SHOWN)) * ROW + 4)

    def _state_words(self) -> str:
        upload = self.transfer.record.kind == "upload"
        return {
            "running": self.tr("Uploading") if upload else self.tr("Downloading"),
            "pausing": self.tr("Pausing"),
            "paused": self.tr("Paused"),
            "interrupted": self.tr("Interrupted"),
            "failed": self.tr("Failed"),
            "done": self.tr("Done"),
            "cancelling": self.tr("Cancelling"),
            "cancelled": self.tr("Cancelled"),
        }[self.transfer.state]

    def _detail(self, done: int, total: int) -> str:
        transfer = self.transfer
        if transfer.running:
            if not total:
                return self.tr("Starting …")
            if done >= total and transfer.record.kind == "upload":
                return self.tr("Submitting …")
            if done >= total:
                return self.tr("All files are here; the QuPath project is being written …")
            return pace_words(done, total, transfer.rate, transfer.remaining)
        amount = self.tr("%1 of %2").replace("%1", file_size(done)).replace("%2", file_size(total)) if total else ""
        if transfer.state == "failed":
            return transfer.error
        if transfer.state == "interrupted":
            words = self.tr("Launchpad ended before it was through. What is confirmed is not moved again.")
            return f"{amount} · {words}" if amount else words
        if transfer.state == "done":
            return file_size(total) if transfer.board.files() else self.tr("There was nothing to move yet.")
        return amount

    @Slot(bool)
    def _show_files(self, shown: bool) -> None:
        self._table.setVisible(shown)

    @Slot()
    def _go_on(self) -> None:
        self._transfers.resume(self.transfer)

    @Slot()
    def _open_run(self) -> None:
        transfer = self.transfer
        if isinstance(transfer, Upload):
            self._navigate(RunPage(transfer.run_id))
        elif isinstance(transfer, Download):
            self._navigate(RunPage(transfer.plan.run_id))


class TransfersPage(QWidget):
    """All transfers, the newest first."""

    def __init__(self, transfers: Transfers, navigate: Callable[[Route], None]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._transfers, self._navigate = transfers, navigate
        self._cards: dict[Transfer, TransferCard] = {}
        self._pause_all = IconButton("pause", self.tr("Pause all"), name="transfers_pause_all")
        self._pause_all.clicked.connect(transfers.pause_all)
        self._clear = IconButton("check", self.tr("Clear finished"), name="transfers_clear")
        self._clear.clicked.connect(transfers.clear)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(label(self.tr("Transfers"), "display"))
        head.addStretch(1)
        head.addWidget(self._pause_all)
        head.addWidget(self._clear)
        self._empty = label(
            self.tr("Nothing is being uploaded or downloaded. Uploads begin in a new run, downloads on a run's page."),
            "muted",
            wrap=True,
            name="transfers_empty",
        )
        inner = QWidget()
        inner.setObjectName("page")
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(32, 0, 32, 24)
        self._list.setSpacing(12)
        self._list.addWidget(self._empty)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(16)
        head.setContentsMargins(32, 28, 32, 0)
        outer.addLayout(head)
        outer.addWidget(area, 1)
        transfers.changed.connect(self._refresh)
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        shown = self._transfers.all()
        for gone in [transfer for transfer in self._cards if transfer not in shown]:
            card = self._cards.pop(gone)
            self._list.removeWidget(card)
            card.deleteLater()
        for place, transfer in enumerate(shown):
            if transfer not in self._cards:
                self._cards[transfer] = TransferCard(self._transfers, transfer, self._navigate)
                self._list.insertWidget(place + 1, self._cards[transfer])
        self._empty.setVisible(not shown)
        self._pause_all.setEnabled(bool(self._transfers.running()))
        self._clear.setEnabled(any(transfer.state in ("done", "cancelled") for transfer in shown))
