"""The runs of the sidebar: newest first, filtered by note, tag or application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from launchpad.application.states import run_state

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse

_Index = QModelIndex | QPersistentModelIndex
RowRole = Qt.ItemDataRole.UserRole


class RunListModel(QAbstractListModel):
    """Rows are the platform's runs; one that changed is updated in place, so the selection stays."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[RunReadResponse] = []
        self._shown: list[RunReadResponse] = []
        self._names: dict[str, str] = {}
        self._filter = ""

    def set_names(self, names: dict[str, str]) -> None:
        """Names of applications by their ids."""
        self._names = names
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def set_runs(self, runs: list[RunReadResponse]) -> None:
        """The newest list."""
        self._all = runs
        self._apply()

    def set_filter(self, text: str) -> None:
        """Show the runs in whose note, tags, application or id the text is found."""
        self._filter = text.casefold().strip()
        self._apply()

    def _apply(self) -> None:
        wanted = [run for run in self._all if not self._filter or self._filter in self._words(run)]
        ids = [run.run_id for run in wanted]
        kept = set(ids)
        for row in reversed([row for row, run in enumerate(self._shown) if run.run_id not in kept]):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._shown[row]
            self.endRemoveRows()
        for row, run in enumerate(wanted):
            if row < len(self._shown) and self._shown[row].run_id == run.run_id:
                if self._shown[row] != run:
                    self._shown[row] = run
                    self.dataChanged.emit(self.index(row), self.index(row))
            else:
                self.beginInsertRows(QModelIndex(), row, row)
                self._shown.insert(row, run)
                self.endInsertRows()
        if len(self._shown) > len(wanted):  # the order changed
            self.beginRemoveRows(QModelIndex(), len(wanted), len(self._shown) - 1)
            del self._shown[len(wanted) :]
            self.endRemoveRows()

    def _words(self, run: RunReadResponse) -> str:
        from launchpad.platform.custom_metadata import note_of, tags_of

        parts = [self._names.get(run.application_id, ""), run.application_id, run.run_id, note_of(run.custom_metadata)]
        return " ".join([*parts, *tags_of(run.custom_metadata)]).casefold()

    def name(self, run: RunReadResponse) -> str:
        """Name and version of a run's application."""
        return f"{self._names.get(run.application_id, run.application_id)} {run.version_number}"

    def row_of(self, run_id: str) -> int:
        """The row of a run, or -1."""
        return next((row for row, run in enumerate(self._shown) if run.run_id == run_id), -1)

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        run = self._shown[index.row()]
        if role == RowRole:
            return run
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{self.name(run)}, {run_state(run).words}"
        return None
