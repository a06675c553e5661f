"""Tags as chips that can be taken away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from launchpad.desktop.widgets.basics import IconButton


class TagChips(QWidget):
    """Tags in rows as wide as there is room; a click, Space or Delete on one takes it away.

    Signals:
        removed: the tag to take away.
    """

    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
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
            chip = IconButton("x", tag.replace("&", "&&"), tip=self.tr("Remove this tag"), small=True)
            chip.setParent(self)
            chip.setProperty("tag", tag)
            chip.setAccessibleName(self.tr("Tag %1, press to remove").replace("%1", tag))
            chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
            chip.clicked.connect(self._clicked)
            chip.show()
            self._chips.append(chip)
        self._arrange()

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
                x, y = 0, y + height + 6
            chip.setGeometry(x, y, width, size.height())
            x += width + 6
            height = size.height()
        self.setFixedHeight(y + height)

    @Slot()
    def _clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, QPushButton):
            self.removed.emit(chip.property("tag"))
