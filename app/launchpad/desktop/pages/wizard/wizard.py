"""The page of six steps from an application to a submitted run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from launchpad.application.preflight import Finding
from launchpad.desktop.background import Jobs
from launchpad.desktop.navigation import DatasetPage, Route, RunPage
from launchpad.desktop.pages.wizard.draft_model import (
    STEP_FIND,
    STEP_NOTES,
    STEP_SCHEDULE,
    STEP_SLIDES,
    STEP_SUBMIT,
    DraftModel,
)
from launchpad.desktop.pages.wizard.step_notes import NotesStep
from launchpad.desktop.pages.wizard.step_schedule import ScheduleStep
from launchpad.desktop.pages.wizard.step_slides import FindStep
from launchpad.desktop.pages.wizard.step_submit import SubmitStep
from launchpad.desktop.pages.wizard.step_table import TableStep
from launchpad.desktop.pages.wizard.step_version import VersionStep
from launchpad.desktop.pages.wizard.submission import Submission
from launchpad.desktop.session import Session
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Notice, Pill, StateIcon, label
from launchpad.desktop.widgets.drop_area import local_paths
from launchpad.desktop.widgets.stepper import Stepper
from launchpad.errors import LaunchpadError


class WizardPage(QWidget):
    """Six steps over one draft; Back keeps everything.

    Signals:
        submitted: id of the run that was submitted.
    """

    submitted = Signal(str)

    def __init__(
        self,
        session: Session,
        jobs: Jobs,
        transfers: Transfers,
        navigate: Callable[[Route], None],
        application_id: str,
        parent: QWidget | None = None,
        *,
        draft_id: str = "",
    ) -> None:
        super().__init__(parent)
        self.setObjectName("wizard_page")
        self.setAcceptDrops(True)
        self._session = session
        self._navigate = navigate
        self.model = DraftModel(session, jobs, application_id, self, draft_id=draft_id)
        self.submission = Submission(transfers, self)
        self._step = 1
        self._furthest = 1
        self._to_files = False  # files came, and their step waits to be opened

        self._title = ElidedLabel(self._known_name(application_id), "display", name="wizard_title")
        self._version = Pill("info", "info", name="version_pill")
        self._version.hide()
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addWidget(self._version)
        head.addStretch(1)

        self._restored = Notice("clock", "info", name="draft_restore")
        again = IconButton("rotate-ccw", self.tr("Start over"), name="draft_discard", small=True)
        again.clicked.connect(self._start_over)
        self._restored.add(again)
        self._failed = Notice("circle-x", "failed", name="wizard_error")
        self._retry = IconButton("refresh-cw", self.tr("Try again"), name="wizard_retry", small=True)
        self._retry.clicked.connect(self._try_again)
        self._failed.add(self._retry)

        self.stepper = Stepper(
            [
                self.tr("Version"),
                self.tr("Find slides"),
                self.tr("Slides"),
                self.tr("Notes & tags"),
                self.tr("Schedule"),
                self.tr("Submit"),
            ]
        )
        self.stepper.chosen.connect(self.open_step)
        self.table = TableStep(session, self.model)
        self.table.add_wanted.connect(self._find_more)
        self.notes = NotesStep(self.model)
        self.review = SubmitStep(session, self.model, self.submission)
        self.review.go_without.connect(self._submit_without)
        self.review.fix.connect(self._mend)
        self.review.code_wanted.connect(self._show_code)
        self.finding = FindStep(self.model)
        self.finding.datasets_wanted.connect(partial(navigate, DatasetPage()))
        self._steps = (
            VersionStep(self.model),
            self.finding,
            self.table,
            self.notes,
            ScheduleStep(self.model),
            self.review,
        )
        self._stack = QStackedWidget()
        for step in self._steps:
            self._stack.addWidget(step)

        self._back = IconButton("arrow-left", self.tr("Back"), name="wizard_back")
        self._back.clicked.connect(self._go_back)
        self._why_icon = StateIcon("circle-alert", "failed")
        self._why = label("", "muted", wrap=True, name="wizard_obstacle")
        self._lead = IconButton("arrow-right", self.tr("Show"), kind="link", name="wizard_lead")
        self._lead.clicked.connect(self._lead_there)
        self._next = IconButton("arrow-right", self.tr("Next"), kind="primary", name="wizard_next")
        self._next.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._next.clicked.connect(self._go_on)
        self._submit = IconButton("upload", self.tr("Upload and submit"), kind="primary", name="wizard_submit")
        self._submit.clicked.connect(self._start_submission)
        for button in (self._back, self._next):
            button.setMinimumWidth(100)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._back)
        foot.addStretch(1)
        foot.addWidget(self._why_icon)
        foot.addWidget(self._why)
        foot.addWidget(self._lead)
        foot.addSpacing(8)
        foot.addWidget(self._next)
        foot.addWidget(self._submit)

        self._column = QVBoxLayout(self)
        self._column.addLayout(head)
        self._column.addWidget(self.stepper)
        self._column.addWidget(self._restored)
        self._column.addWidget(self._failed)
        self._column.addWidget(self._stack, 1)
        self._column.addLayout(foot)
        self._set_margins()
        self._shortcuts()

        self.model.changed.connect(self._refresh)
        self.model.scan_changed.connect(self._refresh)
        self.model.loaded.connect(self._show_application)
        self.model.version_loaded.connect(self._hide_error)
        self.model.version_loaded.connect(self._show_files)
        self.model.restored.connect(self._show_restored)
        self.model.failed.connect(self._show_error)
        self.submission.changed.connect(self._refresh)
        self.submission.failed.connect(self._show_error)
        self.submission.submitted.connect(self._submitted)
        session.health_changed.connect(self._refresh)
        session.health_changed.connect(self._show_files)
        self._refresh()
        self.model.start()

    @property
    def step(self) -> int:
        """Number of the open step, 1 to 6."""
        return self._step

    @Slot(int)
    def open_step(self, step: int) -> None:
        """Open a step; one further on than the first obstacle is not opened."""
        step = max(1, min(step, STEP_SUBMIT))
        if step == self._step or self.submission.running:
            return
        if step > self._step:
            for number in range(self._step, step):
                if self.model.obstacle(number):
                    step = number
                    break
        if self._stack.currentWidget() is self.notes:
            self.notes.leave()
        self._step = step
        self._furthest = max(self._furthest, step)
        self._restored.hide()
        self._stack.setCurrentIndex(step - 1)
        self._refresh()
        self._steps[step - 1].enter()

    def leave(self) -> None:
        """The page is about to be thrown away: save what is not saved, stop looking for slides."""
        self.model.leave()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_margins()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.submission.run_id:  # back on this page after its run was submitted
            self.submission.begin_anew()
            self.model.begin_anew()
            self._furthest = 1
            self.open_step(1)
        self._steps[self._step - 1].enter()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DeferredDelete:
            self.model.leave()
        return super().event(event)

    def take_files(self, paths: Sequence[Path]) -> None:
        """Look for slides in these, which came from elsewhere."""
        if paths and not self.submission.running:
            self.model.add_sources(paths)
            self._to_files = True
            self._show_files()

    @Slot()
    def _show_files(self) -> None:
        """The step of files that came from elsewhere, as soon as what a new page waits for lets one go there."""
        if self._to_files and (self._step > 1 or not self.model.obstacle(1)):
            self._to_files = False
            if self._step not in (STEP_FIND, STEP_SLIDES):
                self.open_step(STEP_FIND)

    # Drops anywhere on the page

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if local_paths(event.mimeData()) and not self.submission.running:
            event.acceptProposedAction()
            self.finding.drop_area.set_over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.finding.drop_area.set_over(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.finding.drop_area.set_over(False)
        found = local_paths(event.mimeData())
        if found and not self.submission.running:
            event.acceptProposedAction()
            self.take_files(found)

    # Inside

    def _known_name(self, application_id: str) -> str:
        names = [item.name for item in self._session.applications if item.application_id == application_id]
        return names[0] if names else application_id

    def _set_margins(self) -> None:
        side = 32 if self.width() >= 820 else 16
        roomy = self.height() >= 660
        self._column.setContentsMargins(side, 24 if roomy else 14, side, 16 if roomy else 12)
        self._column.setSpacing(16 if roomy else 10)
        self._fit_obstacle()

    def _fit_obstacle(self) -> None:
        """The sentence is as wide as it needs, at most what the buttons leave, then it takes two lines."""
        wanted = self._why.fontMetrics().horizontalAdvance(self._why.text()) + 4
        buttons = self._back.sizeHint().width() + max(self._next.sizeHint().width(), self._submit.sizeHint().width())
        self._why.setFixedWidth(max(min(wanted, self.width() - buttons - 220), 0))

    def _shortcuts(self) -> None:
        for number in range(1, len(self._steps) + 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(partial(self.open_step, number))
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._primary)

    @Slot()
    def _primary(self) -> None:
        button = self._submit if self._step == STEP_SUBMIT else self._next
        if button.isEnabled():
            button.click()

    @Slot()
    def _refresh(self) -> None:
        running, last = self.submission.running, self._step == STEP_SUBMIT
        done = bool(self.submission.run_id)
        obstacle = "" if running or done else self.model.obstacle(self._step)
        free = not obstacle and not running and not done
        self._next.setVisible(not last)
        self._submit.setVisible(last)
        self._next.setEnabled(free)
        self._submit.setEnabled(free)
        self._back.setEnabled(self._step > 1 and not running and not done)
        state = self.submission.upload.state if self.submission.upload is not None else ""
        words = self.tr("Upload and submit")
        if state == "failed":
            words = self.tr("Try again")
        elif state in ("paused", "interrupted"):
            words = self.tr("Resume")
        self._submit.setText(words)
        tip = obstacle
        missing = self.model.problems(self._step) if obstacle else []
        if len(missing) > 1 and not self._session_blocks():
            more = self.tr("and %n more", "", len(missing) - 6) if len(missing) > 6 else ""
            tip = "\n".join([problem.message for problem in missing[:6]] + ([more] if more else []))
        for button in (self._next, self._submit):
            button.setToolTip(tip)
            button.setAccessibleDescription(obstacle)
        self._why.setText(obstacle)
        self._fit_obstacle()
        self._why.setToolTip(tip)
        self._why_icon.setVisible(bool(obstacle))
        self._lead.setVisible(bool(obstacle and missing and not self._session_blocks()))
        reachable = 1 if running or done else self._step
        if not running and not done:
            while reachable < self._furthest and not self.model.obstacle(reachable):
                reachable += 1
        self.stepper.set_current(self._step, 0 if running or done else reachable)
        self._version.set_text(self.model.draft.version)
        self._version.setVisible(bool(self.model.draft.version))

    def _session_blocks(self) -> bool:
        return not self._session.can_submit[0]

    @Slot()
    def _lead_there(self) -> None:
        """To the first thing that is missing."""
        missing = self.model.problems(self._step)
        if missing:
            self.open_step(missing[0].step)
            self._steps[self._step - 1].enter()

    @Slot()
    def _go_on(self) -> None:
        self.open_step(self._step + 1)

    @Slot()
    def _go_back(self) -> None:
        self.open_step(self._step - 1)

    @Slot()
    def _find_more(self) -> None:
        self.open_step(STEP_FIND)

    @Slot()
    def _start_submission(self) -> None:
        self.model.check_again()
        if self.model.version is not None and not self.model.obstacle(STEP_SUBMIT):
            self._failed.hide()
            self.submission.start(self.model.snapshot())

    @Slot()
    def _submit_without(self) -> None:
        failed = [slide.id for slide in self.submission.results.values() if slide.error]
        self.model.slides.include(failed, False)
        self._start_submission()

    @Slot(object)
    def _mend(self, finding: Finding) -> None:
        """What stands in the way is mended in place, or where it can be."""
        if finding.fix == "leave_out":
            self.model.slides.include([slide.id for slide in finding.slides], False)
            self.review.enter()
            return
        steps = {"schedule": STEP_SCHEDULE, "notes": STEP_NOTES, "find": STEP_FIND}
        self.open_step(steps.get(finding.fix, STEP_SLIDES))
        if finding.fix == "show" and finding.slides:
            ids = [slide.id for slide in finding.slides]
            self.table.view.select_ids(ids)
            self.table.view.go_to(ids[0], finding.column or None)
            self.table.view.select_ids(ids)

    @Slot()
    def _show_code(self) -> None:
        from launchpad.application.recipe import draft_as_commands, draft_as_python
        from launchpad.desktop.widgets.code_dialog import CodeDialog

        draft = self.model.snapshot()
        words = self.tr("The commands need the metadata file of your slides: save it as slides.csv.")
        texts = {self.tr("Command"): draft_as_commands(draft), self.tr("Python"): draft_as_python(draft)}
        dialog = CodeDialog(self.tr("This run without the window"), words, texts, self)
        dialog.offer("arrow-down-to-line", self.tr("Save metadata file …"), "code_save_csv", self.table.ask_export)
        dialog.open()

    def find_here(self) -> bool:
        """Ctrl+F: the filter of the slide table, while it is open."""
        return self._step == STEP_SLIDES and self.table.find_here()

    @Slot(str)
    def _submitted(self, run_id: str) -> None:
        self.model.forget()
        shown = self.isVisible()  # a person who went elsewhere meanwhile stays there
        self.submitted.emit(run_id)
        if shown:
            self._navigate(RunPage(run_id))

    @Slot()
    def _show_application(self) -> None:
        if self.model.application is not None:
            self._title.setText(self.model.application.name)

    @Slot(str)
    def _show_restored(self, words: str) -> None:
        self.submission.adopt(self.model.draft.id)
        if self.submission.upload is not None:  # it was sent already: there is nothing to offer but to go on
            self._furthest = self._step = STEP_SUBMIT
            self._stack.setCurrentIndex(STEP_SUBMIT - 1)
            self.review.enter()
            return
        self._restored.say(words)
        if self.model.draft.slides:
            self._furthest = STEP_SLIDES
            self._step = STEP_SLIDES
            self._stack.setCurrentIndex(STEP_SLIDES - 1)
            self.table.enter()

    @Slot()
    def _start_over(self) -> None:
        self.submission.cancel()
        self.submission.begin_anew()
        self.model.discard()
        self._restored.hide()
        self._furthest = 1
        self.open_step(1)

    @Slot(object)
    def _show_error(self, error: object) -> None:
        self._retry.setVisible(self.model.version is None)
        if isinstance(error, LaunchpadError):
            self._failed.show_error(error)
        else:
            self._failed.say(self.tr("Something went wrong that should not: %1").replace("%1", f"{error}"))

    @Slot()
    def _hide_error(self) -> None:
        self._failed.hide()

    @Slot()
    def _try_again(self) -> None:
        self._failed.hide()
        self.model.start()
