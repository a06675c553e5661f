"""What delegates read of the slide table besides Qt's own roles."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt


class Role(IntEnum):
    """Roles of a cell."""

    Row = Qt.ItemDataRole.UserRole
    State = Qt.ItemDataRole.UserRole + 1
    Error = Qt.ItemDataRole.UserRole + 2
    Choices = Qt.ItemDataRole.UserRole + 3
    Required = Qt.ItemDataRole.UserRole + 4
    Marks = Qt.ItemDataRole.UserRole + 5
    Field = Qt.ItemDataRole.UserRole + 6
    """All that the painting of a value needs, in one question: text, proposal, required, has choices, has an error,
    is used."""
