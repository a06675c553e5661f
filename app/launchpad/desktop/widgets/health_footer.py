"""The line at the bottom: how Launchpad and its platform are, what is under way, the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from launchpad import __version__
from launchpad.desktop.background import Jobs
from launchpad.desktop.models.words import counted
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import StateIcon, label

if TYPE_CHECKING:
    from launchpad.system.health import Health

_TOKENS = {"UP": ("circle-check", "done"), "DEGRADED": ("circle-alert", "partial"), "DOWN": ("circle-x", "failed")}


class HealthFooter(QFrame):
    """Health in words; a click leads to what is wrong."""

    clicked = Signal()

    def __init__(self, session: Session, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self.setObjectName("health_footer")
        self.setProperty("role", "footer")
        self.setFixedHeight(palette.current().size["footer"])
        self._icon = StateIcon("loader", "textMuted", 14)
        self._text = label(self.tr("Launchpad is starting"), "caption")
        self._work = label("", "caption")
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 20, 0)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._text)
        row.addStretch(1)
        row.addWidget(self._work)
        row.addSpacing(16)
        row.addWidget(label(f"v{__version__}", "caption"))
        session.health_changed.connect(self._show)
        jobs.changed.connect(self._show_work)

    def text(self) -> str:
        """The words that are shown."""
        return self._text.text()

    @Slot(object)
    def _show(self, health: Health) -> None:
        self._icon.show_state(*_TOKENS[health.status])
        words = {
            "UP": self.tr("Launchpad is healthy"),
            "DEGRADED": self.tr("Launchpad is healthy, with limits"),
            "DOWN": self.tr("Launchpad is unhealthy"),
        }[health.status]
        self._text.setText(f"{words} · {health.reason}" if health.reason else words)
        self.setToolTip("")
        self.setAccessibleName(self._text.text())

    @Slot()
    def _show_work(self) -> None:
        labels = self._jobs.labels()
        self._work.setText(counted(len(labels), labels[0], self.tr("%n tasks", "", len(labels))) if labels else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
