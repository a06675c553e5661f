"""Public slides that a search found: a row each, the first thousand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from launchpad.desktop.models.words import file_size, plain_tip

if TYPE_CHECKING:
    from launchpad.dataset.index import Series

_Index = QModelIndex | QPersistentModelIndex
COLLECTION, PATIENT, DESCRIPTION, FILES, SIZE, LICENCE = range(6)
ORDERS = ("collection", "patient", "description", "files", "size", "licence")
"""What the index calls the order of each column."""
_RIGHT = (FILES, SIZE)


class SlideSearchModel(QAbstractTableModel):
    """Rows are series.

    Signals:
        sorted: another order is wanted (column, whether descending); the index has to be asked again.
    """

    sorted = Signal(int, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._series: tuple[Series, ...] = ()

    def set_series(self, series: Sequence[Series]) -> None:
        """Show these."""
        self.beginResetModel()
        self._series = tuple(series)
        self.endResetModel()

    def series(self, row: int) -> Series:
        """The slide of a row."""
        return self._series[row]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._series)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else 6

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section <= LICENCE:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (
                self.tr("Collection"),
                self.tr("Patient"),
                self.tr("Description"),
                self.tr("Files"),
                self.tr("Size"),
                self.tr("Licence"),
            )[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        item, column = self._series[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return (
                item.collection_id,
                item.patient_id,
                item.description or item.study_description,
                str(item.instances),
                file_size(item.size),
                item.licence,
            )[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            head = f"{item.collection_id} · {item.patient_id}"
            lines = (head, item.description or item.study_description, item.scanner, item.compression, item.series_uid)
            return plain_tip("\n".join(line for line in lines if line))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.headerData(column, Qt.Orientation.Horizontal, role)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask for another order."""
        self.sorted.emit(column, order == Qt.SortOrder.DescendingOrder)
