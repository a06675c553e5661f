"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale

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
