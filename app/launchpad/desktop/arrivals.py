"""Files and links that come from outside: arguments, later starts, drops, the system's file manager."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtGui import QFileOpenEvent

from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.navigation import Catalog, Navigator, Wizard, route_of_link
from launchpad.desktop.session import Session


class Deliveries(QObject):
    """What macOS opens with a program, at its start or later, comes as an event and not as an argument.

    Signals:
        given: an absolute path or a link.
    """

    given = Signal(list)

    def __init__(self, app: QObject) -> None:
        super().__init__(app)
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take files and links, and nothing else."""
        if not isinstance(event, QFileOpenEvent):
            return False
        self.given.emit([event.file() or event.url().toString()])
        return True


class Arrivals(QObject):
    """Links show their page and do nothing else; files go to a new run of the application that is open, or the first.

    Files that come before the applications are known wait for them.
    """

    def __init__(
        self, session: Session, window: MainWindow, navigator: Navigator, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._window, self._navigator = session, window, navigator
        self._waiting: list[Path] = []
        session.applications_changed.connect(self._go_on)

    @Slot(list)
    def take(self, given: list[str]) -> None:
        """Paths and links; with none the window only comes to the front."""
        self._window.come_forward()
        for text in given:
            route = route_of_link(text)
            if route is not None:
                self._navigator.go(route)
        self.take_files([Path(text) for text in given if "://" not in text])

    @Slot(list)
    def take_files(self, files: list[Path]) -> None:
        """Slides and folders."""
        self._waiting.extend(files)
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        if not self._waiting or not self._session.applications:
            return
        route = self._navigator.route
        application_id = self._session.applications[0].application_id
        if isinstance(route, (Wizard, Catalog)):
            application_id = route.application_id
        files, self._waiting = self._waiting, []
        self.take_for(application_id, files)

    @Slot(str, list)
    def take_for(self, application_id: str, files: list[Path]) -> None:
        """Slides and folders for a new run of this application."""
        wanted = Wizard(application_id)
        self._navigator.go(wanted)
        take = getattr(self._window.page_of(wanted), "take_files", None)
        if take is not None:
            take(files)
