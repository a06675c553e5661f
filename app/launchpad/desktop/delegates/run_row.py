"""A run in the sidebar: state icon, application, when and how many, state in words, tags, progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from launchpad.application.states import run_state
from launchpad.desktop.delegates.cell_paint import CellPaint, Index, cell_paint
from launchpad.desktop.models.run_list import RowRole, TagsRole
from launchpad.desktop.models.words import counted, translated

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse

_HEIGHT, _LINE = 76, 18  # px at the usual size of text
_CHIP = 110  # px at most


class RunRowDelegate(QStyledItemDelegate):
    """Paints a run; `name` gives its application's name and version."""

    def __init__(self, name: Callable[[RunReadResponse], str]) -> None:
        super().__init__()
        self._name = name

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, cell_paint().theme.scaled(_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        run: RunReadResponse | None = index.data(RowRole)
        if run is None:
            return
        paint = cell_paint()
        theme = paint.theme
        rect = QRect(option.rect).adjusted(12, 2, -12, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paint.selected if state & QStyle.StateFlag.State_Selected else theme.colour("hover"))
            painter.drawRoundedRect(QRectF(rect), theme.radius["control"], theme.radius["control"])
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(paint.focus_line)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = theme.radius["control"]
            painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), radius, radius)
        view = run_state(run)
        front = theme.state(view.token)[0]
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.left() + 9, rect.top() + 9, paint.icon(view.icon, front, 18, ratio))
        line = theme.scaled(_LINE)
        left, width, top = rect.left() + 36, rect.width() - 46, rect.top() + 7
        lines = (
            (self._name(run), paint.strong, paint.strong_metrics, paint.text),
            (self._when(run), paint.caption, paint.caption_metrics, paint.muted),
            (self._words(run), paint.pill_font, paint.pill_metrics, front),
        )
        for number, (text, font, metrics, colour) in enumerate(lines):
            painter.setFont(font)
            painter.setPen(colour)
            kept = f" {run.version_number}" if number == 0 and text.endswith(f" {run.version_number}") else ""
            room = width - metrics.horizontalAdvance(kept)
            shown = metrics.elidedText(text.removesuffix(kept), Qt.TextElideMode.ElideRight, room) + kept
            painter.drawText(QRect(left, top + number * line, width, line), Qt.AlignmentFlag.AlignVCenter, shown)
        used = paint.pill_metrics.horizontalAdvance(self._words(run)) + 10
        self._tags(painter, paint, QRect(left + used, top + 2 * line, width - used, line), index.data(TagsRole) or ())
        if run.state == "PROCESSING" and run.statistics.item_count:
            bar = QRectF(left, rect.bottom() - 6, width, 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("border"))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            bar.setWidth(bar.width() * ended_items(run) / run.statistics.item_count)
            painter.setBrush(front)
            painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.restore()

    def _tags(self, painter: QPainter, paint: CellPaint, room: QRect, tags: Sequence[str]) -> None:
        """As many chips as there is room for, then how many are left; the tooltip has all."""
        painter.setFont(paint.caption)
        left = room.left()
        for number, tag in enumerate(tags):
            more = f"+{len(tags) - number}"
            words = paint.caption_metrics.elidedText(tag, Qt.TextElideMode.ElideRight, _CHIP)
            width = paint.caption_metrics.horizontalAdvance(words) + 14
            rest = paint.caption_metrics.horizontalAdvance(more) + 14 if number < len(tags) - 1 else 0
            if left + width + rest > room.right():
                words, width = more, paint.caption_metrics.horizontalAdvance(more) + 10
                if left + width > room.right():
                    return
            chip = QRectF(left, room.top() + 1, width, room.height() - 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paint.sunken)
            painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
            painter.setPen(paint.muted)
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)
            left += width + 4
            if words == more:
                return

    def _when(self, run: RunReadResponse) -> str:
        when = QDateTime.fromSecsSinceEpoch(int(run.submitted_at.timestamp()))
        clock = QLocale().toString(when.time(), QLocale.FormatType.ShortFormat)
        days = when.date().daysTo(QDateTime.currentDateTime().date())
        if days == 0:
            moment = self.tr("Today %1").replace("%1", clock)
        elif days == 1:
            moment = self.tr("Yesterday %1").replace("%1", clock)
        else:
            moment = QLocale().toString(when, "d MMM HH:mm" if 0 <= days < 300 else "d MMM yyyy")
        count = run.statistics.item_count
        slides = counted(count, self.tr("1 slide"), self.tr("%n slides", "", count))
        return f"{moment} · {slides}"

    def _words(self, run: RunReadResponse) -> str:
        words = translated("states", run_state(run).words)
        counts = run.statistics
        if run.state == "PROCESSING":
            done = self.tr("%1 of %2").replace("%1", str(ended_items(run))).replace("%2", str(counts.item_count))
            return f"{words} · {done}"
        failed = counts.item_user_error_count + counts.item_system_error_count
        return f"{words} · {self.tr('%n failed', '', failed)}" if failed else words


def ended_items(run: RunReadResponse) -> int:
    """How many of its slides are through, well or not."""
    counts = run.statistics
    return counts.item_count - counts.item_pending_count - counts.item_processing_count
