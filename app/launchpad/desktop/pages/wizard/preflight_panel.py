"""What the check before the start found, each finding with its fix in place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.application.preflight import Finding
from launchpad.desktop.models.words import counted, plain_tip, translated
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, StateIcon, label

_ROWS = 4  # without scrolling
_HEIGHT = 26  # px


class PreflightPanel(QFrame):
    """A line for each finding.

    Signals:
        fix: the Finding whose button was pressed.
    """

    fix = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("preflight")
        self._shown: tuple[Finding, ...] | None = None
        self._icon = StateIcon("circle-check", "done")
        self._title = label("", "strong", name="preflight_title")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self._title)
        head.addStretch(1)
        inner = QWidget()
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(0, 0, 8, 0)
        self._rows.setSpacing(4)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidget(inner)
        self._area.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._area)

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show these."""
        if self._shown == tuple(findings):
            return
        self._shown = tuple(findings)
        while (entry := self._rows.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for finding in findings:
            self._rows.addWidget(self._row(finding))
        self._rows.addStretch(1)
        blocking = sum(finding.blocks for finding in findings)
        if blocking:
            self._icon.show_state("circle-x", "failed")
            words = self.tr("1 thing stands in the way"), self.tr("%n things stand in the way", "", blocking)
            self._title.setText(counted(blocking, *words))
        elif findings:
            self._icon.show_state("info", "info")
            self._title.setText(self.tr("Ready. Worth knowing before you start:"))
        else:
            self._icon.show_state("circle-check", "done")
            self._title.setText(self.tr("Checked: nothing stands in the way"))
        height = palette.current().scaled(_HEIGHT) + 4
        self._area.setVisible(bool(findings))
        self._area.setFixedHeight(min(len(findings), _ROWS) * height)

    def _row(self, finding: Finding) -> QWidget:
        row = QWidget()
        row.setObjectName("preflight_row")
        row.setFixedHeight(palette.current().scaled(_HEIGHT))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(StateIcon("circle-x" if finding.blocks else "info", "failed" if finding.blocks else "info", 14))
        words = translated("preflight", finding.message)
        text = ElidedLabel(words)
        text.setToolTip(plain_tip(words))
        line.addWidget(text)
        line.addStretch(1)
        names = {
            "show": self.tr("Show"),
            "leave_out": self.tr("Leave out"),
            "schedule": self.tr("Change schedule"),
            "notes": self.tr("Add them"),
            "find": self.tr("Find slides"),
        }
        if finding.fix:
            button = IconButton("arrow-right", names[finding.fix], kind="link", name=f"fix_{finding.key}")
            button.clicked.connect(lambda: self.fix.emit(finding))
            line.addWidget(button)
        return row
