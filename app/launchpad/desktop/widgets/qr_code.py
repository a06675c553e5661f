"""A QR code: dark on light in every theme, as cameras want it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

_QUIET = 4  # modules around it that stay light
_SIDE = 196  # px


class QrCode(QWidget):
    """Shows a text as a QR code."""

    def __init__(self, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._rows: list[bytes] = []

    def show_text(self, text: str) -> None:
        """Show another text; an empty one shows nothing."""
        import segno

        self._rows = [bytes(row) for row in segno.make(text, micro=False, error="m").matrix] if text else []
        self.setAccessibleName(text)
        self.setAccessibleDescription(self.tr("QR code of the address"))
        self.update()

    def modules(self) -> list[bytes]:
        """The rows of it, 1 is dark."""
        return self._rows

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.white)
        painter.drawRoundedRect(self.rect(), 6, 6)
        painter.setBrush(Qt.GlobalColor.black)
        side = self.width() / (len(self._rows) + 2 * _QUIET)
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    # Rounded outwards, so that no light lines stay between.
                    painter.drawRect(QRectF((x + _QUIET) * side, (y + _QUIET) * side, side + 0.5, side + 0.5))
        painter.end()
