"""The view of the slide table: column widths, one-click editing, editing of several rows at once, keys, clipboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from launchpad.desktop.delegates.cell_paint import cell_paint
from launchpad.desktop.delegates.choice import ChoiceDelegate
from launchpad.desktop.delegates.slide_cell import SlideCellDelegate, paint_check_box
from launchpad.desktop.models.slide_edits import BadValue
from launchpad.desktop.models.slide_table import (
    FIRST_COLUMN,
    INCLUDE,
    MPP,
    SIZE,
    SLIDE,
    SlideTableModel,
)
from launchpad.desktop.theme import palette

# Widths in px: comfortable, and where the window is small. Columns of choices are as wide as their longest one needs.
WIDTHS = {INCLUDE: (44, 34), MPP: (104, 92), SIZE: (80, 0)}
STATUS_WIDTHS = (122, 36)
SLIDE_WANTED, SLIDE_LOWEST = 280, 150
CHOICE_WIDTHS = (98, 80)
_PICTURE = 80  # px at the left of a slide's cell


class CheckHeader(QHeaderView):
    """A header whose first section is a check box for all rows.

    Signals:
        toggled: the check box was clicked.
    """

    toggled = Signal()

    def __init__(self, state: Callable[[], Qt.CheckState], parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._state = state
        self.setSectionsClickable(True)
        self.setHighlightSections(False)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(rect, paint.sunken)
        painter.setPen(paint.line)
        painter.drawLine(rect.left(), rect.bottom(), rect.right(), rect.bottom())
        if section == INCLUDE:
            box = QRectF(rect.center().x() - 8, rect.center().y() - 8, 16, 16)
            paint_check_box(painter, paint, box, self._state())
        else:
            painter.setFont(paint.pill_font)
            painter.setPen(paint.muted)
            model = self.model()
            words = str(model.headerData(section, self.orientation()))
            alignment = model.headerData(section, self.orientation(), Qt.ItemDataRole.TextAlignmentRole)
            inner = rect.adjusted(4 if section in (SLIDE, MPP) else 10, 0, -10, 0)
            if inner.width() < 30:  # the narrow column of states
                words = ""
            words = paint.pill_metrics.elidedText(words, Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, int(alignment), words)
            if self.isSortIndicatorShown() and self.sortIndicatorSection() == section:
                up = self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
                icon = paint.icon("chevron-up" if up else "chevron-down", paint.muted, 12, self.devicePixelRatioF())
                width = paint.pill_metrics.horizontalAdvance(words)
                right = int(alignment) & int(Qt.AlignmentFlag.AlignRight.value)
                left = inner.right() - width - 16 if right else inner.left() + width + 4
                painter.drawPixmap(left, rect.center().y() - 6, icon)
        painter.restore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.logicalIndexAt(event.position().toPoint()) == INCLUDE:
            self.toggled.emit()
        super().mouseReleaseEvent(event)


class SlideTableView(QTableView):
    """Shows a SlideTableModel.

    Signals:
        refused: values that could not be used (list of BadValue), empty when all could.
    """

    refused = Signal(list)
    picture = Signal(object)
    """The index whose slide is wanted larger; None: not any more."""

    def __init__(self, model: SlideTableModel) -> None:
        super().__init__()
        self._slides = model
        self._filter = ("", False)
        self._hiding = False
        self.setMouseTracking(True)
        self.entered.connect(self._hovered)
        self.viewportEntered.connect(self._unhovered)
        model.rowsInserted.connect(self._filter_again)
        model.layoutChanged.connect(self._filter_again)
        self.setObjectName("slide_table")
        self.setAccessibleName(self.tr("Slides"))
        self._cells = SlideCellDelegate(self)
        self._choices = ChoiceDelegate(self)
        self.setModel(model)
        self.setItemDelegate(self._cells)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.AnyKeyPressed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        header = CheckHeader(self._all_state, self)
        self.setHorizontalHeader(header)
        header.setFixedHeight(palette.current().size["header"])
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(30)
        header.toggled.connect(self._toggle_all)
        header.sectionClicked.connect(self._sort_by)
        rows = self.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(palette.current().size["row"])
        self.clicked.connect(self._open_editor)
        self._cells.toggled.connect(self._toggle)
        self._cells.typed.connect(self._typed)
        self._choices.typed.connect(self._typed)
        model.modelReset.connect(self._new_columns)
        model.dataChanged.connect(self._header_changed)
        self._new_columns()

    # What is meant by an edit

    def selected_ids(self) -> list[str]:
        """The selected slides from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._slides.slide(row).id for row in rows if not self.isRowHidden(row)]

    def set_filter(self, text: str, *, incomplete: bool) -> None:
        """Show the slides whose name or values hold the text, or only those that want something.

        A slide that gets complete meanwhile stays until the filter is set again: it must not vanish below the hand.
        """
        self._filter = (text.casefold().strip(), incomplete)
        self._filter_again()

    def shown_rows(self) -> int:
        """How many slides the filter lets through."""
        return sum(not self.isRowHidden(row) for row in range(self._slides.rowCount()))

    @Slot()
    def _filter_again(self) -> None:
        text, incomplete = self._filter
        if not text and not incomplete and not self._hiding:
            return
        self._hiding = bool(text or incomplete)
        self.setUpdatesEnabled(False)
        for row in range(self._slides.rowCount()):
            hidden = (text or incomplete) and not self._slides.matches(row, text, incomplete=incomplete)
            if self.isRowHidden(row) != bool(hidden):
                self.setRowHidden(row, bool(hidden))
        self.setUpdatesEnabled(True)

    def targets(self, index: QModelIndex | QPersistentModelIndex) -> list[str]:
        """The slides that an edit of this cell is for: all selected ones when its row is one of them."""
        slide_id = self._slides.slide(index.row()).id
        selected = self.selected_ids()
        return selected if slide_id in selected else [slide_id]

    def fill_down(self) -> None:
        """Copy the current column of the top selected row to the other selected ones, or to all rows below it.

        Where the current cell is no value (the name, for example), all columns of the schema are copied.
        """
        current = self.currentIndex()
        selected = self.selected_ids()
        if not selected and not current.isValid():
            return
        key = self._slides.key(current.column()) if current.isValid() else None
        keys = [key] if key is not None else [column.key for column in self._slides.columns]
        source = selected[0] if selected else self._slides.slide(current.row()).id
        targets = selected[1:]
        if not targets:
            row = self._slides.slide_row(source) or 0
            below = range(row + 1, self._slides.rowCount())
            targets = [self._slides.slide(other).id for other in below if not self.isRowHidden(other)]
        self._slides.fill_down(source, targets, keys)

    def remove_selected(self) -> None:
        """Take the selected slides out of the list."""
        self._slides.remove(self.selected_ids())

    def copy(self) -> None:
        """Put the current column of the selected rows on the clipboard, or whole rows where it is the name."""
        column = self.currentIndex().column()
        columns = [column] if self._slides.key(column) else range(SLIDE, self._slides.columnCount())
        lines = []
        for slide_id in self.selected_ids():
            row = self._slides.slide_row(slide_id) or 0
            cells = (self._slides.index(row, number) for number in columns)
            lines.append(
                "\t".join(
                    str(cell.data(Qt.ItemDataRole.EditRole if self._slides.key(cell.column()) else 0)) for cell in cells
                )
            )
        QGuiApplication.clipboard().setText("\n".join(lines))

    def paste(self) -> None:
        """Put the clipboard's values into the table from the current cell on; one value into all selected rows."""
        current = self.currentIndex()
        key = self._slides.key(current.column()) if current.isValid() else None
        text = QGuiApplication.clipboard().text().rstrip("\r\n")
        if key is None or not text:
            return
        if "\t" in text or "\n" in text:
            self.refused.emit(self._slides.paste(text, self._slides.slide(current.row()).id, key))
        else:
            self.refused.emit(self._slides.set_text(self.targets(current), key, text))

    def go_to(self, slide_id: str, key: str | None) -> None:
        """Make this cell the current one and show it."""
        row = self._slides.slide_row(slide_id)
        if row is not None:
            column = self._slides.column_of(key) if key else None
            index = self._slides.index(row, SLIDE if column is None else column)
            self.setCurrentIndex(index)
            self.scrollTo(index)

    # Events

    def selectionCommand(
        self, index: QModelIndex | QPersistentModelIndex, event: QEvent | None = None
    ) -> QItemSelectionModel.SelectionFlag:
        """A plain click on a value or a check box of several selected rows keeps them selected: it edits all."""
        if (
            isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and not event.modifiers()
            and index.isValid()
            and (index.column() == INCLUDE or self._slides.key(index.column()) is not None)
            and self.selectionModel().isRowSelected(index.row(), QModelIndex())
        ):
            return QItemSelectionModel.SelectionFlag.NoUpdate
        return super().selectionCommand(index, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState:
            return  # what an editor did not want
        current = self.currentIndex()
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.remove_selected()
        elif key == Qt.Key.Key_Space and not event.modifiers() and current.isValid():
            if current.column() == SLIDE:
                self.picture.emit(current)
            else:
                self._toggle(current)
        elif key == Qt.Key.Key_Escape:
            self.picture.emit(None)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2) and not event.modifiers():
            self._open_editor(current)
        else:
            self._choices.open_list = False  # what is typed goes into the field
            super().keyPressEvent(event)
            return
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_widths()

    def leaveEvent(self, event: QEvent) -> None:
        self.picture.emit(None)
        super().leaveEvent(event)

    @Slot("QModelIndex")
    def _hovered(self, index: QModelIndex) -> None:
        on_picture = index.column() == SLIDE and self._over_picture(index)
        self.picture.emit(index if on_picture else None)

    @Slot()
    def _unhovered(self) -> None:
        self.picture.emit(None)

    def _over_picture(self, index: QModelIndex) -> bool:
        place = self.viewport().mapFromGlobal(QCursor.pos())
        return place.x() - self.visualRect(index).left() < _PICTURE

    @Slot("QModelIndex")
    def _open_editor(self, index: QModelIndex) -> None:
        modifiers = QGuiApplication.keyboardModifiers()
        extending = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        if index.isValid() and index.flags() & Qt.ItemFlag.ItemIsEditable and not modifiers & extending:
            self._choices.open_list = True
            self.edit(index)

    @Slot(object, str)
    def _typed(self, index: QModelIndex, text: str) -> None:
        key = self._slides.key(index.column())
        if key is not None:
            bad: list[BadValue] = self._slides.set_text(self.targets(index), key, text)
            self.refused.emit(bad)

    @Slot(object)
    def _toggle(self, index: QModelIndex) -> None:
        self._slides.include(self.targets(index), not self._slides.slide(index.row()).included)

    def _all_state(self) -> Qt.CheckState:
        included = {self._slides.slide(row).included for row in range(self._slides.rowCount())}
        if included == {True}:
            return Qt.CheckState.Checked
        return Qt.CheckState.Unchecked if included <= {False} else Qt.CheckState.PartiallyChecked

    @Slot()
    def _toggle_all(self) -> None:
        wanted = self._all_state() != Qt.CheckState.Checked
        self._slides.include([self._slides.slide(row).id for row in range(self._slides.rowCount())], wanted)

    @Slot(int)
    def _sort_by(self, section: int) -> None:
        if section == INCLUDE:
            return
        header = self.horizontalHeader()
        down = (
            header.isSortIndicatorShown()
            and header.sortIndicatorSection() == section
            and header.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        )
        order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
        header.setSortIndicatorShown(True)
        header.setSortIndicator(section, order)
        self._slides.sort(section, order)

    @Slot()
    def _header_changed(self) -> None:
        self.horizontalHeader().viewport().update()

    @Slot()
    def _new_columns(self) -> None:
        for column in range(self._slides.columnCount()):
            value = FIRST_COLUMN <= column < self._slides.status_column
            self.setItemDelegateForColumn(column, self._choices if value else self._cells)
        self._set_widths()

    def _set_widths(self) -> None:
        """All columns fit: the slide's column takes what is left; in a small window the others give way."""
        last = self._slides.status_column
        metrics = cell_paint().body_metrics
        for narrow, factor in ((0, 1.0), (0, 0.85), (0, 0.72), (1, 0.52)):
            widths = {column: both[narrow] for column, both in WIDTHS.items()}
            widths[last] = STATUS_WIDTHS[narrow]
            for number, column in enumerate(self._slides.columns):
                longest = max((metrics.horizontalAdvance(choice) for choice in column.choices), default=0)
                wanted = int(min(max(longest + 76, 136), 200) * factor)
                widths[FIRST_COLUMN + number] = max(CHOICE_WIDTHS[narrow], wanted)
            left = self.viewport().width() - sum(widths.values())
            if left >= SLIDE_WANTED:
                break
        widths[SLIDE] = max(left, SLIDE_LOWEST)
        self.setColumnHidden(SIZE, widths[SIZE] == 0)
        self._cells.size_in_name = widths[SIZE] == 0
        for section, width in widths.items():
            if width:
                self.setColumnWidth(section, width)

    def select_ids(self, slide_ids: list[str]) -> None:
        """Select these slides."""
        selection = QItemSelection()
        for slide_id in slide_ids:
            row = self._slides.slide_row(slide_id)
            if row is not None:
                selection.select(self._slides.index(row, 0), self._slides.index(row, self._slides.status_column))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
