"""Step 5: when the run should be done, and when it is given up. Both may be left out."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import QDateTime, QLocale, QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QCheckBox, QDateTimeEdit, QGridLayout, QHBoxLayout

from launchpad.desktop.pages.wizard.draft_model import STEP_SCHEDULE, DraftModel, default_schedule
from launchpad.desktop.widgets.basics import Card, IconButton, StateIcon, label


class ScheduleStep(Card):
    """Due date and deadline in local time, or no schedule."""

    def __init__(self, model: DraftModel) -> None:
        super().__init__(margins=20)
        self._model = model
        self._off = QCheckBox(self.tr("&No schedule: run as soon as there is room, without a time limit"))
        self._off.setObjectName("schedule_off")
        self._off.toggled.connect(self._read)
        self._due = self._edit("due_date_edit", self.tr("Due date"))
        self._deadline = self._edit("deadline_edit", self.tr("Deadline"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        rows = (
            (self._due, self.tr("&Due date"), self.tr("The run should be done by then; it goes on when it is late.")),
            (self._deadline, self.tr("Dead&line"), self.tr("What is not done by then is given up.")),
        )
        for row, (edit, title, explanation) in enumerate(rows):
            name = label(title, "strong")
            name.setBuddy(edit)
            grid.addWidget(name, 2 * row, 0)
            grid.addWidget(edit, 2 * row, 1)
            grid.addWidget(label(explanation, "muted", wrap=True), 2 * row, 2)
            grid.setRowMinimumHeight(2 * row + 1, 8)
        reset = IconButton("rotate-ccw", self.tr("In 6 and 24 hours"), kind="secondary", name="schedule_reset")
        reset.clicked.connect(self._reset)
        self._reset_button = reset
        self._zone = label("", "muted", wrap=True, name="time_zone_label")
        self._icon = StateIcon("circle-alert", "failed")
        self._problem = label("", wrap=True, name="schedule_problem")
        problem = QHBoxLayout()
        problem.setSpacing(8)
        problem.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        problem.addWidget(self._problem, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(reset)
        buttons.addStretch(1)
        self.column.addWidget(label(self.tr("Schedule"), "section"))
        self.column.addWidget(self._off)
        self.column.addSpacing(4)
        self.column.addLayout(grid)
        self.column.addLayout(buttons)
        self.column.addWidget(self._zone)
        self.column.addLayout(problem)
        self.column.addStretch(1)
        model.changed.connect(self._refresh)
        self._refresh()

    def enter(self) -> None:
        """Called when the step is opened: from now on the past is another one."""
        now = QDateTime.currentDateTime()
        for edit in (self._due, self._deadline):
            blocker = QSignalBlocker(edit)
            # The calendar offers no day before today; an hour that has passed is refused by the draft, with words.
            edit.setMinimumDate(now.date())
            blocker.unblock()
        self._model.check_again()
        (self._off if self._off.isChecked() else self._due).setFocus(Qt.FocusReason.OtherFocusReason)

    def _edit(self, name: str, title: str) -> QDateTimeEdit:
        edit = QDateTimeEdit()
        edit.setObjectName(name)
        edit.setAccessibleName(title)
        edit.setCalendarPopup(True)
        edit.setDisplayFormat(f"{QLocale().dateFormat(QLocale.FormatType.ShortFormat)}  HH:mm")
        edit.setMinimumWidth(190)
        edit.dateTimeChanged.connect(self._read)
        return edit

    @Slot()
    def _read(self) -> None:
        if self._off.isChecked():
            self._model.set_schedule(None, None)
            return
        draft = self._model.draft
        if draft.due_date is None or draft.deadline is None:  # the schedule was switched on again
            self._model.set_schedule(*default_schedule())
            return
        self._model.set_schedule(_moment(self._due), _moment(self._deadline))

    @Slot()
    def _reset(self) -> None:
        self._model.set_schedule(*default_schedule())

    @Slot()
    def _refresh(self) -> None:
        draft = self._model.draft
        on = draft.due_date is not None or draft.deadline is not None
        blockers = [QSignalBlocker(widget) for widget in (self._off, self._due, self._deadline)]
        self._off.setChecked(not on)
        for edit, value in ((self._due, draft.due_date), (self._deadline, draft.deadline)):
            edit.setEnabled(on)
            if value is not None and _moment(edit) != value:
                edit.setDateTime(QDateTime.fromSecsSinceEpoch(int(value.timestamp())))
        for blocker in blockers:
            blocker.unblock()
        self._reset_button.setEnabled(on)
        self._zone.setText(self.tr("Times are in the time zone of this computer: %1.").replace("%1", _zone_words()))
        problems = [problem.message for problem in self._model.problems() if problem.step == STEP_SCHEDULE]
        self._problem.setText(" ".join(problems))
        self._icon.setVisible(bool(problems))


def _moment(edit: QDateTimeEdit) -> datetime:
    moment = edit.dateTime().toPython()
    assert isinstance(moment, datetime)
    return moment.replace(second=0, microsecond=0).astimezone()


def _zone_words() -> str:
    now = datetime.now().astimezone()
    offset = now.utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    sign = "+" if minutes >= 0 else "−"
    hours = f"UTC{sign}{abs(minutes) // 60}" + (f":{abs(minutes) % 60:02d}" if minutes % 60 else "")
    name = now.tzname() or ""
    if not minutes:
        return name or "UTC"
    return hours if not name else f"{name} ({hours})"
