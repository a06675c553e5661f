"""A larger picture of a slide beside the pointer or the row, gone with the next key or move."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QKeyEvent, QMouseEvent, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from launchpad.desktop.background import in_thread
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import ElidedLabel
from launchpad.errors import LaunchpadError

_SIDE = 420  # px


class LargerPicture(QFrame):
    """A small window without a frame."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self.setObjectName("larger_picture")
        self.setProperty("role", "card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._path: Path | None = None
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = ElidedLabel("", "strong", middle=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(6)
        column.addWidget(self._picture, 1)
        column.addWidget(self._name)
        self.setFixedSize(QSize(_SIDE + 20, _SIDE + 50))

    def show_slide(self, path: Path, content: str, place: QPoint) -> None:
        """Show this slide at a place of the screen."""
        if self.isVisible() and path == self._path:
            return
        self._path = path
        self._picture.setPixmap(QPixmap())
        self._picture.setText(self.tr("Reading the slide …"))
        self._name.setText(path.name)
        screen = QGuiApplication.screenAt(place) or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        x = min(place.x() + 16, room.right() - self.width())
        y = max(room.top(), min(place.y() - self.height() // 2, room.bottom() - self.height()))
        self.move(max(room.left(), x), y)
        self.show()
        self._session.spawn(self._load(path, content), self)

    async def _load(self, path: Path, content: str) -> None:
        try:
            png = await in_thread(self._session.slides.thumbnail, path, _SIDE, content)
            image = await in_thread(QImage.fromData, png)
        except LaunchpadError as error:
            if path == self._path:
                self._picture.setText(error.title)
            return
        if path == self._path and self.isVisible():
            picture = QPixmap.fromImage(image)
            self._picture.setPixmap(
                picture.scaled(
                    QSize(_SIDE, _SIDE), Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                )
            )

    def leave(self) -> None:
        """Gone."""
        self._path = None
        self.hide()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, (QKeyEvent, QMouseEvent)):
            self.leave()
        return super().event(event)
