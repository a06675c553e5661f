"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

if TYPE_CHECKING:
    from launchpad.application.draft import Slide


def counted(count: int, one: str, many: str) -> str:
    """The words for a number of things: `counted(n, self.tr("1 slide"), self.tr("%n slides", "", n))`."""
    return one if count == 1 else many


def dimensions(slide: Slide) -> str:
    """Width and height of a slide."""
    locale = QLocale()
    return f"{locale.toString(slide.width)} × {locale.toString(slide.height)}\N{NO-BREAK SPACE}px"


def file_size(size: int) -> str:
    """Bytes, in decimal units."""
    text = QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)
    return str(text).replace(" ", "\N{NO-BREAK SPACE}")


def time_words(moment: datetime) -> str:
    """Date and time, local."""
    local = QDateTime.fromSecsSinceEpoch(int(moment.timestamp()))
    return str(QLocale().toString(local, QLocale.FormatType.ShortFormat))


def pace_words(done: int, total: int, rate: float, remaining: float | None) -> str:
    """How far bytes are, how fast they move (bytes a second), and how long the rest takes (seconds)."""
    tr = partial(QCoreApplication.translate, "pace")
    words = tr("%1 of %2").replace("%1", file_size(done)).replace("%2", file_size(total))
    if rate > 0:
        words += " · " + tr("%1/s").replace("%1", file_size(int(rate)))
    if remaining is not None and remaining >= 5:
        words += f" · {_duration(remaining)}"
    return words


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return QCoreApplication.translate("pace", "less than a minute left")
    if minutes < 100:
        many = QCoreApplication.translate("pace", "%n minutes left", "", minutes)
        return counted(minutes, QCoreApplication.translate("pace", "1 minute left"), many)
    hours = round(minutes / 60)
    return QCoreApplication.translate("pace", "%n hours left", "", hours)
