"""The button in the header that says who is signed in to what, with the platforms and the way in and out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QSize, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from launchpad.desktop.account import Account
from launchpad.desktop.navigation import Route, SignIn
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.avatar import avatar
from launchpad.desktop.widgets.basics import IconButton

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Profile


class AccountMenu(IconButton):
    """Made anew whenever something about the account changes."""

    def __init__(self, session: Session, account: Account, navigate: Callable[[Route], None]) -> None:
        self._who = ""
        super().__init__("user", kind="quiet", name="account_menu", small=True)
        self.setToolTip(self.tr("Account and platform"))
        self.setAccessibleName(self.tr("Account and platform"))
        self._session, self._account, self._navigate = session, account, navigate
        self._list = QMenu(self)
        self._list.setObjectName("account_list")
        self.setMenu(self._list)
        self._group: QActionGroup | None = None
        session.connected.connect(self.show_account)
        account.changed.connect(self.show_account)
        self.show_account()

    @Slot()
    def show_account(self) -> None:
        """Say who it is now."""
        me = self._session.me if self._session.is_connected and not self._account.is_needed else None
        self._who = (me.user.name or me.user.email or me.user.id) if me is not None else ""
        self._restyle()
        self._list.clear()
        for words in self._facts():
            line = self._list.addAction(words)
            line.setEnabled(False)
        if self._list.actions():
            self._list.addSeparator()
        self._platforms()
        self._list.addSeparator()
        if not self._session.is_connected or self._session.profile.kind == "embedded":
            self._add(self.tr("Sign in to a platform …"), partial(self._navigate, SignIn()), "account_sign_in")
        elif self._account.is_needed or self._session.me is None:
            name = self._session.profile.name
            self._add(self.tr("Sign in …"), partial(self._navigate, SignIn(name)), "account_sign_in")
        else:
            self._add(self.tr("Sign out"), self._account.sign_out, "account_sign_out")

    @Slot()
    def _restyle(self) -> None:
        super()._restyle()
        if self._who:
            side = palette.current().scaled(28)
            self.setIconSize(QSize(side, side))
            self.setIcon(avatar(self._who, side, self.devicePixelRatioF()))

    def _facts(self) -> list[str]:
        if not self._session.is_connected:
            return [self.tr("Launchpad is connecting to its platform.")]
        profile, me, details = self._session.profile, self._session.me, self._account.details
        if profile.kind == "embedded":
            return [self.tr("This computer: nobody has to sign in")]
        if me is None or self._account.is_needed:
            return [self.tr("Not signed in to {0}").format(profile.title)]
        known = [me.user.name or me.user.email or me.user.id]
        if me.user.email and me.user.email != known[0]:
            known.append(me.user.email)
        organization = me.organization.display_name or me.organization.name or me.organization.id
        role = f"{organization} · {details.role}" if details else organization
        known += [role, self.tr("Signed in to {0}").format(profile.title)]
        if details and details.ends:
            at = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(details.ends)), QLocale.FormatType.ShortFormat)
            known.append(self.tr("Until {0}, renewed by itself").format(at))
        if details and details.kept.startswith("in the clear"):
            known.append(self.tr("The sign-in is stored in the clear: no keyring"))
        return [words.replace("&", "&&") for words in known]  # one alone would be a shortcut

    def _platforms(self) -> None:
        self._group = QActionGroup(self._list)
        for profile in self._account.profiles:
            action = QAction(profile.title.replace("&", "&&"), self._list)
            action.setObjectName(f"platform_{profile.name}")
            action.setCheckable(True)
            in_use = self._session.is_connected and self._session.profile.name == profile.name
            action.setChecked(in_use)
            if not in_use:
                action.triggered.connect(partial(self._choose, profile))
            self._group.addAction(action)
            self._list.addAction(action)

    def _choose(self, profile: Profile) -> None:
        self._account.switch(profile)

    def _add(self, words: str, call: Callable[[], None], name: str) -> None:
        action = QAction(words, self._list)
        action.setObjectName(name)
        action.triggered.connect(lambda: call())
        self._list.addAction(action)
