"""Public data sets: look for slides, see their size and terms, download them, and use them in a run."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.background import Jobs, in_thread
from launchpad.desktop.models import slide_search as columns
from launchpad.desktop.models.slide_search import SlideSearchModel
from launchpad.desktop.models.words import counted, file_size
from launchpad.desktop.opening import open_address, open_folder
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import Card, ElidedLabel, IconButton, Notice, label
from launchpad.desktop.widgets.dataset_download import DatasetDownload
from launchpad.desktop.window_state import WindowState
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.dataset.download import Fetched
    from launchpad.dataset.index import Collection, Found, Series, SlideIndex, Source

_SHOWN = 1000
_TYPING = 200  # ms after the last key
# px at normal size of text: below these there is less room for what is not the list
_SHORT, _NARROW = 520, 560
_log = logging.getLogger(__name__)


class DatasetPage(QWidget):
    """The slides of NCI Image Data Commons.

    Signals:
        use_wanted: application id, and folders with slides for a new run of it.
    """

    use_wanted = Signal(str, list)

    def __init__(self, session: Session, jobs: Jobs, state: WindowState) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._index: SlideIndex | None = None
        self._asked = 0
        self._order = (columns.COLLECTION, False)
        self._wanted = ""  # the series that shall be selected when it is found
        self._folders: list[Path] = []
        self._model = SlideSearchModel(self)
        self._model.sorted.connect(self._sort)
        self._usage = ElidedLabel("", "muted", name="dataset_usage")
        self.banner = Notice("circle-alert", "failed", name="dataset_error")
        self.stopped = Notice("info", "info", name="dataset_stopped")
        self.done = Notice("circle-check", "done", name="dataset_done")
        self._use = IconButton("plus", self.tr("Use these slides"), kind="primary", name="dataset_use", small=True)
        self._applications = QMenu(self)
        self._use.clicked.connect(self._use_clicked)
        self.done.add(self._use)
        show = IconButton("folder-open", self.tr("Open folder"), name="dataset_open_folder", small=True)
        show.clicked.connect(self._open_folder)
        self.done.add(show)
        self._search = QLineEdit()
        self._search.setObjectName("dataset_search")
        self._search.setPlaceholderText(self.tr("Words, or the ID of a collection, patient, study or series"))
        self._search.setAccessibleName(self.tr("Look for slides"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(self._typed)
        self._collections = QComboBox()
        self._collections.setObjectName("dataset_collection")
        self._collections.setAccessibleName(self.tr("Collection"))
        self._collections.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._collections.setMinimumContentsLength(18)
        self._collections.addItem(self.tr("All collections"), "")
        self._collections.currentIndexChanged.connect(self._look)
        self._typing = QTimer(self)
        self._typing.setObjectName("dataset_typing")
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING)
        self._typing.timeout.connect(self._look)
        self._table = self._make_table()
        self._count = label("", "caption", name="dataset_count")
        self._empty = label(self.tr("Reading the index of public slides …"), "muted", wrap=True, name="dataset_empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.download = DatasetDownload(jobs)
        self.download.ended.connect(self._downloaded)
        self.download.failed.connect(self.banner.show_error)
        self.download.stopped.connect(self._stopped)
        self.download.changed.connect(self._download_changed)
        self._build()
        state.keep_columns("dataset", self._table.horizontalHeader())
        self._table.horizontalHeader().setSectionResizeMode(columns.DESCRIPTION, QHeaderView.ResizeMode.Stretch)
        session.applications_changed.connect(self._show_applications)
        palette.changes.changed.connect(self._restyle)
        self._show_applications()
        self._show_table(False)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setObjectName("dataset_table")
        table.setProperty("role", "padded")
        table.setAccessibleName(self.tr("Public slides"))
        table.setModel(self._model)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(palette.current().size["rowCompact"])
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicator(columns.COLLECTION, Qt.SortOrder.AscendingOrder)
        table.setSortingEnabled(True)
        widths = {columns.COLLECTION: 120, columns.PATIENT: 130, columns.FILES: 60, columns.SIZE: 90}
        for column, width in (widths | {columns.LICENCE: 90}).items():
            header.resizeSection(column, palette.current().scaled(width))
        table.selectionModel().selectionChanged.connect(self._selected)
        return table

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(self.tr("Data sets"), "display"))
        head.addWidget(self._usage)
        head.addStretch(1)
        portal = IconButton("external-link", self.tr("Explore portal"), kind="quiet", name="dataset_portal")
        portal.clicked.connect(self._open_portal)
        example = IconButton("microscope", self.tr("Example data set"), name="dataset_example")
        example.clicked.connect(self.show_example)
        head.addWidget(portal)
        head.addWidget(example)
        card = Card(0)
        card.column.setContentsMargins(1, 10, 1, 10)
        card.column.setSpacing(8)
        tools = QHBoxLayout()
        tools.setContentsMargins(12, 0, 12, 0)
        tools.setSpacing(8)
        tools.addWidget(self._search, 1)
        tools.addWidget(self._collections)
        card.column.addLayout(tools)
        card.column.addWidget(self._table, 1)
        card.column.addWidget(self._empty, 1)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 0, 12, 0)
        foot.addWidget(self._count)
        foot.addStretch(1)
        card.column.addLayout(foot)
        box = self._column = QVBoxLayout(self)
        box.addLayout(head)
        intro = self.tr(
            "Public whole slide images of the NCI Image Data Commons, under open licences. Nothing of yours is sent."
        )
        self._intro = label(intro, "muted", wrap=True)
        box.addWidget(self._intro)
        box.addWidget(self.banner)
        box.addWidget(self.stopped)
        box.addWidget(self.done)
        box.addWidget(card, 1)
        box.addWidget(self.download)

    def find_here(self) -> bool:
        """Ctrl+F: type in the search next."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def leave(self) -> None:
        """The page goes: nothing is looked for or downloaded any more."""
        self._typing.stop()
        self.download.leave()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """With large text in a small window the list keeps its room."""
        theme = palette.current()
        short, narrow = self.height() < theme.scaled(_SHORT), self.width() < theme.scaled(_NARROW)
        side = 16 if narrow else 32
        self._column.setContentsMargins(side, 12 if short else 24, side, 10 if short else 20)
        self._column.setSpacing(8 if short else 12)
        self._intro.setVisible(not short)
        self.download.set_short(short)
        for column in (columns.FILES, columns.LICENCE):  # the licence stands below the list, too
            self._table.setColumnHidden(column, narrow)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._index is None:
            self._session.spawn(self._open(), self)

    # --- looking for slides -------------------------------------------------------------------------------------------
    async def _open(self) -> None:
        try:
            self._index, collections = await in_thread(_open_index)
        except LaunchpadError as error:
            self.banner.show_error(error)
            self._empty.setText(self.tr("The index of public slides cannot be read."))
            return
        count, size = sum(item.slides for item in collections), sum(item.size for item in collections)
        self._usage.setText(self.tr("%Ln slides", "", count) + f", {file_size(size)}")
        self._collections.blockSignals(True)
        for item in collections:
            self._collections.addItem(item.name, item.id)
            tip = "\n".join(part for part in (item.cancer_types, item.body_sites) if part)
            self._collections.setItemData(self._collections.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._collections.blockSignals(False)
        self._look()

    @Slot(str)
    def _typed(self, text: str) -> None:
        self._typing.start()

    @Slot(int, bool)
    def _sort(self, column: int, down: bool) -> None:
        if (column, down) != self._order:
            self._order = (column, down)
            self._look()

    @Slot()
    def _look(self) -> None:
        self._typing.stop()
        self._asked += 1
        if self._index is not None:
            self._session.spawn(self._find(self._index, self._asked), self)

    async def _find(self, index: SlideIndex, number: int) -> None:
        column, down = self._order
        ask = partial(
            index.search,
            self._search.text(),
            collection_id=self._collections.currentData() or "",
            limit=_SHOWN,
            order=columns.ORDERS[column],
            descending=down,
        )
        try:
            found = await in_thread(ask)
        except LaunchpadError as error:
            self.banner.show_error(error)
            return
        if number == self._asked:
            self._show_found(found)

    def _show_found(self, found: Found) -> None:
        kept = {item.series_uid for item in self.chosen()} | {self._wanted}
        self._model.set_series(found.series)
        selection = self._table.selectionModel()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for row in range(self._model.rowCount()):
            if self._model.series(row).series_uid in kept:
                selection.select(self._model.index(row, 0), flags)
        words = counted(found.total, self.tr("1 slide"), self.tr("%Ln slides", "", found.total))
        words += f", {file_size(found.size)}"
        if found.total > len(found.series):
            words += self.tr("; the first %Ln are shown", "", len(found.series))
        self._count.setText(words if found.total else "")
        self._wanted = ""
        self._show_table(bool(found.total))
        if not found.total:
            self._empty.setText(self.tr("No public slide has all of these words. Try fewer, or another collection."))
        self._selected()

    def _show_table(self, shown: bool) -> None:
        self._table.setVisible(shown)
        self._empty.setVisible(not shown)

    @Slot()
    def show_example(self) -> None:
        """Look for the slide of the tutorial, and select it."""
        from launchpad.dataset.selection import EXAMPLE

        self._wanted = EXAMPLE
        self._collections.setCurrentIndex(0)
        if self._search.text() == EXAMPLE:
            self._look()
        else:
            self._search.setText(EXAMPLE)

    def chosen(self) -> list[Series]:
        """The slides that are selected."""
        rows = sorted(index.row() for index in self._table.selectionModel().selectedRows())
        return [self._model.series(row) for row in rows]

    @Slot()
    def _selected(self) -> None:
        if self._index is not None:
            self._session.spawn(self._describe(self._index, self.chosen()), self)

    async def _describe(self, index: SlideIndex, series: list[Series]) -> None:
        try:
            sources: list[Source] = await in_thread(index.sources, series)
        except LaunchpadError as error:
            self.banner.show_error(error)
            return
        if series == self.chosen():
            self.download.choose(index, series, sources)

    # --- afterwards -------------------------------------------------------------------------------------------------
    @Slot()
    def _download_changed(self) -> None:
        if self.download.running:
            self.banner.hide()
            self.stopped.hide()
            self.done.hide()

    @Slot()
    def _stopped(self) -> None:
        self.stopped.say(self.tr("Cancelled. What has come stays in the folder; “Download” goes on from there."))

    @Slot(object)
    def _downloaded(self, done: list[Fetched]) -> None:
        errors = [error for item in done for error in item.errors]
        if errors:
            self.banner.show_error(errors[0], len(errors) - 1)
        whole = [item for item in done if not item.errors]
        self._folders = [item.folder for item in whole]
        if whole:
            count = len(whole)
            words = counted(count, self.tr("1 slide is in %1"), self.tr("%n slides are in %1", "", count))
            self.done.say(words.replace("%1", str(self.download.folder)))
            self._session.spawn(self._remember(self.download.folder), self)

    async def _remember(self, folder: Path) -> None:
        from launchpad.application.recent import remember

        try:
            await in_thread(remember, "folder", [str(folder)])
        except LaunchpadError as error:
            _log.warning("the folder cannot be kept among the recent ones: %s", error.title)

    @Slot()
    def _show_applications(self) -> None:
        self._applications.clear()
        for application in self._session.applications:
            action = self._applications.addAction(application.name.replace("&", "&&"))
            action.triggered.connect(partial(self._use_for, application.application_id))
        self._use.setEnabled(bool(self._session.applications))
        self._use.setToolTip("" if self._session.applications else self.tr("The platform is not connected."))

    @Slot()
    def _use_clicked(self) -> None:
        if len(self._session.applications) == 1:
            self._use_for(self._session.applications[0].application_id)
        else:
            self._applications.popup(self._use.mapToGlobal(self._use.rect().bottomLeft()))

    def _use_for(self, application_id: str, _checked: bool = False) -> None:
        self.use_wanted.emit(application_id, list(self._folders))

    @Slot()
    def _open_folder(self) -> None:
        folder = self._folders[0] if len(self._folders) == 1 else self.download.folder
        open_folder(folder, self)

    @Slot()
    def _open_portal(self) -> None:
        from launchpad.dataset.service import PORTAL

        open_address(PORTAL, self)

    @Slot()
    def _restyle(self) -> None:
        self._table.verticalHeader().setDefaultSectionSize(palette.current().size["rowCompact"])
        self._fit()


# --- in worker threads ------------------------------------------------------------------------------------------------
def _open_index() -> tuple[SlideIndex, list[Collection]]:
    from launchpad.dataset.index import open_index

    index = open_index()
    return index, index.collections()
