"""Small pieces that all pages use: labels in a style, buttons with an icon that follow the theme, cards, pills."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from launchpad.desktop.theme import icons, palette


def label(text: str = "", style: str = "body", parent: QWidget | None = None) -> QLabel:
    """A label in a style of the tokens, or “muted”; its text is plain, whatever a server sends."""
    result = QLabel(parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setProperty("type", style)
    return result


class Button(QPushButton):
    """A button with an icon; `kind` is primary, secondary, quiet or danger."""

    def __init__(self, text: str, icon: str = "", kind: str = "secondary", name: str = "") -> None:
        super().__init__(text)
        self._icon = icon
        self._kind = kind
        self.setProperty("kind", kind)
        self.setObjectName(name)
        self.setIconSize(QSize(16, 16))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        palette.changes.changed.connect(self.draw)
        self.draw()

    def draw(self) -> None:
        """Draw the icon in the theme's colours."""
        if self._icon:
            self.setIcon(icons.icon(self._icon, "onAccent" if self._kind == "primary" else "text"))


class IconButton(QToolButton):
    """A button that shows an icon only; `words` name it for people who do not see it."""

    def __init__(self, icon: str, words: str, name: str = "") -> None:
        super().__init__()
        self._icon = icon
        self.setProperty("kind", "quiet")
        self.setObjectName(name)
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setIconSize(QSize(16, 16))
        self.setFixedWidth(32)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        palette.changes.changed.connect(self.draw)
        self.draw()

    def draw(self) -> None:
        """Draw the icon in the theme's colours."""
        self.setIcon(icons.icon(self._icon, "textMuted"))


class IconLabel(QLabel):
    """An icon in a colour of the theme, or of a state."""

    def __init__(self, icon: str, colour: str = "textMuted", size: int = 16) -> None:
        super().__init__()
        self._icon, self._colour, self._size = icon, colour, size
        self.setFixedSize(size, size)
        palette.changes.changed.connect(self.draw)
        self.draw()

    def show_icon(self, icon: str, colour: str) -> None:
        """Another icon."""
        self._icon, self._colour = icon, colour
        self.draw()

    def draw(self) -> None:
        """Draw the icon in the theme's colours."""
        theme = palette.current()
        known = palette.load_tokens()["state"]
        colour = theme.state(self._colour)[0] if self._colour in known else theme.colour(self._colour)
        self.setPixmap(icons.pixmap(self._icon, colour, self._size, self.devicePixelRatioF()))


class Card(QFrame):
    """A surface with a border; `box` is its layout."""

    def __init__(self, margin: int = 16) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(margin, margin, margin, margin)
        self.box.setSpacing(8)


class StatePill(QWidget):
    """A state: icon, words and colour. `text()` gives the words."""

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self._token, self._words, self._icon = "pending", "", "clock"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        palette.changes.changed.connect(self.update)

    def set_state(self, words: str, token: str, icon: str) -> None:
        """Show a state."""
        self._words, self._token, self._icon = words, token, icon
        self.setAccessibleName(words)
        self.updateGeometry()
        self.setVisible(bool(words))
        self.update()

    def text(self) -> str:
        """The words that are shown."""
        return self._words

    def sizeHint(self) -> QSize:
        font = palette.current().font("caption")
        self.setFont(font)
        return QSize(self.fontMetrics().horizontalAdvance(self._words) + 40, 2 * palette.current().radius["pill"])

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        front, back, _, _ = theme.state(self._token)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(self.rect()), theme.radius["pill"], theme.radius["pill"])
        painter.drawPixmap(9, (self.height() - 12) // 2, icons.pixmap(self._icon, front, 12, self.devicePixelRatioF()))
        painter.setPen(front)
        font = painter.font()
        font.setPixelSize(12)
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.drawText(self.rect().adjusted(26, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._words)


class Banner(QFrame):
    """An error in words: what happened, to what, what next. Hidden until there is one."""

    def __init__(self, name: str = "banner") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "banner")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(IconLabel("circle-alert", "failed"), 0, Qt.AlignmentFlag.AlignTop)
        self._text = label()
        self._text.setWordWrap(True)
        row.addWidget(self._text, 1)
        close = IconButton("x", self.tr("Close the message"), f"{name}_close")
        close.clicked.connect(self.hide)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_error(self, error: BaseException) -> None:
        """Show an error."""
        self._text.setText(str(error))
        self.setAccessibleDescription(str(error))
        self.show()


def line() -> QFrame:
    """A thin line across."""
    result = QFrame()
    result.setProperty("role", "line")
    result.setFixedHeight(1)
    return result
