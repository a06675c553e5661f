"""The files of a transfer as a list: name, size, state, and why one failed."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from launchpad.desktop.delegates.cell_paint import PADDING, cell_paint
from launchpad.desktop.models.file_list import DETAIL, NAME, SIZE, STATE, FileListModel
from launchpad.desktop.models.slide_roles import Role

Index = QModelIndex | QPersistentModelIndex

ROW = 36  # px


class _FileDelegate(QStyledItemDelegate):
    """Name, size, state pill and reason in one line."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.background(painter, option)
        column, words = index.column(), str(index.data())
        cell: QRect = option.rect.adjusted(PADDING, 0, -PADDING, 0)
        if column == STATE:
            status = index.data(Role.State)
            paint.pill(painter, cell, status.icon, status.token, words)
        else:
            painter.setFont(paint.strong if column == NAME else paint.body)
            painter.setPen(paint.text if column in (NAME, DETAIL) else paint.muted)
            metrics = paint.strong_metrics if column == NAME else paint.body_metrics
            side = Qt.AlignmentFlag.AlignRight if column == SIZE else Qt.AlignmentFlag.AlignLeft
            mode = Qt.TextElideMode.ElideMiddle if column == NAME else Qt.TextElideMode.ElideRight
            painter.drawText(
                cell, side | Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(words, mode, max(cell.width(), 0))
            )
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW)


class FileTable(QTableView):
    """A plain list of rows of fixed height; the reason takes what room is left."""

    def __init__(self, model: FileListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(_FileDelegate(self))
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.horizontalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setMinimumSectionSize(30)
        self.setMinimumHeight(2 * ROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.model() is None:
            return
        width = self.viewport().width()
        name = max(150, min(340, width // 3))
        for column, wide in ((NAME, name), (SIZE, 90), (STATE, 120), (DETAIL, max(width - name - 210, 100))):
            self.setColumnWidth(column, wide)
