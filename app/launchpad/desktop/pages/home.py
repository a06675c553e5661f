"""Welcome: what Launchpad does, its applications as cards, and where to begin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.navigation import Route, Wizard
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, Pill, StateIcon, label

if TYPE_CHECKING:
    from launchpad.platform.models import ApplicationReadShortResponse


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
        for number, application in enumerate(self._session.applications):
            self._grid.addWidget(self._card(application), number // 2, number % 2)

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
            meaning = self.tr("Research use only") if regulatory_class == "RUO" else regulatory_class
            pills.addWidget(Pill("info", "pending", meaning))
        pills.addStretch(1)
        card.column.addLayout(pills)
        words = label(application.description, "muted")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        card.column.addWidget(words, 1)
        start = IconButton("plus", self.tr("New run"), kind="primary", name=f"new_run_{application.application_id}")
        start.clicked.connect(partial(self._navigate, Wizard(application.application_id)))
        row = QHBoxLayout()
        row.addWidget(start)
        row.addStretch(1)
        card.column.addLayout(row)
        return card
