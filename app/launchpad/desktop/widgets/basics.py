"""Small pieces that all pages use: labels in a style, buttons and icons that follow the theme, pills, notices."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from launchpad.desktop.models.words import counted, plain_tip
from launchpad.desktop.theme import icons, palette
from launchpad.errors import LaunchpadError

_PILL = 230  # px of words at most
_WORDS = 80  # px of them in a notice at least
_ROOMY = 420  # px: from this width on a notice names its link to the guide


def label(text: str = "", kind: str = "body", *, wrap: bool = False, name: str = "") -> QLabel:
    """A label of plain text in one of the type styles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", kind)
    made.setWordWrap(wrap)
    if name:
        made.setObjectName(name)
    return made


class ElidedLabel(QLabel):
    """A line of plain text that gives way: what does not fit is left out in the middle or at the end."""

    def __init__(self, text: str = "", kind: str = "body", *, middle: bool = False, name: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("type", kind)
        self.setObjectName(name)
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(super().sizeHint().width(), 40), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        metrics = self.fontMetrics()
        shown = metrics.elidedText(self.text(), self._mode, self.contentsRect().width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.AlignmentFlag.AlignVCenter), shown)
        painter.end()
        tip = plain_tip(self.text()) if shown != self.text() else ""
        if self.toolTip() != tip:
            self.setToolTip(tip)


class IconButton(QPushButton):
    """A button with an icon in the colours of the current theme; without text it needs a tooltip, its name."""

    def __init__(
        self, icon: str, text: str = "", *, kind: str = "secondary", name: str = "", tip: str = "", small: bool = False
    ) -> None:
        super().__init__(text)
        self._icon = icon
        self._kind = kind
        self.setProperty("kind", kind)
        self.setObjectName(name)
        if tip:
            self.setToolTip(tip)
        self.setAccessibleName(text or tip)
        self._side = "controlSmall" if small else "control"
        self._words = text
        if not text:
            self.setProperty("iconOnly", True)
        self._restyle()

    def show_words(self, shown: bool) -> None:
        """With its words, or the icon alone (then the words are its tooltip)."""
        if shown == bool(self.text()):
            return
        self.setText(self._words if shown else "")
        self.setProperty("iconOnly", not shown)
        self.setToolTip("" if shown else self._words)
        self.setMinimumSize(0, 0)
        self.setMaximumSize(16_777_215, 16_777_215)
        self.style().unpolish(self)
        self.style().polish(self)
        self._restyle()

    def set_words(self, words: str) -> None:
        """Say something else, now or when there is room for words again."""
        if words == self._words:
            return
        shown, self._words = bool(self.text()), words
        self.setAccessibleName(words)
        if shown:
            self.setText(words)
        else:
            self.setToolTip(words)

    def words_width(self) -> int:
        """Width with its words, px."""
        return self.fontMetrics().horizontalAdvance(self._words) + 56

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._restyle()

    def _restyle(self) -> None:
        if hasattr(self, "_side"):  # QPushButton's constructor may change the style before
            theme = palette.current()
            side = theme.scaled(24) if self._kind in ("chip", "link") else theme.size[self._side]
            if self.property("iconOnly"):
                self.setFixedSize(side, side)
            else:
                self.setMinimumHeight(side)
        if getattr(self, "_icon", ""):
            colour = {"primary": "onAccent", "link": "accent"}.get(self._kind, "text")
            # Fusion leaves 4 px between icon and text: the icon brings the rest along.
            gap, size = 4 if self.text() else 0, 12 if self._kind in ("chip", "link") else 16
            self.setIcon(icons.icon(self._icon, colour, size, gap))
            self.setIconSize(QSize(size + gap, size))


class StateIcon(QLabel):
    """An icon in the colour of a state, or in another colour of the theme."""

    def __init__(self, icon: str, token: str, size: int = 16) -> None:
        super().__init__()
        self._icon, self._token, self._size = icon, token, size
        self.setFixedSize(size, size)
        self._restyle()

    def show_state(self, icon: str, token: str) -> None:
        """Show another icon."""
        if (icon, token) != (self._icon, self._token):
            self._icon, self._token = icon, token
            self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange) and hasattr(self, "_token"):
            self._restyle()

    def _restyle(self) -> None:
        theme = palette.current()
        is_state = self._token in palette.load_tokens()["state"]
        colour = theme.state(self._token)[0] if is_state else theme.colour(self._token)
        self.setPixmap(icons.pixmap(self._icon, colour, self._size, self.devicePixelRatioF()))


