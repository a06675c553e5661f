"""A run: its state, counts, slides with their results, and the way to them on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QModelIndex, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QMessageBox,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from launchpad import paths
from launchpad.application.run_folder import has_results
from launchpad.application.states import has_ended, run_state
from launchpad.desktop.background import Jobs, in_thread
from launchpad.desktop.delegates.item_cell import ItemCellDelegate
from launchpad.desktop.models.item_table import RESULTS, SIZE, SLIDE, STAIN, STATE, TISSUE, ItemTableModel, size_of
from launchpad.desktop.models.words import counted, file_size, pace_words
from launchpad.desktop.navigation import Route
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, Pill, StateIcon, label, line
from launchpad.desktop.widgets.open_in_qupath import OpenInQuPath
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.application.results import Downloaded
    from launchpad.desktop.transfer import Download
    from launchpad.platform.models import ItemResultReadResponse, RunReadResponse

_THUMBNAIL = 128


class RunPage(QWidget):
    """One run; updates itself while the session watches the runs."""

    def __init__(
        self, session: Session, transfers: Transfers, jobs: Jobs, navigate: Callable[[Route], None], run_id: str
    ) -> None:
        super().__init__()
        self._jobs = jobs
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._transfers, self._navigate, self.run_id = session, transfers, navigate, run_id
        self._run: RunReadResponse | None = None
        self._items: list[ItemResultReadResponse] = []
        self._transfer: Download | None = None
        self._pictures: dict[str, QPixmap | None] = {}
        self._folder = paths.results_dir() / run_id
        self._loading = False
        self._again = False
        self._make()
        self._build()
        session.run_changed.connect(self._changed)
        session.connected.connect(self.load)
        transfers.changed.connect(self._find_download)
        self.load()
        self._find_download()

    # --- widgets ----------------------------------------------------------------------------------------------------
    def _make(self) -> None:
        self._title = label("", "display")
        self._pill = Pill("clock", "pending", name="run_state_pill")
        self._pill.hide()
        self._meta = label("", "muted")
        self._meta.setWordWrap(True)
        self._note = label("", "body")
        self._note.setWordWrap(True)
        self._note.hide()
        self.banner = Notice("circle-alert", "failed", name="run_banner")
        self._cancel = IconButton("ban", self.tr("Cancel run"), kind="danger", name="cancel_run")
        self._cancel.clicked.connect(self._ask_cancel)
        self._open = IconButton("folder-open", self.tr("Open folder"), kind="secondary", name="open_folder")
        self._open.clicked.connect(self._open_folder)
        self._download = IconButton("download", self.tr("Download results"), kind="primary", name="download_results")
        self._download.clicked.connect(self._start_download)
        self._qupath = OpenInQuPath(self._session, self._jobs, self._folder)
        self._qupath.set_ready(False)
        self._qupath.noted.connect(self.banner.say)
        self._qupath.failed.connect(self.banner.show_error)
        self._stats = {key: label("–", "title") for key in ("slides", "succeeded", "failed", "waiting", "size")}
        self._bar = QProgressBar()
        self._bar.setObjectName("download_progress")
        self._bar.setTextVisible(False)
        self._bar_words = label("", "strong")
        self._pause = IconButton("", self.tr("Pause"), kind="quiet", name="download_pause")
        self._pause.clicked.connect(self._pause_download)
        self._stop = IconButton("", self.tr("Cancel"), kind="quiet", name="download_cancel")
        self._stop.clicked.connect(self._cancel_download)
        self._model = ItemTableModel(self._picture, file_size)
        self._table = QTableView()
        self._table.setObjectName("item_table")
        self._table.setAccessibleName(self.tr("Slides of the run"))
        self._table.setModel(self._model)
        self._delegate = ItemCellDelegate()
        self._table.setItemDelegate(self._delegate)
        self._artifacts = QListWidget()
        self._artifacts.setObjectName("artifact_list")
        self._artifacts.setAccessibleName(self.tr("Results of the slide"))
        self._artifact_title = label(self.tr("Results of the slide"), "strong")

    def _build(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 20, 32, 20)
        box.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addWidget(self._pill)
        head.addStretch(1)
        for button in (self._cancel, self._open, self._qupath, self._download):
            head.addWidget(button)
        box.addLayout(head)
        box.addWidget(self._meta)
        box.addWidget(self._note)
        box.addWidget(self.banner)
        box.addLayout(self._stat_cards())
        card = Card(0)
        card.column.setContentsMargins(1, 1, 1, 10)  # a table would cover the rounded corner
        card.column.setSpacing(0)
        card.column.addWidget(self._progress_row())
        header = self._table.horizontalHeader()
        self._table.verticalHeader().hide()
        self._table.verticalHeader().setDefaultSectionSize(palette.current().size["row"])
        self._table.setShowGrid(False)
        self._table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self._table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self._table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setHighlightSections(False)
        header.setSectionResizeMode(SLIDE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(RESULTS, QHeaderView.ResizeMode.Interactive)
        for column, width in ((STAIN, 76), (TISSUE, 100), (STATE, 132), (RESULTS, 150), (SIZE, 90)):
            header.resizeSection(column, width)
        self._table.selectionModel().currentRowChanged.connect(self._row_changed)
        card.column.addWidget(self._table, 1)
        card.column.addWidget(line())
        title = QHBoxLayout()
        title.setContentsMargins(12, 8, 12, 4)
        title.addWidget(self._artifact_title)
        card.column.addLayout(title)
        self._artifacts.setFixedHeight(132)
        self._artifacts.setStyleSheet("QListWidget { padding-left: 8px; }")
        card.column.addWidget(self._artifacts)
        box.addWidget(card, 1)

    def _stat_cards(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        words = {
            "slides": (self.tr("Slides"), "", ""),
            "succeeded": (self.tr("Succeeded"), "circle-check", "done"),
            "failed": (self.tr("Failed"), "circle-x", "failed"),
            "waiting": (self.tr("To do"), "clock", "pending"),
            "size": (self.tr("Results"), "", ""),
        }
        for key, (text, icon, token) in words.items():
            card = Card(12)
            card.column.setSpacing(4)
            head = QHBoxLayout()
            head.setSpacing(6)
            if icon:
                head.addWidget(StateIcon(icon, token, 14))
            head.addWidget(label(text, "caption"))
            head.addStretch(1)
            card.column.addLayout(head)
            card.column.addWidget(self._stats[key])
            row.addWidget(card, 1)
        return row

    def _progress_row(self) -> QFrame:
        self._progress = QFrame()
        row = QHBoxLayout(self._progress)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(StateIcon("download", "accent"))
        row.addWidget(self._bar_words)
        row.addWidget(self._bar, 1)
        row.addWidget(self._pause)
        row.addWidget(self._stop)
        self._progress.hide()
        return self._progress

    # --- the run ----------------------------------------------------------------------------------------------------
    @Slot()
    def load(self) -> None:
        """Fetch the run and its items; once more when asked while it does."""
        if not self._session.is_connected:
            return
        self._again = self._loading
        if not self._loading:
            self._loading = True
            self._session.spawn(self._fetch(), self)

    @Slot(str)
    def _changed(self, run_id: str) -> None:
        if run_id == self.run_id:
            self.load()

    async def _fetch(self) -> None:
        try:
            handle = self._session.client.run(self.run_id)
            run = await in_thread(handle.details)
            items = await in_thread(lambda: list(handle.results()))
            folder_exists = await in_thread(self._folder.is_dir)
            self._qupath.set_ready(await in_thread(has_results, self._folder))
        except LaunchpadError as error:
            self.banner.show_error(error)
            return
        finally:
            self._loading = False
        self._run, self._items = run, items
        self._show(run, items, folder_exists=folder_exists)
        if self._again:
            self.load()

    def _show(self, run: RunReadResponse, items: list[ItemResultReadResponse], *, folder_exists: bool) -> None:
        from launchpad.platform.custom_metadata import note_of, tags_of

        view = run_state(run)
        self._title.setText(self._session.application_name(run.application_id))
        self._pill.show()
        self._pill.set_state(view.words, view.token, view.icon)
        local, clock = QLocale(), "d MMM yyyy HH:mm"
        facts = [
            self.tr("Version {0}").format(run.version_number),
            self.tr("submitted {0}").format(_time(local, run.submitted_at.timestamp(), clock)),
        ]
        if run.terminated_at is not None:
            facts.append(self.tr("finished {0}").format(_time(local, run.terminated_at.timestamp(), clock)))
        facts.append(self._session.profile.title)
        tags = tags_of(run.custom_metadata)
        if tags:
            facts.append(self.tr("tags: {0}").format(", ".join(tags)))
        self._meta.setText("  ·  ".join(facts))
        note = note_of(run.custom_metadata)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        counts = run.statistics
        self._stats["slides"].setText(str(counts.item_count))
        self._stats["succeeded"].setText(str(counts.item_succeeded_count))
        self._stats["failed"].setText(str(counts.item_user_error_count + counts.item_system_error_count))
        self._stats["waiting"].setText(str(counts.item_pending_count + counts.item_processing_count))
        total = sum(size_of(item) for item in items)
        self._stats["size"].setText(file_size(total) if total else "–")
        self._model.set_items(items)
        if not self._table.currentIndex().isValid() and items:
            self._table.selectRow(0)
        self._row_changed(self._table.currentIndex())
        ended = has_ended(run)
        self._cancel.setVisible(not ended)
        running = self._transfer is not None and self._transfer.running
        self._download.setEnabled(not running and counts.item_succeeded_count > 0)
        waiting = self.tr("There are no results yet.")
        self._download.setToolTip("" if counts.item_succeeded_count else waiting)
        self._open.setEnabled(folder_exists)
        self._open.setToolTip("" if folder_exists else self.tr("The results are not on this computer yet."))
        for item in items:
            self._want_picture(item)

    @Slot(QModelIndex)
    def _row_changed(self, index: QModelIndex) -> None:
        from launchpad.application.results import file_name

        item = self._model.item(index.row()) if index.isValid() else None
        self._artifacts.clear()
        self._qupath.set_item(item.item_id if item is not None and item.output == "FULL" else None)
        if item is None:
            return
        for artifact in item.output_artifacts:
            if artifact.output == "AVAILABLE":
                size = (artifact.metadata or {}).get("size_bytes")
                words = f"  ·  {file_size(size)}" if isinstance(size, int) else ""
                self._artifacts.addItem(f"{file_name(artifact)}{words}")
        if item.error_message:
            self._artifacts.addItem(item.error_message)
        if self._artifacts.count() == 0:
            self._artifacts.addItem(self.tr("No results yet."))

    # --- thumbnails, from the slide where it is on this computer --------------------------------------------------
    def _picture(self, item: ItemResultReadResponse) -> QPixmap | None:
        return self._pictures.get(item.external_id)

    def _want_picture(self, item: ItemResultReadResponse) -> None:
        if item.external_id not in self._pictures:
            self._pictures[item.external_id] = None
            self._session.spawn(self._load_picture(item.external_id), self)

    async def _load_picture(self, external_id: str) -> None:
        path = Path(external_id)
        try:
            if not path.is_absolute() or not await in_thread(path.is_file):
                return
            png = await in_thread(self._session.slides.thumbnail, path, _THUMBNAIL)
        except LaunchpadError:
            return  # the placeholder says enough here; the wizard names what is wrong with a slide
        picture = QPixmap()
        if picture.loadFromData(png):
            self._pictures[external_id] = picture
            self._model.announce_picture()

    # --- what one does ----------------------------------------------------------------------------------------------
    @Slot()
    def _start_download(self) -> None:
        self._watch(self._transfers.download(self.run_id, self._title.text()))

    @Slot()
    def _find_download(self) -> None:
        """Show one that another visit, or another start, began."""
        from launchpad.desktop.transfer import Download

        found = self._transfers.find("download", self.run_id)
        if isinstance(found, Download) and found is not self._transfer:
            self._watch(found)

    def _watch(self, transfer: Download) -> None:
        if transfer is not self._transfer:
            self._transfer = transfer
            transfer.changed.connect(self._download_moved)
            transfer.ended.connect(self._downloaded)
            transfer.broke.connect(self.banner.show_error)
        self._download_moved()

    @Slot()
    def _cancel_download(self) -> None:
        if self._transfer is not None:
            self._transfer.cancel()

    @Slot()
    def _pause_download(self) -> None:
        if self._transfer is not None:
            (self._transfer.pause if self._transfer.running else self._transfer.resume)()

    @Slot()
    def _download_moved(self) -> None:
        transfer = self._transfer
        if transfer is None:
            return
        stopped = transfer.state in ("paused", "interrupted")
        self._progress.setVisible(transfer.running or stopped)
        self._pause.setText(self.tr("Pause") if transfer.running else self.tr("Resume"))
        self._pause.setEnabled(transfer.state not in ("pausing", "cancelling"))
        done, total = transfer.bytes
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        words = pace_words(done, total, transfer.rate, transfer.remaining) if total else self.tr("Downloading …")
        self._bar_words.setText(self.tr("Paused at %1").replace("%1", words) if stopped else words)
        if not transfer.running:
            self.load()

    @Slot(object)
    def _downloaded(self, results: list[Downloaded]) -> None:
        for result in results:
            for error in result.errors:
                self.banner.show_error(error)

    @Slot()
    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    @Slot()
    def _ask_cancel(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("cancel_question")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(self.tr("Cancel run"))
        left = self._run.statistics.item_pending_count + self._run.statistics.item_processing_count if self._run else 0
        slides = counted(left, self.tr("1 slide is"), self.tr("%n slides are", "", left))
        box.setText(self.tr("Cancel this run? {0} not done yet.").format(slides))
        box.setInformativeText(self.tr("What is done stays. This cannot be undone."))
        box.addButton(self.tr("Keep running"), QMessageBox.ButtonRole.RejectRole)
        box.addButton(self.tr("Cancel run"), QMessageBox.ButtonRole.DestructiveRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(self._cancel_answered)
        box.open()

    @Slot(object)
    def _cancel_answered(self, button: object) -> None:
        box = self.sender()
        if isinstance(box, QMessageBox) and box.buttonRole(button) is QMessageBox.ButtonRole.DestructiveRole:  # type: ignore[arg-type]
            self._session.spawn(self._cancel_run(), self)

    async def _cancel_run(self) -> None:
        try:
            await in_thread(self._session.client.run(self.run_id).cancel)
        except LaunchpadError as error:
            self.banner.show_error(error)
        self._session.refresh()
        self.load()


def _time(locale: QLocale, seconds: float, pattern: str) -> str:
    from PySide6.QtCore import QDateTime

    return locale.toString(QDateTime.fromSecsSinceEpoch(int(seconds)), pattern)
