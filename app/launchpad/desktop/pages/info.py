"""Health with remedies, versions, places, theme."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QRadioButton, QScrollArea, QVBoxLayout, QWidget

from launchpad import __version__, paths
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, Pill, label

if TYPE_CHECKING:
    from launchpad.system.health import Health

_PILLS = {"UP": ("done", "circle-check"), "DEGRADED": ("partial", "circle-alert"), "DOWN": ("failed", "circle-x")}


class InfoPage(QWidget):
    """What IT people ask for."""

    def __init__(self, session: Session, scheme: str, choose_scheme: Callable[[str], None]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._health = Card(20)
        self._parts = QGridLayout()
        self._parts.setHorizontalSpacing(16)
        self._parts.setColumnStretch(2, 1)
        self._health.column.addWidget(label(self.tr("Health"), "section"))
        self._health.column.addLayout(self._parts)
        inner = QWidget()
        inner.setObjectName("page")
        box = QVBoxLayout(inner)
        box.setContentsMargins(32, 28, 32, 24)
        box.setSpacing(16)
        box.addWidget(label(self.tr("Info and settings"), "display"))
        box.addWidget(self._health)
        box.addWidget(self._scheme_card(scheme, choose_scheme))
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(16)
        self._facts.setColumnStretch(1, 1)
        card = Card(20)
        card.column.addWidget(label(self.tr("About this installation"), "section"))
        card.column.addLayout(self._facts)
        box.addWidget(card)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        session.health_changed.connect(self._show_health)
        session.connected.connect(self._show_facts)
        if session.health is not None:
            self._show_health(session.health)
        self._show_facts()

    def _scheme_card(self, scheme: str, choose: Callable[[str], None]) -> Card:
        card = Card(20)
        card.column.addWidget(label(self.tr("Appearance"), "section"))
        row = QHBoxLayout()
        self._group = QButtonGroup(self)
        self._schemes = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        self._choose = choose
        for key, words in self._schemes.items():
            button = QRadioButton(words)
            button.setObjectName(f"scheme_{key}")
            button.setChecked(key == scheme)
            button.setProperty("scheme", key)
            self._group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        card.column.addLayout(row)
        self._group.buttonClicked.connect(self._scheme_clicked)
        return card

    @Slot(object)
    def _scheme_clicked(self, button: QRadioButton) -> None:
        self._choose(str(button.property("scheme")))

    @Slot(object)
    def _show_health(self, health: Health) -> None:
        while (entry := self._parts.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.deleteLater()
        for row, (name, part) in enumerate(health.components.items()):
            token, icon = _PILLS[part.status]
            pill = Pill(icon, token, part.status)
            self._parts.addWidget(label(name.capitalize()), row, 0)
            self._parts.addWidget(pill, row, 1)
            words = label(" ".join(text for text in (part.reason, part.remedy) if text), "muted")
            words.setWordWrap(True)
            self._parts.addWidget(words, row, 2)

    @Slot()
    def _show_facts(self) -> None:
        while (entry := self._facts.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.deleteLater()
        facts = {
            self.tr("Version"): __version__,
            self.tr("Python"): f"{platform.python_version()}, {platform.platform()}",
            self.tr("Data"): str(paths.data_dir()),
            self.tr("Results"): str(paths.results_dir()),
        }
        if self._session.is_connected:
            profile = self._session.profile
            facts[self.tr("Platform")] = f"{profile.title} ({profile.api_root})"
        for row, (name, value) in enumerate(facts.items()):
            self._facts.addWidget(label(name, "muted"), row, 0)
            text = label(value)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setWordWrap(True)
            self._facts.addWidget(text, row, 1)
