"""Tags as chips that can be taken away, or chosen."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from launchpad.desktop.widgets.basics import IconButton


class TagChips(QWidget):
    """Tags in rows as wide as there is room; those that are not `removable` stand in one row.

    Signals:
        removed: the tag to take away.
        chosen: the tag that was clicked, where tags cannot be removed.
    """

    removed = Signal(str)
    chosen = Signal(str)

    def __init__(self, *, removable: bool = True) -> None:
        super().__init__()
        self._removable = removable
        self._chips: list[QPushButton] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_tags(self, tags: list[str]) -> None:
        """Show these tags."""
        if tags == [chip.property("tag") for chip in self._chips]:
            return
        for chip in self._chips:
            chip.hide()
            chip.deleteLater()
        self._chips = []
        for tag in tags:
            tip = self.tr("Remove this tag") if self._removable else self.tr("Show the runs with this tag")
            words = self.tr("Tag %1, press to remove") if self._removable else self.tr("Tag %1, press to show its runs")
            chip = IconButton("x" if self._removable else "tag", tag.replace("&", "&&"), kind="chip", tip=tip)
            chip.setParent(self)
            chip.setProperty("tag", tag)
            chip.setAccessibleName(words.replace("%1", tag))
            if self._removable:
                chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
            chip.clicked.connect(self._clicked)
            chip.show()
            self._chips.append(chip)
        self._arrange()

    def sizeHint(self) -> QSize:
        return QSize(200, self.height() if self._chips else 0)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        x = y = 0
        height = 0
        for chip in self._chips:
            size = chip.sizeHint()
            width = min(size.width(), max(self.width(), 60))
            if x and x + width > self.width():
                if not self._removable:
                    chip.hide()
                    continue
                x, y = 0, y + height + 6
            chip.setVisible(True)
            chip.setGeometry(x, y, width, size.height())
            x += width + 6
            height = size.height()
        self.setFixedHeight(y + height)

    @Slot()
    def _clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, QPushButton):
            (self.removed if self._removable else self.chosen).emit(chip.property("tag"))
