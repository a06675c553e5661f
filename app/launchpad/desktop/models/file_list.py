"""The files of a transfer with how far each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from launchpad.bucket.board import FileState
from launchpad.desktop.models.slide_roles import Role
from launchpad.desktop.models.slide_status import Status
from launchpad.desktop.models.words import file_size

Index = QModelIndex | QPersistentModelIndex

STATUS: Mapping[str, Status] = MappingProxyType(
    {
        "waiting": Status("waiting", "pending", "clock"),
        "moving": Status("moving", "uploading", "loader"),
        "done": Status("done", "done", "circle-check"),
        "failed": Status("failed", "failed", "circle-x"),
    }
)

NAME, SIZE, STATE, DETAIL = range(4)


class FileListModel(QAbstractTableModel):
    """Columns: name, size, state, and why it failed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._files: list[FileState] = []

    def set_files(self, files: Sequence[FileState]) -> None:
        """Show these; only rows that are others than before are announced."""
        before, self._files = self._files, list(files)
        if [file.key for file in before] != [file.key for file in files]:
            self.beginResetModel()
            self.endResetModel()
            return
        for row, (old, new) in enumerate(zip(before, files, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(row, 0), self.index(row, DETAIL), [])

    def state_words(self, file: FileState) -> str:
        """The state in a person's language, with per cent while it moves."""
        if file.state in ("moving", "waiting") and file.size and file.done:
            return self.tr("%1 %").replace("%1", str(min(99, file.done * 100 // file.size)))
        return {
            "waiting": self.tr("Waiting"),
            "moving": self.tr("Under way"),
            "done": self.tr("Done"),
            "failed": self.tr("Failed"),
        }[file.state]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._files)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else DETAIL + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if (
            orientation != Qt.Orientation.Horizontal
            or role != Qt.ItemDataRole.DisplayRole
            or not 0 <= section <= DETAIL
        ):
            return None
        return (self.tr("File"), self.tr("Size"), self.tr("State"), "")[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        file = self._files[index.row()]
        detail = " ".join(part for part in (file.error, file.advice) if part)
        if role == Role.State:
            return STATUS[file.state]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            size = file_size(file.size) if file.size else "–"
            return (file.name, size, self.state_words(file), detail)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return detail or file.name
        return None
