"""The left side: the application catalog above the runs with their search and filters."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.delegates.run_row import RunRowDelegate
from launchpad.desktop.models.run_list import RowRole, RunListModel
from launchpad.desktop.models.words import plain_tip
from launchpad.desktop.session import Session
from launchpad.desktop.theme import icons, palette
from launchpad.desktop.widgets.basics import IconButton, Notice, label
from launchpad.desktop.widgets.run_filter_menu import RunFilterMenu
from launchpad.desktop.widgets.tag_chips import TagChips

_ROW = 34
_SHOWN = 6  # applications without scrolling


class RunSidebar(QFrame):
    """Applications and runs.

    Signals:
        application_chosen: id of the application that was clicked.
        run_chosen: id of the run that was clicked.
    """

    application_chosen = Signal(str)
    run_chosen = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("role", "sidebar")
        self.setMinimumWidth(230)
        self.setMaximumWidth(560)
        self._wanted_run: str | None = None
        self._applications = QListWidget()
        self._applications.setObjectName("application_list")
        self._applications.setAccessibleName(self.tr("Applications"))
        self._applications.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._applications.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._applications.setStyleSheet(
            "QListWidget { padding: 0 12px; } QListWidget::item { padding-left: 8px; border-radius: 6px; }"
        )
        self._applications.itemClicked.connect(self._application_clicked)
        self._applications.itemActivated.connect(self._application_clicked)
        self._waiting = label(self.tr("Connecting …"), "caption", name="sidebar_waiting")
        self._count = label("", "muted", name="run_count")
        self._search = QLineEdit()
        self._search.setObjectName("run_filter")
        self._search.setPlaceholderText(self.tr("Search note, tag, application"))
        self._search.setAccessibleName(self.tr("Search runs"))
        self._search.setClearButtonEnabled(True)
        self.model = RunListModel(self)
        self.model.more_wanted.connect(session.more_runs)
        self._filters = RunFilterMenu(session, self.model, self)
        self._filters.changed.connect(self._filtered)
        self._search.textChanged.connect(self._searched)
        self._chips = TagChips()
        self._chips.setObjectName("run_filter_chips")
        self._chips.removed.connect(self._filters.clear_one)
        self._chips.hide()
        self._runs = QListView()
        self._runs.setObjectName("run_list")
        self._runs.setAccessibleName(self.tr("Runs"))
        self._runs.setModel(self.model)
        self._delegate = RunRowDelegate(self.model.name)
        self._runs.setItemDelegate(self._delegate)
        self._runs.setMouseTracking(True)
        self._runs.setUniformItemSizes(True)
        self._runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._runs.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._runs.clicked.connect(self._run_clicked)
        self._runs.activated.connect(self._run_clicked)
        self._empty = label("", "caption", wrap=True, name="runs_empty")
        self._failed = Notice("circle-alert", "failed", name="runs_error")
        self._build()
        session.applications_changed.connect(self._show_applications)
        session.runs_changed.connect(self._show_runs)
        session.runs_failed.connect(self._show_error)
        session.connected.connect(self._show_runs)
        palette.changes.changed.connect(self._restyle)
        self._show_runs()

    def _build(self) -> None:
        refresh = IconButton("refresh-cw", kind="quiet", tip=self.tr("Refresh (F5)"), name="refresh_runs", small=True)
        refresh.clicked.connect(self._session.refresh)
        filters = IconButton("filter", kind="quiet", tip=self.tr("Filter runs"), name="run_filters", small=True)
        filters.setMenu(self._filters)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 14, 0, 0)
        box.setSpacing(6)
        box.addLayout(_row((20, 0, 12, 0), label(self.tr("Applications"), "section")))
        box.addLayout(_row((20, 0, 12, 0), self._waiting))
        box.addWidget(self._applications)
        self._applications.setFixedHeight(0)
        head = QHBoxLayout()
        head.setContentsMargins(20, 8, 10, 0)
        head.setSpacing(6)
        head.addWidget(label(self.tr("Runs"), "section"))
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(filters)
        head.addWidget(refresh)
        box.addLayout(head)
        box.addLayout(_row((12, 0, 12, 0), self._search))
        box.addLayout(_row((12, 0, 12, 0), self._chips))
        box.addLayout(_row((12, 0, 12, 0), self._failed))
        box.addLayout(_row((20, 0, 12, 0), self._empty))
        box.addWidget(self._runs, 1)

    def sizeHint(self) -> QSize:
        return QSize(palette.current().size["sidebar"], super().sizeHint().height())

    # --- what others ask for ------------------------------------------------------------------------------------------
    def focus_filter(self) -> None:
        """Type in the search next."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def focus_list(self) -> None:
        """The keyboard walks through the runs next, or the applications where there are none."""
        view = self._runs if self.model.rowCount() else self._applications
        view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(str)
    def filter_by_tag(self, tag: str) -> None:
        """Show the runs that have this tag."""
        self._filters.choose_tag(tag)

    def select(self, application_id: str | None = None, run_id: str | None = None) -> None:
        """Mark what the page shows."""
        self._wanted_run = run_id
        self._applications.clearSelection()
        for row in range(self._applications.count()):
            item = self._applications.item(row)
            if application_id is not None and item.data(RowRole) == application_id:
                self._applications.setCurrentItem(item)
        row = self.model.row_of(run_id) if run_id is not None else -1
        if row >= 0:
            if self._runs.currentIndex().row() != row or not self._runs.selectionModel().hasSelection():
                self._runs.setCurrentIndex(self.model.index(row))
        else:
            self._runs.clearSelection()

    # --- inside -------------------------------------------------------------------------------------------------------
    @Slot()
    def _restyle(self) -> None:
        self._show_applications()
        self._runs.doItemsLayout()

    @Slot()
    def _show_applications(self) -> None:
        chosen = self._applications.currentItem()
        kept = chosen.data(RowRole) if chosen is not None and chosen.isSelected() else None
        self._applications.clear()
        height = palette.current().scaled(_ROW)
        for application in self._session.applications:
            item = QListWidgetItem(icons.icon("microscope", "accent"), application.name)
            item.setData(RowRole, application.application_id)
            item.setToolTip(plain_tip(f"{application.name}\n{application.application_id}"))
            item.setSizeHint(QSize(10, height))
            self._applications.addItem(item)
            if application.application_id == kept:
                self._applications.setCurrentItem(item)
        self._applications.setFixedHeight(min(_SHOWN, len(self._session.applications)) * height)
        self._waiting.setVisible(not self._session.applications)
        connected = self._session.is_connected
        self._waiting.setText(self.tr("You have no applications.") if connected else self.tr("Connecting …"))
        self.model.set_names({item.application_id: item.name for item in self._session.applications})

    @Slot()
    def _show_runs(self) -> None:
        self._failed.hide()
        self.model.set_runs(self._session.runs, complete=self._session.runs_complete or not self._session.runs_loaded)
        self._show_counts()
        self.select_again()

    def select_again(self) -> None:
        """The run of the page may only now be in the list."""
        if self._wanted_run is not None and not self._runs.selectionModel().hasSelection():
            row = self.model.row_of(self._wanted_run)
            if row >= 0:
                self._runs.setCurrentIndex(self.model.index(row))

    def _show_counts(self) -> None:
        shown, total = self.model.rowCount(), self.model.total()
        more = "" if self._session.runs_complete or not total else "+"
        if not total:
            self._count.setText("")
        elif self.model.filter.is_empty:
            self._count.setText(f"{total}{more}")
        else:
            self._count.setText(self.tr("%1 of %2").replace("%1", str(shown)).replace("%2", f"{total}{more}"))
        words = ""
        if not self._session.runs_loaded:
            words = self.tr("Loading runs …") if self._session.is_connected else ""
        elif not total:
            words = self.tr("You have no runs yet.")
            if self._session.of_organization:
                words = self.tr("Your organization has no runs yet.")
        elif not shown:
            words = self.tr("No run matches.") if not more else self.tr("Looking through older runs …")
        self._empty.setText(words)
        self._empty.setVisible(bool(words))

    @Slot(object)
    def _show_error(self, error: BaseException) -> None:
        if self._session.of_organization and not self._session.runs_loaded:
            self._session.show_runs_of(organization=False)  # one may not see them
            self._filters.refresh()
        self._failed.show_error(error)

    @Slot(str)
    def _searched(self, text: str) -> None:
        self._filters.search(text)

    @Slot()
    def _filtered(self) -> None:
        with QSignalBlocker(self._search):
            if self._search.text() != self._filters.wanted.text:
                self._search.setText(self._filters.wanted.text)
        self.model.set_filter(self._filters.wanted)
        chips = self._filters.words()
        self._chips.show_tags(chips)
        self._chips.setVisible(bool(chips))
        self._show_counts()

    @Slot(QListWidgetItem)
    def _application_clicked(self, item: QListWidgetItem) -> None:
        self.application_chosen.emit(str(item.data(RowRole)))

    @Slot(QModelIndex)
    def _run_clicked(self, index: QModelIndex) -> None:
        run = index.data(RowRole)
        if run is not None:
            self._wanted_run = run.run_id
            self.run_chosen.emit(run.run_id)


def _row(margins: tuple[int, int, int, int], widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(*margins)
    row.addWidget(widget)
    return row
