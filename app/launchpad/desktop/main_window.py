"""The window: top bar, sidebar, pages, footer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from launchpad.desktop.background import Jobs
from launchpad.desktop.navigation import Home, Info, Navigator, QuPathPage, Route, RunPage, TransferList, Wizard
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import IconButton, Pill, StateIcon, label
from launchpad.desktop.widgets.health_footer import HealthFooter
from launchpad.desktop.widgets.run_sidebar import RunSidebar


class MainWindow(QMainWindow):
    """Shows the page of the current route; pages are made by `make_page` at their first visit."""

    closing = Signal()

    def __init__(
        self,
        session: Session,
        transfers: Transfers,
        jobs: Jobs,
        navigator: Navigator,
        settings: QSettings,
        make_page: Callable[[Route], QWidget],
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Launchpad")
        self.setMinimumSize(1024, 660)
        self._session, self._navigator, self._settings, self._make_page = session, navigator, settings, make_page
        self._pages: dict[Route, QWidget] = {}
        self._may_close = False
        self._stack = QStackedWidget()
        self._sidebar = RunSidebar(session)
        self._organization = label("", "muted")
        self._profile = Pill("monitor", "info", name="profile_pill")
        self._profile.hide()
        self._transfers = transfers
        self._build(jobs)
        self._shortcuts()
        self._sidebar.application_chosen.connect(self._application_chosen)
        self._sidebar.run_chosen.connect(self._run_chosen)
        navigator.changed.connect(self.show_route)
        session.connected.connect(self._show_account)
        transfers.changed.connect(self._count_transfers)
        session.runs_changed.connect(self._mark)
        session.applications_changed.connect(self._mark)
        geometry = settings.value("geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(QSize(1400, 900))

    def _build(self, jobs: Jobs) -> None:
        theme = palette.current()
        bar = QFrame()
        bar.setProperty("role", "topbar")
        bar.setFixedHeight(theme.size["topBar"])
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 0, 12, 0)
        row.setSpacing(10)
        row.addWidget(StateIcon("microscope", "accent", 24))
        row.addWidget(label("Launchpad", "title"))
        row.addSpacing(24)
        self._section = IconButton("layout-grid", self.tr("Applications"), kind="section", name="section_applications")
        self._section.setCheckable(True)
        self._section.setChecked(True)
        self._section.clicked.connect(self._go_home)
        row.addWidget(self._section)
        self._moving = IconButton("cloud-upload", self.tr("Transfers"), kind="section", name="section_transfers")
        self._moving.setCheckable(True)
        self._moving.clicked.connect(self._go_transfers)
        row.addWidget(self._moving)
        row.addStretch(1)
        row.addWidget(StateIcon("building-2", "textMuted"))
        row.addWidget(self._organization)
        row.addWidget(self._profile)
        row.addWidget(self._menu())
        self._header = row
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(self._sidebar)
        body.addWidget(self._stack, 1)
        footer = HealthFooter(self._session, jobs)
        footer.clicked.connect(self._go_info)
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(bar)
        box.addLayout(body, 1)
        box.addWidget(footer)
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
        menu = QMenu(self)
        for words, keys, slot in (
            (self.tr("Applications"), "", self._go_home),
            (self.tr("Transfers"), "Ctrl+J", self._go_transfers),
            (self.tr("QuPath"), "", self._go_qupath),
            (self.tr("Info and settings"), "Ctrl+,", self._go_info),
            (self.tr("Refresh"), "F5", self._session.refresh),
            (self.tr("Quit"), "Ctrl+Q", self.close),
        ):
            action = QAction(words, self)
            if keys:
                action.setShortcut(QKeySequence(keys))
            action.triggered.connect(slot)
            menu.addAction(action)
            self.addAction(action)
        button.setMenu(menu)
        return button

    def _shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+F", self._sidebar.focus_filter),
            ("Alt+Left", self._navigator.back),
            ("Alt+Right", self._navigator.forward),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)

    # --- pages ------------------------------------------------------------------------------------------------------
    @Slot(object)
    def show_route(self, route: Route) -> None:
        """Show a page, making it when it is new."""
        page = self._pages.get(route)
        if page is None:
            page = self._make_page(route)
            self._pages[route] = page
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)
        self._mark()

    def forget(self, page: QWidget) -> None:
        """Drop a page, so that the next visit of its route makes a new one."""
        for route, own in list(self._pages.items()):
            if own is page:
                del self._pages[route]
                self._stack.removeWidget(page)
                page.deleteLater()

    def set_plain(self, plain: bool) -> None:
        """Before anything is connected there is nothing beside the page to show."""
        for part in (*self.findChildren(RunSidebar), *self.findChildren(HealthFooter)):
            part.setVisible(not plain)

    @Slot()
    def forget_pages(self) -> None:
        """The platform is another one: drop all pages, after they saved what they keep."""
        self.leave_pages()
        for page in list(self._pages.values()):
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
        self._sidebar.select(
            application_id=route.application_id if isinstance(route, Wizard) else None,
            run_id=route.run_id if isinstance(route, RunPage) else None,
        )
        self._section.setChecked(not isinstance(route, (Info, QuPathPage, TransferList)))
        self._moving.setChecked(isinstance(route, TransferList))

    @Slot()
    def _count_transfers(self) -> None:
        """How many are not through: those left over want to be seen, too."""
        count = len([transfer for transfer in self._transfers.all() if transfer.state not in ("done", "cancelled")])
        words = self.tr("Transfers")
        self._moving.setText(f"{words} ({count})" if count else words)

    @Slot()
    def _show_account(self) -> None:
        me = self._session.me
        if me is not None:
            self._organization.setText(me.organization.display_name or me.organization.name or me.organization.id)
        else:
            self._organization.setText("")
        profile = self._session.profile
        icon = "monitor" if profile.kind == "embedded" else "cloud-upload"
        self._profile.show()
        self._profile.set_state(profile.title, "info", icon)

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
    def _go_info(self) -> None:
        self._navigator.go(Info())

    # --- end --------------------------------------------------------------------------------------------------------
    def let_close(self) -> None:
        """Everything has ended: the next close is real."""
        self._may_close = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("geometry", self.saveGeometry())
        if self._may_close:
            event.accept()
        else:
            event.ignore()
            self.closing.emit()
