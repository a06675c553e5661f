"""A picture with shapes over it, fitted to its room; the wheel and + and − zoom, dragging moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget

from launchpad.desktop.theme import palette

if TYPE_CHECKING:
    from launchpad.application.previews import Shapes

_MOST = 40.0
_CELL_PIXELS = 7  # of a cell's dot, in the painted overlay


class PictureView(QWidget):
    """Shows one picture. GUI thread only; decode elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("picture_view")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._image = QImage()
        self._overlay = QImage()
        self._zoom = 1.0
        self._shift = QPointF(0, 0)
        self._grabbed: QPointF | None = None
        self._smooth = True

    def show_picture(self, image: QImage, overlay: QImage | None = None, *, smooth: bool = True) -> None:
        """Show a picture, and over it another of any size that covers the same field."""
        self._image, self._overlay, self._smooth = image, overlay or QImage(), smooth
        self._zoom, self._shift = 1.0, QPointF(0, 0)
        self.update()

    @property
    def image(self) -> QImage:
        """The picture that is shown."""
        return self._image

    @property
    def overlay(self) -> QImage:
        """What lies over it."""
        return self._overlay

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def zoom(self, factor: float) -> None:
        """Larger or smaller, around the middle."""
        before, self._zoom = self._zoom, max(1.0, min(_MOST, self._zoom * factor))
        self._shift *= self._zoom / before
        if self._zoom == 1.0:
            self._shift = QPointF(0, 0)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom(1.2 if event.angleDelta().y() > 0 else 1 / 1.2)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Plus: 1.3, Qt.Key.Key_Equal: 1.3, Qt.Key.Key_Minus: 1 / 1.3, Qt.Key.Key_0: 0.001}
        moves = {
            Qt.Key.Key_Left: QPointF(40, 0),
            Qt.Key.Key_Right: QPointF(-40, 0),
            Qt.Key.Key_Up: QPointF(0, 40),
            Qt.Key.Key_Down: QPointF(0, -40),
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.zoom(steps[key])
        elif key in moves and self._zoom > 1:
            self._shift += moves[key]
            self.update()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._grabbed = event.position()
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None and self._zoom > 1:
            self._shift += event.position() - self._grabbed
            self._grabbed = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = palette.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("sunken"))
        if not self._image.isNull():
            scale = min(self.width() / self._image.width(), self.height() / self._image.height()) * self._zoom
            width, height = self._image.width() * scale, self._image.height() * scale
            place = QRectF(
                (self.width() - width) / 2 + self._shift.x(), (self.height() - height) / 2 + self._shift.y(),
                width, height,
            )  # fmt: skip
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth)
            painter.drawImage(place, self._image)
            if not self._overlay.isNull():
                painter.drawImage(place, self._overlay)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("focus"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


def paint_shapes(shapes: Shapes, width: float, height: float, pixels: int) -> QImage:
    """Shapes of a slide of `width` x `height` pixels as a transparent picture. In a worker thread: QImage may be."""
    scale = pixels / max(width, height, 1)
    image = QImage(max(1, round(width * scale)), max(1, round(height * scale)), QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for shape in shapes.shapes:
        colour = QColor(*shape.colour)
        if len(shape.points) == 1:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            x, y = shape.points[0]
            painter.drawEllipse(QPointF(x * scale, y * scale), _CELL_PIXELS / 2, _CELL_PIXELS / 2)
        else:
            fill = QColor(colour)
            fill.setAlpha(70)
            painter.setPen(QPen(colour, 2))
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF([QPointF(x * scale, y * scale) for x, y in shape.points]))
    painter.end()
    return image
