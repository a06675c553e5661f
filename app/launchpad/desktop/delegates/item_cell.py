"""A cell of a run's items: thumbnail with name, state as a pill, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from launchpad.application.states import item_state
from launchpad.desktop.delegates.cell_paint import CellPaint, Index, cell_paint
from launchpad.desktop.models.item_table import RESULTS, SLIDE, STATE, RowRole, metadata_of
from launchpad.desktop.models.words import pixels

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse

_THUMBNAIL = QSize(64, 48)
_MARGIN = 12


class ItemCellDelegate(QStyledItemDelegate):
    """Paints all columns of the item table."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, cell_paint().theme.size["row"])

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item: ItemResultReadResponse | None = index.data(RowRole)
        if item is None:
            return
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.background(painter, option)
        inner = QRect(option.rect).adjusted(_MARGIN, 0, -_MARGIN, 0)
        column = index.column()
        if column == SLIDE:
            self._slide(painter, paint, inner, index, item)
        elif column == STATE:
            view = item_state(item)
            paint.pill(painter, inner, view.icon, view.token, str(index.data()))
        else:
            painter.setFont(paint.body)
            painter.setPen(paint.muted if column == RESULTS else paint.text)
            align = index.data(Qt.ItemDataRole.TextAlignmentRole) or int(Qt.AlignmentFlag.AlignVCenter)
            text = paint.body_metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, align, text)
        paint.focus(painter, option)
        painter.restore()

    def _slide(
        self, painter: QPainter, paint: CellPaint, rect: QRect, index: Index, item: ItemResultReadResponse
    ) -> None:
        theme = paint.theme
        frame = QRect(rect.left(), rect.top() + (rect.height() - _THUMBNAIL.height()) // 2, 64, 48)
        path = QPainterPath()
        path.addRoundedRect(QRectF(frame), theme.radius["thumbnail"], theme.radius["thumbnail"])
        painter.fillPath(path, paint.sunken)
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        ratio = painter.device().devicePixelRatioF()
        if picture is not None:
            painter.save()
            painter.setClipPath(path)
            scaled = picture.scaled(
                frame.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            scaled.setDevicePixelRatio(ratio)
            size = scaled.deviceIndependentSize()
            painter.drawPixmap(
                round(frame.center().x() - size.width() / 2), round(frame.center().y() - size.height() / 2), scaled
            )
            painter.restore()
        else:
            place = paint.icon("image", paint.muted, 18, ratio)
            painter.drawPixmap(frame.center().x() - 8, frame.center().y() - 8, place)
        painter.setPen(paint.line)
        painter.drawPath(path)
        left, width = frame.right() + _MARGIN, rect.right() - frame.right() - _MARGIN
        metadata = metadata_of(item)
        across, down = metadata.get("width_px"), metadata.get("height_px")
        size_text = pixels(across, down) if isinstance(across, int) and isinstance(down, int) else ""
        line = theme.scaled(19)
        for number, (text, font, metrics, colour) in enumerate(
            (
                (str(index.data()), paint.strong, paint.strong_metrics, paint.text),
                (size_text, paint.caption, paint.caption_metrics, paint.muted),
            )
        ):
            painter.setFont(font)
            painter.setPen(colour)
            place_of_line = QRect(left, rect.center().y() - line + number * line, width, line)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, width)
            painter.drawText(place_of_line, Qt.AlignmentFlag.AlignVCenter, shown)
