"""The download of a run's results while it is under way or paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar

from launchpad.desktop.models.words import pace_words
from launchpad.desktop.widgets.basics import IconButton, StateIcon, label

if TYPE_CHECKING:
    from launchpad.application.results import Downloaded
    from launchpad.desktop.transfer import Download


class DownloadRow(QFrame):
    """Progress with pause and cancel; hidden while there is nothing to show.

    Signals:
        failed: an exception for the person to see.
        ended: it is not under way any more.
    """

    failed = Signal(object)
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._transfer: Download | None = None
        self._bar = QProgressBar()
        self._bar.setObjectName("download_progress")
        self._bar.setAccessibleName(self.tr("Progress of the download"))
        self._bar.setTextVisible(False)
        self._words = label("", "strong", name="download_words")
        self._pause = IconButton("pause", self.tr("Pause"), kind="quiet", name="download_pause", small=True)
        self._pause.clicked.connect(self._pause_or_go_on)
        cancel = IconButton("x", self.tr("Cancel"), kind="quiet", name="download_cancel", small=True)
        cancel.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(StateIcon("download", "accent"))
        row.addWidget(self._words)
        row.addWidget(self._bar, 1)
        row.addWidget(self._pause)
        row.addWidget(cancel)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a download is under way."""
        return self._transfer is not None and self._transfer.running

    def watch(self, transfer: Download) -> None:
        """Show this download."""
        if transfer is not self._transfer:
            self._transfer = transfer
            transfer.changed.connect(self._moved)
            transfer.ended.connect(self._downloaded)
            transfer.broke.connect(self.failed)
        self._moved()

    @Slot()
    def _moved(self) -> None:
        transfer = self._transfer
        if transfer is None:
            return
        stopped = transfer.state in ("paused", "interrupted")
        self.setVisible(transfer.running or stopped)
        self._pause.set_words(self.tr("Pause") if transfer.running else self.tr("Resume"))
        self._pause.setEnabled(transfer.state not in ("pausing", "cancelling"))
        done, total = transfer.bytes
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        words = pace_words(done, total, transfer.rate, transfer.remaining) if total else self.tr("Downloading …")
        if transfer.running and total and done >= total and transfer.plan.wait:
            words = self.tr("All so far is here; waiting for the next slides …")
        elif transfer.running and total and done >= total:
            words = self.tr("All files are here; the QuPath project is being written …")
        self._words.setText(self.tr("Paused at %1").replace("%1", words) if stopped else words)
        if not transfer.running:
            self.ended.emit()

    @Slot(object)
    def _downloaded(self, results: list[Downloaded]) -> None:
        for result in results:
            for error in result.errors:
                self.failed.emit(error)

    @Slot()
    def _cancel(self) -> None:
        if self._transfer is not None:
            self._transfer.cancel()

    @Slot()
    def _pause_or_go_on(self) -> None:
        if self._transfer is not None:
            (self._transfer.pause if self._transfer.running else self._transfer.resume)()
