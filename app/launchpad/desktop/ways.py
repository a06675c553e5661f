"""Where one goes from the window: its menu, sections, sidebar, footer and shortcuts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut

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
from launchpad.desktop.widgets.section_bar import SectionBar

if TYPE_CHECKING:
    from launchpad.desktop.main_window import MainWindow


class Ways(QObject):
    """Leads from the parts of the window to pages, and marks in them where one is."""

    def __init__(self, window: MainWindow, sections: SectionBar, session: Session, navigator: Navigator) -> None:
        super().__init__(window)
        self._window, self._sections, self._session, self._navigator = window, sections, session, navigator
        self._add_menu()
        self._add_shortcuts()
        sections.chosen.connect(self._section_chosen)
        window.sidebar.application_chosen.connect(self._application_chosen)
        window.sidebar.run_chosen.connect(self._run_chosen)
        window.footer.clicked.connect(self._go_health)
        session.runs_changed.connect(self.mark)
        session.applications_changed.connect(self.mark)

    def _add_menu(self) -> None:
        menu, go = self._window.menu, self._navigator.go
        menu.add("applications", "layout-grid", self.tr("Applications"), partial(go, Home()))
        menu.add("transfers", "cloud-upload", self.tr("Transfers"), partial(go, TransferList()), "Ctrl+J")
        menu.add("datasets", "database", self.tr("Download data sets"), partial(go, DatasetPage()), "Ctrl+D")
        menu.add("bucket", "hard-drive", self.tr("Manage cloud bucket"), partial(go, BucketPage()), "Ctrl+B")
        menu.add("qupath", "microscope", self.tr("QuPath"), partial(go, QuPathPage()))
        menu.add("notebook", "notebook-pen", self.tr("Notebook"), partial(go, NotebookPage()))
        menu.add("info", "settings", self.tr("Info and settings"), partial(go, Info()), "Ctrl+,")
        menu.addSeparator()
        menu.add("refresh", "refresh-cw", self.tr("Refresh"), self._session.refresh, "F5")
        menu.add_web()
        menu.addSeparator()
        menu.add("guide", "circle-help", self.tr("User guide"), self._window.guide_wanted.emit, "F1")
        menu.add("shortcuts", "list", self.tr("Keyboard shortcuts"), self._window.help_wanted.emit, "Shift+F1")
        menu.add("about", "info", self.tr("About Launchpad"), partial(go, About()))
        menu.addSeparator()
        menu.add("quit", "log-out", self.tr("Quit"), self._window.close, "Ctrl+Q")

    def _add_shortcuts(self) -> None:
        for keys, slot in (
            ("Ctrl+F", self._find),
            ("Ctrl+N", self._new_run),
            ("Alt+Left", self._navigator.back),
            ("Alt+Right", self._navigator.forward),
            ("F6", self._next_area),
        ):
            QShortcut(QKeySequence(keys), self._window).activated.connect(slot)

    @Slot()
    def mark(self) -> None:
        """Show in the sidebar and the sections where one is."""
        route = self._navigator.route
        self._window.sidebar.select(
            application_id=route.application_id if isinstance(route, (Wizard, Catalog)) else None,
            run_id=route.run_id if isinstance(route, RunPage) else None,
        )
        nowhere: dict[type, str] = dict.fromkeys((Info, About, QuPathPage, NotebookPage), "")
        section = nowhere | {DatasetPage: "datasets", TransferList: "transfers", BucketPage: "bucket"}
        self._sections.set_current(section.get(type(route), "applications"))

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
    def _go_health(self) -> None:
        self._navigator.go(Info())
        open_tab = getattr(self._window.page(), "open_tab", None)
        if open_tab is not None:
            open_tab("health")

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
        find = getattr(self._window.page(), "find_here", None)
        if find is None or not find():
            self._window.sidebar.focus_filter()

    @Slot()
    def _next_area(self) -> None:
        """From the sidebar to the page, and back."""
        if self._window.sidebar.isAncestorOf(self._window.focusWidget() or self._window):
            self._window.page().setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._window.page().focusNextChild()
        else:
            self._window.sidebar.focus_list()
