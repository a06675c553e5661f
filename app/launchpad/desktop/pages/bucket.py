"""Manage cloud bucket: what lies in the organization's bucket, how much it is, to this computer, and away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.models.object_list import AGE, KEY, MODIFIED, SIZE, ObjectListModel
from launchpad.desktop.models.words import counted, file_size, pace_words
from launchpad.desktop.opening import open_folder
from launchpad.desktop.pages.run_details.actions import Question
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, label
from launchpad.desktop.window_state import WindowState
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.application.bucket_files import Fetched
    from launchpad.bucket.base import Bucket, ObjectInfo
    from launchpad.progress import Progress

_NAMED = 5  # keys in a question


class BucketPage(QWidget):
    """The objects of the bucket."""

    def __init__(self, session: Session, jobs: Jobs, state: WindowState) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._jobs = session, jobs
        self._loading = False
        self._job: Job | None = None
        self._folder: Path | None = None
        self._question = Question(self)
        self._model = ObjectListModel(self)
        self._usage = label("", "muted", name="bucket_usage")
        self._hint = label("", "muted", wrap=True, name="bucket_hint")
        self.banner = Notice("circle-alert", "failed", name="bucket_error")
        self.done = Notice("circle-check", "done", name="bucket_done")
        show = IconButton("folder-open", self.tr("Open folder"), name="bucket_open_folder", small=True)
        show.clicked.connect(self._open_folder)
        self.done.add(show)
        self._filter = QLineEdit()
        self._filter.setObjectName("bucket_filter")
        self._filter.setPlaceholderText(self.tr("Filter by name"))
        self._filter.setAccessibleName(self.tr("Filter objects"))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._filtered)
        self._refresh = IconButton("refresh-cw", tip=self.tr("Refresh"), name="bucket_refresh")
        self._refresh.clicked.connect(self.load)
        self._download = IconButton("download", self.tr("Download …"), name="bucket_download")
        self._download.clicked.connect(self._ask_folder)
        self._delete = IconButton("trash-2", self.tr("Delete …"), kind="danger", name="bucket_delete")
        self._delete.clicked.connect(self._ask_delete)
        self._table = self._make_table()
        self._empty = label("", "muted", wrap=True, name="bucket_empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the download"))
        self._words = label("", "strong")
        self._stop = IconButton("x", self.tr("Cancel"), kind="quiet", name="bucket_cancel", small=True)
        self._build()
        state.keep_columns("bucket", self._table.horizontalHeader())
        self._table.horizontalHeader().setSectionResizeMode(KEY, QHeaderView.ResizeMode.Stretch)
        session.connected.connect(self.load)
        palette.changes.changed.connect(self._restyle)
        self._show_buttons()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setObjectName("bucket_table")
        table.setProperty("role", "padded")
        table.setAccessibleName(self.tr("Objects of the bucket"))
        table.setModel(self._model)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setSortingEnabled(True)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(palette.current().size["rowCompact"])
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicator(MODIFIED, Qt.SortOrder.DescendingOrder)
        for column, width in ((SIZE, 100), (MODIFIED, 150), (AGE, 100)):
            header.resizeSection(column, width)
        table.selectionModel().selectionChanged.connect(self._show_buttons)
        return table

    def _build(self) -> None:
        self._stop.clicked.connect(self._cancel)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(self.tr("Cloud bucket"), "display"))
        head.addWidget(self._usage)
        head.addStretch(1)
        for button in (self._refresh, self._download, self._delete):
            head.addWidget(button)
        self._progress = QWidget()
        row = QHBoxLayout(self._progress)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._words)
        row.addWidget(self._bar, 1)
        row.addWidget(self._stop)
        self._progress.hide()
        card = Card(0)
        card.column.setContentsMargins(1, 10, 1, 10)
        card.column.setSpacing(8)
        tools = QHBoxLayout()
        tools.setContentsMargins(12, 0, 12, 0)
        tools.addWidget(self._filter)
        card.column.addLayout(tools)
        card.column.addWidget(self._progress)
        card.column.addWidget(self._table, 1)
        card.column.addWidget(self._empty, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 24, 32, 20)
        box.setSpacing(12)
        box.addLayout(head)
        box.addWidget(self._hint)
        box.addWidget(self.banner)
        box.addWidget(self.done)
        box.addWidget(card, 1)

    def find_here(self) -> bool:
        """Ctrl+F: type in the filter next."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()

    @Slot()
    def load(self) -> None:
        """List the bucket."""
        if not self._session.is_connected:
            self._show_empty(self.tr("Connecting …"))
        elif not self._loading:
            self._loading = True
            if not self._model.total()[0]:
                self._show_empty(self.tr("Listing the objects …"))
            self._session.spawn(self._list(), self)

    async def _list(self) -> None:
        try:
            found = await in_thread(partial(_objects, self._session))
        except LaunchpadError as error:
            self.banner.show_error(error)
            if not self._model.total()[0]:
                self._show_empty(self.tr("The bucket cannot be listed now."))
            return
        finally:
            self._loading = False
        self.banner.hide()
        self._show(found)

    def _show(self, found: Sequence[ObjectInfo]) -> None:
        kept = {self._model.info(row).key for row in self._rows()}
        self._model.set_objects(found)
        for row in range(self._model.rowCount()):
            if self._model.info(row).key in kept:
                self._table.selectRow(row)
        count, size = self._model.total()
        words = counted(count, self.tr("1 object"), self.tr("%n objects", "", count))
        self._usage.setText(f"{words}, {file_size(size)}" if count else "")
        if self._session.profile.kind == "embedded":
            words = self.tr("Slides on this computer are only referred to: deleting one here leaves its file alone.")
        else:
            words = self.tr("What lies here can be read by your organization. It is deleted after 30 days.")
        self._hint.setText(words)
        self._filtered(self._filter.text())

    def _show_empty(self, words: str) -> None:
        self._empty.setText(words)
        self._empty.setVisible(bool(words))
        self._table.setVisible(not words)

    @Slot(str)
    def _filtered(self, text: str) -> None:
        self._model.set_filter(text)
        words = ""
        if not self._model.total()[0]:
            words = self.tr("The bucket is empty. Slides come here when you upload them in a new run.")
        elif not self._model.rowCount():
            words = self.tr("No object has this in its name.")
        self._show_empty(words)
        self._show_buttons()

    def _rows(self) -> list[int]:
        return sorted(index.row() for index in self._table.selectionModel().selectedRows())

    @Slot()
    def _show_buttons(self) -> None:
        count = len(self._rows())
        for button in (self._download, self._delete):
            button.setEnabled(count > 0 and self._job is None)
            button.setToolTip("" if count else self.tr("Select objects first."))
        self._download.set_words(self.tr("Download %n …", "", count) if count > 1 else self.tr("Download …"))
        self._delete.set_words(self.tr("Delete %n …", "", count) if count > 1 else self.tr("Delete …"))

    @Slot()
    def _restyle(self) -> None:
        self._table.verticalHeader().setDefaultSectionSize(palette.current().size["rowCompact"])

    # --- away -------------------------------------------------------------------------------------------------------
    @Slot()
    def _ask_delete(self) -> None:
        chosen = [self._model.info(row) for row in self._rows()]
        count, size = len(chosen), sum(info.size for info in chosen)
        what = counted(count, self.tr("Delete 1 object"), self.tr("Delete %n objects", "", count))
        names = "\n".join(info.key for info in chosen[:_NAMED])
        if count > _NAMED:
            names += "\n" + self.tr("and %n more", "", count - _NAMED)
        self._question.ask(
            "bucket_delete_question",
            self.tr("Delete objects"),
            f"{what} ({file_size(size)})?\n\n{names}",
            self.tr("Runs that still need them will fail. This cannot be undone."),
            self.tr("Keep"),
            self.tr("Delete"),
            lambda: self._session.spawn(self._carry_out([info.key for info in chosen]), self),
        )

    async def _carry_out(self, keys: list[str]) -> None:
        try:
            await in_thread(partial(_delete, self._session, keys))
        except LaunchpadError as error:
            self.banner.show_error(error)
        self.load()

    # --- to this computer ---------------------------------------------------------------------------------------------
    @Slot()
    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder for the objects"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setDirectory(str(self._folder or Path.home()))
        dialog.fileSelected.connect(self.download_to)
        dialog.open()

    @Slot(str)
    def download_to(self, folder: str) -> None:
        """Download the selected objects into this folder."""
        chosen = [self._model.info(row) for row in self._rows()]
        if not chosen or self._job is not None:
            return
        self._folder = Path(folder)
        words = counted(len(chosen), self.tr("Download 1 object"), self.tr("Download %n objects", "", len(chosen)))
        self._job = Job(words, partial(_download, self._session, chosen, self._folder))
        self._job.progress.connect(self._moved)
        self._job.finished.connect(self._downloaded)
        self._job.failed.connect(self._failed)
        self._job.cancelled.connect(self._ended)
        self._bar.setRange(0, 0)
        self._words.setText(self.tr("Downloading …"))
        self._progress.show()
        self._jobs.start(self._job)
        self._show_buttons()

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        self._words.setText(pace_words(done, total, rate, None))

    @Slot(object)
    def _downloaded(self, done: list[Fetched]) -> None:
        self._ended()
        failed = [item for item in done if item.error is not None]
        if failed and failed[0].error is not None:
            self.banner.show_error(failed[0].error, len(failed) - 1)
        count = len(done) - len(failed)
        words = counted(count, self.tr("1 object is in %1"), self.tr("%n objects are in %1", "", count))
        if count:
            self.done.say(words.replace("%1", str(self._folder)))

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._ended()
        self.banner.show_error(error)

    @Slot()
    def _ended(self) -> None:
        self._job = None
        self._progress.hide()
        self._show_buttons()

    @Slot()
    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()

    @Slot()
    def _open_folder(self) -> None:
        if self._folder is not None:
            open_folder(self._folder, self)


# --- in worker threads ------------------------------------------------------------------------------------------------
def _objects(session: Session) -> list[ObjectInfo]:
    return list(session.bucket().list())


def _delete(session: Session, keys: list[str]) -> int:
    bucket: Bucket = session.bucket()
    return bucket.delete(keys)


def _download(session: Session, chosen: list[ObjectInfo], folder: Path, progress: Progress) -> list[Fetched]:
    from launchpad.application.bucket_files import download_objects

    return download_objects(session.bucket(), chosen, folder, progress)
