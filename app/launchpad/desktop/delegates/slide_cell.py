"""Paints the cells of a slide that are not choices: check box, picture and name, MPP, size, status; edits the MPP."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from launchpad.application.draft import Slide
from launchpad.desktop.delegates.cell_paint import PADDING, CellPaint, Index, cell_paint
from launchpad.desktop.models.slide_roles import Role
from launchpad.desktop.models.slide_status import Status
from launchpad.desktop.models.slide_table import (
    INCLUDE,
    MPP,
    SLIDE,
)
from launchpad.desktop.models.words import dimensions, file_size

CHECK_BOX = 18  # px
PICTURE = QSize(64, 46)
SMALL_PICTURE = QSize(46, 46)
MARK, MARK_STEP = 13, 18  # px: an icon that points to the tooltip, and the next one


_FIELDS = 2000  # drawn fields that are kept


class SlideCellDelegate(QStyledItemDelegate):
    """For all columns but the schema's.

    Signals:
        toggled: the check box of this cell was clicked.
        typed: a value was typed into this cell: index, text.
    """

    toggled = Signal(object)
    typed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size_in_name = False
        """Whether the file size stands below the name, because its own column is hidden."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        paint.background(painter, option)
        slide: Slide = index.data(Role.Row)
        column = index.column()
        if column == INCLUDE:
            self._check_box(painter, paint, option.rect, slide)
        elif column == SLIDE:
            picture = index.data(Qt.ItemDataRole.DecorationRole)
            self._slide(painter, paint, option.rect, slide, picture, index.data(Role.Marks))
        elif column == MPP:
            self._mpp(painter, paint, option.rect, index, slide)
        else:
            status = index.data(Role.State)
            if index.flags() and isinstance(status, Status) and column == index.model().columnCount() - 1:
                cell = option.rect.adjusted(PADDING // 2, 0, -2, 0)
                paint.pill(painter, cell, status.icon, status.token, index.data())
            else:
                painter.setFont(paint.body)
                painter.setPen(paint.text)
                painter.drawText(
                    option.rect.adjusted(PADDING, 0, -PADDING, 0),
                    Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                    index.data(),
                )
        paint.focus(painter, option)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, cell_paint().theme.size["row"])

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        if index.column() != INCLUDE:
            return super().editorEvent(event, model, option, index)
        if (
            event.type() == QEvent.Type.MouseButtonRelease
            and isinstance(event, QMouseEvent)
            and event.button() == Qt.MouseButton.LeftButton
            and not event.modifiers()
        ):
            self.toggled.emit(index)
            return True
        return False

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setObjectName("mpp_editor")
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        editor.setAccessibleName(self.tr("MPP in micrometres per pixel"))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole)))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit) and editor.text() != index.data(Qt.ItemDataRole.EditRole):
            self.typed.emit(index, editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(box_rect(option.rect))

    def _check_box(self, painter: QPainter, paint: CellPaint, rect: QRect, slide: Slide) -> None:
        box = QRectF(rect.center().x() - 8, rect.center().y() - 8, 16, 16)
        paint_check_box(painter, paint, box, Qt.CheckState.Checked if slide.included else Qt.CheckState.Unchecked)

    def _slide(
        self,
        painter: QPainter,
        paint: CellPaint,
        rect: QRect,
        slide: Slide,
        pixmap: QPixmap | None,
        marks: tuple[str, ...],
    ) -> None:
        size = SMALL_PICTURE if self.size_in_name else PICTURE
        frame = QRectF(rect.left() + 4, rect.center().y() - size.height() / 2, size.width(), size.height())
        radius = paint.theme.radius["thumbnail"]
        if not slide.included:
            painter.setOpacity(0.5)
        path = QPainterPath()
        path.addRoundedRect(frame, radius, radius)
        painter.fillPath(path, paint.sunken if pixmap is None else Qt.GlobalColor.white)
        if pixmap is None:
            icon = paint.icon("image", paint.muted, 18, painter.device().devicePixelRatioF())
            painter.drawPixmap(int(frame.center().x()) - 9, int(frame.center().y()) - 9, icon)
        else:
            painter.save()
            painter.setClipPath(path)
            painter.drawPixmap(frame, pixmap, _covering(pixmap, frame))
            painter.restore()
        painter.setPen(paint.line)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        text = rect.adjusted(size.width() + 16, 0, -6, 0)
        middle = rect.center().y()
        painter.setFont(paint.strong)
        painter.setPen(paint.text)
        name = paint.strong_metrics.elidedText(slide.path.name, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(QRect(text.left(), middle - 21, text.width(), 20), _LEFT, name)
        painter.setFont(paint.caption)
        painter.setPen(paint.muted)
        ratio = painter.device().devicePixelRatioF()
        for number, mark in enumerate(marks):
            place = text.left() + number * MARK_STEP
            painter.drawPixmap(place, middle + 3, paint.icon(mark, paint.muted, MARK, ratio))
        text.setLeft(text.left() + len(marks) * MARK_STEP)
        line = dimensions(slide)
        if self.size_in_name:
            line += f" · {file_size(slide.size)}"
        line = paint.caption_metrics.elidedText(line, Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(QRect(text.left(), middle + 1, text.width(), 18), _LEFT, line)
        painter.setOpacity(1)

    def _mpp(self, painter: QPainter, paint: CellPaint, rect: QRect, index: Index, slide: Slide) -> None:
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        alignment = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        if slide.mpp is None and not slide.error:
            words, short = self.tr("Required"), self.tr("Set")
            paint_field(painter, paint, box_rect(rect), words, "failed", "circle-alert", chevron=False, short=short)
            return
        painter.setFont(paint.body)
        painter.setPen(paint.muted if slide.mpp is None else paint.text)
        painter.drawText(inner, alignment, index.data())
        if slide.mpp_origin == "user":
            pen = paint.icon("pencil", paint.muted, 12, painter.device().devicePixelRatioF())
            left = inner.right() - paint.body_metrics.horizontalAdvance(index.data()) - 18
            if left >= rect.left():
                painter.drawPixmap(left, rect.center().y() - 6, pen)


_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


def box_rect(cell: QRect) -> QRect:
    """Where the outlined field lies in its cell."""
    return QRect(cell.left() + 5, cell.center().y() - 16, cell.width() - 10, 33)


def paint_check_box(painter: QPainter, paint: CellPaint, box: QRectF, state: Qt.CheckState) -> None:
    """A check box of 16 px: empty, ticked, or with a bar when only some are ticked."""
    if state == Qt.CheckState.Unchecked:
        painter.setPen(paint.control_line)
        painter.setBrush(paint.surface)
        painter.drawRoundedRect(box, 4, 4)
        return
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(paint.accent)
    painter.drawRoundedRect(box, 4, 4)
    name = "check" if state == Qt.CheckState.Checked else "minus"
    icon = paint.icon(name, paint.theme.colour("onAccent"), 12, painter.device().devicePixelRatioF())
    painter.drawPixmap(int(box.left()) + 2, int(box.top()) + 2, icon)


def paint_field(
    painter: QPainter, paint: CellPaint, box: QRect, text: str, token: str, icon: str, *, chevron: bool, short: str = ""
) -> None:
    """An outlined field in the colours of a state ("" for none), with icon, text and the arrow of a choice.

    `short` is shown instead of the text where the icon has no room beside it. Drawn once: the same few values stand in
    thousands of cells.
    """
    ratio = painter.device().devicePixelRatioF()
    key = (box.width(), box.height(), text, token, icon, chevron, short, ratio)
    drawn = paint.fields.get(key)
    if drawn is None:
        if len(paint.fields) >= _FIELDS:
            paint.fields.clear()
        drawn = paint.fields[key] = QPixmap(max(1, round(box.width() * ratio)), max(1, round(box.height() * ratio)))
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        inner = QPainter(drawn)
        inner.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRect(0, 0, box.width(), box.height())
        _draw_field(inner, paint, place, text, token, icon, chevron=chevron, short=short, ratio=ratio)
        inner.end()
    painter.drawPixmap(box.topLeft(), drawn)


def _draw_field(
    painter: QPainter,
    paint: CellPaint,
    box: QRect,
    text: str,
    token: str,
    icon: str,
    *,
    chevron: bool,
    short: str,
    ratio: float,
) -> None:
    frame = QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5)
    radius = paint.theme.radius["control"]
    colour = paint.text
    painter.setBrush(paint.surface)
    painter.setPen(paint.control_line)
    if token:
        foreground, ground, *_ = paint.theme.state(token)
        painter.setBrush(ground)
        colour = foreground
        if token == "done":  # quieter than what needs attention
            foreground = QColor(foreground)
            foreground.setAlpha(110)
        painter.setPen(foreground)
    painter.drawRoundedRect(frame, radius, radius)
    inner = box.adjusted(PADDING, 0, -PADDING + 2, 0)
    if chevron:
        arrow = paint.icon("chevron-down", colour if token else paint.muted, 14, ratio)
        painter.drawPixmap(inner.right() - 13, box.center().y() - 7, arrow)
        inner.setRight(inner.right() - 18)
    if short and inner.width() < paint.body_metrics.horizontalAdvance(text) + 20:
        text = short
    # In a narrow field a value stands alone.
    if icon and inner.width() >= paint.body_metrics.horizontalAdvance(text) + 20:
        painter.drawPixmap(inner.left(), box.center().y() - 7, paint.icon(icon, colour, 14, ratio))
        inner.setLeft(inner.left() + 20)
    painter.setPen(colour)
    painter.setFont(paint.body)
    painter.drawText(
        inner, _LEFT, paint.body_metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(inner.width(), 0))
    )


def _covering(pixmap: QPixmap, frame: QRectF) -> QRectF:
    """The middle of the picture in the frame's proportions."""
    width, height = float(pixmap.width()), float(pixmap.height())
    scale = min(width / frame.width(), height / frame.height())
    used_width, used_height = frame.width() * scale, frame.height() * scale
    return QRectF((width - used_width) / 2, (height - used_height) / 2, used_width, used_height)
