"""Says that a run has ended while the person does something else; a click leads to it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from launchpad.application.states import run_state
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.models.words import translated
from launchpad.desktop.session import Session
from launchpad.desktop.theme import icons
from launchpad.desktop.window_state import WindowState


class Notifier(QObject):
    """Listens to the session.

    Signals:
        told: title and words of a notification.
        chosen: id of the run whose notification was clicked.
    """

    told = Signal(str, str)
    chosen = Signal(str)

    def __init__(self, session: Session, window: MainWindow, state: WindowState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._window, self._state = session, window, state
        self._tray: QSystemTrayIcon | None = None
        self._run_id = ""
        self._unseen = 0
        session.run_ended.connect(self._ended)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._state_changed)

    @property
    def unseen(self) -> int:
        """Runs that ended since the window was looked at."""
        return self._unseen

    @Slot(str)
    def _ended(self, run_id: str) -> None:
        run = self._session.run(run_id)
        if run is None or not self._state.notify or self._window.isActiveWindow():
            return
        self._run_id = run_id
        self._count(self._unseen + 1)
        name = self._session.application_name(run.application_id)
        counts = run.statistics
        words = self.tr("%1: %2 of %3 slides succeeded")
        words = words.replace("%1", translated("states", run_state(run).words))
        words = words.replace("%2", str(counts.item_succeeded_count)).replace("%3", str(counts.item_count))
        self.told.emit(name, words)
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self._tray is None:
                self._tray = QSystemTrayIcon(icons.icon("microscope", "accent", 32), self)
                self._tray.messageClicked.connect(self._clicked)
                self._tray.activated.connect(self._clicked)
            self._tray.show()
            self._tray.showMessage(name, words, icons.icon("microscope", "accent", 32))

    @Slot()
    def _clicked(self) -> None:
        self.chosen.emit(self._run_id)

    @Slot(Qt.ApplicationState)
    def _state_changed(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.seen()

    def seen(self) -> None:
        """The person looks at the window."""
        self._count(0)
        if self._tray is not None:
            self._tray.hide()

    def _count(self, count: int) -> None:
        self._unseen = count
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.setBadgeNumber(count)
        self._window.setWindowTitle(f"({count}) Launchpad" if count else "Launchpad")
