"""The failed slides of a run by cause, each with the next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.models.words import counted, translated
from launchpad.desktop.widgets.basics import Card, IconButton, StateIcon, label

if TYPE_CHECKING:
    from launchpad.application.failures import Failure
    from launchpad.platform.models import ItemResultReadResponse

_NAMED = 8  # slides of a cause
_LONGEST = 60  # characters of a name


class FailuresPanel(QScrollArea):
    """A card for each cause.

    Signals:
        resubmit: the items (a list) to make a new run of.
        chosen: the item to show.
    """

    resubmit = Signal(list)
    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("failures")
        self.setAccessibleName(self.tr("Failures by cause"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        self.setWidget(inner)
        self.viewport().setAutoFillBackground(False)
        inner.setAutoFillBackground(False)
        self._shown: tuple[Failure, ...] = ()

    def show_failures(self, failures: Sequence[Failure]) -> None:
        """Show these causes."""
        if tuple(failures) == self._shown:
            return
        self._shown = tuple(failures)
        while self._column.count() > 1:
            entry = self._column.takeAt(0)
            widget = entry.widget() if entry is not None else None
            if widget is not None:
                widget.deleteLater()
        for place, failure in enumerate(failures):
            self._column.insertWidget(place, self._card(failure))

    def _card(self, failure: Failure) -> Card:
        card = Card(14)
        card.setObjectName("failure_card")
        card.column.setSpacing(6)
        count = len(failure.items)
        slides = counted(count, self.tr("1 slide"), self.tr("%n slides", "", count))
        head = QHBoxLayout()
        head.setSpacing(8)
        skipped = failure.reason == "SKIPPED"
        head.addWidget(StateIcon("ban" if skipped else "circle-x", "cancelled" if skipped else "failed", 18))
        fallback = self.tr("Skipped") if skipped else self.tr("Failed without a reason")
        head.addWidget(label(f"{slides}: {failure.message or fallback}", "strong", wrap=True), 1)
        again = IconButton("rotate-ccw", self.tr("Resubmit"), name="resubmit_failure", small=True)
        again.clicked.connect(lambda: self.resubmit.emit(list(failure.items)))
        head.addWidget(again, 0, Qt.AlignmentFlag.AlignTop)
        card.column.addLayout(head)
        card.column.addWidget(label(translated("failures", failure.advice), "body", wrap=True))
        if failure.code:
            card.column.addWidget(label(self.tr("Code %1").replace("%1", failure.code), "caption"))
        for item in failure.items[:_NAMED]:
            name = item.external_id.replace("\\", "/").rpartition("/")[2]
            name = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
            row = IconButton("image", name.replace("&", "&&"), kind="quiet", small=True, name="failed_slide")
            row.clicked.connect(lambda _checked=False, item=item: self._choose(item))
            line = QHBoxLayout()
            line.addWidget(row)
            line.addStretch(1)
            card.column.addLayout(line)
        if count > _NAMED:
            more = count - _NAMED
            card.column.addWidget(label(self.tr("and %n more", "", more), "caption"))
        return card

    @Slot(object)
    def _choose(self, item: ItemResultReadResponse) -> None:
        self.chosen.emit(item)
