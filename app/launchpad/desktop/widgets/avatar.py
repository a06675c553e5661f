"""Who is signed in, as initials in a round badge."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QIcon, QPainter, QPixmap

from launchpad.desktop.theme import palette


def initials(name: str) -> str:
    """One or two letters of a name or an address."""
    words = [word for word in name.partition("@")[0].replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def avatar(name: str, side: int, ratio: float) -> QIcon:
    """The badge of a name in the colours of the theme; `side` in logical pixels, `ratio` of the screen's to them."""
    theme = palette.current()
    picture = QPixmap(round(side * ratio), round(side * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("accent"))
    painter.drawEllipse(0, 0, side, side)
    painter.setPen(theme.colour("onAccent"))
    font = QFont(theme.font("caption"))
    font.setWeight(QFont.Weight.DemiBold)
    painter.setFont(font)
    painter.drawText(0, 0, side, side, Qt.AlignmentFlag.AlignCenter, initials(name))
    painter.end()
    return QIcon(picture)
