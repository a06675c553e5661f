"""Step 6: what will be submitted, and the upload."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from launchpad.desktop.delegates.cell_paint import PADDING, cell_paint
from launchpad.desktop.models.slide_table import Role
from launchpad.desktop.models.upload_list import DETAIL, NAME, SIZE, STATE, UploadListModel
from launchpad.desktop.models.words import counted, file_size, time_words
from launchpad.desktop.pages.wizard.draft_model import DraftModel
from launchpad.desktop.pages.wizard.submission import Submission
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, StateIcon, label

Index = QModelIndex | QPersistentModelIndex

ROW = 36  # px
NOTE_SHOWN = 160  # characters


class _UploadDelegate(QStyledItemDelegate):
    """Name, size, state pill and reason in one line."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.background(painter, option)
        column, words = index.column(), str(index.data())
        cell: QRect = option.rect.adjusted(PADDING, 0, -PADDING, 0)
        if column == STATE:
            status = index.data(Role.State)
            paint.pill(painter, cell, status.icon, status.token, words)
        else:
            painter.setFont(paint.strong if column == NAME else paint.body)
            painter.setPen(paint.text if column in (NAME, DETAIL) else paint.muted)
            metrics = paint.strong_metrics if column == NAME else paint.body_metrics
            side = Qt.AlignmentFlag.AlignRight if column == SIZE else Qt.AlignmentFlag.AlignLeft
            mode = Qt.TextElideMode.ElideMiddle if column == NAME else Qt.TextElideMode.ElideRight
            painter.drawText(
                cell, side | Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(words, mode, max(cell.width(), 0))
            )
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(80, ROW)


class SubmitStep(Card):
    """A summary, the slides with the state of their upload, progress and cancel.

    Signals:
        go_without: the person wants to submit without the slides that failed.
    """

    go_without = Signal()

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
        )
        for row, title in enumerate(titles):
            value = label("", wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(label(title, "muted"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
            self._values.append(value)
        self.column.addWidget(label(self.tr("Review and submit"), "section"))
        self.column.addWidget(summary)
        self._list = UploadListModel(self)
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
        self._cancel = IconButton("x", self.tr("Cancel upload"), name="cancel_upload", small=True)
        self._cancel.clicked.connect(submission.cancel)
        self._without = IconButton("arrow-right", self.tr("Submit without them"), name="submit_without", small=True)
        self._without.clicked.connect(self.go_without)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self._words_icon)
        below.addWidget(self._words, 1)
        below.addWidget(self._without)
        below.addWidget(self._cancel)
        self.column.addLayout(below)
        self.column.addWidget(self._bar)
        model.changed.connect(self._refresh)
        submission.changed.connect(self._refresh_progress)
        self._refresh_progress()

    def enter(self) -> None:
        """Called when the step is opened."""
        self._refresh()

    def _make_table(self) -> QTableView:
        table = _UploadTable()
        table.setObjectName("upload_list")
        table.setAccessibleName(self.tr("Slides and their upload"))
        table.setModel(self._list)
        table.setItemDelegate(_UploadDelegate(table))
        return table

    @Slot()
    def _refresh(self) -> None:
        if not self.isVisible() and not self._submission.running:
            return  # shown anew when the step is opened
        draft = self._model.draft
        slides = draft.included()
        self._list.set_slides(slides)
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
        )
        for value, text in zip(self._values, values, strict=True):
            value.setText(text)
        self._refresh_progress()

    @Slot()
    def _refresh_progress(self) -> None:
        work = self._submission
        self._list.set_results(work.results, running=work.running)
        failed = [slide for slide in work.results.values() if slide.error]
        self._cancel.setVisible(work.running)
        self._bar.setVisible(work.running)
        others = len(self._model.draft.included()) - len(failed)
        self._without.setVisible(bool(failed) and not work.running and others > 0)
        # A bar counts to 2^31 at most; many slides are more bytes than that.
        self._bar.setRange(0, 1000 if work.total else 0)
        self._bar.setValue(work.done * 1000 // work.total if work.total else 0)
        words, icon, token = "", "info", "info"
        if work.running:
            words, icon, token = self._running_words(), "cloud-upload", "uploading"
        elif work.run_id:
            words, icon, token = self.tr("Submitted."), "circle-check", "done"
        elif failed:
            words = counted(
                len(failed),
                self.tr("1 slide could not be uploaded, so nothing was submitted."),
                self.tr("%n slides could not be uploaded, so nothing was submitted.", "", len(failed)),
            )
            icon, token = "circle-x", "failed"
        elif work.cancelled:
            words = self.tr("Cancelled: nothing was submitted. What is uploaded need not be uploaded again.")
            icon, token = "ban", "cancelled"
        self._words.setText(words)
        self._words_icon.show_state(icon, token)
        self._words_icon.setVisible(bool(words))

    def _running_words(self) -> str:
        work = self._submission
        if not work.total:
            return self.tr("Starting …")
        if work.done >= work.total:
            return self.tr("Submitting …")
        words = self.tr("%1 of %2").replace("%1", file_size(work.done)).replace("%2", file_size(work.total))
        if work.rate > 0:
            words += self.tr(" · %1/s").replace("%1", file_size(int(work.rate)))
            seconds = (work.total - work.done) / work.rate
            if seconds >= 5:
                minutes = round(seconds / 60)
                left = self.tr("less than a minute left")
                if minutes:
                    left = counted(minutes, self.tr("1 minute left"), self.tr("%n minutes left", "", minutes))
                words += f" · {left}"
        return words


class _UploadTable(QTableView):
    """A plain list of rows of fixed height; the reason takes what room is left."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        self.horizontalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setMinimumSectionSize(30)
        self.setMinimumHeight(2 * ROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.model() is None:
            return
        width = self.viewport().width()
        name = max(150, min(340, width // 3))
        for column, wide in ((NAME, name), (SIZE, 90), (STATE, 120), (DETAIL, max(width - name - 210, 100))):
            self.setColumnWidth(column, wide)
