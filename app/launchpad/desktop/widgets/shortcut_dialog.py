"""All keys on a page: what Shift+F1 opens."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.widgets.basics import IconButton, label


class ShortcutDialog(QDialog):
    """A table of keys and what they do; Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.resize(560, 620)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        row = 0
        for title, entries in self._groups():
            grid.addWidget(label(title, "section"), row, 0, 1, 2)
            row += 1
            for keys, meaning in entries:
                shown = " / ".join(
                    QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys.split(" | ")
                )
                grid.addWidget(label(shown, "strong"), row, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(label(meaning, wrap=True), row, 1)
                row += 1
            grid.setRowMinimumHeight(row, 8)
            row += 1
        inner = QWidget()
        inner.setLayout(grid)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        close = IconButton("x", self.tr("Close"), name="shortcuts_close", small=True)
        close.clicked.connect(self.accept)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(12)
        box.addWidget(label(self.tr("Keyboard shortcuts"), "title"))
        box.addWidget(area, 1)
        box.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _groups(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        return (
            (
                self.tr("Everywhere"),
                (
                    ("F1", self.tr("User guide, where it tells of this page")),
                    ("Shift+F1", self.tr("This list")),
                    ("Ctrl+N", self.tr("New run")),
                    ("Ctrl+F", self.tr("Filter the page, or search the runs")),
                    ("F5", self.tr("Look for changes now")),
                    ("F6", self.tr("From the sidebar to the page and back")),
                    ("Alt+Left | Alt+Right", self.tr("Back and forward")),
                    ("Ctrl+J", self.tr("Transfers")),
                    ("Ctrl+D", self.tr("Download data sets")),
                    ("Ctrl+B", self.tr("Cloud bucket")),
                    ("Ctrl+,", self.tr("Info and settings")),
                    ("Ctrl+Q", self.tr("Quit")),
                ),
            ),
            (
                self.tr("New run"),
                (
                    ("Ctrl+1 | Ctrl+6", self.tr("Go to a step")),
                    ("Ctrl+Return", self.tr("Next, or upload and submit")),
                ),
            ),
            (
                self.tr("Slide table"),
                (
                    ("Return | F2", self.tr("Open the choice of a cell; typing opens it, too")),
                    ("Space", self.tr("Include or leave out; on the name: a larger picture")),
                    ("Ctrl+D", self.tr("Fill down")),
                    ("Ctrl+C | Ctrl+V", self.tr("Copy and paste cells, also from and to a spreadsheet")),
                    ("Ctrl+Z | Ctrl+Shift+Z", self.tr("Undo and redo")),
                    ("Del", self.tr("Remove the selected slides")),
                ),
            ),
            (
                self.tr("Run"),
                (
                    ("Return", self.tr("From a slide to its results, and to the preview of a result")),
                    ("Esc", self.tr("Leave the preview, or the note")),
                    ("+ | - | 0", self.tr("Zoom a preview")),
                ),
            ),
        )
