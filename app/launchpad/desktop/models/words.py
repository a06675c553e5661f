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


def plain_tip(text: str) -> str:
    """Text of a tooltip that shows as it is: Qt would take what looks like HTML for HTML, and load its pictures."""
    if "<" not in text:
        return text
    import html  # not before the first window

    return f"<p style='white-space: pre-wrap'>{html.escape(text)}</p>"


def artifact_words(name: str) -> str:
    """The name of an artifact as one reads it: `Cell classification: geojson polygons`."""
    words = name.replace("_", " ").replace(":", ": ")
    return words[:1].upper() + words[1:]


def translated(context: str, text: str) -> str:
    """Words of the services (states, parts of the health) in a person's language."""
    return QCoreApplication.translate(context, text) if text else ""


def dimensions(slide: Slide) -> str:
    """Width and height of a slide."""
    return pixels(slide.width, slide.height)


def pixels(width: int, height: int) -> str:
    """Width and height in pixels."""
    locale = QLocale()
    return f"{locale.toString(width)} × {locale.toString(height)}\N{NO-BREAK SPACE}px"


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
