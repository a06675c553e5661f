"""The left side: the application catalog above the runs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QListView, QListWidget, QListWidgetItem, QVBoxLayout

from launchpad.desktop.delegates.run_row import RunRowDelegate
from launchpad.desktop.models.run_list import RowRole, RunListModel
from launchpad.desktop.session import Session
from launchpad.desktop.theme import icons, palette
from launchpad.desktop.widgets.basics import IconButton, label

_ROW = 36


class RunSidebar(QFrame):
    """Applications and runs; says which one was chosen."""

    application_chosen = Signal(str)
    run_chosen = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("role", "sidebar")
        self.setFixedWidth(palette.current().size["sidebar"])
        self._applications = QListWidget()
        self._applications.setObjectName("application_list")
        self._applications.setAccessibleName(self.tr("Applications"))
        self._applications.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._applications.itemClicked.connect(self._application_clicked)
        self._applications.itemActivated.connect(self._application_clicked)
        self._waiting = label(self.tr("Connecting …"), "caption")
        self._count = label("", "muted")
        self._filter = QLineEdit()
        self._filter.setObjectName("run_filter")
        self._filter.setPlaceholderText(self.tr("Filter by note, tag or application"))
        self._filter.setAccessibleName(self.tr("Filter runs"))
        self._filter.setClearButtonEnabled(True)
        self._model = RunListModel()
        self._filter.textChanged.connect(self._model.set_filter)
        self._runs = QListView()
        self._runs.setObjectName("run_list")
        self._runs.setAccessibleName(self.tr("Runs"))
        self._runs.setModel(self._model)
        self._delegate = RunRowDelegate(self._model.name)
        self._runs.setItemDelegate(self._delegate)
        self._runs.setMouseTracking(True)
        self._runs.setUniformItemSizes(True)
        self._runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._runs.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self._runs.clicked.connect(self._run_clicked)
        self._runs.activated.connect(self._run_clicked)
        self._empty = label(self.tr("You have no runs yet."), "caption")
        self._build()
        session.applications_changed.connect(self._show_applications)
        session.runs_changed.connect(self._show_runs)
        palette.changes.changed.connect(self._show_applications)

    def _build(self) -> None:
        refresh = IconButton("refresh-cw", kind="quiet", tip=self.tr("Refresh (F5)"), name="refresh_runs", small=True)
        refresh.clicked.connect(self._session.refresh)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 16, 0, 0)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.setContentsMargins(20, 0, 12, 0)
        head.addWidget(label(self.tr("Applications"), "section"))
        head.addStretch(1)
        box.addLayout(head)
        waiting = QHBoxLayout()
        waiting.setContentsMargins(20, 0, 12, 0)
        waiting.addWidget(self._waiting)
        box.addLayout(waiting)
        box.addWidget(self._applications)
        self._applications.setFixedHeight(0)
        head = QHBoxLayout()
        head.setContentsMargins(20, 8, 12, 0)
        head.addWidget(label(self.tr("Runs"), "section"))
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(refresh)
        box.addLayout(head)
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 12, 0)
        row.addWidget(self._filter)
        box.addLayout(row)
        empty = QHBoxLayout()
        empty.setContentsMargins(20, 0, 12, 0)
        empty.addWidget(self._empty)
        box.addLayout(empty)
        box.addWidget(self._runs, 1)

    def focus_filter(self) -> None:
        """Type in the filter next."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def select(self, application_id: str | None = None, run_id: str | None = None) -> None:
        """Mark what the page shows."""
        self._applications.clearSelection()
        for row in range(self._applications.count()):
            item = self._applications.item(row)
            if application_id is not None and item.data(RowRole) == application_id:
                self._applications.setCurrentItem(item)
        row = self._model.row_of(run_id) if run_id is not None else -1
        if row >= 0:
            self._runs.setCurrentIndex(self._model.index(row))
        else:
            self._runs.clearSelection()

    @Slot()
    def _show_applications(self) -> None:
        chosen = self._applications.currentItem()
        kept = chosen.data(RowRole) if chosen is not None and chosen.isSelected() else None
        self._applications.clear()
        for application in self._session.applications:
            item = QListWidgetItem(icons.icon("microscope", "accent"), application.name)
            item.setData(RowRole, application.application_id)
            item.setSizeHint(item.sizeHint().expandedTo(self._applications.sizeHint()))
            size = item.sizeHint()
            size.setHeight(_ROW)
            size.setWidth(10)
            item.setSizeHint(size)
            self._applications.addItem(item)
            if application.application_id == kept:
                self._applications.setCurrentItem(item)
        self._applications.setStyleSheet("QListWidget { padding: 0 12px; } QListWidget::item { padding-left: 8px; }")
        self._applications.setFixedHeight(min(6, len(self._session.applications)) * _ROW)
        self._waiting.setVisible(not self._session.applications)
        names = {item.application_id: item.name for item in self._session.applications}
        self._model.set_names(names)

    @Slot()
    def _show_runs(self) -> None:
        self._model.set_runs(self._session.runs)
        self._count.setText(str(len(self._session.runs)) if self._session.runs else "")
        self._empty.setVisible(not self._session.runs)

    @Slot(QListWidgetItem)
    def _application_clicked(self, item: QListWidgetItem) -> None:
        self.application_chosen.emit(str(item.data(RowRole)))

    @Slot(QModelIndex)
    def _run_clicked(self, index: QModelIndex) -> None:
        run = index.data(RowRole)
        if run is not None:
            self.run_chosen.emit(run.run_id)
