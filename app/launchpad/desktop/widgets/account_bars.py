"""Said above all pages: that one has to sign in again, and the codes of those who ask to come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from launchpad.desktop.account import Account
from launchpad.desktop.background import in_thread
from launchpad.desktop.navigation import Route, SignIn
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import IconButton, Notice
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.one_time_codes import OneTimeCode

_LOOK = 2000  # ms between looks for somebody who asks to come in


class AccountBars(QWidget):
    """Takes no room while there is nothing to say."""

    def __init__(self, session: Session, account: Account, navigate: Callable[[Route], None]) -> None:
        super().__init__()
        self._session, self._account, self._navigate = session, account, navigate
        self.again = Notice("triangle-alert", "partial", name="sign_in_again")
        button = IconButton("user", self.tr("Sign in"), kind="primary", name="sign_in_again_button")
        button.clicked.connect(self._sign_in)
        self.again.add(button)
        self.problem = Notice("circle-alert", "failed", name="account_problem")
        self.code = Notice("info", "info", name="one_time_code")
        self._closed: set[str] = set()
        self._shown: OneTimeCode | None = None
        self._asking = False
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        for notice in (self.again, self.problem, self.code):
            box.addWidget(notice)
        account.needed.connect(self._needed)
        account.trouble.connect(self.problem.show_error)
        account.changed.connect(self._changed)
        account.done.connect(self.problem.hide)
        self._timer = QTimer(self)
        self._timer.setObjectName("one_time_codes")
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._look)
        session.connected.connect(self._connected)

    @Slot(object)
    def _needed(self, error: BaseException) -> None:
        if isinstance(error, LaunchpadError):
            profile = self._session.profile.title if self._session.is_connected else error.subject
            words = self.tr("{0} ({1}). Sign in to go on; nothing of your work is lost.")
            self.again.say(words.format(error.title, profile))

    @Slot()
    def _changed(self) -> None:
        if not self._account.is_needed:
            self.again.hide()

    @Slot()
    def _sign_in(self) -> None:
        self._navigate(SignIn(self._session.profile.name))

    # --- codes ------------------------------------------------------------------------------------------------------
    @Slot()
    def _connected(self) -> None:
        if self._session.profile.kind == "embedded":
            self._timer.start()
        else:
            self._timer.stop()
            self.code.hide()

    @Slot()
    def _look(self) -> None:
        if not self._asking and self.isVisible() and self._session.is_connected:
            self._asking = True
            self._session.spawn(self._ask(), self)

    async def _ask(self) -> None:
        try:
            profile = self._session.profile
            found = await in_thread(_codes, profile.api_root, profile.launch_secret)
        except LaunchpadError:
            found = []  # the footer says how the platform is
        finally:
            self._asking = False
        if self._shown is not None and self.code.isHidden():
            self._closed.add(self._shown.code)
        self._shown = next((item for item in found if item.code not in self._closed), None)
        if self._shown is None:
            self.code.hide()
            return
        who = self.tr("Another device or terminal") if self._shown.kind == "device" else self._shown.client_id
        minutes, seconds = divmod(round(self._shown.expires_in), 60)
        words = self.tr(
            "{0} asks to use this computer's platform. Its code is {1}, valid for {2} minutes. Tell it to nobody."
        )
        self.code.say(words.format(who, self._shown.code, f"{minutes}:{seconds:02}"))


def _codes(api_root: str, launch_secret: str) -> list[OneTimeCode]:
    from launchpad.platform.one_time_codes import waiting

    return waiting(api_root, launch_secret)
