"""Step 6: what will be submitted, and the upload."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QWidget
from shiboken6 import isValid

from launchpad import paths
from launchpad.application.draft import SubmissionDraft
from launchpad.application.preflight import preflight
from launchpad.bucket.board import FileState
from launchpad.desktop.background import in_thread
from launchpad.desktop.models.file_list import FileListModel
from launchpad.desktop.models.words import counted, file_size, pace_words, time_words
from launchpad.desktop.pages.wizard.draft_model import DraftModel
from launchpad.desktop.pages.wizard.preflight_panel import PreflightPanel
from launchpad.desktop.pages.wizard.submission import Submission
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, StateIcon, label
from launchpad.desktop.widgets.file_table import FileTable
from launchpad.errors import LaunchpadError
from launchpad.system.diagnostics import free_space

if TYPE_CHECKING:
    from launchpad.application.allowance import Allowance
    from launchpad.platform.client import Client

_log = logging.getLogger(__name__)
NOTE_SHOWN = 160  # characters
_USUAL = 10e6  # bytes a second of an upload, where nothing better is known


class SubmitStep(Card):
    """A summary, the slides with the state of their upload, progress and cancel.

    Signals:
        go_without: the person wants to submit without the slides that failed.
    """

    go_without = Signal()
    fix = Signal(object)
    code_wanted = Signal()

    def __init__(self, session: Session, model: DraftModel, submission: Submission) -> None:
        super().__init__(margins=20)
        self._session = session
        self._model = model
        self._submission = submission
        summary = QWidget()
        summary.setObjectName("submit_summary")
        grid = QGridLayout(summary)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        self._values: list[QLabel] = []
        titles = (
            self.tr("Application"),
            self.tr("Platform"),
            self.tr("Slides"),
            self.tr("Schedule"),
            self.tr("Tags"),
            self.tr("Note"),
            self.tr("Limits"),
        )
        for row, title in enumerate(titles):
            value = label("", wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            head = label(title, "muted")
            grid.addWidget(head, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
            self._values.append(value)
        self._limits = head, value  # the last row, shown where the platform has limits and tells them
        value.setObjectName("submit_limits")
        self._allowance: Allowance | None = None
        code = IconButton("braces", self.tr("Show as command and Python"), kind="link", name="show_code")
        code.clicked.connect(self.code_wanted)
        top = QHBoxLayout()
        top.addWidget(label(self.tr("Review and submit"), "section"))
        top.addStretch(1)
        top.addWidget(code)
        self.column.addLayout(top)
        self.column.addWidget(summary)
        self._checks = PreflightPanel()
        self._checks.fix.connect(self.fix)
        self.column.addWidget(self._checks)
        self._free: int | None = None
        self._list = FileListModel(self)
        self._table = self._make_table()
        self.column.addWidget(self._table, 1)
        self._bar = QProgressBar()
        self._bar.setObjectName("upload_progress")
        self._bar.setAccessibleName(self.tr("Progress of the upload"))
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setRange(0, 1000)
        self._words = label("", "muted", wrap=True, name="upload_label")
        self._words_icon = StateIcon("cloud-upload", "uploading")
        self._pause = IconButton("pause", self.tr("Pause"), name="pause_upload", small=True)
        self._pause.clicked.connect(submission.pause)
        self._cancel = IconButton("x", self.tr("Cancel upload"), name="cancel_upload", small=True)
        self._cancel.clicked.connect(submission.cancel)
        self._without = IconButton("arrow-right", self.tr("Submit without them"), name="submit_without", small=True)
        self._without.clicked.connect(self.go_without)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._words_icon)
        below.addWidget(self._words, 1)
        below.addWidget(self._without)
        below.addWidget(self._pause)
        below.addWidget(self._cancel)
        self.column.addLayout(below)
        self.column.addWidget(self._bar)
        model.changed.connect(self._refresh)
        submission.changed.connect(self._refresh_progress)
        self._refresh_progress()

    def enter(self) -> None:
        """Called when the step is opened."""
        self._refresh()
        self._session.spawn(self._look_at_disk(), self)
        if self._session.is_connected:
            self._session.spawn(self._ask_limits(), self)

    async def _look_at_disk(self) -> None:
        self._free = await in_thread(free_space, paths.results_dir())
        if isValid(self):
            self._refresh()

    async def _ask_limits(self) -> None:
        try:
            self._allowance = await in_thread(_allowance, self._session.client)
        except LaunchpadError as error:  # the submission says what is wrong
            _log.warning("the limits of the platform are not known: %s", error.title)
            return
        if isValid(self):
            self._refresh()

    def _make_table(self) -> FileTable:
        table = FileTable(self._list)
        table.setObjectName("upload_list")
        table.setAccessibleName(self.tr("Slides and their upload"))
        return table

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible() and not self._submission.running:
            return  # shown anew when the step is opened
        draft = self._model.draft
        slides = draft.included()
        application = self._model.application
        name = application.name if application is not None else self._model.application_id
        count = counted(len(slides), self.tr("1 slide"), self.tr("%n slides", "", len(slides)))
        words = f"{count}, {file_size(sum(slide.size for slide in slides))}"
        left_out = len(draft.slides) - len(slides)
        if left_out:
            words += f" ({counted(left_out, self.tr('1 is left out'), self.tr('%n are left out', '', left_out))})"
        place = self._session.profile.title
        if self._session.profile.kind == "embedded":
            place = self.tr("%1; the slides are read where they are, not copied").replace("%1", place)
        schedule = self.tr("None: as soon as there is room")
        if draft.due_date is not None and draft.deadline is not None:
            schedule = (
                self.tr("Due %1, deadline %2")
                .replace("%1", time_words(draft.due_date))
                .replace("%2", time_words(draft.deadline))
            )
        note = " ".join(draft.note.split())
        values = (
            self.tr("%1, version %2").replace("%1", name).replace("%2", draft.version),
            place,
            words,
            schedule,
            ", ".join(draft.tags) or "–",
            (note if len(note) <= NOTE_SHOWN else note[: NOTE_SHOWN - 1] + "…") or "–",
            self._limit_words(draft),
        )
        for value, text in zip(self._values, values, strict=True):
            value.setText(text)
        for part in self._limits:
            part.setVisible(bool(values[-1]))
        local = self._session.profile.kind == "embedded"
        over = self._allowance.problem(len(slides)) if self._allowance is not None else ""
        self._checks.show_findings(
            preflight(draft, by_reference=local, free_disk=self._free, bytes_per_second=_USUAL, over_quota=over)
        )
        self._refresh_progress()

    def _limit_words(self, draft: SubmissionDraft) -> str:
        """Use of the quotas, and that several runs are sent; "" for nothing."""
        if self._allowance is None:
            return ""
        lines = [self._allowance.split_words(draft), *self._allowance.lines()]
        return "\n".join(line for line in lines if line)

    @Slot()
    def _refresh_progress(self) -> None:
        upload = self._submission.upload
        running = self._submission.running
        state = upload.state if upload is not None else ""
        files = upload.board.files() if upload is not None else []
        if not files:
            files = [
                FileState(str(number), slide.path.name, slide.size)
                for number, slide in enumerate(self._model.draft.included())
            ]
        self._list.set_files(files)
        failed = [slide for slide in self._submission.results.values() if slide.error]
        self._pause.setVisible(running)
        self._pause.setEnabled(state == "running")
        self._cancel.setVisible(running or state in ("paused", "interrupted"))
        self._cancel.setEnabled(state != "cancelling")
        self._bar.setVisible(running or state in ("paused", "interrupted"))
        others = len(self._model.draft.included()) - len(failed)
        self._without.setVisible(bool(failed) and not running and others > 0)
        done, total = upload.bytes if upload is not None else (0, 0)
        # A bar counts to 2^31 at most; many slides are more bytes than that.
        self._bar.setRange(0, 1000 if total or not running else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        words, icon, token = "", "info", "info"
        if state == "pausing":
            words, icon, token = self.tr("Pausing …"), "pause", "pending"
        elif state == "cancelling":
            words, icon, token = self.tr("Cancelling …"), "ban", "cancelled"
        elif running:
            words, icon, token = self._running_words(done, total), "cloud-upload", "uploading"
        elif self._submission.run_id:
            words, icon, token = self.tr("Submitted."), "circle-check", "done"
        elif failed:
            words = counted(
                len(failed),
                self.tr("1 slide could not be uploaded, so nothing was submitted."),
                self.tr("%n slides could not be uploaded, so nothing was submitted.", "", len(failed)),
            )
            icon, token = "circle-x", "failed"
        elif state == "cancelled":
            words = self.tr("Cancelled: nothing was submitted. Slides that are whole need not be uploaded again.")
            icon, token = "ban", "cancelled"
        elif state in ("paused", "interrupted"):
            words = self.tr("Paused at %1 of %2. It goes on where it was.")
            if state == "interrupted":
                words = self.tr("Interrupted at %1 of %2. It goes on where it was.")
            words = words.replace("%1", file_size(done)).replace("%2", file_size(total))
            icon, token = "pause", "pending"
        self._words.setText(words)
        self._words_icon.show_state(icon, token)
        self._words_icon.setVisible(bool(words))

    def _running_words(self, done: int, total: int) -> str:
        upload = self._submission.upload
        if not total or upload is None:
            return self.tr("Starting …")
        if done >= total:
            return self.tr("Submitting …")
        return pace_words(done, total, upload.rate, upload.remaining)


def _allowance(client: Client) -> Allowance:
    from launchpad.application.allowance import load_allowance

    return load_allowance(client)
