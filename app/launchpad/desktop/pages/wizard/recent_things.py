"""Folders and tags used lately, and public slides that are there, offered again."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from launchpad.application.recent import Kind
from launchpad.desktop.background import in_thread
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError

_TAGS = 50
_log = logging.getLogger(__name__)


class RecentThings(QObject):
    """Reads and keeps them off the GUI thread; what goes wrong is logged, as nothing depends on it.

    Signals:
        folders: the folders used last.
        tags: the tags used last.
        datasets: public slides among the data sets (`Downloaded`), the newest first.
    """

    folders = Signal(list)
    tags = Signal(list)
    datasets = Signal(list)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ended = False

    def load(self) -> None:
        """Look them up; the signals follow."""
        self._session.spawn(self._load())

    def keep(self, kind: Kind, values: Sequence[str]) -> None:
        """These were used just now."""
        self._session.spawn(self._keep(kind, list(values)))

    def end(self) -> None:
        """The page goes: nothing is announced any more."""
        self._ended = True

    async def _load(self) -> None:
        from launchpad.application.recent import recent

        try:
            folders, tags = await in_thread(recent, "folder"), await in_thread(recent, "tag", _TAGS)
        except LaunchpadError as error:
            _log.warning("recent things cannot be read: %s", error.title)
            return
        if not self._ended:
            self.folders.emit(folders)
            self.tags.emit(tags)
        from launchpad import paths
        from launchpad.dataset.downloaded import downloaded

        found = await in_thread(downloaded, paths.datasets_dir())
        if not self._ended:
            self.datasets.emit(found)

    async def _keep(self, kind: Kind, values: Sequence[str]) -> None:
        from launchpad.application.recent import remember

        try:
            await in_thread(remember, kind, values)
        except LaunchpadError as error:
            _log.warning("recent things cannot be kept: %s", error.title)
