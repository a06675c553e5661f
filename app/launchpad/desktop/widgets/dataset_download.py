"""Below the list of public slides: what is selected, its size and terms, where it goes, and the download."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from launchpad import paths
from launchpad.desktop.background import Job, Jobs
from launchpad.desktop.models.words import counted, file_size, pace_words
from launchpad.desktop.widgets.basics import Card, ElidedLabel, IconButton, label

if TYPE_CHECKING:
    from launchpad.dataset.download import Fetched
    from launchpad.dataset.index import Series, SlideIndex, Source
    from launchpad.progress import Progress

_LINES, _FEW_LINES = 5, 2  # of the terms that are seen at once


class Terms(QScrollArea):
    """Licence and citation of every source: all of it, in the room of a few lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("dataset_terms_area")
        self._lines = _LINES
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text = label("", "muted", wrap=True, name="dataset_terms")
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setWidget(self.text)

    def set_short(self, short: bool) -> None:
        """Take less room."""
        self._lines = _FEW_LINES if short else _LINES
        self._fit()

    def say(self, words: str) -> None:
        """Show these lines from the first one on."""
        self.text.setText(words)
        self.verticalScrollBar().setValue(0)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._fit()

    def _fit(self) -> None:
        room = self.text.fontMetrics().lineSpacing() * self._lines + 3
        wanted = self.text.heightForWidth(self.viewport().width())  # -1 without words
        self.setFixedHeight(max(0, min(wanted, room)))


