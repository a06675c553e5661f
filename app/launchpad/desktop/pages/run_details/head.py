"""The head of a run's page: title, state, facts, timeline and counts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtWidgets import QHBoxLayout, QWidget

from launchpad.application.states import has_ended, run_state
from launchpad.desktop.models.item_table import size_of
from launchpad.desktop.models.words import file_size, translated
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, StateIcon, label
from launchpad.desktop.widgets.timeline import Station, Timeline

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse, RunReadResponse


def moment_words(moment: datetime) -> str:
    """Date and time, short, in local time."""
    local = QDateTime.fromSecsSinceEpoch(int(moment.timestamp()))
    this_year = local.date().year() == QDateTime.currentDateTime().date().year()
    return str(QLocale().toString(local, "d MMM HH:mm" if this_year else "d MMM yyyy HH:mm"))


class RunCounts(QWidget):
    """Cards with numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("run_counts")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self._numbers = {key: label("–", "title", name=f"count_{key}") for key in
                         ("slides", "succeeded", "failed", "waiting", "size")}  # fmt: skip
        for key, words, icon, token in (
            ("slides", self.tr("Slides"), "images", "textMuted"),
            ("succeeded", self.tr("Succeeded"), "circle-check", "done"),
            ("failed", self.tr("Failed"), "circle-x", "failed"),
            ("waiting", self.tr("To do"), "clock", "pending"),
            ("size", self.tr("Results"), "hard-drive", "textMuted"),
        ):
            card = Card(12)
            card.column.setSpacing(4)
            head = QHBoxLayout()
            head.setSpacing(6)
            head.addWidget(StateIcon(icon, token, 14))
            head.addWidget(label(words, "caption"))
            head.addStretch(1)
            card.column.addLayout(head)
            card.column.addWidget(self._numbers[key])
            row.addWidget(card, 1)

    def show_run(self, run: RunReadResponse, items: list[ItemResultReadResponse]) -> None:
        """Show the counts of a run."""
        counts, locale = run.statistics, QLocale()
        total = sum(size_of(item) for item in items)
        for key, value in (
            ("slides", counts.item_count),
            ("succeeded", counts.item_succeeded_count),
            ("failed", counts.item_user_error_count + counts.item_system_error_count + counts.item_skipped_count),
            ("waiting", counts.item_pending_count + counts.item_processing_count),
        ):
            self._numbers[key].setText(locale.toString(value))
        self._numbers["size"].setText(file_size(total) if total else "–")


class RunTimeline(Timeline):
    """The stations of a run."""

    def show_run(self, run: RunReadResponse, items: list[ItemResultReadResponse]) -> None:
        """Show where a run is: queue position and schedule stand at their stations."""
        counts = run.statistics
        begun = run.state != "PENDING" and counts.item_skipped_count < counts.item_count
        ended = [item.terminated_at for item in items if item.terminated_at is not None]
        through = counts.item_count - counts.item_pending_count - counts.item_processing_count
        stations = [Station(self.tr("Submitted"), moment_words(run.submitted_at), "info")]
        waiting = run.state == "PENDING"
        queue = ""
        if waiting and run.num_preceding_items_platform is not None:
            queue = self.tr("%n slides before it", "", run.num_preceding_items_platform)
            if not run.num_preceding_items_platform:
                queue = self.tr("next in the queue")
        elif waiting:
            queue = self.tr("not scheduled yet")
        stations.append(Station(self.tr("Queued"), queue, "pending"))
        progress = ""
        if begun:
            progress = self.tr("%1 of %2 slides").replace("%1", str(through)).replace("%2", str(counts.item_count))
            if ended and not has_ended(run):
                progress += f", {self.tr('last at %1').replace('%1', moment_words(max(ended)))}"
        stations.append(Station(self.tr("Running"), progress, "processing" if begun else ""))
        if has_ended(run):
            view = run_state(run)
            when = moment_words(run.terminated_at) if run.terminated_at is not None else ""
            stations.append(Station(translated("states", view.words), when, view.token))
        else:
            stations.append(Station(self.tr("Completed"), self._schedule(run)))
        self.show_stations(stations)

    def _schedule(self, run: RunReadResponse) -> str:
        due = run.scheduling.due_date if run.scheduling is not None else None
        deadline = run.scheduling.deadline if run.scheduling is not None else None
        words = []
        if due is not None:
            words.append(self.tr("due %1").replace("%1", moment_words(due)))
        if deadline is not None:
            words.append(self.tr("deadline %1").replace("%1", moment_words(deadline)))
        return ", ".join(words) or self.tr("no schedule")


def facts(session: Session, run: RunReadResponse, words: tuple[str, str, str]) -> str:
    """Version, platform, who submitted and the id in a line; `words` are templates for version, submitter and id."""
    version, by, number = words
    parts = [version.replace("%1", run.version_number), session.profile.title]
    own = session.me is not None and run.submitted_by in (session.me.user.id, session.me.user.email)
    if not own:
        parts.append(by.replace("%1", run.submitted_by))
    parts.append(number.replace("%1", run.run_id))
    return "  ·  ".join(parts)
