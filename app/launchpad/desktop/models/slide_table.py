"""The table of slides: one frozen `Slide` a row, edited through one undo stack.

Columns: include, slide, MPP, size, then the columns that the application's schema asks for, then the status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QPixmap, QUndoStack

from launchpad.application.columns import Column
from launchpad.application.draft import Problem, Slide, SubmissionDraft
from launchpad.desktop.models.slide_edits import BadValue, Cell, EditCells, RemoveSlides, with_defaults
from launchpad.desktop.models.slide_notes import SlideNotes
from launchpad.desktop.models.slide_roles import Role
from launchpad.desktop.models.slide_status import INCOMPLETE, LEFT_OUT, READY, SET_MPP, UNREADABLE, Status, status_words
from launchpad.desktop.models.slide_values import parse_value
from launchpad.desktop.models.words import counted, file_size, plain_tip

Index = QModelIndex | QPersistentModelIndex

INCLUDE, SLIDE, MPP, SIZE = range(4)
FIRST_COLUMN = 4
"""The first of the schema's columns; the status comes after the last."""


# Made once: a view asks for the flags of each cell that it paints.
_SHOWN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_CHECKED = _SHOWN | Qt.ItemFlag.ItemIsUserCheckable
_EDITED = _SHOWN | Qt.ItemFlag.ItemIsEditable


