"""The place to drop slides and folders on, and the helpers for pages that take drops anywhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QRectF, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from launchpad.desktop.theme import icons, palette

ROOM_FOR_ICON = 140  # px of height


def local_paths(data: QMimeData) -> list[Path]:
    """The files and folders of this computer in what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class DropArea(QFrame):
    """A dashed area that takes files and folders.

    Signals:
        dropped: list of the paths that were dropped.
    """

    dropped = Signal(list)

    def __init__(self, text: str, *, large: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setAccessibleName(text)
        self._large = large
        self._over = False
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = QLabel(text)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setProperty("type", "strong" if large else "muted")
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout: QBoxLayout = QVBoxLayout(self) if large else QHBoxLayout(self)
        layout.setContentsMargins(16, 16 if large else 8, 16, 16 if large else 8)
        layout.setSpacing(10)
        layout.addStretch(1)
        layout.addWidget(self._icon)
        layout.addWidget(self._text)
        self.button_row = QHBoxLayout()
        """For buttons below the text of a large area."""
        self.button_row.setSpacing(8)
        if large:
            layout.addLayout(self.button_row)
        layout.addStretch(1)
        self.setMinimumHeight(96 if large else 52)  # without its icon
        self.restyle()

    def restyle(self) -> None:
        """Draw the icon in the colours of the current theme."""
        theme, size = palette.current(), 28 if self._large else 20
        colour = theme.colour("accent" if self._over else "textMuted")
        self._icon.setPixmap(icons.pixmap("image-plus", colour, size, self.devicePixelRatioF()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon"):
            self.restyle()

    def set_over(self, over: bool) -> None:
        """Show that what is dragged would be taken here."""
        if over != self._over:
            self._over = over
            self.restyle()
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._icon.setVisible(not self._large or self.height() >= ROOM_FOR_ICON)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.set_over(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.set_over(False)
        paths = local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(theme.colour("accent" if self._over else "borderStrong"), 1.5 if self._over else 1)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(theme.colour("selected" if self._over else "sunken"))
        radius = theme.radius["control"]
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        painter.end()