class DatasetDownload(Card):
    """Downloads what is selected.

    Signals:
        ended: what came of each slide.
        failed: the error that ended it.
        stopped: a person cancelled it.
        changed: a download began or ended.
    """

    ended = Signal(object)
    failed = Signal(object)
    stopped = Signal()
    changed = Signal()

    def __init__(self, jobs: Jobs) -> None:
        super().__init__(14)
        self.column.setSpacing(8)
        self._jobs = jobs
        self._job: Job | None = None
        self._index: SlideIndex | None = None
        self._chosen: tuple[Series, ...] = ()
        self.folder = paths.datasets_dir() / "idc"
        self._what = label("", "strong", name="dataset_chosen")
        self._terms = Terms()
        self._place = ElidedLabel("", "muted", middle=True, name="dataset_folder")
        self._data = IconButton("database", self.tr("Data"), name="dataset_data", small=True)
        self._data.setToolTip(self.tr("Begin in the folder of data sets"))
        self._data.clicked.connect(self._ask_data)
        self._custom = IconButton("folder", self.tr("Custom …"), name="dataset_custom", small=True)
        self._custom.setToolTip(self.tr("Begin in your home folder"))
        self._custom.clicked.connect(self._ask_custom)
        self._start = IconButton("download", self.tr("Download"), kind="primary", name="dataset_download")
        self._start.clicked.connect(self.begin)
        self._bar = QProgressBar()
        self._bar.setObjectName("dataset_progress")
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the download"))
        self._words = label("", "strong", name="dataset_words")
        self._stop = IconButton("x", self.tr("Cancel"), kind="quiet", name="dataset_cancel", small=True)
        self._stop.clicked.connect(self._cancel)
        self._build()
        self._show()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._what)
        texts.addWidget(self._terms)
        head.addLayout(texts, 1)
        head.addWidget(self._start, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(head)
        self._place_row = QWidget()
        row = QHBoxLayout(self._place_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(label(self.tr("Folder:"), "muted"))
        row.addWidget(self._place)
        row.addStretch(1)
        row.addWidget(self._data)
        row.addWidget(self._custom)
        self.column.addWidget(self._place_row)
        self._progress = QWidget()
        moving = QHBoxLayout(self._progress)
        moving.setContentsMargins(0, 0, 0, 0)
        moving.setSpacing(12)
        moving.addWidget(self._words)
        moving.addWidget(self._bar, 1)
        moving.addWidget(self._stop)
        self.column.addWidget(self._progress)

    @property
    def running(self) -> bool:
        """Whether a download is under way."""
        return self._job is not None

    def set_short(self, short: bool) -> None:
        """Take less room: the page has little."""
        self._terms.set_short(short)
        self.column.setContentsMargins(14, *((8, 14, 8) if short else (14, 14, 14)))

    def choose(self, index: SlideIndex, series: Sequence[Series], sources: Sequence[Source]) -> None:
        """Offer these slides."""
        self._index, self._chosen = index, tuple(series)
        size = sum(item.size for item in series)
        count = len(series)
        words = counted(count, self.tr("1 slide"), self.tr("%Ln slides", "", count))
        self._what.setText(f"{words} · {file_size(size)}" if count else self.tr("Select slides to download"))
        terms = [f"{item.licence} · {item.citation or item.doi}" for item in sources]
        self._terms.say("\n".join(terms) or self.tr("Their size, licence and citation are shown here before."))
        self._show()

    def _show(self) -> None:
        running = self._job is not None
        self._place.setText(str(self.folder))
        self._place_row.setVisible(not running)
        self._progress.setVisible(running)
        self._start.setEnabled(bool(self._chosen) and not running)
        self._start.setToolTip("" if self._chosen else self.tr("Select slides first."))
        if not self._what.text():
            self._what.setText(self.tr("Select slides to download"))
            self._terms.say(self.tr("Their size, licence and citation are shown here before."))

    # --- where to ---------------------------------------------------------------------------------------------------
    @Slot()
    def _ask_data(self) -> None:
        folder = paths.datasets_dir() / "idc"
        self._ask(folder if folder.is_dir() else paths.data_dir())

    @Slot()
    def _ask_custom(self) -> None:
        self._ask(Path.home())

    def _ask(self, begin: Path) -> None:
        dialog = QFileDialog(self, self.tr("Folder for the slides"))
        dialog.setObjectName("dataset_folder_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setDirectory(str(begin))
        dialog.fileSelected.connect(self.go_to)
        dialog.open()

    @Slot(str)
    def go_to(self, folder: str) -> None:
        """Download into this folder."""
        self.folder = Path(folder)
        self._show()

    # --- the download -------------------------------------------------------------------------------------------------
    @Slot()
    def begin(self) -> None:
        """Download the selected slides."""
        if not self._chosen or self._index is None or self._job is not None:
            return
        count = len(self._chosen)
        words = counted(count, self.tr("Download 1 public slide"), self.tr("Download %n public slides", "", count))
        self._job = Job(words, partial(_download, self._index, self._chosen, self.folder))
        self._job.progress.connect(self._moved)
        self._job.finished.connect(self._finished)
        self._job.failed.connect(self._failed)
        self._job.cancelled.connect(self._cancelled)
        self._bar.setRange(0, 0)
        self._words.setText(self.tr("Listing the files …"))
        self._jobs.start(self._job)
        self._show()
        self.changed.emit()

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self._bar.setRange(0, 1000 if done else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        if done:
            left = (total - done) / rate if rate > 0 else None
            self._words.setText(pace_words(done, total, rate, left))
        elif self._job is not None and len(self._chosen) > 1:
            self._words.setText(self._job.progress_text)

    @Slot(object)
    def _finished(self, done: list[Fetched]) -> None:
        self._over()
        self.ended.emit(done)

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._over()
        self.failed.emit(error)

    @Slot()
    def _cancelled(self) -> None:
        self._over()
        self.stopped.emit()

    @Slot()
    def _over(self) -> None:
        self._job = None
        self._show()
        self.changed.emit()

    @Slot()
    def _cancel(self) -> None:
        if self._job is not None:
            self._words.setText(self.tr("Stopping …"))
            self._job.cancel()

    def leave(self) -> None:
        """The page goes; what is fetched stays, and the rest is fetched another time."""
        if self._job is not None:
            for signal in (self._job.progress, self._job.finished, self._job.failed, self._job.cancelled):
                signal.disconnect()
            self._job.cancel()
            self._job = None


def _download(index: SlideIndex, series: tuple[Series, ...], folder: Path, progress: Progress) -> list[Fetched]:
    from launchpad.dataset.download import download_selection
    from launchpad.dataset.selection import Selection

    return download_selection(index, Selection(series, matched=len(series)), folder, progress=progress)
