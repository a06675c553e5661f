"""What the delegates of the slide table share: cached colours, fonts and pixmaps of the current theme."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from launchpad.desktop.theme import icons, palette

Index = QModelIndex | QPersistentModelIndex

PADDING = 10  # px between a cell's edge and its text


class CellPaint:
    """Made once for each theme: `paint` methods build no pens, fonts or pixmaps."""

    def __init__(self, theme: palette.Theme) -> None:
        self.theme = theme
        self.body: QFont = theme.font("body")
        self.caption: QFont = theme.font("caption")
        self.strong: QFont = theme.font("strong")
        self.pill_font = QFont(self.caption)
        self.pill_font.setWeight(QFont.Weight.DemiBold)
        self.body_metrics = QFontMetrics(self.body)
        self.caption_metrics = QFontMetrics(self.caption)
        self.strong_metrics = QFontMetrics(self.strong)
        self.pill_metrics = QFontMetrics(self.pill_font)
        self.text = theme.colour("text")
        self.muted = theme.colour("textMuted")
        self.surface = theme.colour("surface")
        self.selected = theme.colour("selected")
        self.sunken = theme.colour("sunken")
        self.accent = theme.colour("accent")
        self.border = theme.colour("border")
        self.line = QPen(theme.colour("border"), 1)
        self.control_line = QPen(theme.colour("controlBorder"), 1)
        self.focus_line = QPen(theme.colour("focus"), 2)
        self.fields: dict[tuple[object, ...], QPixmap] = {}
        """Fields of the slide table that were drawn already."""
        self._pixmaps: dict[tuple[str, int, int, float], QPixmap] = {}

    def icon(self, name: str, colour: QColor, size: int, ratio: float) -> QPixmap:
        """An icon as a pixmap, from the cache."""
        key = (name, colour.rgba(), size, ratio)
        found = self._pixmaps.get(key)
        if found is None:
            found = self._pixmaps[key] = icons.pixmap(name, colour, size, ratio)
        return found

    def background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """Selection and the line below the row."""
        rect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self.selected)
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, self.border)

    def focus(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """The ring around the cell that has the keyboard."""
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self.focus_line)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(option.rect).adjusted(2, 2, -2, -3), 6, 6)

    def pill(self, painter: QPainter, cell: QRect, icon: str, token: str, words: str) -> None:
        """Icon, words and colour of a state; the icon alone where the cell is narrow."""
        foreground, ground, *_ = self.theme.state(token)
        ratio = painter.device().devicePixelRatioF()
        width = self.pill_metrics.horizontalAdvance(words) + 34
        narrow = width > cell.width()
        height = self.theme.scaled(22)
        box = QRect(cell.left(), cell.center().y() - height // 2, 26 if narrow else width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, height / 2, height / 2)
        pixmap = self.icon(icon, foreground, 14, ratio)
        if narrow:
            painter.drawPixmap(box.left() + 6, box.center().y() - 6, pixmap)
            return
        painter.drawPixmap(box.left() + 8, box.center().y() - 6, pixmap)
        painter.setPen(foreground)
        painter.setFont(self.pill_font)
        painter.drawText(box.adjusted(26, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)


_cached: CellPaint | None = None


def cell_paint() -> CellPaint:
    """The paints of the current theme, rebuilt when the theme has changed. GUI thread only."""
    global _cached
    theme = palette.current()
    if _cached is None or _cached.theme is not theme:
        _cached = CellPaint(theme)
    return _cached
