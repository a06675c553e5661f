"""The sections in the top bar: one is open; where there is no room for all names, the others show icons alone."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from launchpad.desktop.widgets.basics import IconButton

_GAP = 6


class SectionBar(QWidget):
    """A row of buttons.

    Signals:
        chosen: key of the section that was clicked.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._buttons: dict[str, IconButton] = {}
        self._current = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP)
        row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def add(self, key: str, icon: str, words: str) -> None:
        """Offer a section."""
        button = IconButton(icon, words, kind="section", name=f"section_{key}")
        button.setCheckable(True)
        button.clicked.connect(self._clicked)
        self._buttons[key] = button
        layout = self.layout()
        if isinstance(layout, QHBoxLayout):
            layout.insertWidget(layout.count() - 1, button)
        self._fit()

    def set_words(self, key: str, words: str) -> None:
        """Name a section otherwise, for example with a count."""
        self._buttons[key].set_words(words)
        self._fit()

    def set_current(self, key: str) -> None:
        """Mark the open section; no key marks none."""
        self._current = key
        for own, button in self._buttons.items():
            button.setChecked(own == key)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        side = super().minimumSizeHint().height()
        return QSize(len(self._buttons) * (side + _GAP), side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        if not self.isVisible():
            return
        wanted = sum(button.words_width() + _GAP for button in self._buttons.values())
        roomy = wanted <= self.width()
        current = self._buttons.get(self._current)
        icons = (len(self._buttons) - 1) * (self.height() + _GAP)
        for button in self._buttons.values():
            button.show_words(roomy or (button is current and icons + button.words_width() <= self.width()))

    @Slot()
    def _clicked(self) -> None:
        button = self.sender()
        for key, own in self._buttons.items():
            if own is button:
                own.setChecked(key == self._current)  # the page that opens marks it
                self.chosen.emit(key)
