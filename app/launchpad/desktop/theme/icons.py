"""Lucide icons, drawn in the theme's colours at the screen's resolution."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from launchpad import paths
from launchpad.desktop.theme import palette


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    return paths.resource("icons", f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def _drawn(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    svg = _source(name).replace("currentColor", colour)
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, picture.width(), picture.height()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def pixmap(name: str, colour: QColor, size: int, dpr: float) -> QPixmap:
    """An icon of `size` device-independent pixels for a screen of ratio `dpr`."""
    return _drawn(name, colour.name(), size, dpr)


def icon(name: str, colour: str = "text", size: int = 16, gap: int = 0) -> QIcon:
    """An icon in a colour token, with a muted form where it is disabled; `gap` px of nothing follow it."""
    theme = palette.current()
    key = (name, theme.colour(colour).name(), size, gap)
    found = _icons.get(key)
    if found is not None:  # widgets restyle themselves many times while they are made
        return found
    result = _icons[key] = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(_widened(pixmap(name, theme.colour(colour), size, ratio), gap))
        muted = _widened(pixmap(name, theme.colour("textMuted"), size, ratio), gap)
        result.addPixmap(muted, QIcon.Mode.Disabled)
    return result


_icons: dict[tuple[str, str, int, int], QIcon] = {}


def _widened(picture: QPixmap, gap: int) -> QPixmap:
    if not gap:
        return picture
    ratio = picture.devicePixelRatio()
    wide = QPixmap(picture.width() + round(gap * ratio), picture.height())
    wide.fill(Qt.GlobalColor.transparent)
    wide.setDevicePixelRatio(ratio)
    painter = QPainter(wide)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return wide


def _forget() -> None:
    _drawn.cache_clear()
    _icons.clear()


# Before any widget hears of another scheme: who draws icons imports this module first.
palette.changes.changed.connect(_forget)
