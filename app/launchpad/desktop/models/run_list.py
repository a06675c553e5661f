"""The runs of the sidebar: newest first, filtered by text, state, application and tag."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from launchpad.application.states import run_state
from launchpad.desktop.models.words import plain_tip, translated

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse

_Index = QModelIndex | QPersistentModelIndex
RowRole = Qt.ItemDataRole.UserRole
TagsRole = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class RunFilter:
    """Which runs to show; an empty field asks for nothing."""

    text: str = ""
    state: str = ""
    application_id: str = ""
    tag: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it shows all."""
        return self == RunFilter()


@dataclass(frozen=True)
class _Row:
    """A run with what a filter looks at, taken apart once."""

    id: str
    run: RunReadResponse
    state: str
    tags: tuple[str, ...]
    note: str
    words: str


class RunListModel(QAbstractListModel):
    """Rows are the platform's runs; what changed is updated in place, so the selection stays.

    Signals:
        more_wanted: the end of the list is in sight, and the platform has more.
    """

    more_wanted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: list[_Row] = []
        self._cached: dict[str, _Row] = {}
        self._shown: list[_Row] = []
        self._names: dict[str, str] = {}
        self._filter = RunFilter()
        self._complete = True

    @property
    def filter(self) -> RunFilter:
        """Which runs are shown."""
        return self._filter

    def set_names(self, names: dict[str, str]) -> None:
        """Names of applications by their ids."""
        if names != self._names:
            self._names = names
            self._cached.clear()
            self.set_runs([row.run for row in self._all], complete=self._complete)
            if self._shown:
                self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))

    def set_runs(self, runs: Sequence[RunReadResponse], *, complete: bool = True) -> None:
        """The newest list; `complete`: the platform has no more."""
        self._complete = complete
        self._all = [self._row(run) for run in runs]
        self._cached = {row.id: row for row in self._all}
        self._apply()

    def set_filter(self, wanted: RunFilter) -> None:
        """Show the runs that match."""
        if wanted != self._filter:
            self._filter = wanted
            self._apply()

    def tags(self) -> list[str]:
        """All tags of the runs that are loaded, the most used first."""
        count: dict[str, int] = {}
        for row in self._all:
            for tag in row.tags:
                count[tag] = count.get(tag, 0) + 1
        return sorted(count, key=lambda tag: (-count[tag], tag.casefold()))

    def total(self) -> int:
        """How many runs are loaded, whether they match or not."""
        return len(self._all)

    def name(self, run: RunReadResponse) -> str:
        """Name and version of a run's application."""
        return f"{self._names.get(run.application_id, run.application_id)} {run.version_number}"

    def row_of(self, run_id: str) -> int:
        """The row of a run, or -1."""
        return next((row for row, entry in enumerate(self._shown) if entry.id == run_id), -1)

    # --- Qt's model interface -----------------------------------------------------------------------------------------
    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._shown)

    def canFetchMore(self, parent: _Index) -> bool:
        return not parent.isValid() and not self._complete

    def fetchMore(self, parent: _Index) -> None:
        if not parent.isValid() and not self._complete:
            self.more_wanted.emit()

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        row = self._shown[index.row()]
        if role == RowRole:
            return row.run
        if role == TagsRole:
            return row.tags
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{self.name(row.run)}, {translated('states', run_state(row.run).words)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [self.name(row.run), row.id, row.note]
            if row.tags:
                lines.append(self.tr("Tags: %1").replace("%1", ", ".join(row.tags)))
            return plain_tip("\n".join(line for line in lines if line))
        return None

    # --- inside -------------------------------------------------------------------------------------------------------
    def _row(self, run: RunReadResponse) -> _Row:
        known = self._cached.get(run.run_id)
        if known is not None and (known.run is run or known.run == run):
            return known
        from launchpad.platform.custom_metadata import note_of, tags_of

        note, tags = note_of(run.custom_metadata), tuple(tags_of(run.custom_metadata))
        parts = [self._names.get(run.application_id, ""), run.application_id, run.run_id, note, *tags]
        return _Row(run.run_id, run, run_state(run).key, tags, note, " ".join(parts).casefold())

    def _apply(self) -> None:
        wanted = list(filter(_matcher(self._filter), self._all))
        if [row.id for row in wanted] == [row.id for row in self._shown]:  # as nearly always
            self._update(wanted)
            return
        ids = {row.id: place for place, row in enumerate(wanted)}
        for first, last in reversed(_ranges(self._shown, lambda row: row.id not in ids)):
            self.beginRemoveRows(QModelIndex(), first, last)
            del self._shown[first : last + 1]
            self.endRemoveRows()
        order = [ids[row.id] for row in self._shown]
        if order != sorted(order):
            self._reorder(ids)
        old = {row.id for row in self._shown}
        for first, last in _ranges(wanted, lambda row: row.id not in old):
            self.beginInsertRows(QModelIndex(), first, last)
            self._shown[first:first] = wanted[first : last + 1]
            self.endInsertRows()
        self._update(wanted)

    def _update(self, wanted: list[_Row]) -> None:
        """The same runs in the same order, some of them otherwise."""
        changed = [place for place, row in enumerate(wanted) if self._shown[place] is not row]
        self._shown = wanted
        for place in changed:
            self.dataChanged.emit(self.index(place), self.index(place))

    def _reorder(self, ids: dict[str, int]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        moved = [self._shown[index.row()].id for index in before]
        self._shown.sort(key=lambda row: ids[row.id])
        rows = {row.id: place for place, row in enumerate(self._shown)}
        self.changePersistentIndexList(before, [self.index(rows[run_id]) for run_id in moved])
        self.layoutChanged.emit()


def _matcher(wanted: RunFilter) -> Callable[[_Row], bool]:
    text = wanted.text.casefold().strip()

    def matches(row: _Row) -> bool:
        return (
            (not text or text in row.words)
            and (not wanted.state or row.state == wanted.state)
            and (not wanted.application_id or row.run.application_id == wanted.application_id)
            and (not wanted.tag or wanted.tag in row.tags)
        )

    return matches


def _ranges(rows: Sequence[_Row], chosen: Callable[[_Row], bool]) -> list[tuple[int, int]]:
    """First and last place of each block of neighbours that are chosen."""
    found: list[tuple[int, int]] = []
    for place, row in enumerate(rows):
        if chosen(row):
            if found and found[-1][1] == place - 1:
                found[-1] = (found[-1][0], place)
            else:
                found.append((place, place))
    return found
