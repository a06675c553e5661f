"""A start: the window's frame is painted first, then everything else is loaded and put into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication

from launchpad import paths
from launchpad.desktop.arguments import arguments
from launchpad.desktop.instance import hand_over
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.theme import palette
from launchpad.desktop.window_state import WindowState

if TYPE_CHECKING:
    from launchpad.desktop.deliveries import Deliveries

Driver = Callable[[MainWindow], Awaitable[None]]


class FirstWindow:
    """What is there at the first paint: the theme, and the window as a frame of the size that it had.

    Nothing here asks for Qt's namespace of enumerations, which costs an eighth of the time until then.

    `scheme` is that of the command line, or "". `begun` says whether the choice of the first start is made.
    """

    def __init__(self, app: QApplication, scheme: str) -> None:
        self.app, self.scheme = app, scheme
        self.deliveries: Deliveries | None = None
        if sys.platform == "darwin":  # elsewhere there are none, and each event costs
            from launchpad.desktop.deliveries import Deliveries

            self.deliveries = Deliveries(app)
        self.state = WindowState(QSettings(str(paths.window_file()), QSettings.Format.IniFormat))
        wanted = scheme or self.state.scheme
        dark = wanted == "dark" or (wanted == "system" and app.palette().window().color().lightness() < 128)
        palette.set_theme(app, dark, self.state.text_size / 100)
        self.begun = self.state.begun or _chosen_elsewhere()
        self.window = MainWindow(self.state, plain=not self.begun)

    def show(self) -> None:
        """Show the frame, painted."""
        self.window.show()
        self.app.processEvents()


def run(argv: Sequence[str], driver: Driver | None = None) -> int:
    """Run the application until its window is closed. `driver` is awaited beside it (the journey)."""
    scheme, given = arguments(argv)
    if driver is None and hand_over(given):
        return 0
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        if find_spec("PySide6.QtWebEngineCore") is not None:
            from PySide6.QtCore import Qt

            # What Qt's web engine wants before the application is made (notebooks in the window).
            QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
        app = QApplication(["Launchpad"])
    app.setApplicationName("Launchpad")
    app.setDesktopFileName("pathology-launchpad")  # by which a desktop finds icon and badge
    if QLocale.system().language() is QLocale.Language.C:  # no language is set: numbers and dates as in English
        QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(False)
    first = FirstWindow(app, scheme)
    first.show()

    from launchpad.desktop.app import Application, live

    return live(Application(first, given), driver)


def _chosen_elsewhere() -> bool:
    """Whether somebody has chosen a platform before, by a command or by settings (which are not read this early)."""
    names = ("PROFILE", "API_ROOT", "REFRESH_TOKEN", "ENV_FILE")
    if any(os.environ.get(f"{vendor}_{name}") for vendor in ("LAUNCHPAD", "AIGNOSTICS") for name in names):
        return True
    return any(file.exists() for file in (paths.profiles_file(), paths.settings_file(), Path(".env")))
