"""A cell of a run's items: thumbnail with name, state as a pill, or text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from launchpad.application.states import item_state
from launchpad.desktop.models.item_table import SLIDE, STATE, RowRole, metadata_of
from launchpad.desktop.theme import icons, palette

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse

_THUMBNAIL = QSize(64, 48)


class ItemCellDelegate(QStyledItemDelegate):
    """Paints all columns of the item table."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, palette.current().size["row"])

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        item: ItemResultReadResponse | None = index.data(RowRole)
        if item is None:
            return
        theme = palette.current()
        rect = QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("selected"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.colour("border"))
        inner = rect.adjusted(12, 0, -12, 0)
        if index.column() == SLIDE:
            self._slide(painter, inner, index, item)
        elif index.column() == STATE:
            self._pill(painter, inner, item)
        else:
            painter.setFont(theme.font("body"))
            painter.setPen(theme.colour("text" if index.column() != 4 else "textMuted"))
            align = index.data(Qt.ItemDataRole.TextAlignmentRole) or int(Qt.AlignmentFlag.AlignVCenter)
            text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, align, text)
        painter.restore()

    def _slide(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
        item: ItemResultReadResponse,
    ) -> None:
        theme = palette.current()
        frame = QRect(rect.left(), rect.top() + (rect.height() - _THUMBNAIL.height()) // 2, 64, 48)
        path = QPainterPath()
        path.addRoundedRect(QRectF(frame), theme.radius["thumbnail"], theme.radius["thumbnail"])
        painter.fillPath(path, theme.colour("sunken"))
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if picture is not None:
            painter.save()
            painter.setClipPath(path)
            scaled = picture.scaled(
                frame.size() * painter.device().devicePixelRatioF(),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            scaled.setDevicePixelRatio(painter.device().devicePixelRatioF())
            size = scaled.deviceIndependentSize()
            painter.drawPixmap(
                round(frame.center().x() - size.width() / 2), round(frame.center().y() - size.height() / 2), scaled
            )
            painter.restore()
        painter.setPen(theme.colour("border"))
        painter.drawPath(path)
        left, width = frame.right() + 12, rect.right() - frame.right() - 12
        metadata = metadata_of(item)
        size_text = ""
        if isinstance(metadata.get("width_px"), int):
            size_text = f"{metadata['width_px']:,} × {metadata['height_px']:,} px"
        for number, (text, style, colour) in enumerate(
            ((str(index.data()), "strong", "text"), (size_text, "caption", "textMuted"))
        ):
            painter.setFont(theme.font(style))
            painter.setPen(theme.colour(colour))
            place = QRect(left, rect.center().y() - 19 + number * 19, width, 19)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, width)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, shown)

    def _pill(self, painter: QPainter, rect: QRect, item: ItemResultReadResponse) -> None:
        theme = palette.current()
        view = item_state(item)
        front, back, _, _ = theme.state(view.token)
        painter.setFont(theme.font("caption"))
        width = painter.fontMetrics().horizontalAdvance(view.words) + 38
        pill = QRectF(rect.left(), rect.center().y() - 10, min(width, rect.width()), 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(pill, theme.radius["pill"], theme.radius["pill"])
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(int(pill.left()) + 9, int(pill.top()) + 5, icons.pixmap(view.icon, front, 12, ratio))
        painter.setPen(front)
        painter.drawText(pill.adjusted(26, 0, -6, 0), Qt.AlignmentFlag.AlignVCenter, view.words)
