"""A run in the sidebar: state icon, application, when and how many, state in words, progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from launchpad.application.states import run_state
from launchpad.desktop.models.run_list import RowRole
from launchpad.desktop.models.words import counted
from launchpad.desktop.theme import icons, palette

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse

HEIGHT = 74


class RunRowDelegate(QStyledItemDelegate):
    """Paints a run; `name` gives its application's name and version."""

    def __init__(self, name: Callable[[RunReadResponse], str]) -> None:
        super().__init__()
        self._name = name

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        run: RunReadResponse | None = index.data(RowRole)
        if run is None:
            return
        theme = palette.current()
        rect = QRect(option.rect).adjusted(12, 2, -12, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("selected" if state & QStyle.StateFlag.State_Selected else "hover"))
            painter.drawRoundedRect(QRectF(rect), theme.radius["control"], theme.radius["control"])
        view = run_state(run)
        front = theme.state(view.token)[0]
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.left() + 9, rect.top() + 9, icons.pixmap(view.icon, front, 18, ratio))
        left, width = rect.left() + 36, rect.width() - 46
        lines = (
            (self._name(run), "strong", theme.colour("text")),
            (self._when(run), "caption", theme.colour("textMuted")),
            (self._words(run), "caption", front),
        )
        for number, (text, style, colour) in enumerate(lines):
            font = theme.font(style)
            if number == 2:
                font = theme.font("caption")
                font.setWeight(font.Weight.DemiBold)
            painter.setFont(font)
            painter.setPen(colour)
            place = QRect(left, rect.top() + 6 + number * 18, width, 18)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)
            if number == 2:
                font.setWeight(font.Weight.Normal)
        if run.state == "PROCESSING" and run.statistics.item_count:
            bar = QRectF(left, rect.bottom() - 6, width, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            bar.setWidth(bar.width() * _ended(run) / run.statistics.item_count)
            painter.setBrush(front)
            painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.restore()

    def _when(self, run: RunReadResponse) -> str:
        when = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(run.submitted_at.timestamp())), "d MMM HH:mm")
        count = run.statistics.item_count
        slides = counted(count, self.tr("1 slide"), self.tr("%n slides", "", count))
        return f"{when} · {slides}"

    def _words(self, run: RunReadResponse) -> str:
        words = run_state(run).words
        counts = run.statistics
        if run.state == "PROCESSING":
            return self.tr("{0} · {1} of {2}").format(words, _ended(run), counts.item_count)
        failed = counts.item_user_error_count + counts.item_system_error_count
        return self.tr("{0} · {1} failed").format(words, failed) if failed else words


def _ended(run: RunReadResponse) -> int:
    counts = run.statistics
    return counts.item_count - counts.item_pending_count - counts.item_processing_count
