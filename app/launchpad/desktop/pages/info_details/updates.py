"""Newer versions: what is new, and fetching it; switching the look off."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from launchpad import __version__
from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import translated
from launchpad.desktop.session import Session
from launchpad.desktop.updates import Updates
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, label
from launchpad.desktop.widgets.safe_browser import SafeBrowser
from launchpad.errors import LaunchpadError


class UpdatesTab(QWidget):
    """What there is, its notes, and one button; nothing is installed without its person."""

    def __init__(self, session: Session, updates: Updates) -> None:
        super().__init__()
        self._session, self._updates = session, updates
        self._failed = Notice("circle-x", "failed", name="update_error")
        self._title = label("", "section", wrap=True, name="update_title")
        self._words = label("", "muted", wrap=True, name="update_words")
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)  # a line to type
        self._check = IconButton("refresh-cw", self.tr("Check now"), name="update_check", small=True)
        self._check.clicked.connect(self._look)
        self._fetch = IconButton(
            "download", self.tr("Fetch and start the installer"), kind="primary", name="update_fetch", small=True
        )
        self._fetch.clicked.connect(self._begin)
        self._cancel = IconButton("x", self.tr("Cancel"), name="update_cancel", small=True)
        self._cancel.clicked.connect(updates.cancel)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._check)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._fetch)
        row.addWidget(self._cancel)
        row.addStretch(1)
        self._notes = SafeBrowser()
        self._notes.setAccessibleName(self.tr("Release notes"))
        self._wanted = QCheckBox(self.tr("Look for a newer version once a day"))
        self._wanted.setObjectName("update_wanted")
        self._wanted.setEnabled(False)  # until the settings are read
        self._wanted.clicked.connect(self._choose)
        card = Card(20)
        card.column.addLayout(head)
        card.column.addWidget(self._words)
        card.column.addWidget(self._notes)
        card.column.addLayout(row)
        card.column.addWidget(self._wanted)
        card.column.addWidget(
            label(
                self.tr(
                    "Only the list of releases is fetched; nothing about you or your slides is sent. A release is used "
                    "only if its makers have signed it."
                ),
                "caption",
                wrap=True,
            )
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(14)
        box.addWidget(self._failed)
        box.addWidget(card)
        box.addStretch(1)
        updates.changed.connect(self._show)
        updates.failed.connect(self._failed.show_error)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._session.spawn(self._load(), self)

    async def _load(self) -> None:
        from launchpad.settings import load_settings
        from launchpad.system.preferences import overridden
        from launchpad.system.updates import why_off

        try:
            settings = await in_thread(load_settings)
            self._updates.why_off = await in_thread(why_off)
        except LaunchpadError as error:
            self._failed.show_error(error)
            return
        variable = overridden("updates")
        self._wanted.setChecked(settings.updates)
        self._wanted.setEnabled(not variable)
        words = self.tr("Set by the environment variable %1, which has the last word.")
        self._wanted.setToolTip(words.replace("%1", variable) if variable else "")
        self._show()

    @Slot()
    def _look(self) -> None:
        self._failed.hide()
        self._updates.look(force=True)

    @Slot()
    def _begin(self) -> None:
        self._failed.hide()
        self._updates.fetch()

    @Slot(bool)
    def _choose(self, wanted: bool) -> None:
        self._session.spawn(self._save(wanted), self)

    async def _save(self, wanted: bool) -> None:
        from launchpad.system.preferences import write_setting

        try:
            await in_thread(write_setting, "updates", wanted)
        except LaunchpadError as error:
            self._failed.show_error(error)
        await self._load()

    @Slot()
    def _show(self) -> None:
        state = self._updates
        found = state.found if not state.why_off else None
        busy = state.percent is not None
        self._check.setEnabled(not state.looking and not busy and not state.why_off)
        self._fetch.setVisible(found is not None and found.file is not None and not busy)
        self._cancel.setVisible(busy)
        self._notes.setVisible(found is not None and bool(found.release.notes))
        if found is not None:
            self._notes.show_markdown(found.release.notes)
            self._title.setText(self.tr("Launchpad {0} is available").format(found.release.version))
        elif state.looking:
            self._title.setText(self.tr("Looking …"))
        elif state.looked and not state.why_off:
            self._title.setText(self.tr("This is the newest version"))
        else:
            self._title.setText(self.tr("Updates"))
        self._words.setText(self._circumstances())

    def _circumstances(self) -> str:
        from launchpad.system.updates import by_hand

        state = self._updates
        if state.why_off:
            return translated("updates", state.why_off)
        if state.percent is not None:
            return self.tr("Fetching: {0} %").format(state.percent)
        if state.started:
            return self.tr("It was fetched and checked, and its installer was started. Close Launchpad to go on there.")
        if state.found is not None and state.found.file is None:
            return by_hand(state.found.release.version)
        return self.tr("This is version {0}.").format(__version__)
