"""Info and settings: health with remedies, what one may choose, versions and places, the log."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from launchpad.desktop.appearance import Appearance
from launchpad.desktop.pages.info_details.facts import FactsTab, LogTab
from launchpad.desktop.pages.info_details.health import HealthTab
from launchpad.desktop.pages.info_details.settings import SettingsTab
from launchpad.desktop.pages.info_details.updates import UpdatesTab
from launchpad.desktop.session import Session
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets.basics import label
from launchpad.desktop.window_state import WindowState

TABS = ("health", "settings", "updates", "information", "log")


class InfoPage(QWidget):
    """Five tabs; health comes first, as the footer leads here."""

    def __init__(self, session: Session, appearance: Appearance, state: WindowState, updates: Updates) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.tabs = QTabBar()
        self.tabs.setObjectName("info_tabs")
        self.tabs.setAccessibleName(self.tr("Parts of the page"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        words = (
            self.tr("Health"), self.tr("Settings"), self.tr("Updates"), self.tr("Information"), self.tr("Log"),
        )  # fmt: skip
        self._parts = QStackedWidget()
        parts = (
            _scrolled(HealthTab(session)),
            _scrolled(SettingsTab(session, appearance, state)),
            _scrolled(UpdatesTab(session, updates)),
            _scrolled(FactsTab(session)),
            LogTab(session),
        )
        for name, part in zip(words, parts, strict=True):
            self.tabs.addTab(name)
            self._parts.addWidget(part)
        self.tabs.currentChanged.connect(self._parts.setCurrentIndex)
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 24, 32, 20)
        box.setSpacing(12)
        box.addWidget(label(self.tr("Info and settings"), "display"))
        box.addWidget(self.tabs)
        box.addWidget(self._parts, 1)

    def open_tab(self, name: str) -> None:
        """Show one of `TABS`."""
        self.tabs.setCurrentIndex(TABS.index(name))


def _scrolled(inner: QWidget) -> QScrollArea:
    inner.setObjectName("page")
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(inner)
    return area
