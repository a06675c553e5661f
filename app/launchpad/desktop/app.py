"""Builds the application and wires its parts; the only place that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, QObject, QSettings, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from launchpad import paths
from launchpad.desktop import background
from launchpad.desktop.account import Account
from launchpad.desktop.background import Jobs
from launchpad.desktop.background_mode import BackgroundMode
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.navigation import (
    FirstStart,
    Home,
    Info,
    Navigator,
    QuPathPage,
    Route,
    RunPage,
    SignIn,
    TransferList,
    Wizard,
)
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.account_bars import AccountBars
from launchpad.desktop.widgets.account_menu import AccountMenu

if TYPE_CHECKING:
    # Imported after the first paint.
    import asyncio

Driver = Callable[[MainWindow], Awaitable[None]]


class Application(QObject):
    """One running desktop application."""

    def __init__(self, app: QApplication, scheme: str, files: Sequence[str]) -> None:
        super().__init__()
        self._app = app
        self._settings = QSettings(str(paths.window_file()), QSettings.Format.IniFormat)
        self._scheme = scheme or str(self._settings.value("scheme", "system"))
        self._files = [Path(file).absolute() for file in files]
        self._dress()
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self.session = Session(self)
        self.jobs = Jobs(self)
        self.transfers = Transfers(self.session, self.jobs, self)
        self.navigator = Navigator(self)
        self.window = MainWindow(
            self.session, self.transfers, self.jobs, self.navigator, self._settings, self._make_page
        )
        self.window.closing.connect(self._ask_close)
        self.account = Account(self.session, self.transfers, self.jobs, self)
        self.window.add_to_header(AccountMenu(self.session, self.account, self.navigator.go))
        self.window.add_bar(AccountBars(self.session, self.account, self.navigator.go))
        self.account.switching.connect(self._switching)
        self._begun = bool(self._settings.value("begun")) or _chosen_elsewhere()
        self.window.set_plain(not self._begun)
        self._background = BackgroundMode(self.window, self.transfers, self)
        self._background.idle.connect(self._close)
        self._ended: asyncio.Event | None = None
        self._closing = False

    # --- theme ------------------------------------------------------------------------------------------------------
    def _dress(self) -> None:
        system = self._app.styleHints().colorScheme()
        dark = self._scheme == "dark" or (self._scheme == "system" and system is Qt.ColorScheme.Dark)
        palette.set_theme(self._app, dark)

    @Slot()
    def _system_changed(self) -> None:
        if self._scheme == "system":
            self._dress()

    def choose_scheme(self, scheme: str) -> None:
        """Light, dark, or as the system; kept for the next start."""
        self._scheme = scheme
        self._settings.setValue("scheme", scheme)
        self._dress()

    # --- pages ------------------------------------------------------------------------------------------------------
    def _make_page(self, route: Route) -> QWidget:
        if isinstance(route, Wizard):
            from launchpad.desktop.pages.wizard.wizard import WizardPage

            page = WizardPage(self.session, self.jobs, self.transfers, self.navigator.go, route.application_id)
            page.submitted.connect(self._submitted)
            return page
        if isinstance(route, RunPage):
            from launchpad.desktop.pages.run import RunPage as Page

            return Page(self.session, self.transfers, self.jobs, self.navigator.go, route.run_id)
        if isinstance(route, TransferList):
            from launchpad.desktop.pages.transfers import TransfersPage

            return TransfersPage(self.transfers, self.navigator.go)
        if isinstance(route, QuPathPage):
            from launchpad.desktop.pages.qupath import QuPathPage as QuPath

            return QuPath(self.session, self.jobs)
        if isinstance(route, Info):
            from launchpad.desktop.pages.info import InfoPage

            return InfoPage(self.session, self._scheme, self.choose_scheme)
        if isinstance(route, FirstStart):
            from launchpad.desktop.pages.first_start import FirstStartPage

            first = FirstStartPage(self.navigator.go)
            first.begin_here.connect(self._begin)
            return first
        if isinstance(route, SignIn):
            from launchpad.desktop.pages.sign_in import SignInPage

            sign_in = SignInPage(self.account, route.profile)
            sign_in.signed_in.connect(self._signed_in)
            sign_in.left.connect(self.navigator.back)
            return sign_in
        from launchpad.desktop.pages.home import HomePage

        return HomePage(self.session, self.navigator.go)

    @Slot(str)
    def _submitted(self, run_id: str) -> None:
        """A draft became a run: show it, and begin a new draft next time."""
        self.session.refresh()
        wizard = self.sender()
        if isinstance(wizard, QWidget):
            if wizard.isVisible():
                self.navigator.go(RunPage(run_id))
            self.window.forget(wizard)

    # --- account ----------------------------------------------------------------------------------------------------
    @Slot()
    def _begin(self) -> None:
        """The choice of the first start is made."""
        if not self._begun:
            self._begin_quietly()
            if not self.session.is_connected:
                self.session.start()
        self.navigator.go(Home())

    @Slot()
    def _signed_in(self) -> None:
        """Back to where the sign-in was needed; from the first start to the applications."""
        self._begin_quietly()
        page = self.sender()
        self.navigator.back()
        if isinstance(self.navigator.route, (FirstStart, SignIn)):
            self.navigator.go(Home())
        if isinstance(page, QWidget):
            self.window.forget(page)

    def _begin_quietly(self) -> None:
        if not self._begun:
            self._begun = True
            self._settings.setValue("begun", True)
            self.window.set_plain(False)

    @Slot()
    def _switching(self) -> None:
        """Pages of the platform that one leaves save what they keep, and go; drafts and transfers stay."""
        self._begin_quietly()
        self.window.forget_pages()
        self.navigator.forget()
        self.window.show_route(self.navigator.route)

    # --- life -------------------------------------------------------------------------------------------------------
    def show(self) -> None:
        """Show the window, painted, before anything else is loaded."""
        self.navigator.go(Home() if self._begun else FirstStart())
        self.window.show()
        self._app.processEvents()

    async def run(self, driver: Driver | None) -> None:
        """Load the rest; returns when everything has ended."""
        import asyncio

        self._ended = asyncio.Event()
        if self._begun:
            QTimer.singleShot(0, self.session.start)
        if driver is not None:
            self.session.spawn(self._drive(driver))
        await self._ended.wait()

    async def _drive(self, driver: Driver) -> None:
        await driver(self.window)

    @Slot()
    def _ask_close(self) -> None:
        labels = [label for label in self.jobs.labels() if label != self.account.label]
        if not labels or self._closing:
            self._close()
            return
        moving = [transfer.title for transfer in self.transfers.running()]
        box = QMessageBox(self.window)
        box.setObjectName("quit_question")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(self.tr("Quit Launchpad"))
        box.setText(self.tr("Work is under way: {0}.").format(", ".join(moving or labels)))
        box.addButton(self.tr("Keep open"), QMessageBox.ButtonRole.RejectRole)
        if moving:
            box.setInformativeText(
                self.tr("It can go on in the background, or be paused and resumed at the next start. Nothing is lost.")
            )
            stay = box.addButton(self.tr("Continue in the background"), QMessageBox.ButtonRole.AcceptRole)
            stay.setObjectName("quit_background")
            leave = box.addButton(self.tr("Pause and quit"), QMessageBox.ButtonRole.DestructiveRole)
        else:
            box.setInformativeText(self.tr("It is stopped when you quit. What is complete stays."))
            leave = box.addButton(self.tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        leave.setObjectName("quit_now")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(self._close_answered)
        box.open()

    @Slot(object)
    def _close_answered(self, button: Any) -> None:
        box = self.sender()
        if not isinstance(box, QMessageBox):
            return
        role = box.buttonRole(button)
        if role is QMessageBox.ButtonRole.DestructiveRole:
            self.transfers.pause_all()
            self._close()
        elif role is QMessageBox.ButtonRole.AcceptRole:
            self._background.enter()

    @Slot()
    def _close(self) -> None:
        if not self._closing:
            import asyncio

            self._closing = True
            self.window.setEnabled(False)
            asyncio.get_event_loop().create_task(self._end())

    async def _end(self) -> None:
        self.window.leave_pages()
        self._background.leave()
        stuck = self.jobs.shutdown(5)
        await self.transfers.settled()
        await self.session.close()
        background.pool.close()
        self._settings.sync()
        if stuck:
            import logging

            # Destroying a running QThread aborts the process; nothing is lost, what they did resumes.
            logging.getLogger(__name__).error("jobs did not stop: %s", ", ".join(stuck))
            logging.shutdown()
            os._exit(1)
        self.window.let_close()
        if self._ended is not None:
            self._ended.set()

    def show_error(self, error: BaseException) -> None:
        """The one dialog for what nobody expected."""
        import logging

        logging.getLogger(__name__).error("unexpected error", exc_info=error)
        box = QMessageBox(self.window)
        box.setObjectName("unexpected_error")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Critical)
        box.setWindowTitle(self.tr("Unexpected error"))
        box.setText(str(error) or type(error).__name__)
        box.setInformativeText(self.tr("The log has the details: {0}").format(paths.log_dir() / "desktop.log"))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def run(argv: Sequence[str], driver: Driver | None = None) -> int:
    """Run the application until its window is closed. `driver` is awaited beside it (the journey)."""
    scheme, files = _arguments(argv)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(["Launchpad"])
    app.setApplicationName("Launchpad")
    if QLocale.system().language() is QLocale.Language.C:  # no language is set: numbers and dates as in English
        QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(False)
    application = Application(app, scheme, files)
    application.show()
    import asyncio

    import qasync

    from launchpad.system.logging import set_up

    set_up("INFO", "desktop")
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        _hook(application, loop)
        loop.run_until_complete(application.run(driver))
        application.window.deleteLater()
        application.deleteLater()
        app.processEvents()
    return 0


def _chosen_elsewhere() -> bool:
    """Whether somebody has chosen a platform before, by a command or by settings (which are not read this early)."""
    names = ("PROFILE", "API_ROOT", "REFRESH_TOKEN", "ENV_FILE")
    if any(os.environ.get(f"{vendor}_{name}") for vendor in ("LAUNCHPAD", "AIGNOSTICS") for name in names):
        return True
    return any(file.exists() for file in (paths.profiles_file(), paths.settings_file(), Path(".env")))


def _arguments(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The scheme and the files of a command line (argparse alone costs a tenth of the first window's time)."""
    if not argv:
        return "", []
    import argparse

    parser = argparse.ArgumentParser(prog="launchpad-desktop")
    parser.add_argument("--theme", choices=("light", "dark", "system"), default="")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args(argv)
    return arguments.theme, arguments.files


def _hook(application: Application, loop: asyncio.AbstractEventLoop) -> None:
    """Errors that nobody caught, from slots and from coroutines, and Ctrl-C."""

    def of_slot(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            application.window.close()
        else:
            application.show_error(error)

    def of_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            application.show_error(error)
        else:
            logging.getLogger(__name__).error("event loop: %s", context.get("message"))

    import contextlib
    import logging
    import signal

    sys.excepthook = of_slot
    loop.set_exception_handler(of_loop)
    if sys.platform != "win32":
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(signal.SIGINT, application.window.close)
