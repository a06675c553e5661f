"""Every part of the health with its reason and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from launchpad.desktop.models.words import translated
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, Pill, label
from launchpad.desktop.widgets.health_footer import TOKENS

if TYPE_CHECKING:
    from launchpad.system.health import Health

# What the parts are for a person; the keys are those of the command line.
_NAMES = {
    "platform": "Platform (API)", "sign-in": "Sign-in", "storage": "Storage", "disk": "Disk space", "clock": "Clock",
    "checksums": "Checksums", "slides": "Slide reader",
}  # fmt: skip
_FINE = {
    "platform": "It answers.", "sign-in": "You are signed in.", "storage": "It answers.", "disk": "There is room.",
    "clock": "It agrees with the platform's.", "checksums": "They are computed fast.", "slides": "It is ready.",
}  # fmt: skip


class HealthTab(QWidget):
    """A row for each part."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._card = Card(20)
        self._title = label(self.tr("Looking …"), "section", name="health_title")
        again = IconButton("refresh-cw", self.tr("Check now"), name="health_check", small=True)
        again.clicked.connect(session.check_health)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(again)
        self._parts = QGridLayout()
        self._parts.setHorizontalSpacing(16)
        self._parts.setVerticalSpacing(10)
        self._parts.setColumnStretch(2, 1)
        self._card.column.addLayout(head)
        self._card.column.addLayout(self._parts)
        self._card.column.addWidget(
            label(
                self.tr("Checked every 30 seconds. Nobody but your platform and its storage is asked."),
                "caption",
                wrap=True,
            )
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._card)
        box.addStretch(1)
        session.health_changed.connect(self._show)
        if session.health is not None:
            self._show(session.health)

    @Slot(object)
    def _show(self, health: Health) -> None:
        self._title.setText(
            {
                "UP": self.tr("Launchpad is healthy"),
                "DEGRADED": self.tr("Launchpad is healthy, with limits"),
                "DOWN": self.tr("Launchpad is unhealthy"),
            }[health.status]
        )
        while (entry := self._parts.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        states = {"UP": self.tr("Up"), "DEGRADED": self.tr("Degraded"), "DOWN": self.tr("Down")}
        for row, (name, part) in enumerate(health.components.items()):
            icon, token = TOKENS[part.status]
            top = Qt.AlignmentFlag.AlignTop
            title = label(translated("health", _NAMES.get(name, name)), "strong")
            self._parts.addWidget(title, row, 0, top)
            self._parts.addWidget(
                Pill(icon, token, states[part.status], name=f"health_{name}", whole=True), row, 1, top
            )
            words = " ".join(translated("health", text) for text in (part.reason, part.remedy) if text)
            fine = translated("health", _FINE.get(name, ""))
            told = label(words or fine, "body" if words else "muted", wrap=True)
            self._parts.addWidget(told, row, 2, top)
            for text in (title, told):  # on one line with the words of the pill
                text.setContentsMargins(0, 3, 0, 0)
