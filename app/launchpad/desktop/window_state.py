"""What the window looks like when it is opened again: size, sidebar, columns, the last page, theme and text size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, QSettings, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHeaderView, QMainWindow, QSplitter

if TYPE_CHECKING:
    from launchpad.desktop.navigation import Route

TEXT_SIZES = (90, 100, 115, 130, 150)  # per cent
SCHEMES = ("system", "light", "dark")
_SAVE_AFTER = 400  # ms without a change


class WindowState(QObject):
    """Reads and writes the window's INI file. Made before the first paint: imports nothing heavy."""

    def __init__(self, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._headers: dict[str, QHeaderView] = {}
        self._timer = QTimer(self)
        self._timer.setObjectName("columns")
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_AFTER)
        self._timer.timeout.connect(self._save_columns)

    # --- appearance -------------------------------------------------------------------------------------------------
    @property
    def scheme(self) -> str:
        """light, dark or system."""
        scheme = str(self._settings.value("scheme", "system"))
        return scheme if scheme in SCHEMES else "system"

    @scheme.setter
    def scheme(self, scheme: str) -> None:
        self._settings.setValue("scheme", scheme)

    @property
    def text_size(self) -> int:
        """Size of the text in per cent."""
        try:
            size = int(str(self._settings.value("text_size", 100)))
        except ValueError:
            return 100
        return size if size in TEXT_SIZES else 100

    @text_size.setter
    def text_size(self, size: int) -> None:
        self._settings.setValue("text_size", size)

    @property
    def notify(self) -> bool:
        """Whether a notification comes when a run ends."""
        return str(self._settings.value("notify", "true")).lower() != "false"

    @notify.setter
    def notify(self, wanted: bool) -> None:
        self._settings.setValue("notify", "true" if wanted else "false")

    @property
    def begun(self) -> bool:
        """Whether the choice of the first start is made."""
        return str(self._settings.value("begun", "false")).lower() == "true"

    @begun.setter
    def begun(self, begun: bool) -> None:
        self._settings.setValue("begun", "true" if begun else "false")

    # --- window -----------------------------------------------------------------------------------------------------
    def restore_geometry(self, window: QMainWindow) -> None:
        """Size and place as they were; a window that no screen shows any more gets its first size."""
        geometry = self._settings.value("geometry")
        seen = False
        if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
            frame = window.frameGeometry()
            seen = any(screen.availableGeometry().intersects(frame) for screen in QGuiApplication.screens())
        if not seen:
            screen = QGuiApplication.primaryScreen()
            room = screen.availableSize() if screen is not None else window.minimumSize()
            window.resize(min(1400, max(room.width(), 1024)), min(900, max(room.height(), 660)))

    def restore_sidebar(self, splitter: QSplitter, sidebar: int, width: int) -> None:
        """The sidebar's width as it was, otherwise `sidebar` of the window's `width`, in pixels."""
        split = self._settings.value("sidebar")
        if not (isinstance(split, QByteArray) and splitter.restoreState(split)):
            splitter.setSizes([sidebar, max(width - sidebar, 700)])

    def save_window(self, window: QMainWindow, splitter: QSplitter) -> None:
        """Keep size, place and sidebar."""
        self._settings.setValue("geometry", window.saveGeometry())
        self._settings.setValue("sidebar", splitter.saveState())
        self._save_columns()

    def keep_columns(self, name: str, header: QHeaderView) -> None:
        """Give a table's columns the widths and the order that they had, and keep those that they get."""
        state = self._settings.value(f"columns/{name}")
        if isinstance(state, QByteArray):
            header.restoreState(state)
        self._headers[name] = header
        header.sectionResized.connect(self._soon)
        header.sectionMoved.connect(self._soon)
        header.destroyed.connect(self._forget_dead)

    # --- page -------------------------------------------------------------------------------------------------------
    @property
    def route(self) -> Route | None:
        """The page that was open last."""
        from launchpad.desktop.navigation import route_from_text

        return route_from_text(str(self._settings.value("page", "")))

    @route.setter
    def route(self, route: Route) -> None:
        from launchpad.desktop.navigation import route_to_text

        self._settings.setValue("page", route_to_text(route))

    def sync(self) -> None:
        """Write the file."""
        self._settings.sync()

    # --- inside -----------------------------------------------------------------------------------------------------
    @Slot()
    def _soon(self) -> None:
        self._timer.start()

    @Slot()
    def _forget_dead(self) -> None:
        from shiboken6 import isValid

        self._headers = {name: header for name, header in self._headers.items() if isValid(header)}

    @Slot()
    def _save_columns(self) -> None:
        self._timer.stop()
        self._forget_dead()
        for name, header in self._headers.items():
            self._settings.setValue(f"columns/{name}", header.saveState())
