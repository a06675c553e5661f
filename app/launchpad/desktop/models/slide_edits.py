"""The undoable edits of the slide table: one command for one deed, however many cells it touches.

Commands name slides by id, never by row: rows can be sorted, removed and put back while the stack lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtGui import QUndoCommand

from launchpad.application.columns import Column
from launchpad.application.draft import Slide

Cell = tuple[str, str]
"""Slide id and key: "included", "mpp" or the key of a column."""


@dataclass(frozen=True)
class BadValue:
    """A value that a paste could not use."""

    slide_id: str
    column: str
    value: str


class EditCells(QUndoCommand):
    """Set values of cells; `changes` maps each cell to its old and its new value."""

    def __init__(
        self,
        text: str,
        changes: Mapping[Cell, tuple[object, object]],
        apply: Callable[[Mapping[Cell, object]], None],
    ) -> None:
        super().__init__(text)
        self._old = {cell: old for cell, (old, _) in changes.items()}
        self._new = {cell: new for cell, (_, new) in changes.items()}
        self._apply = apply

    def redo(self) -> None:
        self._apply(self._new)

    def undo(self) -> None:
        self._apply(self._old)


class RemoveSlides(QUndoCommand):
    """Take slides out of the list; undo puts them back where they were."""

    def __init__(
        self,
        text: str,
        slides: Sequence[tuple[int, Slide]],
        remove: Callable[[Sequence[str]], None],
        restore: Callable[[Sequence[tuple[int, Slide]]], None],
    ) -> None:
        super().__init__(text)
        self._slides = sorted(slides, key=lambda entry: entry[0])
        self._remove = remove
        self._restore = restore

    def redo(self) -> None:
        self._remove([slide.id for _, slide in self._slides])

    def undo(self) -> None:
        self._restore(self._slides)


def with_defaults(slide: Slide, columns: tuple[Column, ...]) -> Slide:
    """The slide with the schema's default in each column that it has no value for."""
    missing = {
        column.key: column.default
        for column in columns
        if column.default is not None and not slide.values.get(column.key)
    }
    return replace(slide, values={**slide.values, **missing}) if missing else slide
