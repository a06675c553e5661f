"""The window hidden while transfers go on: an icon in the system's tray brings it back, the last transfer ends it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.theme import icons
from launchpad.desktop.transfers import Transfers


class BackgroundMode(QObject):
    """Hides the window into the tray, or, where the system has none, minimizes it.

    Signals:
        idle: nothing is under way any more, so the application may end.
    """

    idle = Signal()

    def __init__(self, window: MainWindow, transfers: Transfers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window, self._transfers = window, transfers
        self._tray: QSystemTrayIcon | None = None
        self.active = False
        transfers.changed.connect(self._look)

    @Slot()
    def enter(self) -> None:
        """Hide; transfers that ended meanwhile end the application at once."""
        self.active = True
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._tray = QSystemTrayIcon(icons.icon("cloud-upload", "accent", 32, 0), self)
            self._tray.setToolTip(self.tr("Launchpad is moving slides and results"))
            menu = QMenu(self._window)
            menu.addAction(self.tr("Show Launchpad")).triggered.connect(self.show_window)
            menu.addAction(self.tr("Pause and quit")).triggered.connect(self._pause_and_quit)
            self._tray.setContextMenu(menu)
            self._tray.activated.connect(self.show_window)
            self._tray.show()
            self._window.hide()
        else:
            self._window.showMinimized()
        self._look()

    @Slot()
    def show_window(self) -> None:
        """Back to the window."""
        self.leave()
        self._window.showNormal()
        self._window.activateWindow()

    def leave(self) -> None:
        """End the mode, leave the window as it is."""
        self.active = False
        if self._tray is not None:
            self._tray.hide()
            self._tray.deleteLater()
            self._tray = None

    @Slot()
    def _pause_and_quit(self) -> None:
        self._transfers.pause_all()

    @Slot()
    def _look(self) -> None:
        # A minimized window that a person opened again is in use.
        if self.active and self._window.isVisible() and not self._window.isMinimized():
            self.leave()
        if self.active and not self._transfers.running():
            self.idle.emit()
