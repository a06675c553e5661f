"""Who is signed in, as initials."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from launchpad.desktop.models.words import plain_tip
from launchpad.desktop.theme import palette


def initials(name: str) -> str:
    """One or two letters of a name or an address."""
    words = [word for word in name.partition("@")[0].replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


class Avatar(QWidget):
    """A round badge; nothing while nobody is known."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("avatar")
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_user(self, name: str, email: str) -> None:
        """Show this person."""
        self._text = initials(name)
        lines = [name] if email in ("", name) else [name, email]
        self.setToolTip(plain_tip("\n".join(lines)))
        self.setAccessibleName(self.tr("Signed in as %1").replace("%1", name))
        self.show()
        self.update()

    def sizeHint(self) -> QSize:
        side = palette.current().scaled(28)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent"))
        painter.drawEllipse(self.rect())
        painter.setPen(theme.colour("onAccent"))
        font = QFont(theme.font("caption"))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()
