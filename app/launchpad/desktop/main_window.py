"""The window: top bar, sidebar, pages, footer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from launchpad.desktop.background import Jobs
from launchpad.desktop.navigation import (
    About,
    BucketPage,
    Catalog,
    DatasetPage,
    Home,
    Info,
    Navigator,
    NotebookPage,
    QuPathPage,
    Route,
    RunPage,
    TransferList,
    Wizard,
)
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Pill, StateIcon, label
from launchpad.desktop.widgets.drop_area import local_paths
from launchpad.desktop.widgets.health_footer import HealthFooter
from launchpad.desktop.widgets.main_menu import MainMenu
from launchpad.desktop.widgets.run_sidebar import RunSidebar
from launchpad.desktop.widgets.section_bar import SectionBar
from launchpad.desktop.window_state import WindowState

MINIMUM = QSize(1024, 660)
_KEPT = 8  # pages of runs and applications


class MainWindow(QMainWindow):
    """Shows the page of the current route; pages are made by `make_page` at their first visit.

    Signals:
        closing: somebody wants to close the window; `let_close` does.
        help_wanted: the list of shortcuts.
        guide_wanted: what the documentation on this computer says of the page.
        dropped: files and folders that were dropped where no page took them.
        seen: whether the window can be seen now.
    """

    closing = Signal()
    help_wanted = Signal()
    guide_wanted = Signal()
    dropped = Signal(list)
    seen = Signal(bool)

    def __init__(
        self,
        session: Session,
        transfers: Transfers,
        jobs: Jobs,
        navigator: Navigator,
        state: WindowState,
        make_page: Callable[[Route], QWidget],
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Launchpad")
        self.setMinimumSize(MINIMUM)
        self.setAcceptDrops(True)
        self._session, self._navigator, self._state, self._make_page = session, navigator, state, make_page
        self._pages: dict[Route, QWidget] = {}
        self._may_close = False
        self._stack = QStackedWidget()
        self._stack.setMinimumWidth(700)
        self.sidebar = RunSidebar(session)
        self._organization = ElidedLabel("", "muted", name="organization")
        self._building = StateIcon("building-2", "textMuted")
        self._building.hide()
        self._profile = Pill("monitor", "info", name="profile_pill")
        self._profile.hide()
        self._transfers = transfers
        self._sections = SectionBar()
        self.menu = MainMenu(self)
        self._build(jobs)
        self._shortcuts()
        self.sidebar.application_chosen.connect(self._application_chosen)
        self.sidebar.run_chosen.connect(self._run_chosen)
        navigator.changed.connect(self.show_route)
        session.connected.connect(self._show_account)
        transfers.changed.connect(self._count_transfers)
        session.runs_changed.connect(self._mark)
        session.applications_changed.connect(self._mark)
        palette.changes.changed.connect(self._restyle)
        self._restyle()
        state.restore_window(self, self._splitter, palette.current().size["sidebar"])

    def _build(self, jobs: Jobs) -> None:
        self._bar = QFrame()
        self._bar.setProperty("role", "topbar")
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(20, 0, 12, 0)
        row.setSpacing(10)
        row.addWidget(StateIcon("microscope", "accent", 24))
        row.addWidget(label("Launchpad", "title"))
        row.addSpacing(20)
        self._sections.add("applications", "layout-grid", self.tr("Applications"))
        self._sections.add("datasets", "database", self.tr("Data sets"))
        self._sections.add("transfers", "cloud-upload", self.tr("Transfers"))
        self._sections.add("bucket", "hard-drive", self.tr("Cloud bucket"))
        self._sections.chosen.connect(self._section_chosen)
        row.addWidget(self._sections, 1)
        row.addWidget(self._building)
        row.addWidget(self._organization)
        row.addWidget(self._profile)
        row.addWidget(self._menu())
        self._header = row
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setObjectName("splitter")
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self.sidebar)
        self._splitter.addWidget(self._stack)
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        self.footer = HealthFooter(self._session, jobs)
        self.footer.clicked.connect(self._go_health)
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._bar)
        box.addWidget(self._splitter, 1)
        box.addWidget(self.footer)
        self._column = box
        self.setCentralWidget(whole)

    def add_to_header(self, widget: QWidget) -> None:
        """Show something in the top bar, before the menu."""
        self._header.insertWidget(self._header.count() - 1, widget)

    def add_bar(self, widget: QWidget) -> None:
        """Show something below the top bar, above all pages."""
        self._column.insertWidget(1, widget)

    def _menu(self) -> IconButton:
        button = IconButton("menu", kind="quiet", tip=self.tr("Menu"), name="menu", small=True)
        menu = self.menu
        menu.add("applications", "layout-grid", self.tr("Applications"), self._go_home)
        menu.add("transfers", "cloud-upload", self.tr("Transfers"), self._go_transfers, "Ctrl+J")
        menu.add("datasets", "database", self.tr("Download data sets"), self._go_datasets, "Ctrl+D")
        menu.add("bucket", "hard-drive", self.tr("Manage cloud bucket"), self._go_bucket, "Ctrl+B")
        menu.add("qupath", "microscope", self.tr("QuPath"), self._go_qupath)
        menu.add("notebook", "notebook-pen", self.tr("Notebook"), self._go_notebook)
        menu.add("info", "settings", self.tr("Info and settings"), self._go_info, "Ctrl+,")
        menu.addSeparator()
        self._appearance_place = menu.addSeparator()
        menu.add("refresh", "refresh-cw", self.tr("Refresh"), self._session.refresh, "F5")
        menu.add_web()
        menu.addSeparator()
        menu.add("guide", "circle-help", self.tr("User guide"), self.guide_wanted.emit, "F1")
        menu.add("shortcuts", "list", self.tr("Keyboard shortcuts"), self.help_wanted.emit, "Shift+F1")
        menu.add("about", "info", self.tr("About Launchpad"), self._go_about)
        menu.addSeparator()
        menu.add("quit", "log-out", self.tr("Quit"), self.close, "Ctrl+Q")
        button.setMenu(menu)
        return button

    def _shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+F", self._find),
            ("Ctrl+N", self._new_run),
            ("Alt+Left", self._navigator.back),
            ("Alt+Right", self._navigator.forward),
            ("F6", self._next_area),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)

    # --- pages ------------------------------------------------------------------------------------------------------
    @Slot(object)
    def show_route(self, route: Route) -> None:
        """Show a page, making it when it is new."""
        page = self._pages.pop(route, None)
        if page is None:
            page = self._make_page(route)
            self._stack.addWidget(page)
        self._pages[route] = page  # the one visited last stands last
        self._stack.setCurrentWidget(page)
        self._let_go()
        page.setFocus(Qt.FocusReason.OtherFocusReason)
        self._mark()

    def _let_go(self) -> None:
        """Of the pages that show one thing of many, only those visited last are kept."""
        ones = [page for route, page in self._pages.items() if isinstance(route, (RunPage, Catalog))]
        for page in ones[:-_KEPT]:
            self.leave_page(page)

    def page(self) -> QWidget:
        """The page that is open."""
        return self._stack.currentWidget() or self

    def page_of(self, route: Route) -> QWidget | None:
        """The page of a route, when it was visited."""
        return self._pages.get(route)

    def forget(self, page: QWidget) -> None:
        """Drop a page, so that the next visit of its route makes a new one."""
        for route, own in list(self._pages.items()):
            if own is page:
                del self._pages[route]
                self._stack.removeWidget(page)
                self._session.tasks.let_go(page)
                page.deleteLater()

    def set_plain(self, plain: bool) -> None:
        """Before anything is connected there is nothing beside the page to show."""
        for part in (self.sidebar, self.footer, self._sections):
            part.setVisible(not plain)

    @Slot()
    def forget_pages(self) -> None:
        """The platform is another one: drop all pages, after they saved what they keep."""
        self.leave_pages()
        for page in list(self._pages.values()):
            self.forget(page)

    def leave_page(self, page: QWidget) -> None:
        """Drop a page after it has saved what it keeps."""
        leave = getattr(page, "leave", None)
        if leave is not None:
            leave()
        self.forget(page)

    def leave_pages(self) -> None:
        """The window ends: pages that keep something (drafts) save it now."""
        for page in self._pages.values():
            leave = getattr(page, "leave", None)
            if leave is not None:
                leave()

    @Slot()
    def _mark(self) -> None:
        route = self._navigator.route
        self.sidebar.select(
            application_id=route.application_id if isinstance(route, (Wizard, Catalog)) else None,
            run_id=route.run_id if isinstance(route, RunPage) else None,
        )
        nowhere: dict[type, str] = dict.fromkeys((Info, About, QuPathPage, NotebookPage), "")
        section = nowhere | {DatasetPage: "datasets", TransferList: "transfers", BucketPage: "bucket"}
        self._sections.set_current(section.get(type(route), "applications"))

    @Slot()
    def _count_transfers(self) -> None:
        """How many are not through: those left over want to be seen, too."""
        count = len([transfer for transfer in self._transfers.all() if transfer.state not in ("done", "cancelled")])
        words = self.tr("Transfers (%n)", "", count) if count else self.tr("Transfers")
        self._sections.set_words("transfers", words)

    @Slot()
    def _show_account(self) -> None:
        me, profile = self._session.me, self._session.profile
        if me is not None and profile.kind != "embedded":  # whose organization is this computer, which the pill says
            self._organization.setText(me.organization.display_name or me.organization.name or me.organization.id)
        else:
            self._organization.setText("")
        self._building.setVisible(bool(self._organization.text()))
        icon = "monitor" if profile.kind == "embedded" else "cloud-upload"
        self._profile.show()
        self._profile.set_state(profile.title, "info", icon)
        self.menu.show_links(profile.links)

    # --- where one goes -----------------------------------------------------------------------------------------------
    @Slot(str)
    def _section_chosen(self, key: str) -> None:
        routes: dict[str, Route] = {"datasets": DatasetPage(), "transfers": TransferList(), "bucket": BucketPage()}
        self._navigator.go(routes.get(key, Home()))

    @Slot(str)
    def _application_chosen(self, application_id: str) -> None:
        self._navigator.go(Wizard(application_id))

    @Slot(str)
    def _run_chosen(self, run_id: str) -> None:
        self._navigator.go(RunPage(run_id))

    @Slot()
    def _go_home(self) -> None:
        self._navigator.go(Home())

    @Slot()
    def _go_transfers(self) -> None:
        self._navigator.go(TransferList())

    @Slot()
    def _go_qupath(self) -> None:
        self._navigator.go(QuPathPage())

    @Slot()
    def _go_bucket(self) -> None:
        self._navigator.go(BucketPage())

    @Slot()
    def _go_datasets(self) -> None:
        self._navigator.go(DatasetPage())

    @Slot()
    def _go_notebook(self) -> None:
        self._navigator.go(NotebookPage())

    @Slot()
    def _go_info(self) -> None:
        self._navigator.go(Info())

    @Slot()
    def _go_health(self) -> None:
        self._navigator.go(Info())
        open_tab = getattr(self.page(), "open_tab", None)
        if open_tab is not None:
            open_tab("health")

    @Slot()
    def _go_about(self) -> None:
        self._navigator.go(About())

    @Slot()
    def _new_run(self) -> None:
        """Of the application that is open, otherwise of the first."""
        route = self._navigator.route
        if isinstance(route, (Wizard, Catalog)):
            self._navigator.go(Wizard(route.application_id))
        elif self._session.applications:
            self._navigator.go(Wizard(self._session.applications[0].application_id))

    @Slot()
    def _find(self) -> None:
        """The page's own filter, where it has one; otherwise that of the runs."""
        find = getattr(self.page(), "find_here", None)
        if find is None or not find():
            self.sidebar.focus_filter()

    @Slot()
    def _next_area(self) -> None:
        """From the sidebar to the page, and back."""
        if self.sidebar.isAncestorOf(self.focusWidget() or self):
            self.page().setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.page().focusNextChild()
        else:
            self.sidebar.focus_list()

    # --- drops anywhere ---------------------------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths: list[Path] = local_paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)

    @Slot()
    def _restyle(self) -> None:
        self._bar.setFixedHeight(palette.current().size["topBar"])

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.seen.emit(not self.isMinimized())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.seen.emit(not self.isMinimized())

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.seen.emit(False)

    def come_forward(self) -> None:
        """To the front, whatever it was."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    # --- end --------------------------------------------------------------------------------------------------------
    def let_close(self) -> None:
        """Everything has ended: the next close is real."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._state.save_window(self, self._splitter)
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.closing.emit()
