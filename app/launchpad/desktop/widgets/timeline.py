"""The stations of a run in a row: which are behind it, where it is, when it was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from launchpad.desktop.delegates.cell_paint import cell_paint

_DOT = 9  # px


@dataclass(frozen=True)
class Station:
    """A point of the timeline: words, when or how, and a state's token where it is reached ("" where it is not)."""

    words: str
    detail: str = ""
    token: str = ""


class Timeline(QWidget):
    """Paints stations; its accessible text says the same."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_timeline")
        self._stations: tuple[Station, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_stations(self, stations: Sequence[Station]) -> None:
        """Show these."""
        if tuple(stations) != self._stations:
            self._stations = tuple(stations)
            reached = [item for item in stations if item.token]
            self.setAccessibleName(", ".join(f"{item.words} {item.detail}".strip() for item in reached))
            self.updateGeometry()
            self.update()

    def text(self) -> str:
        """All stations in a line."""
        return " → ".join(f"{item.words} {item.detail}".strip() for item in self._stations)

    def sizeHint(self) -> QSize:
        return QSize(300, cell_paint().theme.scaled(44))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._stations:
            return
        paint = cell_paint()
        theme = paint.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() / len(self._stations)
        middle = theme.scaled(11)
        for number, station in enumerate(self._stations):
            left = number * width
            colour = theme.state(station.token)[0] if station.token else theme.colour("borderStrong")
            if number + 1 < len(self._stations):
                ahead = self._stations[number + 1]
                painter.setPen(QPen(theme.colour("accent" if ahead.token else "border"), 2))
                words = paint.pill_metrics.horizontalAdvance(station.words)
                painter.drawLine(QPointF(left + _DOT + 16 + words, middle), QPointF(left + width - 10, middle))
            dot = QRectF(left + 2, middle - _DOT / 2, _DOT, _DOT)
            painter.setPen(QPen(colour, 2))
            painter.setBrush(colour if station.token else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot)
            text_left = left + _DOT + 10
            room = width - _DOT - 20
            painter.setFont(paint.pill_font)
            painter.setPen(paint.text if station.token else paint.muted)
            line = theme.scaled(20)
            painter.drawText(
                QRectF(text_left, middle - line / 2, room, line),
                Qt.AlignmentFlag.AlignVCenter,
                paint.pill_metrics.elidedText(station.words, Qt.TextElideMode.ElideRight, int(room)),
            )
            painter.setFont(paint.caption)
            painter.setPen(paint.muted)
            painter.drawText(
                QRectF(text_left, middle + line / 2 + 1, room, line),
                Qt.AlignmentFlag.AlignVCenter,
                paint.caption_metrics.elidedText(station.detail, Qt.TextElideMode.ElideRight, int(room)),
            )
        painter.end()
