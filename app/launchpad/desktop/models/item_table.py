"""The items of a run: slide, state, results."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPixmap

from launchpad.application.states import item_state
from launchpad.desktop.models.words import counted, plain_tip, translated

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse

_Index = QModelIndex | QPersistentModelIndex
RowRole = Qt.ItemDataRole.UserRole
SLIDE, STAIN, TISSUE, STATE, RESULTS, SIZE = range(6)


def metadata_of(item: ItemResultReadResponse) -> dict[str, object]:
    """The metadata of an item's slide."""
    return dict(item.input_artifacts[0].metadata or {}) if item.input_artifacts else {}


def size_of(item: ItemResultReadResponse) -> int:
    """Bytes of an item's results, as far as the platform says."""
    sizes = [(artifact.metadata or {}).get("size_bytes") for artifact in item.output_artifacts]
    return sum(size for size in sizes if isinstance(size, int))


class ItemTableModel(QAbstractTableModel):
    """Rows are items, in the order of submission."""

    def __init__(self, picture: Callable[[ItemResultReadResponse], QPixmap | None], size: Callable[[int], str]) -> None:
        super().__init__()
        self._picture = picture
        self._size = size
        self._rows: list[ItemResultReadResponse] = []
        self._headers = (
            self.tr("Slide"),
            self.tr("Stain"),
            self.tr("Tissue"),
            self.tr("State"),
            self.tr("Results"),
            self.tr("Size"),
        )

    def set_items(self, items: list[ItemResultReadResponse]) -> None:
        """The newest items; rows that stay are updated in place."""
        if [item.item_id for item in items] != [item.item_id for item in self._rows]:
            self.beginResetModel()  # another run's items
            self._rows = items
            self.endResetModel()
            return
        changed = [row for row, item in enumerate(items) if item != self._rows[row]]
        self._rows = items
        for row in changed:
            self.dataChanged.emit(self.index(row, 0), self.index(row, SIZE))

    def announce_picture(self, path: str) -> None:
        """The picture of this slide came."""
        for row, item in enumerate(self._rows):
            if item.external_id == path:
                index = self.index(row, SLIDE)
                self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    def row_of(self, item_id: str) -> int:
        """The row of an item, or -1."""
        return next((row for row, item in enumerate(self._rows) if item.item_id == item_id), -1)

    @staticmethod
    def name_of(item: ItemResultReadResponse) -> str:
        """The name of an item's slide, without its folder."""
        return item.external_id.replace("\\", "/").rstrip("/").rpartition("/")[2] or item.external_id

    def item(self, row: int) -> ItemResultReadResponse | None:
        """The item of a row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._headers)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self._headers):
            if role == Qt.ItemDataRole.DisplayRole:
                return self._headers[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if section == SIZE else Qt.AlignmentFlag.AlignLeft
                return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row()) if index.isValid() else None
        if item is None:
            return None
        if role == RowRole:
            return item
        if role == Qt.ItemDataRole.DecorationRole and index.column() == SLIDE:
            return self._picture(item)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(item, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(item.external_id if index.column() == SLIDE else self._text(item, index.column()))
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == SIZE:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _text(self, item: ItemResultReadResponse, column: int) -> str:
        metadata = metadata_of(item)
        if column == SLIDE:
            return self.name_of(item)
        if column == STAIN:
            return str(metadata.get("staining_method") or "–")
        if column == TISSUE:
            specimen = metadata.get("specimen")
            return str(specimen.get("tissue") or "–") if isinstance(specimen, dict) else "–"
        if column == STATE:
            return translated("states", item_state(item).words)
        if column == RESULTS:
            if item.error_message:
                return item.error_message
            count = sum(artifact.output == "AVAILABLE" for artifact in item.output_artifacts)
            return counted(count, self.tr("1 artifact"), self.tr("%n artifacts", "", count)) if count else "–"
        return self._size(size_of(item)) if size_of(item) else "–"
