"""The first start: try it on this computer, or sign in to a platform."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from launchpad.desktop.navigation import Route, SignIn
from launchpad.desktop.widgets.basics import Card, IconButton, StateIcon, label


class FirstStartPage(QWidget):
    """Two ways to begin; both stay open later, in the header.

    Signals:
        begin_here: the platform on this computer is wanted.
    """

    begin_here = Signal()

    def __init__(self, navigate: Callable[[Route], None]) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._navigate = navigate
        here = self._card(
            "monitor",
            self.tr("Try it on this computer"),
            self.tr(
                "Applications run here. No account and no network is needed; your slides do not leave this computer."
            ),
        )
        self._here = IconButton(
            "circle-play", self.tr("Try it on this computer"), kind="primary", name="first_start_here"
        )
        self._here.clicked.connect(self._begin)
        here.column.addWidget(self._here)
        there = self._card(
            "building-2",
            self.tr("Sign in"),
            self.tr(
                "To the Aignostics Platform or to a platform of your institute. You need an account there; your slides "
                "are sent to it."
            ),
        )
        button = IconButton("user", self.tr("Sign in"), name="first_start_sign_in")
        button.clicked.connect(self._sign_in)
        there.column.addWidget(button)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(here, 1)
        row.addWidget(there, 1)
        inner = QWidget()
        inner.setMaximumWidth(820)
        box = QVBoxLayout(inner)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        box.addWidget(label(self.tr("Welcome to Launchpad"), "display"))
        box.addWidget(
            label(
                self.tr("Run computational pathology applications on whole slide images. How do you want to begin?"),
                "muted",
                wrap=True,
            )
        )
        box.addSpacing(12)
        box.addLayout(row)
        box.addSpacing(8)
        words = self.tr(
            "You can change this at any time in the header. For research use only, not a diagnostic device."
        )
        box.addWidget(label(words, "caption", wrap=True))
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(inner, 10)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(32, 28, 32, 24)
        outer.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(2)

    def _card(self, icon: str, title: str, words: str) -> Card:
        card = Card(24)
        card.column.addWidget(StateIcon(icon, "accent", 28))
        card.column.addWidget(label(title, "title"))
        text = label(words, "muted", wrap=True)
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        card.column.addWidget(text, 1)
        return card

    @Slot()
    def _begin(self) -> None:
        self.begin_here.emit()

    @Slot()
    def _sign_in(self) -> None:
        self._navigate(SignIn())
