"""Pictures of slides for tables: decoded in worker processes, kept as pixmaps, asked for only while seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from launchpad.desktop.background import in_thread

KEPT = 512  # pixmaps of at most 128 x 128 px: 32 MiB
AT_ONCE = 2  # requests; the decoding workers are as many
WAITING = 40  # requests; older ones were scrolled out of sight


class SlidePictures(Protocol):
    """What is needed of the slide service."""

    def thumbnail(self, path: Path, size: int = 256, content: str = "") -> bytes:
        """PNG bytes of a slide's thumbnail."""


class Thumbnails(QObject):
    """Thumbnails by path.

    `pixmap` answers at once: the picture, or None while it is made (then `ready` follows with the path) and also
    when it cannot be made: a row without a picture says more about the slide in its other cells.
    """

    ready = Signal(str)

    def __init__(
        self,
        service: Callable[[], SlidePictures],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        size: int = 128,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._spawn = spawn
        self._size = size
        self._kept: OrderedDict[Path, QPixmap | None] = OrderedDict()
        self._waiting: list[Path] = []
        self._running: set[Path] = set()
        self._contents: dict[Path, str] = {}
        self._paused = False

    def pixmap(self, path: Path, content: str = "") -> QPixmap | None:
        """The picture of a slide; asks for it when it is not there. GUI thread only.

        `content` is the slide's checksum, by which a picture is found whose file is gone.
        """
        if content:
            self._contents[path] = content
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        self._paused = False
        if path not in self._running:
            if path in self._waiting:
                self._waiting.remove(path)
            self._waiting.append(path)  # the last asked for is the first decoded: it is on the screen
            del self._waiting[:-WAITING]
            self._next()
        return None

    def pause(self) -> None:
        """Ask for nothing more and announce nothing more, until somebody wants a picture again."""
        self._waiting.clear()
        self._paused = True

    def _next(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            path = self._waiting.pop()
            self._running.add(path)
            self._spawn(self._make(path))

    async def _make(self, path: Path) -> None:
        from launchpad.errors import LaunchpadError

        image = QImage()
        try:
            image = await in_thread(self._decode, path)
        except LaunchpadError:
            pass  # no picture: preparation says what is wrong with the slide
        finally:
            self._running.discard(path)
        self._kept[path] = None if image.isNull() else QPixmap.fromImage(image)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        if not self._paused:  # otherwise the page may be gone, and this object's signals with it
            self.ready.emit(str(path))
            self._next()

    def _decode(self, path: Path) -> QImage:
        """In a pool thread: QImage may be made there, QPixmap may not."""
        return QImage.fromData(self._service().thumbnail(path, self._size, self._contents.get(path, "")))