class SlideTableModel(QAbstractTableModel):
    """The slides of one draft. It changes the draft's own list, so that both always agree.

    Signals:
        edited: something that the draft keeps has changed.
    """

    edited = Signal()

    def __init__(
        self,
        draft: SubmissionDraft,
        stack: QUndoStack,
        parent: QObject | None = None,
        *,
        picture: Callable[[Slide], QPixmap | None] = lambda slide: None,
    ) -> None:
        super().__init__(parent)
        self._draft = draft
        self._picture = picture
        self._stack = stack
        self._rows: dict[str, int] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._refused: dict[Cell, str] = {}
        self.notes = SlideNotes(self)
        self._reindex()

    # What there is

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the application's schema asks for."""
        return self._draft.columns

    @property
    def status_column(self) -> int:
        """Number of the last column."""
        return FIRST_COLUMN + len(self._draft.columns)

    def slide(self, row: int) -> Slide:
        """The slide of a row."""
        return self._draft.slides[row]

    def slide_row(self, slide_id: str) -> int | None:
        """The row of a slide, None when it is not in the list."""
        return self._rows.get(slide_id)

    def key(self, column: int) -> str | None:
        """The key under which a column's cells are edited, None for what cannot be edited."""
        if column == MPP:
            return "mpp"
        number = column - FIRST_COLUMN
        if 0 <= number < len(self._draft.columns):
            return self._draft.columns[number].key
        return None

    def column_key(self, column: int) -> str:
        """The name of any column: `include`, `slide`, `mpp`, `size`, the key of a schema's column, or `status`."""
        if column < FIRST_COLUMN:
            return ("include", "slide", "mpp", "size")[column]
        return self.key(column) or "status"

    def column_of(self, key: str) -> int | None:
        """The number of the column with this key."""
        if key == "mpp":
            return MPP
        for number, column in enumerate(self._draft.columns):
            if column.key == key:
                return FIRST_COLUMN + number
        return None

    def editable_columns(self) -> list[int]:
        """Columns whose cells a person fills in, from left to right."""
        return [MPP, *range(FIRST_COLUMN, self.status_column)]

    def problems(self, slide: Slide) -> tuple[Problem, ...]:
        """What stands in the way of a slide (kept until the slide changes)."""
        found = self._problems.get(slide.id)
        if found is None:
            found = self._problems[slide.id] = tuple(self._draft.slide_problems(slide))
        return found

    def take_proposals(self) -> None:
        """Fill these cells, as one undoable edit."""
        self._push(dict(self._draft.open_proposals()), self.tr("values from the files"))

    def take_values(self, slides: Iterable[Slide]) -> None:
        """Take values and MPP of slides of the same ids, as one undoable edit; a table was imported."""
        changes: dict[Cell, object] = {}
        for slide in slides:
            row = self._rows.get(slide.id)
            if row is None:
                continue
            known = self.slide(row)
            changes.update(
                ((slide.id, key), value) for key, value in slide.values.items() if known.values.get(key, "") != value
            )
            if slide.mpp is not None and slide.mpp != known.mpp:
                changes[slide.id, "mpp"] = (slide.mpp, "user")
        self._push(changes, self.tr("import of values"))

    def status(self, slide: Slide) -> Status:
        """How a slide stands, the first that holds: unreadable, left out, incomplete, without MPP, ready."""
        if slide.error:
            return UNREADABLE
        if not slide.included:
            return LEFT_OUT
        problems = self.problems(slide)
        if not problems:
            return READY
        return SET_MPP if all(problem.column == "mpp" for problem in problems) else INCOMPLETE

    def status_words(self, status: Status) -> str:
        """The status in a person's language."""
        return status_words(status)

    def matches(self, row: int, text: str, *, incomplete: bool) -> bool:
        """Whether a slide has the text (in lower case) in its name or values, and wants something if asked."""
        slide = self._draft.slides[row]
        if incomplete and not (slide.included and self.problems(slide)):
            return False
        return not text or text in " ".join((slide.external_id, *slide.values.values())).casefold()

    def attention(self) -> int:
        """How many of the included slides cannot be sent as they are."""
        return sum(1 for slide in self._draft.slides if slide.included and self.problems(slide))

    # Qt's model interface

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._draft.slides)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self.status_column + 1

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        if index.column() == INCLUDE:
            return _CHECKED
        if self.key(index.column()) is not None and not self.slide(index.row()).error:
            return _EDITED
        return _SHOWN

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | Qt.AlignmentFlag | None:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section <= self.status_column:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in (MPP, SIZE) else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if section == self.status_column:
            return self.tr("Status")
        if section >= FIRST_COLUMN:
            return self._draft.columns[section - FIRST_COLUMN].title
        return (self.tr("Include"), self.tr("Slide"), self.tr("MPP, µm/px"), self.tr("Size"))[section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        slide, column = self._draft.slides[index.row()], index.column()
        if role == Role.Row:
            return slide
        if role == Role.State:
            return self.status(slide)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == SLIDE:
            return self._tooltip(slide, column)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(slide, column)
        if role == Role.Marks:
            return self.notes.marks(slide, self._draft.columns)
        if role == Qt.ItemDataRole.EditRole:
            key = self.key(column)
            if key == "mpp":
                return "" if slide.mpp is None else f"{slide.mpp:g}"
            return self._text(slide, column) if key is None else slide.values.get(key, "")
        if role == Qt.ItemDataRole.CheckStateRole and column == INCLUDE:
            return Qt.CheckState.Checked if slide.included else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and column == SLIDE:
            return self._picture(slide)
        if role == Role.Error:
            return self.error(slide, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._tooltip(slide, column))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self.headerData(column, Qt.Orientation.Horizontal, role)
        if FIRST_COLUMN <= column < self.status_column:
            wanted = self._draft.columns[column - FIRST_COLUMN]
            if role == Role.Choices:
                return wanted.choices
            if role == Role.Required:
                return wanted.required
            if role == Role.Field:
                usable = slide.included and not slide.error
                wrong = usable and bool(self.error(slide, column))
                texts = slide.values.get(wanted.key, ""), slide.proposals.get(wanted.key, "")
                return *texts, wanted.required, bool(wanted.choices), wrong, usable
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid():
            return False
        slide = self.slide(index.row())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == INCLUDE:
            self.include([slide.id], Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        key = self.key(index.column())
        if role != Qt.ItemDataRole.EditRole or key is None or slide.error:
            return False
        return not self.set_text([slide.id], key, str(value))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the draft's slides; of equal ones the order stays."""
        if not 0 <= column <= self.status_column:
            return
        down = order == Qt.SortOrder.DescendingOrder
        self._reorder(sorted(self._draft.slides, key=lambda slide: self._sort_key(slide, column), reverse=down))

    def arrange(self, external_ids: Iterable[str]) -> None:
        """Put these slides, wherever they stand, into this order at the end of the list."""
        wanted = {external_id: number for number, external_id in enumerate(external_ids)}
        self._reorder(sorted(self._draft.slides, key=lambda slide: wanted.get(slide.external_id, -1)))

    def _reorder(self, slides: Sequence[Slide]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [self._draft.slides[index.row()].id for index in before]
        self._draft.slides[:] = slides
        self._reindex()
        after = [self.index(self._rows[slide_id], index.column()) for slide_id, index in zip(ids, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        self.edited.emit()

    # Changes

    def add(self, slides: Iterable[Slide]) -> int:
        """Append slides that are not in the list yet (by external id); how many were new. Not an undoable edit."""
        known = {slide.external_id for slide in self._draft.slides}
        new: list[Slide] = []
        for slide in slides:
            if slide.external_id not in known:
                known.add(slide.external_id)
                new.append(slide)
        if new:
            first = len(self._draft.slides)
            self.beginInsertRows(QModelIndex(), first, first + len(new) - 1)
            self._draft.slides.extend(new)
            self._reindex()
            self.endInsertRows()
            self.edited.emit()
        return len(new)

    def remove(self, slide_ids: Sequence[str]) -> None:
        """Take slides out of the list, as one undoable edit."""
        entries = [(self._rows[slide_id], self.slide(self._rows[slide_id])) for slide_id in slide_ids]
        if entries:
            text = counted(
                len(entries), self.tr("removal of 1 slide"), self.tr("removal of %n slides", "", len(entries))
            )
            self._stack.push(RemoveSlides(text, entries, self._take, self._put_back))

    def include(self, slide_ids: Iterable[str], included: bool) -> None:
        """Send these slides or leave them out, as one undoable edit."""
        self._push({(slide_id, "included"): included for slide_id in slide_ids}, self.tr("choice of slides"))

    def set_text(self, slide_ids: Sequence[str], key: str, text: str) -> list[BadValue]:
        """Set one column of these slides to what a person typed, as one undoable edit.

        Returns:
            The values that cannot be used (nothing is changed then); empty when all is well.
        """
        good, value = parse_value(key, text, self._draft.columns, self._draft.mpp_limits)
        if not good:
            return [BadValue(slide_id, key, text) for slide_id in slide_ids]
        self._push({(slide_id, key): value for slide_id in slide_ids}, self._title(key))
        return []

    def fill_down(self, source_id: str, target_ids: Sequence[str], keys: Sequence[str]) -> None:
        """Copy values of one slide to others, as one undoable edit; an MPP so copied counts as typed."""
        source = self.slide(self._rows[source_id])
        changes: dict[Cell, object] = {}
        for key in keys:
            value: object = source.values.get(key, "")
            if key == "mpp":
                value = None if source.mpp is None else (source.mpp, "user")
            if value:
                changes.update({(target, key): value for target in target_ids if target != source_id})
        self._push(changes, self.tr("fill down"))

    def paste(self, text: str, slide_id: str, key: str) -> list[BadValue]:
        """Put tab-separated text into the table, its first value into the given cell; one undoable edit.

        Good values are used, the others are returned and stay marked until their cell changes.
        """
        keys = [self.key(column) or "" for column in self.editable_columns()]
        first_row, first_key = self._rows[slide_id], keys.index(key)
        changes: dict[Cell, object] = {}
        bad: list[BadValue] = []
        for offset, line in enumerate(text.rstrip("\r\n").splitlines()):
            if first_row + offset >= len(self._draft.slides):
                break
            slide = self.slide(first_row + offset)
            # Values beyond the last column have no place, like lines beyond the last slide.
            for name, value in zip(keys[first_key:], line.split("\t"), strict=False):
                good, parsed = parse_value(name, value, self._draft.columns, self._draft.mpp_limits)
                if good and not slide.error:
                    changes[slide.id, name] = parsed
                else:
                    bad.append(BadValue(slide.id, name, value.strip()))
        self._push(changes, self.tr("paste"))
        for entry in bad:
            self._refused[entry.slide_id, entry.column] = entry.value
            self._announce([self._rows[entry.slide_id]])
        return bad

    def set_mpp_limits(self, limits: Mapping[str, float]) -> None:
        """Take other resolutions than before (JSON Schema's keywords), because another version was chosen."""
        if dict(limits) != self._draft.mpp_limits:
            self._draft.mpp_limits = dict(limits)
            self._problems.clear()
            self._announce(range(len(self._draft.slides)))

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Ask for other columns, because another version was chosen. Values of the slides stay."""
        if columns == self._draft.columns:
            return
        self.beginResetModel()
        self._draft.columns = columns
        self._draft.slides[:] = [with_defaults(slide, columns) for slide in self._draft.slides]
        self._problems.clear()
        self.endResetModel()
        self.edited.emit()

    def replace_draft(self, draft: SubmissionDraft) -> None:
        """Show another draft."""
        self.beginResetModel()
        self._draft = draft
        self._problems.clear()
        self._refused.clear()
        self._reindex()
        self.endResetModel()

    def announce_picture(self, path: str) -> None:
        """Tell the views that the picture of the slide at this path has come."""
        for row, slide in enumerate(self._draft.slides):
            if str(slide.path) == path:
                index = self.index(row, SLIDE)
                self.dataChanged.emit(index, index, [Qt.ItemDataRole.DecorationRole])

    # Inside

    def error(self, slide: Slide, column: int) -> str:
        """What is wrong with one cell, for people; "" when nothing is."""
        if column == self.status_column:
            return slide.error or "\n".join(problem.message for problem in self.problems(slide))
        key = self.key(column)
        if key is None or slide.error:
            return ""
        refused = self._refused.get((slide.id, key))
        if refused is not None:
            return self.tr("“%1” is not a value of this column; the cell was left as it is.").replace("%1", refused)
        return next((problem.message for problem in self.problems(slide) if problem.column == key), "")

    def _text(self, slide: Slide, column: int) -> str:
        if column in (INCLUDE, SLIDE):
            return "" if column == INCLUDE else slide.path.name
        if column == MPP:
            return self.tr("Unknown") if slide.mpp is None else QLocale().toString(slide.mpp, "f", 3)
        if column in (SIZE, self.status_column):
            return file_size(slide.size) if column == SIZE else self.status_words(self.status(slide))
        return slide.values.get(self._draft.columns[column - FIRST_COLUMN].key, "")

    def _tooltip(self, slide: Slide, column: int) -> str:
        error = self.error(slide, column)
        if error:
            return f"{error}\n{slide.advice}" if slide.advice and column == self.status_column else error
        if column == SLIDE:
            return self.notes.tooltip(slide, self._draft.columns)
        if column == MPP and slide.mpp is not None:
            return self.tr("Typed by you") if slide.mpp_origin == "user" else self.tr("From the file")
        return self._text(slide, column)

    def _sort_key(self, slide: Slide, column: int) -> tuple[Any, ...]:
        if column == self.status_column:
            return (len(self.problems(slide)) == 0, self.status(slide).key)
        numbers = {INCLUDE: (not slide.included,), MPP: (slide.mpp is not None, slide.mpp or 0.0), SIZE: (slide.size,)}
        return numbers.get(column) or (self._text(slide, column).casefold(),)

    def _title(self, key: str) -> str:
        column = self.column_of(key)
        return "" if column is None else str(self.headerData(column, Qt.Orientation.Horizontal))

    def _value(self, slide: Slide, key: str) -> object:
        if key == "included":
            return slide.included
        if key == "mpp":
            return None if slide.mpp is None else (slide.mpp, slide.mpp_origin)
        return slide.values.get(key, "")

    def _push(self, values: Mapping[Cell, object], text: str) -> None:
        changes: dict[Cell, tuple[object, object]] = {}
        for (slide_id, key), new in values.items():
            self._refused.pop((slide_id, key), None)
            slide = self.slide(self._rows[slide_id])
            old = self._value(slide, key)
            same = old == new or (key == "mpp" and slide.mpp is not None and new == (slide.mpp, "user"))
            if not same and not (slide.error and key != "included"):
                changes[slide_id, key] = (old, new)
        if changes:
            self._stack.push(EditCells(text, changes, self._apply))

    def _apply(self, values: Mapping[Cell, object]) -> None:
        rows: set[int] = set()
        for (slide_id, key), value in values.items():
            row = self._rows.get(slide_id)
            if row is None:  # removed, and its removal is further up the stack: cannot happen by undo order
                continue
            slide = self._draft.slides[row]
            if key == "included":
                slide = replace(slide, included=bool(value))
            elif key == "mpp":
                mpp, origin = value if isinstance(value, tuple) else (None, "")
                slide = replace(slide, mpp=mpp, mpp_origin=origin)
            else:
                slide = replace(slide, values={**slide.values, key: str(value)})
            self._draft.slides[row] = slide
            self._problems.pop(slide_id, None)
            self._refused.pop((slide_id, key), None)
            rows.add(row)
        self._announce(sorted(rows))
        self.edited.emit()

    def _announce(self, rows: Sequence[int]) -> None:
        """One dataChanged a run of neighbouring rows: a thousand single ones cost ten times as much."""
        start = 0
        for position, row in enumerate(rows):
            if position + 1 == len(rows) or rows[position + 1] != row + 1:
                self.dataChanged.emit(self.index(rows[start], 0), self.index(row, self.status_column), [])
                start = position + 1

    def _take(self, slide_ids: Sequence[str]) -> None:
        for row in sorted((self._rows[slide_id] for slide_id in slide_ids), reverse=True):
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._draft.slides[row]
            self.endRemoveRows()
        self._reindex()
        self.edited.emit()

    def _put_back(self, entries: Sequence[tuple[int, Slide]]) -> None:
        for wanted, slide in entries:
            row = min(wanted, len(self._draft.slides))
            self.beginInsertRows(QModelIndex(), row, row)
            self._draft.slides.insert(row, slide)
            self.endInsertRows()
        self._reindex()
        self.edited.emit()

    def _reindex(self) -> None:
        self._rows = {slide.id: row for row, slide in enumerate(self._draft.slides)}
        self.notes.compare(self._draft.slides)
