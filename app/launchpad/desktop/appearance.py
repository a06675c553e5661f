"""Light, dark or as the system, and the size of the text: chosen in one place, kept for the next start."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication

from launchpad.desktop.theme import palette
from launchpad.desktop.window_state import WindowState


class Appearance(QObject):
    """Dresses the application.

    Signals:
        changed: another scheme or size is in use.
    """

    changed = Signal()

    def __init__(self, app: QApplication, state: WindowState, scheme: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app, self._state = app, state
        self.scheme = scheme or state.scheme
        self.text_size = state.text_size
        self._dress()  # the first window knew the system's scheme by its colours alone
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    def choose_scheme(self, scheme: str) -> None:
        """light, dark or system; kept for the next start."""
        self.scheme = self._state.scheme = scheme
        self._dress()

    def choose_size(self, per_cent: int) -> None:
        """Size of the text; kept for the next start."""
        self.text_size = self._state.text_size = per_cent
        self._dress()

    @Slot()
    def _system_changed(self) -> None:
        if self.scheme == "system":
            self._dress()

    def _dress(self) -> None:
        system = self._app.styleHints().colorScheme()
        dark = self.scheme == "dark" or (self.scheme == "system" and system is Qt.ColorScheme.Dark)
        if not palette.is_set(dark, self.text_size / 100):
            palette.set_theme(self._app, dark, self.text_size / 100)
        self.changed.emit()
