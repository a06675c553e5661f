"""The button that opens the notebook of a run, on its page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot

from launchpad.desktop.navigation import NotebookPage, Route
from launchpad.desktop.notebooks import Notebooks
from launchpad.desktop.widgets.basics import IconButton


class OpenInNotebook(IconButton):
    """Open in Notebook: puts the notebook beside the results and shows its page."""

    def __init__(self, notebooks: Notebooks, navigate: Callable[[Route], None], run_id: str, folder: Path) -> None:
        super().__init__("notebook-pen", self.tr("Open in Notebook"), kind="secondary", name="open_in_notebook")
        self._notebooks, self._navigate, self._run_id, self._folder = notebooks, navigate, run_id, folder
        self.clicked.connect(self.open_now)

    def set_ready(self, ready: bool) -> None:
        """Whether the results are on this computer."""
        self.setEnabled(ready)
        waiting = self.tr("The results are not on this computer yet.")
        self.setToolTip(waiting if not ready else "" if self.text() else self.tr("Open in Notebook"))

    @Slot()
    def open_now(self) -> None:
        """Do it."""
        self._notebooks.open(self._run_id, self._folder)
        self._navigate(NotebookPage(self._run_id))
