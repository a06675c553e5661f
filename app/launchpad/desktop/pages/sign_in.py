"""Signing in: to which platform, by the browser here or by a code on another device."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from launchpad.desktop.account import Account
from launchpad.desktop.opening import open_address
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, label
from launchpad.desktop.widgets.qr_code import QrCode

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile
    from launchpad.platform.auth.sign_in import DeviceCode

_CHOICE, _BROWSER, _CODE = range(3)


class SignInPage(QWidget):
    """One card: the choice, the wait for the browser, or the code.

    Signals:
        signed_in: somebody is.
        left: the person goes back without.
    """

    signed_in = Signal()
    left = Signal()

    def __init__(self, account: Account, profile_name: str = "") -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._account = account
        self._wanted = profile_name
        self._code: DeviceCode | None = None
        self._end = 0.0
        self.problem = Notice("circle-alert", "failed", name="sign_in_problem")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._choice())
        self._stack.addWidget(self._browser())
        self._stack.addWidget(self._device())
        card = Card(28)
        card.setFixedWidth(560)
        card.column.addWidget(label(self.tr("Sign in"), "display"))
        card.column.addWidget(self.problem)
        card.column.addWidget(self._stack)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card)
        middle.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(32, 28, 32, 24)
        outer.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(2)
        self._timer = QTimer(self)
        self._timer.setObjectName("sign_in_clock")
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._tick)
        account.changed.connect(self._show_profiles)
        account.code.connect(self._show_code)
        account.failed.connect(self._failed)
        account.done.connect(self._done)
        account.load_profiles()
        self._show_profiles()

    # --- what it shows ----------------------------------------------------------------------------------------------
    def _choice(self) -> QWidget:
        page, box = _column()
        box.addWidget(label(self.tr("Platform"), "strong"))
        self._platform = QComboBox()
        self._platform.setObjectName("sign_in_platform")
        self._platform.setAccessibleName(self.tr("Platform"))
        box.addWidget(self._platform)
        words = self.tr(
            "Your password is asked for on the platform's own page, never here. What comes back is stored on this "
            "computer for your account alone."
        )
        box.addWidget(label(words, "muted", wrap=True))
        row = QHBoxLayout()
        self._by_browser = IconButton(
            "external-link", self.tr("Sign in with the browser"), kind="primary", name="sign_in_browser"
        )
        self._by_browser.clicked.connect(self._start_browser)
        self._by_code = IconButton("monitor", self.tr("Use another device"), name="sign_in_code")
        self._by_code.clicked.connect(self._start_code)
        row.addWidget(self._by_browser)
        row.addWidget(self._by_code)
        row.addStretch(1)
        box.addSpacing(4)
        box.addLayout(row)
        self._add_back(box, self.tr("Not now"), "sign_in_back")
        return page

    def _browser(self) -> QWidget:
        page, box = _column()
        self._waiting = label("", wrap=True, name="sign_in_waiting")
        box.addWidget(self._waiting)
        words = self.tr("If no browser came up, cancel and use another device.")
        box.addWidget(label(words, "muted", wrap=True))
        self._add_back(box, self.tr("Cancel"), "sign_in_cancel")
        return page

    def _device(self) -> QWidget:
        page, box = _column()
        box.addWidget(
            label(self.tr("Open this address on any device, for example a phone, and enter the code."), wrap=True)
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        self._qr = QrCode(name="sign_in_qr")
        grid.addWidget(self._qr, 0, 0, 6, 1)
        grid.addWidget(label(self.tr("Address"), "caption"), 0, 1)
        self._address = label("", wrap=True, name="sign_in_address")
        self._address.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(self._address, 1, 1)
        grid.addWidget(label(self.tr("Code"), "caption"), 2, 1)
        self._user_code = label("", "display", name="sign_in_user_code")
        self._user_code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(self._user_code, 3, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        copy = IconButton("copy", self.tr("Copy code"), name="sign_in_copy", small=True)
        copy.clicked.connect(self._copy)
        here = IconButton("external-link", self.tr("Open here"), name="sign_in_open", small=True)
        here.clicked.connect(self._open)
        row.addWidget(copy)
        row.addWidget(here)
        row.addStretch(1)
        grid.addLayout(row, 4, 1)
        self._left = label("", "muted", name="sign_in_left")
        grid.addWidget(self._left, 5, 1)
        grid.setColumnStretch(1, 1)
        box.addLayout(grid)
        self._add_back(box, self.tr("Cancel"), "sign_in_code_cancel")
        return page

    def _add_back(self, box: QVBoxLayout, words: str, name: str) -> None:
        box.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        back = IconButton("x", words, kind="quiet", name=name)
        back.clicked.connect(self._back)
        row.addWidget(back)
        box.addLayout(row)

    @Slot()
    def _show_profiles(self) -> None:
        remote = [profile for profile in self._account.profiles if profile.kind == "remote"]
        names = [profile.name for profile in remote]
        if names != [self._platform.itemData(row) for row in range(self._platform.count())]:
            chosen = self._platform.currentData() or self._wanted
            self._platform.clear()
            for profile in remote:
                self._platform.addItem(profile.title, profile.name)
            self._platform.setCurrentIndex(max(0, self._platform.findData(chosen)))
        self._by_browser.setEnabled(bool(remote))
        self._by_code.setEnabled(bool(remote))

    def _profile(self) -> Profile | None:
        name = self._platform.currentData()
        return next((profile for profile in self._account.profiles if profile.name == name), None)

    # --- what one does ----------------------------------------------------------------------------------------------
    @Slot()
    def _start_browser(self) -> None:
        profile = self._profile()
        if profile is not None:
            self.problem.hide()
            words = self.tr("Your browser shows the page of {0}. Sign in there, then come back here.")
            self._waiting.setText(words.format(profile.title))
            self._stack.setCurrentIndex(_BROWSER)
            self._account.sign_in(profile)

    @Slot()
    def _start_code(self) -> None:
        profile = self._profile()
        if profile is not None:
            self.problem.hide()
            self._account.sign_in(profile, by_code=True)

    @Slot(object)
    def _show_code(self, code: DeviceCode) -> None:
        self._code, self._end = code, time.monotonic() + code.expires_in
        self._address.setText(code.address)
        self._user_code.setText(code.user_code)
        self._qr.show_text(code.complete)
        self._stack.setCurrentIndex(_CODE)
        self._tick()
        if self.isVisible():
            self._timer.start()

    @Slot()
    def _tick(self) -> None:
        minutes, seconds = divmod(max(0, round(self._end - time.monotonic())), 60)
        self._left.setText(self.tr("Valid for {0} minutes more").format(f"{minutes}:{seconds:02}"))

    @Slot()
    def _copy(self) -> None:
        if self._code is not None:
            QGuiApplication.clipboard().setText(self._code.user_code)

    @Slot()
    def _open(self) -> None:
        if self._code is not None:
            open_address(self._code.complete, self)

    @Slot()
    def _back(self) -> None:
        under_way = self._account.is_signing_in
        self._account.cancel()
        self._choose()
        if not under_way:
            self.left.emit()

    @Slot(object)
    def _failed(self, error: BaseException) -> None:
        self._choose()
        self.problem.show_error(error)

    @Slot(object)
    def _done(self, profile: object) -> None:
        self.problem.hide()
        self._choose()
        self.signed_in.emit()

    def _choose(self) -> None:
        self._timer.stop()
        self._stack.setCurrentIndex(_CHOICE)

    def leave(self) -> None:
        """The window ends, or the page is thrown away: nobody waits any more."""
        self._timer.stop()
        self._account.cancel()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stack.currentIndex() == _CODE:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()


def _column() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    box = QVBoxLayout(page)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(10)
    return page, box
