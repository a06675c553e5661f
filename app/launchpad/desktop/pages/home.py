"""Welcome: what Launchpad does, its applications as cards, and where to begin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.navigation import Catalog, Route, Wizard
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, Pill, StateIcon, label
from launchpad.desktop.widgets.class_pill import class_pill

if TYPE_CHECKING:
    from launchpad.platform.models import ApplicationReadShortResponse


_AROUND = 96  # px beside and between the cards


class HomePage(QWidget):
    """The first page."""

    def __init__(self, session: Session, navigate: Callable[[Route], None]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._navigate = navigate
        self._grid = QGridLayout()
        self._grid.setSpacing(16)
        self._cards: list[Card] = []
        self._columns = 0
        self._waiting = label(self.tr("Connecting to the platform …"), "muted")
        self.banner = Notice("circle-alert", "failed", name="home_banner")
        inner = QWidget()
        inner.setObjectName("page")
        box = QVBoxLayout(inner)
        box.setContentsMargins(32, 28, 32, 24)
        box.setSpacing(12)
        box.addWidget(label(self.tr("From slides to results"), "display"))
        words = label(
            self.tr(
                "Choose an application, drop your whole slide images, fill in what it asks for, and submit. "
                "Results come to a folder of this computer, verified."
            ),
            "muted",
        )
        words.setWordWrap(True)
        box.addWidget(words)
        box.addWidget(self.banner)
        box.addSpacing(8)
        box.addWidget(label(self.tr("Applications"), "section"))
        box.addWidget(self._waiting)
        box.addLayout(self._grid)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        session.applications_changed.connect(self._show)
        session.failed.connect(self.banner.show_error)
        session.connected.connect(self.banner.hide)
        self._show()

    @Slot()
    def _show(self) -> None:
        while (entry := self._grid.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.deleteLater()
        self._waiting.setVisible(not self._session.is_connected)
        self._cards = [self._card(application) for application in self._session.applications]
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Two columns where both have room."""
        wanted = 2 * max((card.minimumSizeHint().width() for card in self._cards), default=0) + _AROUND
        columns = 2 if wanted <= self.width() else 1
        if columns != self._columns:
            self._columns = columns
            for number, card in enumerate(self._cards):
                self._grid.addWidget(card, number // columns, number % columns)

    def _card(self, application: ApplicationReadShortResponse) -> Card:
        card = Card(20)
        head = QHBoxLayout()
        head.addWidget(StateIcon("microscope", "accent", 18))
        title = label(application.name, "title")
        title.setWordWrap(True)
        head.addWidget(title, 1)
        card.column.addLayout(head)
        pills = QHBoxLayout()
        if application.latest_version is not None:
            pills.addWidget(Pill("info", "info", application.latest_version.number))
        for regulatory_class in application.regulatory_classes:
            pills.addWidget(class_pill(regulatory_class, self.tr("Research use only")))
        pills.addStretch(1)
        card.column.addLayout(pills)
        words = label(application.description, "muted")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        card.column.addWidget(words, 1)
        start = IconButton("plus", self.tr("New run"), kind="primary", name=f"new_run_{application.application_id}")
        start.clicked.connect(partial(self._navigate, Wizard(application.application_id)))
        start.setAccessibleName(self.tr("New run of %1").replace("%1", application.name))
        row = QHBoxLayout()
        more = IconButton("info", self.tr("Details"), kind="quiet", name=f"details_{application.application_id}")
        more.clicked.connect(partial(self._navigate, Catalog(application.application_id)))
        row.addWidget(start)
        row.addWidget(more)
        row.addStretch(1)
        card.column.addLayout(row)
        return card
