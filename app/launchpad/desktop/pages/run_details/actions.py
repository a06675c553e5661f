"""What one can do with a run: the two menus of its page, and the questions before what cannot be undone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from launchpad.desktop.theme import icons, palette


class DownloadMenu(QMenu):
    """Which results, and where to.

    Signals:
        wanted: key of the choice: `all`, `selected`, `folder` or `zip`.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._all = self._entry("all", self.tr("All results"))
        self._selected = self._entry("selected", self.tr("Results of the selected slides"))
        self.addSeparator()
        self._folder = self._entry("folder", self.tr("All results to another folder …"))
        self._zip = self._entry("zip", self.tr("All results as a ZIP file …"))
        self.addSeparator()
        self.keep = QAction(self.tr("Keep downloading as slides finish"), self)
        self.keep.setObjectName("download_keep")
        self.keep.setCheckable(True)
        self.keep.setChecked(True)
        self.addAction(self.keep)

    def allow(self, *, results: bool, selected: int, moving: bool) -> None:
        """What is possible now: results there are, slides that are selected, whether the run goes on."""
        for action in (self._all, self._folder, self._zip):
            action.setEnabled(results or moving)
        self._selected.setEnabled(results and selected > 0)
        words = self.tr("Results of the selected slides")
        self._selected.setText(self.tr("Results of %n slides", "", selected) if selected > 1 else words)
        self.keep.setVisible(moving)

    def _entry(self, key: str, words: str) -> QAction:
        action = self.addAction(words)
        action.setObjectName(f"download_{key}")
        action.triggered.connect(lambda: self.wanted.emit(key))
        return action


class RunMenu(QMenu):
    """Everything else.

    Signals:
        wanted: key of the choice.
    """

    wanted = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._actions: dict[str, QAction] = {}
        self._icons: dict[QAction, str] = {}
        for key, icon, words in (
            ("copy_id", "copy", self.tr("Copy the run's id")),
            ("copy_link", "external-link", self.tr("Copy a link to this run")),
            ("share", "share-2", self.tr("Share …")),
            ("", "", ""),
            ("duplicate", "files", self.tr("Duplicate run")),
            ("resubmit", "rotate-ccw", self.tr("Resubmit failed slides")),
            ("", "", ""),
            ("code", "braces", self.tr("Show as command and Python")),
            ("metadata", "list", self.tr("Show all metadata")),
            ("", "", ""),
            ("delete", "trash-2", self.tr("Delete results …")),
        ):
            if not key:
                self.addSeparator()
                continue
            action = self.addAction(words)
            action.setObjectName(f"run_{key}")
            action.triggered.connect(lambda _checked=False, key=key: self.wanted.emit(key))
            self._actions[key] = action
            self._icons[action] = icon
        palette.changes.changed.connect(self._restyle)
        self._restyle()

    def allow(self, *, failed: int, ended: bool, results: bool) -> None:
        """What is possible now."""
        self._actions["resubmit"].setEnabled(failed > 0)
        words = self.tr("Resubmit %n failed slides", "", failed)
        self._actions["resubmit"].setText(words if failed > 1 else self.tr("Resubmit failed slides"))
        self._actions["delete"].setEnabled(ended and results)

    def _restyle(self) -> None:
        for action, icon in self._icons.items():
            action.setIcon(icons.icon(icon))


class Question(QObject):
    """Asks once before what cannot be undone."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent

    def ask(self, name: str, title: str, text: str, more: str, keep: str, act: str, then: Callable[[], object]) -> None:
        """Open the question; `then` is called when the person says so. All texts are shown as they are."""
        box = QMessageBox(self._parent)
        box.setObjectName(name)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(title)
        box.setText(text)
        box.setInformativeText(more)
        stay = box.addButton(keep, QMessageBox.ButtonRole.RejectRole)
        go = box.addButton(act, QMessageBox.ButtonRole.DestructiveRole)
        go.setObjectName(f"{name}_yes")
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(lambda button: then() if button is go else None)
        box.open()
