"""Who else may see a run: people and organizations by grants, anybody by a link with a token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import time_words
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Notice, StateIcon, label
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.models import GrantReadResponse, ShareTokenReadResponse

_DAYS = (1, 7, 30, 0)  # that a token lives; 0: until it is revoked


class ShareDialog(QDialog):
    """Lists what is granted, grants more, takes back."""

    def __init__(self, session: Session, run_id: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("share_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Share this run"))
        self.resize(560, 520)
        self._session, self._run_id = session, run_id
        self._closed = False
        self._failed = Notice("circle-x", "failed", name="share_error")
        self._told = Notice("circle-check", "done", name="share_secret")
        copy = IconButton("copy", self.tr("Copy"), name="share_copy", small=True)
        copy.clicked.connect(self._copy)
        self._told.add(copy)
        self._secret = ""
        self._email = QLineEdit()
        self._email.setObjectName("share_email")
        self._email.setPlaceholderText(self.tr("E-mail address of a colleague"))
        self._email.setAccessibleName(self.tr("E-mail address of a colleague"))
        self._email.returnPressed.connect(self._grant)
        self._relation = QComboBox()
        self._relation.setAccessibleName(self.tr("What is allowed"))
        for words, value in ((self.tr("may look"), "viewer"), (self.tr("may change"), "editor")):
            self._relation.addItem(words, value)
        give = IconButton("plus", self.tr("Share"), name="share_grant", kind="primary", small=True)
        give.clicked.connect(self._grant)
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self._email, 1)
        first.addWidget(self._relation)
        first.addWidget(give)
        self._days = QComboBox()
        self._days.setObjectName("share_days")
        self._days.setAccessibleName(self.tr("How long the link works"))
        for days in _DAYS:
            words = self.tr("for %n days", "", days) if days > 1 else self.tr("for a day")
            self._days.addItem(words if days else self.tr("until you take it back"), days)
        self._days.setCurrentIndex(1)
        make = IconButton("share-2", self.tr("Make a token"), name="share_make_token", small=True)
        make.clicked.connect(self._make_token)
        second = QHBoxLayout()
        second.setSpacing(8)
        second.addWidget(label(self.tr("Whoever has the token may look"), "body"))
        second.addWidget(self._days)
        second.addStretch(1)
        second.addWidget(make)
        inner = QWidget()
        self._list = QVBoxLayout(inner)
        self._list.setContentsMargins(0, 0, 8, 0)
        self._list.setSpacing(6)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        close = IconButton("x", self.tr("Close"), name="share_close", small=True)
        close.clicked.connect(self.accept)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(12)
        box.addWidget(label(self.tr("Share this run"), "title"))
        box.addWidget(label(self.tr("People see the run, its slides' names and its results."), "muted", wrap=True))
        box.addLayout(first)
        box.addLayout(second)
        box.addWidget(self._told)
        box.addWidget(self._failed)
        box.addWidget(label(self.tr("Shared with"), "section"))
        box.addWidget(area, 1)
        box.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.finished.connect(self._end)
        self._session.spawn(self._load(), self)

    @Slot()
    def _end(self) -> None:
        self._closed = True
        self._session.tasks.cancel(self)

    async def _load(self) -> None:
        sharing = self._session.client.sharing
        try:
            grants = await in_thread(lambda: list(sharing.grants(self._run_id)))
            tokens = await in_thread(lambda: list(sharing.share_tokens(self._run_id)))
        except LaunchpadError as error:
            self._failed.show_error(error)
            return
        self._show(grants, tokens)

    def _show(self, grants: list[GrantReadResponse], tokens: list[ShareTokenReadResponse]) -> None:
        while (entry := self._list.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.deleteLater()
        sharing = self._session.client.sharing
        relations = {"viewer": self.tr("may look"), "editor": self.tr("may change"), "owner": self.tr("owns it")}
        for grant in grants:
            if grant.subject_type != "share_token":
                words = relations.get(str(grant.relation), str(grant.relation))
                revoke = None if grant.relation == "owner" else partial(sharing.revoke_grant, grant.grant_id)
                self._list.addWidget(self._row("user", grant.subject_id, words, revoke))
        for token in tokens:
            until = self.tr("until it is taken back")
            if token.expires_at is not None:
                until = self.tr("until %1").replace("%1", time_words(token.expires_at))
            name = self.tr("Token of %1").replace("%1", time_words(token.created_at))
            revoke = partial(sharing.revoke_share_token, token.share_token_id)
            self._list.addWidget(self._row("share-2", name, until, revoke))
        if self._list.isEmpty():
            self._list.addWidget(label(self.tr("Nobody else sees this run."), "muted", name="share_nobody"))
        self._list.addStretch(1)

    def _row(self, icon: str, name: str, words: str, revoke: Callable[[], None] | None) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(StateIcon(icon, "textMuted"))
        line.addWidget(ElidedLabel(name, middle=True))
        line.addWidget(label(words, "muted"))
        line.addStretch(1)
        if revoke is not None:
            button = IconButton("x", self.tr("Take back"), kind="quiet", name="share_revoke", small=True)
            button.clicked.connect(lambda: self._do(revoke))
            line.addWidget(button)
        return row

    @Slot()
    def _grant(self) -> None:
        from launchpad.platform.models import GrantRelation

        email = self._email.text().strip()
        if not email:
            self._email.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        relation = GrantRelation(str(self._relation.currentData()))
        self._do(partial(self._session.client.sharing.grant, self._run_id, relation, email=email))

    def _do(self, call: Callable[[], object]) -> None:
        self._failed.hide()
        self._session.spawn(self._carry_out(call), self)

    async def _carry_out(self, call: Callable[[], object]) -> None:
        try:
            await in_thread(call)
        except LaunchpadError as error:
            self._failed.show_error(error)
            return
        self._email.clear()
        await self._load()

    @Slot()
    def _make_token(self) -> None:
        self._failed.hide()
        self._session.spawn(self._token(int(self._days.currentData())), self)

    async def _token(self, days: int) -> None:
        until = datetime.now().astimezone() + timedelta(days=days) if days else None
        try:
            made = await in_thread(self._session.client.sharing.share_by_token, self._run_id, until)
        except LaunchpadError as error:
            self._failed.show_error(error)
            return
        self._secret = made.share_token
        self._told.say(self.tr("The token is shown only now: %1").replace("%1", made.share_token))
        await self._load()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._secret)
