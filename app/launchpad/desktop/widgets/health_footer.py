"""The line at the bottom: how Launchpad and its platform are, what is under way, the version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from launchpad import __version__
from launchpad.desktop.background import Jobs
from launchpad.desktop.models.words import counted, plain_tip, translated
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, StateIcon, label

if TYPE_CHECKING:
    from launchpad.system.health import Health

TOKENS = {"UP": ("circle-check", "done"), "DEGRADED": ("circle-alert", "partial"), "DOWN": ("circle-x", "failed")}


class HealthFooter(QFrame):
    """Health in words; a click leads to what is wrong.

    Signals:
        clicked: the person wants to know more.
    """

    clicked = Signal()

    def __init__(self, session: Session, jobs: Jobs) -> None:
        super().__init__()
        self._jobs, self._session = jobs, session
        self.setObjectName("health_footer")
        self.setProperty("role", "footer")
        self._icon = StateIcon("loader", "textMuted", 14)
        self._text = ElidedLabel(self.tr("Launchpad is starting"), "caption", name="health_text")
        self._more = IconButton("arrow-right", self.tr("Details"), kind="link", name="health_details")
        self._more.clicked.connect(self.clicked)
        self._work = label("", "caption", name="work_text")
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 0, 20, 0)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._text)
        row.addWidget(self._more)
        row.addStretch(1)
        row.addWidget(self._work)
        row.addSpacing(16)
        row.addWidget(label(f"v{__version__}", "caption", name="version_text"))
        session.health_changed.connect(self._show)
        session.runs_changed.connect(self._show_work)
        jobs.changed.connect(self._show_work)
        palette.changes.changed.connect(self._restyle)
        self._restyle()

    def text(self) -> str:
        """The words that are shown."""
        return self._text.text()

    @Slot(object)
    def _show(self, health: Health) -> None:
        self._icon.show_state(*TOKENS[health.status])
        words = {
            "UP": self.tr("Launchpad is healthy"),
            "DEGRADED": self.tr("Launchpad is healthy, with limits"),
            "DOWN": self.tr("Launchpad is unhealthy"),
        }[health.status]
        self._text.setText(f"{words} · {health.reason}" if health.reason else words)
        lines = [words]
        if not health.healthy:
            lines = [self.tr("System is unhealthy, you cannot prepare a run at this time.")]
        for name, part in health.components.items():
            if part.status != "UP":
                where = translated("health", name.capitalize())
                lines.append(f"{where}: {' '.join(text for text in (part.reason, part.remedy) if text)}")
        tip = plain_tip("\n".join(lines))
        for widget in (self, self._icon, self._more):
            widget.setToolTip(tip)
        self.setAccessibleName(self._text.text())

    @Slot()
    def _show_work(self) -> None:
        labels = self._jobs.labels()
        words = counted(len(labels), labels[0], self.tr("%n tasks", "", len(labels))) if labels else ""
        moving = sum(run.state != "TERMINATED" for run in self._session.runs)
        runs = counted(moving, self.tr("1 run active"), self.tr("%n runs active", "", moving)) if moving else ""
        self._work.setText("  ·  ".join(text for text in (words, runs) if text))

    @Slot()
    def _restyle(self) -> None:
        self.setFixedHeight(palette.current().size["footer"])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