class Pill(QFrame):
    """Icon, words and colour of a state, on a rounded ground."""

    def __init__(self, icon: str, token: str, text: str = "", *, name: str = "", whole: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self._token = token
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 10, 0)
        row.setSpacing(6)
        self._icon = StateIcon(icon, token, 14)
        row.addWidget(self._icon)
        self._words = ElidedLabel(text, "caption")
        self._words.setMaximumWidth(_PILL)
        self.setAccessibleName(text)
        row.addWidget(self._words)
        # Our own words stay whole, those of others may be as long as they like.
        policy = QSizePolicy.Policy.Fixed if whole else QSizePolicy.Policy.Maximum
        self.setSizePolicy(policy, QSizePolicy.Policy.Fixed)
        self._restyle()

    def text(self) -> str:
        """The words."""
        return self._words.text()

    def set_text(self, text: str) -> None:
        """Say something else."""
        self._words.setText(text)
        self.setAccessibleName(text)

    def set_state(self, text: str, token: str, icon: str) -> None:
        """Show another state."""
        self._token = token
        self._icon.show_state(icon, token)
        self.set_text(text)
        self._restyle()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.current().state(self._token)[1])
        radius = self.height() / 2
        painter.drawRoundedRect(self.rect(), radius, radius)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_words"):
            self._restyle()

    def _restyle(self) -> None:
        self.setFixedHeight(palette.current().scaled(22))
        colour = palette.current().state(self._token)[0]
        sheet = f"font-weight: 600; color: {colour.name()};"
        if self._words.styleSheet() != sheet:  # setting it changes the palette again
            self._words.setStyleSheet(sheet)


class Notice(QFrame):
    """A line in the colours of a state that says something, with actions and a button that closes it."""

    def __init__(self, icon: str, token: str, *, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._token = token
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 6, 6, 6)
        self._row.setSpacing(8)
        self._words = label("", wrap=True, name=f"{name}_text")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setMinimumWidth(_WORDS)  # a name that cannot be wrapped does not widen the window
        self._row.addWidget(StateIcon(icon, token))
        self._row.addWidget(self._words, 1)
        self._title = ""  # of the error that is shown
        self._more = IconButton("circle-help", self.tr("More about this"), kind="link", name=f"{name}_more")
        self._more.clicked.connect(self._show_more)
        self._more.hide()
        self._row.addWidget(self._more)
        close = IconButton("x", kind="quiet", tip=self.tr("Close"), small=True)
        close.clicked.connect(self.hide)
        self._row.addWidget(close)
        self.hide()

    def add(self, button: QPushButton) -> None:
        """Offer an action."""
        self._row.insertWidget(self._row.count() - 1, button)

    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def say(self, text: str) -> None:
        """Show this text."""
        self._words.setText(text)
        longest = max(map(self.fontMetrics().horizontalAdvance, text.split()), default=0)
        self._words.setToolTip(plain_tip(text) if longest > _ROOMY else "")
        self.setAccessibleName(text)
        self._more.hide()
        self.show()

    @Slot(object)
    def show_error(self, error: BaseException, others: int = 0) -> None:
        """Show what happened, to what, and what to do next, with the way to its entry in the guide.

        `others` is how many more failed at the same time.
        """
        more = counted(others, self.tr("1 more failed."), self.tr("%n more failed.", "", others)) if others else ""
        self.say(f"{error} {more}".strip())
        if isinstance(error, LaunchpadError):
            self._title = error.title
            self._more.show()

    @Slot()
    def _show_more(self) -> None:
        from launchpad.desktop.guide import place_of_error, show_guide

        show_guide(self.window(), place_of_error(self._title))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._more.show_words(self.width() >= _ROOMY)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.state(self._token)[1])
        painter.drawRoundedRect(self.rect(), theme.radius["control"], theme.radius["control"])
        painter.end()


class Card(QFrame):
    """A card with a column of contents."""

    def __init__(self, margins: int = 16) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(margins, margins, margins, margins)
        self.column.setSpacing(12)


def line() -> QFrame:
    """A thin line across."""
    result = QFrame()
    result.setProperty("role", "line")
    result.setFixedHeight(1)
    return result
