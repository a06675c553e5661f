"""Builds the application and wires its parts; the only place that does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from launchpad import paths
from launchpad.desktop import background
from launchpad.desktop.account import Account
from launchpad.desktop.appearance import Appearance
from launchpad.desktop.arrivals import Arrivals
from launchpad.desktop.background import Jobs
from launchpad.desktop.background_mode import BackgroundMode
from launchpad.desktop.instance import Instance
from launchpad.desktop.navigation import FirstStart, Home, Info, Navigator, Route, RunPage, SignIn, Wizard
from launchpad.desktop.notebooks import Notebooks
from launchpad.desktop.notifier import Notifier
from launchpad.desktop.page_factory import PageFactory, Wiring
from launchpad.desktop.session import Session
from launchpad.desktop.start import Driver, FirstWindow
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets.account_bars import AccountBars
from launchpad.desktop.widgets.account_menu import AccountMenu
from launchpad.desktop.widgets.start_bars import StartBars

if TYPE_CHECKING:
    # Imported after the first paint.
    import asyncio

    from launchpad.application.draft import SubmissionDraft
    from launchpad.platform.client import Client
    from launchpad.progress import Progress
    from launchpad.wsi.isolation import SlideService


class Application(QObject):
    """One running desktop application."""

    def __init__(self, first: FirstWindow, given: Sequence[str]) -> None:
        super().__init__()
        self.app = first.app
        self._collector = background.Collector(self)
        self.state, self.window, self._begun = first.state, first.window, first.begun
        self.state.setParent(self)
        self.appearance = Appearance(self.app, self.state, first.scheme, self)
        self._given = list(given)
        self.session = Session(self)
        self.jobs = Jobs(self)
        self.transfers = Transfers(self.session, self.jobs, self)
        self.notebooks = Notebooks(self.session, self.jobs, self)
        self.updates = Updates(self.session, self.jobs, self)
        self.navigator = Navigator(self)
        self.window.setUpdatesEnabled(False)  # the frame stays until all is there
        self.window.fill(self.session, self.transfers, self.jobs, self.navigator, self._make_page)
        self.window.closing.connect(self._ask_close)
        self.account = Account(self.session, self.transfers, self.jobs, self)
        self.window.add_to_header(AccountMenu(self.session, self.account, self.navigator.go))
        self.window.add_bar(AccountBars(self.session, self.account, self.navigator.go))
        self.start_bars = StartBars(self.session, self.updates)
        self.start_bars.update_wanted.connect(self._show_updates)
        self.window.add_bar(self.start_bars)
        self.account.switching.connect(self._switching)
        self.window.set_plain(not self._begun)
        look = self.appearance
        self.window.menu.add_appearance(look.scheme, look.text_size, look.choose_scheme, look.choose_size)
        look.changed.connect(self._appearance_changed)
        self._background = BackgroundMode(self.window, self.transfers, self)
        self._background.idle.connect(self._close)
        self._arrivals = Arrivals(self.session, self.window, self.navigator, self)
        self._notifier = Notifier(self.session, self.window, self.state, self)
        self._notifier.chosen.connect(self._show_run)
        self._instance = Instance(self)
        self._instance.given.connect(self._arrivals.take)
        if first.deliveries is not None:
            self._given += first.deliveries.take_early()
            first.deliveries.given.connect(self._arrivals.take)
        self.window.dropped.connect(self._arrivals.take_files)
        self.window.help_wanted.connect(self._show_shortcuts)
        self.window.guide_wanted.connect(self._open_guide)
        self.window.seen.connect(self._seen)
        wiring = Wiring(
            submitted=self._submitted,
            again=self._begin_again,
            begin=self._begin,
            signed_in=self._signed_in,
            tag_chosen=self.window.sidebar.filter_by_tag,
            use_slides=self._arrivals.take_for,
        )
        self._pages = PageFactory(
            self.session,
            self.jobs,
            self.transfers,
            self.notebooks,
            self.updates,
            self.account,
            look,
            self.state,
            self.navigator,
            wiring,
        )
        self._ended: asyncio.Event | None = None
        self._closing = False

    @Slot()
    def _appearance_changed(self) -> None:
        self.window.menu.show_appearance(self.appearance.scheme, self.appearance.text_size)

    # --- pages ------------------------------------------------------------------------------------------------------
    def _make_page(self, route: Route) -> QWidget:
        return self._pages.make(route)

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
            if self._given:
                QTimer.singleShot(0, self._restore)
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
            self.state.begun = True
            self.window.set_plain(False)

    @Slot()
    def _switching(self) -> None:
        """Pages of the platform that one leaves save what they keep, and go; drafts and transfers stay."""
        self._begin_quietly()
        self.window.forget_pages()
        self.navigator.forget()
        self.window.show_route(self.navigator.route)

    @Slot(str, list)
    def _begin_again(self, run_id: str, item_ids: list[str]) -> None:
        """A run's slides, or some of them, become a new draft, which its wizard opens."""
        from functools import partial

        from launchpad.application.again import draft_again

        client, slides = self.session.client, self.session.slides
        work = partial(_made_again, draft_again, client, run_id, slides, item_ids or None)
        job = background.Job(self.tr("Read the slides of the run"), work)
        job.finished.connect(self._begun_again)
        job.failed.connect(self.session.failed)
        self.jobs.start(job)

    @Slot(object)
    def _begun_again(self, draft: SubmissionDraft) -> None:
        route = Wizard(draft.application_id)
        page = self.window.page_of(route)
        if page is not None:  # what it holds is saved, and offered again another time
            self.window.leave_page(page)
        self._pages.drafts[draft.application_id] = draft.id
        self.navigator.go(route)

    # --- life -------------------------------------------------------------------------------------------------------
    def show(self) -> None:
        """Show the first page, painted, before anything that it does not need is loaded."""
        self.navigator.go(Home() if self._begun else FirstStart())
        self.window.setUpdatesEnabled(True)
        self.window.show()
        self.app.processEvents()

    async def run(self, driver: Driver | None) -> None:
        """Load the rest; returns when everything has ended."""
        import asyncio
        import logging

        from launchpad.desktop.network import NetworkWatch

        self._ended = asyncio.Event()
        self._network = NetworkWatch(self)
        self._network.changed.connect(self.session.check_health)
        if not self._instance.listen():
            logging.getLogger(__name__).warning("later starts cannot hand over their files")
        if self._begun:
            QTimer.singleShot(0, self.session.start)
            QTimer.singleShot(0, self._restore)
        self.session.spawn(self.start_bars.look(), self)
        self.session.spawn(self.start_bars.watch_program(), self)
        self.session.spawn(self._follow_log_level(), self)
        if driver is not None:
            self.session.spawn(self._drive(driver))
        else:
            self.updates.look()
        await self._ended.wait()

    async def _follow_log_level(self) -> None:
        """The settings are read after the first window is there, so that it does not wait for them."""
        from launchpad.desktop.background import in_thread
        from launchpad.system.logging import follow_level

        await in_thread(follow_level)

    @Slot()
    def _restore(self) -> None:
        """The page that was open last, unless this start was given something else."""
        route = self.state.route
        if self._given:
            self._arrivals.take(self._given)
        elif route is not None and self.navigator.route == Home():
            self.navigator.go(route)

    @Slot()
    def _open_guide(self) -> None:
        from launchpad.desktop.guide import PAGES, show_guide

        show_guide(self.window, PAGES[type(self.navigator.route)])

    @Slot()
    def _show_shortcuts(self) -> None:
        from launchpad.desktop.widgets.shortcut_dialog import ShortcutDialog

        ShortcutDialog(self.window).open()

    @Slot()
    def _show_updates(self) -> None:
        from launchpad.desktop.pages.info import InfoPage

        self.navigator.go(Info())
        page = self.window.page_of(Info())
        if isinstance(page, InfoPage):
            page.open_tab("updates")

    @Slot(str)
    def _show_run(self, run_id: str) -> None:
        self.window.come_forward()
        if run_id:
            self.navigator.go(RunPage(run_id))

    @Slot(bool)
    def _seen(self, seen: bool) -> None:
        self.session.set_hidden(not seen)
        if seen:
            self._notifier.seen()

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
        self._instance.close()
        self.window.leave_pages()
        self._background.leave()
        stuck = self.jobs.shutdown(10)
        await self.transfers.settled()
        await background.in_thread(self.notebooks.close)
        await self.session.close()
        background.pool.close()
        self._collector.end()
        self.state.route = self.navigator.route
        self.state.sync()
        if stuck:
            import logging

            # Destroying a running QThread aborts the process; nothing is lost, what they did resumes.
            logging.getLogger(__name__).error("jobs did not stop: %s", ", ".join(stuck))
            logging.shutdown()
            os._exit(1)
        self.window.let_close()
        if self._ended is not None:
            self._ended.set()

    def _explain(self, title: str) -> None:
        from launchpad.desktop.guide import place_of_error, show_guide

        show_guide(self.window, place_of_error(title))

    def show_error(self, error: BaseException) -> None:
        """The one dialog for what nobody expected."""
        import logging
        from functools import partial

        from launchpad import crashes
        from launchpad.errors import LaunchpadError

        logging.getLogger(__name__).error("unexpected error", exc_info=error)
        try:
            crashes.record(error, "desktop")
        except (OSError, LaunchpadError):
            logging.getLogger(__name__).exception("no crash report can be written")
        box = QMessageBox(self.window)
        box.setObjectName("unexpected_error")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Critical)
        box.setWindowTitle(self.tr("Unexpected error"))
        box.setText(str(error) or type(error).__name__)
        box.setInformativeText(self.tr("The log has the details: {0}").format(paths.log_dir() / "desktop.log"))
        box.addButton(QMessageBox.StandardButton.Ok)
        if isinstance(error, LaunchpadError):
            more = box.addButton(self.tr("More about this"), QMessageBox.ButtonRole.HelpRole)
            more.setObjectName("error_more")
            more.clicked.connect(partial(self._explain, error.title))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def live(application: Application, driver: Driver | None = None) -> int:
    """Show the application and run it until its window is closed; the exit code."""
    application.show()
    import asyncio

    import qasync

    from launchpad import crashes
    from launchpad.system.logging import set_up

    set_up("INFO", "desktop")
    app = application.app
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with crashes.armed("desktop"), loop:
        _hook(application, loop)
        loop.run_until_complete(application.run(driver))
        application.window.deleteLater()
        application.deleteLater()
        app.processEvents()
    return 0


def _made_again(
    make: Callable[..., SubmissionDraft],
    client: Client,
    run_id: str,
    slides: SlideService,
    item_ids: list[str] | None,
    progress: Progress,
) -> SubmissionDraft:
    return make(client, run_id, slides, item_ids=item_ids, progress=progress)


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
