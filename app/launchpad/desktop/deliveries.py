"""Files and links that macOS opens with a running program: they come as events, not as arguments."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent


class Deliveries(QObject):
    """Takes what the system delivers, from the first event on; what comes before `take_early` waits.

    Signals:
        given: absolute paths or links.
    """

    given = Signal(list)

    def __init__(self, app: QObject) -> None:
        super().__init__(app)
        self._early: list[str] | None = []
        app.installEventFilter(self)

    def take_early(self) -> list[str]:
        """What has come until now; from here on `given` tells."""
        early, self._early = self._early or [], None
        return early

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take files and links, and nothing else."""
        if not isinstance(event, QFileOpenEvent):
            return False
        what = event.file() or event.url().toString()
        if self._early is None:
            self.given.emit([what])
        else:
            self._early.append(what)
        return True
