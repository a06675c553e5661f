"""The objects of the bucket: key, size, when they were written; sorted and filtered here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from launchpad.desktop.models.words import counted, file_size, plain_tip, time_words

if TYPE_CHECKING:
    from launchpad.bucket.base import ObjectInfo

_Index = QModelIndex | QPersistentModelIndex
KEY, SIZE, MODIFIED, AGE = range(4)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class ObjectListModel(QAbstractTableModel):
    """Rows are objects."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[ObjectInfo] = []
        self._shown: list[ObjectInfo] = []
        self._filter = ""
        self._sorted = (MODIFIED, Qt.SortOrder.DescendingOrder)

    def set_objects(self, objects: Sequence[ObjectInfo]) -> None:
        """Show these."""
        self._all = list(objects)
        self._apply()

    def set_filter(self, text: str) -> None:
        """Show the objects whose keys hold this text."""
        self._filter = text.casefold().strip()
        self._apply()

    def info(self, row: int) -> ObjectInfo:
        """The object of a row."""
        return self._shown[row]

    def total(self) -> tuple[int, int]:
        """How many objects there are, and their bytes."""
        return len(self._all), sum(info.size for info in self._all)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else 4

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section <= AGE:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Object"), self.tr("Size"), self.tr("Written"), self.tr("Age"))[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section == SIZE else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        info, column = self._shown[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            moment = info.last_modified
            written = time_words(moment) if moment else "–"
            return (info.key, file_size(info.size), written, self._age(moment) if moment else "–")[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(info.key)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.headerData(column, Qt.Orientation.Horizontal, role)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column."""
        self._sorted = (column, order)
        self._apply()

    def _age(self, moment: datetime) -> str:
        days = (datetime.now(UTC) - moment).days
        if days < 1:
            return self.tr("today")
        return counted(days, self.tr("1 day"), self.tr("%n days", "", days))

    def _apply(self) -> None:
        self.beginResetModel()
        column, order = self._sorted
        down = order == Qt.SortOrder.DescendingOrder
        if column == AGE:
            down = not down
        shown = [info for info in self._all if self._filter in info.key.casefold()]
        if column == KEY:
            shown.sort(key=lambda info: info.key.casefold(), reverse=down)
        elif column == SIZE:
            shown.sort(key=lambda info: info.size, reverse=down)
        else:
            shown.sort(key=lambda info: info.last_modified or _LONG_AGO, reverse=down)
        self._shown = shown
        self.endResetModel()
