"""Which runs the sidebar shows: by state, application, tag, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from launchpad.application.states import STATES
from launchpad.desktop.models.run_list import RunFilter, RunListModel
from launchpad.desktop.models.words import translated
from launchpad.desktop.session import Session

_STATES = (
    "received", "scheduled", "running", "completed", "completed_with_errors", "rejected", "cancelled_by_system",
    "cancelled_by_user",
)  # fmt: skip
_TAGS = 20  # in the menu; the search finds the others


class RunFilterMenu(QMenu):
    """The menu of the filter button; it holds the filter.

    Signals:
        changed: another filter is wanted.
    """

    changed = Signal()

    def __init__(self, session: Session, model: RunListModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._model = session, model
        self.wanted = RunFilter()
        self._groups: list[QActionGroup] = []
        self.aboutToShow.connect(self.refresh)

    def search(self, text: str) -> None:
        """Look for this text."""
        self._take(replace(self.wanted, text=text.strip()))

    def choose_tag(self, tag: str) -> None:
        """Show this tag's runs, whatever was looked for before."""
        self._take(RunFilter(tag=tag))

    def words(self) -> list[str]:
        """What the filter asks for besides the text, in words."""
        found = []
        if self.wanted.state:
            found.append(translated("states", STATES[self.wanted.state].words))
        if self.wanted.application_id:
            found.append(self._session.application_name(self.wanted.application_id))
        if self.wanted.tag:
            found.append(self.tr("tag: %1").replace("%1", self.wanted.tag))
        if self._session.of_organization:
            found.append(self.tr("my organization's"))
        return found

    @Slot(str)
    def clear_one(self, words: str) -> None:
        """Take back what these words say."""
        for field in ("state", "application_id", "tag"):
            kept, self.wanted = self.wanted, replace(self.wanted, **{field: ""})
            if words not in self.words():
                self.changed.emit()
                return
            self.wanted = kept
        self._of_organization(False)

    @Slot()
    def refresh(self) -> None:
        """Offer what there is now."""
        self.clear()
        self._groups.clear()
        whose = {"mine": self.tr("My runs"), "organization": self.tr("My organization's runs")}
        current = "organization" if self._session.of_organization else "mine"
        self._choices(self, whose, current, lambda key: self._of_organization(key == "organization"))
        self.addSeparator()
        states = {"": self.tr("All states")} | {key: translated("states", STATES[key].words) for key in _STATES}
        self._choices(self.addMenu(self.tr("State")), states, self.wanted.state, self._set("state"))
        names = {"": self.tr("All applications")}
        names |= {item.application_id: item.name for item in self._session.applications}
        self._choices(
            self.addMenu(self.tr("Application")), names, self.wanted.application_id, self._set("application_id")
        )
        tags = {"": self.tr("All tags")} | {tag: tag for tag in self._model.tags()[:_TAGS]}
        menu = self.addMenu(self.tr("Tag"))
        menu.setEnabled(len(tags) > 1)
        self._choices(menu, tags, self.wanted.tag, self._set("tag"))
        self.addSeparator()
        clear = self.addAction(self.tr("Show all"))
        clear.setEnabled(not self.wanted.is_empty)
        clear.triggered.connect(self._clear_all)

    def _choices(self, menu: QMenu, choices: Mapping[str, str], chosen: str, choose: Callable[[str], None]) -> None:
        group = QActionGroup(menu)
        self._groups.append(group)
        for key, words in choices.items():
            action = menu.addAction(words.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(key == chosen)
            action.setData(key)
            group.addAction(action)
        group.triggered.connect(lambda action: choose(str(action.data())))

    def _set(self, field: str) -> Callable[[str], None]:
        return lambda value: self._take(replace(self.wanted, **{field: value}))

    def _take(self, wanted: RunFilter) -> None:
        if wanted != self.wanted:
            self.wanted = wanted
            self.changed.emit()

    def _of_organization(self, wanted: bool) -> None:
        self._session.show_runs_of(organization=wanted)
        self.changed.emit()

    @Slot()
    def _clear_all(self) -> None:
        self._take(RunFilter())
