"""The slides of a run with their states, and beside them the results of the slide that is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.delegates.item_cell import ItemCellDelegate
from launchpad.desktop.models.item_table import RESULTS, SIZE, SLIDE, STAIN, STATE, TISSUE, ItemTableModel
from launchpad.desktop.models.words import artifact_words, plain_tip
from launchpad.desktop.pages.run_details.preview import size_words
from launchpad.desktop.theme import icons, palette
from launchpad.desktop.widgets.basics import IconButton, label

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse, OutputArtifactResultReadResponse

_ArtifactRole = Qt.ItemDataRole.UserRole
_WIDTHS = {STAIN: 72, TISSUE: 92, STATE: 128, RESULTS: 110, SIZE: 84}
_FIRST_TO_GO = (STAIN, TISSUE, SIZE, RESULTS)
_NAME = 262  # px that a slide's name wants
_ICONS = {".csv": "table-2", ".json": "braces", ".tiff": "image", ".png": "image", ".zip": "package"}


class ItemTable(QTableView):
    """Space and Return open what is chosen."""

    opened = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and not event.modifiers():
            self.opened.emit()
            event.accept()
            return
        super().keyPressEvent(event)


class SlidesPanel(QSplitter):
    """Table and results.

    Signals:
        preview: item and artifact to look at.
        save: item and artifact to save somewhere.
        folder: item whose folder is to be opened.
        chosen: another slide is chosen.
    """

    preview = Signal(object, object)
    save = Signal(object, object)
    folder = Signal(object)
    chosen = Signal()

    def __init__(self, model: ItemTableModel) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._model = model
        self._shown: tuple[object, ...] = ()
        self.setChildrenCollapsible(False)
        self.setHandleWidth(1)
        self.table = ItemTable()
        self.table.setObjectName("item_table")
        self.table.setAccessibleName(self.tr("Slides of the run"))
        self.table.setModel(model)
        self._delegate = ItemCellDelegate()
        self.table.setItemDelegate(self._delegate)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.table.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setMinimumWidth(300)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        header.setSectionResizeMode(SLIDE, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        self.table.selectionModel().currentRowChanged.connect(self._row_changed)
        self.table.selectionModel().selectionChanged.connect(self.chosen)
        self.table.opened.connect(self._focus_results)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.addWidget(self.table)
        self.addWidget(self._results())
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.setSizes([700, 310])
        palette.changes.changed.connect(self._restyle)
        self._restyle()

    def _results(self) -> QWidget:
        side = QFrame()
        side.setMinimumWidth(230)
        self._title = label("", "strong", wrap=True, name="results_title")
        self._message = label("", "muted", wrap=True, name="item_message")
        self.artifacts = QListWidget()
        self.artifacts.setObjectName("artifact_list")
        self.artifacts.setAccessibleName(self.tr("Results of the slide"))
        self.artifacts.setStyleSheet("QListWidget::item { padding: 4px 6px; border-radius: 5px; }")
        self.artifacts.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.artifacts.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.artifacts.itemActivated.connect(self._activated)
        self.artifacts.currentRowChanged.connect(self._show_buttons)
        self._look = IconButton("eye", self.tr("Preview"), name="preview_result", small=True)
        self._look.clicked.connect(self._look_at)
        self._save = IconButton("arrow-down-to-line", self.tr("Save as …"), name="save_result", small=True)
        self._save.clicked.connect(self._save_current)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._look)
        buttons.addWidget(self._save)
        buttons.addStretch(1)
        column = QVBoxLayout(side)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._message)
        column.addWidget(self.artifacts, 100)
        column.addLayout(buttons)
        column.addStretch(1)  # where there are no results, the words stand at the top
        return side

    def current(self) -> ItemResultReadResponse | None:
        """The slide that is chosen."""
        index = self.table.currentIndex()
        return self._model.item(index.row()) if index.isValid() else None

    def selected(self) -> list[ItemResultReadResponse]:
        """All slides that are selected."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [item for row in rows if (item := self._model.item(row)) is not None]

    def go_to(self, item_id: str) -> None:
        """Choose this slide."""
        row = self._model.row_of(item_id)
        if row >= 0:
            self.table.selectRow(row)
            self.table.scrollTo(self._model.index(row, SLIDE))
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """The items are others, or stand otherwise."""
        if not self.table.currentIndex().isValid() and self._model.rowCount():
            self.table.selectRow(0)
        self._row_changed(self.table.currentIndex())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where there is little room, columns go by priority; the name of the slide stays."""
        room = self.table.viewport().width()
        scale = palette.current().scale
        left = room - sum(round(width * scale) for width in _WIDTHS.values()) - _NAME * scale
        for column in _FIRST_TO_GO:
            hidden = left < 0
            self.table.setColumnHidden(column, hidden)
            if hidden:
                left += _WIDTHS[column] * scale

    @Slot()
    def _restyle(self) -> None:
        theme = palette.current()
        self.table.verticalHeader().setDefaultSectionSize(theme.size["row"])
        for column, width in _WIDTHS.items():
            self.table.horizontalHeader().resizeSection(column, theme.scaled(width))
        self._fit()

    @Slot(QModelIndex)
    def _row_changed(self, index: QModelIndex) -> None:
        from launchpad.application.results import file_name

        item = self._model.item(index.row()) if index.isValid() else None
        available = [] if item is None else [found for found in item.output_artifacts if found.output == "AVAILABLE"]
        shown = (item.item_id if item else None, tuple(found.output_artifact_id for found in available))
        self._title.setText(self._model.name_of(item) if item is not None else self.tr("No slide chosen"))
        self._show_message(item, bool(available))
        if shown != self._shown:
            self._shown = shown
            self.artifacts.clear()
            for artifact in sorted(available, key=lambda found: found.name):
                name = file_name(artifact)
                words = size_words(artifact)
                title = artifact_words(artifact.name)
                entry = QListWidgetItem(f"{title}\n{words}" if words else title)
                entry.setIcon(icons.icon(_icon_of(name), "textMuted"))
                entry.setToolTip(plain_tip(name))
                entry.setData(_ArtifactRole, artifact)
                self.artifacts.addItem(entry)
            if self.artifacts.count():
                self.artifacts.setCurrentRow(0)
        self.artifacts.setVisible(bool(available))
        self._show_buttons()

    def _show_message(self, item: ItemResultReadResponse | None, available: bool) -> None:
        words = ""
        if item is not None and item.error_message:
            code = f" ({item.error_code})" if item.error_code else ""
            words = f"{item.error_message}{code}"
        elif item is not None and not available:
            deleted = any(str(found.output).startswith("DELETED") for found in item.output_artifacts)
            words = self.tr("The results were deleted.") if deleted else self.tr("No results yet.")
        self._message.setText(words)
        self._message.setVisible(bool(words))

    @Slot()
    def _show_buttons(self) -> None:
        chosen = self._artifact() is not None
        self._look.setVisible(chosen)
        self._save.setVisible(chosen)

    def _artifact(self) -> OutputArtifactResultReadResponse | None:
        entry = self.artifacts.currentItem()
        return entry.data(_ArtifactRole) if entry is not None and not self.artifacts.isHidden() else None

    @Slot()
    def _focus_results(self) -> None:
        if self.artifacts.count():
            self.artifacts.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _activated(self) -> None:
        self._look_at()

    @Slot()
    def _look_at(self) -> None:
        item, artifact = self.current(), self._artifact()
        if item is not None and artifact is not None:
            self.preview.emit(item, artifact)

    @Slot()
    def _save_current(self) -> None:
        item, artifact = self.current(), self._artifact()
        if item is not None and artifact is not None:
            self.save.emit(item, artifact)

    @Slot(QPoint)
    def _menu(self, place: QPoint) -> None:
        from PySide6.QtGui import QGuiApplication

        index = self.table.indexAt(place)
        item = self._model.item(index.row()) if index.isValid() else None
        if item is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Open folder")).triggered.connect(lambda: self.folder.emit(item))
        clipboard = QGuiApplication.clipboard()
        menu.addAction(self.tr("Copy name")).triggered.connect(lambda: clipboard.setText(item.external_id))
        menu.addAction(self.tr("Copy id of the item")).triggered.connect(lambda: clipboard.setText(item.item_id))
        menu.popup(self.table.viewport().mapToGlobal(place))


def _icon_of(name: str) -> str:
    if "geojson" in name:
        return "map"
    return next((icon for suffix, icon in _ICONS.items() if name.endswith(suffix)), "file")
