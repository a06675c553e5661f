"""The window: top bar, sidebar, pages, footer. It is shown as a frame first; `fill` makes what is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMainWindow, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from launchpad.desktop.theme import palette
from launchpad.desktop.window_state import WindowState

if TYPE_CHECKING:
    # What is in the window is imported when the frame has been painted.
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QHideEvent, QShowEvent

    from launchpad.desktop.background import Jobs
    from launchpad.desktop.navigation import Navigator, Route
    from launchpad.desktop.session import Session
    from launchpad.desktop.transfers import Transfers

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

    def __init__(self, state: WindowState, *, plain: bool) -> None:
        """The frame: a top bar with the name and, unless `plain`, the sidebar's place."""
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Launchpad")
        self.setMinimumSize(MINIMUM)
        self.setAcceptDrops(True)
        self._state = state
        self._pages: dict[Route, QWidget] = {}
        self._may_close = False
        self._bar = QFrame()
        self._bar.setProperty("role", "topbar")
        self._header = QHBoxLayout(self._bar)
        self._header.setContentsMargins(20, 0, 12, 0)
        self._header.setSpacing(10)
        self._icon_place = QLabel()
        self._icon_place.setFixedSize(24, 24)
        title = QLabel("Launchpad")
        title.setProperty("type", "title")
        self._header.addWidget(self._icon_place)
        self._header.addWidget(title)
        self._header.addStretch(1)
        self._splitter = QSplitter()
        self._splitter.setObjectName("splitter")
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        sidebar_place = QFrame()
        sidebar_place.setProperty("role", "sidebar")
        sidebar_place.setVisible(not plain)
        self._splitter.addWidget(sidebar_place)
        self._splitter.addWidget(QWidget())
        whole = QWidget()
        self._column = QVBoxLayout(whole)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._bar)
        self._column.addWidget(self._splitter, 1)
        self.setCentralWidget(whole)
        palette.changes.changed.connect(self._restyle)
        self._restyle()
        state.restore_geometry(self)
        state.restore_sidebar(self._splitter, palette.current().size["sidebar"], self.width())

    def fill(
        self,
        session: Session,
        transfers: Transfers,
        jobs: Jobs,
        navigator: Navigator,
        make_page: Callable[[Route], QWidget],
    ) -> None:
        """Make what is in the frame, once."""
        from launchpad.desktop.ways import Ways
        from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Pill, StateIcon
        from launchpad.desktop.widgets.health_footer import HealthFooter
        from launchpad.desktop.widgets.main_menu import MainMenu
        from launchpad.desktop.widgets.run_sidebar import RunSidebar
        from launchpad.desktop.widgets.section_bar import SectionBar

        self._session, self._make_page = session, make_page
        self._transfers = transfers
        self._stack = QStackedWidget()
        self._stack.setMinimumWidth(700)
        self.sidebar = RunSidebar(session)
        for index, part in enumerate((self.sidebar, self._stack)):
            place = self._splitter.replaceWidget(index, part)
            if place is not None:
                place.deleteLater()
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        # Once more, as a place that is hidden has no width.
        self._state.restore_sidebar(self._splitter, palette.current().size["sidebar"], self.width())

        self._organization = ElidedLabel("", "muted", name="organization")
        self._building = StateIcon("building-2", "textMuted")
        self._building.hide()
        self._profile = Pill("monitor", "info", name="profile_pill")
        self._profile.hide()
        self._sections = SectionBar()
        self._sections.add("applications", "layout-grid", self.tr("Applications"))
        self._sections.add("datasets", "database", self.tr("Data sets"))
        self._sections.add("transfers", "cloud-upload", self.tr("Transfers"))
        self._sections.add("bucket", "hard-drive", self.tr("Cloud bucket"))
        self.menu = MainMenu(self)
        menu_button = IconButton("menu", kind="quiet", tip=self.tr("Menu"), name="menu", small=True)
        menu_button.setMenu(self.menu)
        self._header.replaceWidget(self._icon_place, StateIcon("microscope", "accent", 24))
        self._icon_place.deleteLater()
        self._header.takeAt(self._header.count() - 1)  # the stretch
        self._header.addSpacing(20)
        self._header.addWidget(self._sections, 1)
        for shown in (self._building, self._organization, self._profile, menu_button):
            self._header.addWidget(shown)

        self.footer = HealthFooter(session, jobs)
        self._column.addWidget(self.footer)
        self._ways = Ways(self, self._sections, session, navigator)
        navigator.changed.connect(self.show_route)
        session.connected.connect(self._show_account)
        transfers.changed.connect(self._count_transfers)

    def add_to_header(self, widget: QWidget) -> None:
        """Show something in the top bar, before the menu."""
        self._header.insertWidget(self._header.count() - 1, widget)

    def add_bar(self, widget: QWidget) -> None:
        """Show something below the top bar, above all pages."""
        self._column.insertWidget(1, widget)

    # --- pages ------------------------------------------------------------------------------------------------------
    @Slot(object)
    def show_route(self, route: Route) -> None:
        """Show a page, making it when it is new."""
        from PySide6.QtCore import Qt

        page = self._pages.pop(route, None)
        if page is None:
            page = self._make_page(route)
            self._stack.addWidget(page)
        self._pages[route] = page  # the one visited last stands last
        self._stack.setCurrentWidget(page)
        self._let_go()
        page.setFocus(Qt.FocusReason.OtherFocusReason)
        self._ways.mark()

    def _let_go(self) -> None:
        """Of the pages that show one thing of many, only those visited last are kept."""
        from launchpad.desktop.navigation import Catalog, RunPage

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

    # --- drops anywhere ---------------------------------------------------------------------------------------------
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        from launchpad.desktop.widgets.drop_area import local_paths

        if local_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        from launchpad.desktop.widgets.drop_area import local_paths

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
