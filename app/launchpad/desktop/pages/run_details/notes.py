"""Note and tags of a run, shown and edited in place; somebody else's change is shown, never overwritten unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QStringListModel, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCompleter, QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from launchpad.desktop.background import in_thread
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Notice
from launchpad.desktop.widgets.tag_chips import TagChips
from launchpad.errors import Changed, LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse


class RunNotes(QFrame):
    """One line that shows, and a small form that edits.

    Signals:
        changed: the run as it is after it was saved.
        tag_chosen: a tag that was clicked: show the runs that have it.
    """

    changed = Signal(object)
    tag_chosen = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._run: RunReadResponse | None = None
        self._seen: RunReadResponse | None = None
        self._theirs: RunReadResponse | None = None
        self._tags: list[str] = []
        self._note = ElidedLabel("", "body", name="run_note")
        self._chips = TagChips(removable=False)
        self._chips.setObjectName("run_tags")
        self._chips.chosen.connect(self.tag_chosen)
        self._edit = IconButton(
            "pencil", kind="quiet", tip=self.tr("Edit note and tags"), name="edit_notes", small=True
        )
        self._edit.clicked.connect(self.begin)
        self._line = QWidget()
        row = QHBoxLayout(self._line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._note)
        row.addWidget(self._chips, 1)
        row.addWidget(self._edit)
        self._form = self._make_form()
        self._form.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._line)
        column.addWidget(self._form)

    def _make_form(self) -> QFrame:
        form = QFrame()
        form.setProperty("role", "card")
        self._text = QPlainTextEdit()
        self._text.setObjectName("run_note_edit")
        self._text.setAccessibleName(self.tr("Note"))
        self._text.setPlaceholderText(self.tr("What is this run about?"))
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(64)
        self._tag = QLineEdit()
        self._tag.setObjectName("run_tag_edit")
        self._tag.setAccessibleName(self.tr("New tag"))
        self._tag.setPlaceholderText(self.tr("Type a tag and press Enter"))
        self._tag.returnPressed.connect(self._add_tag)
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._tag.setCompleter(completer)
        self._edited = TagChips()
        self._edited.removed.connect(self._remove_tag)
        self._conflict = Notice("triangle-alert", "partial", name="notes_conflict")
        take = IconButton("check", self.tr("Take theirs"), name="notes_take_theirs", small=True)
        take.clicked.connect(self._take_theirs)
        over = IconButton("pencil", self.tr("Save mine over it"), name="notes_save_over", small=True)
        over.clicked.connect(self._save_over)
        self._conflict.add(take)
        self._conflict.add(over)
        self._failed = Notice("circle-x", "failed", name="notes_error")
        self._save = IconButton("check", self.tr("Save"), kind="primary", name="notes_save", small=True)
        self._save.clicked.connect(self.save)
        self._cancel = IconButton("x", self.tr("Cancel"), name="notes_cancel", small=True)
        self._cancel.clicked.connect(self.end)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._tag, 1)
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._save)
        column = QVBoxLayout(form)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        for widget in (self._text, self._edited):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addWidget(self._conflict)
        column.addWidget(self._failed)
        return form

    @property
    def editing(self) -> bool:
        """Whether the form is open."""
        return not self._form.isHidden()

    def show_run(self, run: RunReadResponse, known_tags: list[str]) -> None:
        """Show a run; a form that is open keeps what was typed and says when the run changed below it."""
        from launchpad.platform.custom_metadata import note_of, tags_of

        self._run = run
        note, tags = note_of(run.custom_metadata), tags_of(run.custom_metadata)
        self._known.setStringList(known_tags)
        self._note.setText(" ".join(note.split()) or self.tr("No note yet"))
        self._note.setProperty("type", "body" if note else "muted")
        self._note.style().unpolish(self._note)
        self._note.style().polish(self._note)
        self._chips.show_tags(tags)
        if self.editing and self._seen is not None and _text_of(self._seen) != _text_of(run):
            self._show_conflict(run)

    @Slot()
    def begin(self) -> None:
        """Open the form."""
        if self._run is None:
            return
        self._seen = self._run
        note, self._tags = _text_of(self._run)
        self._text.setPlainText(note)
        self._edited.show_tags(self._tags)
        self._conflict.hide()
        self._failed.hide()
        self._line.hide()
        self._form.show()
        self._text.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def end(self) -> None:
        """Close the form; what was typed is given up."""
        self._form.hide()
        self._line.show()
        self._edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.editing and event.key() == Qt.Key.Key_Escape:
            self.end()
            event.accept()
            return
        super().keyPressEvent(event)

    @Slot()
    def save(self) -> None:
        """Send what was typed."""
        self._add_tag()
        if self._seen is not None:
            self._enable(False)
            self._session.spawn(self._send(self._seen), self)

    async def _send(self, seen: RunReadResponse) -> None:
        from launchpad.application.annotate import change_note_and_tags

        note, tags = self._text.toPlainText().strip(), list(self._tags)
        client = self._session.client
        try:
            run = await in_thread(change_note_and_tags, client, seen, note, tags)
        except Changed:
            try:
                self._show_conflict(await in_thread(client.run(seen.run_id).details))
            except LaunchpadError as error:
                self._failed.show_error(error)
        except LaunchpadError as error:
            self._failed.show_error(error)
        else:
            self.end()
            self.changed.emit(run)
        finally:
            self._enable(True)

    def _show_conflict(self, theirs: RunReadResponse) -> None:
        self._theirs = theirs
        note, tags = _text_of(theirs)
        words = self.tr("Somebody else changed it meanwhile. Theirs: %1, tags: %2")
        shown = note or self.tr("no note")
        self._conflict.say(words.replace("%1", shown).replace("%2", ", ".join(tags) or "–"))

    @Slot()
    def _take_theirs(self) -> None:
        if self._theirs is not None:
            self.changed.emit(self._theirs)
            self.end()

    @Slot()
    def _save_over(self) -> None:
        if self._theirs is not None:
            self._seen = self._theirs
            self._conflict.hide()
            self.save()

    @Slot()
    def _add_tag(self) -> None:
        tag = self._tag.text().strip()
        self._tag.clear()
        if tag and tag not in self._tags:
            self._tags = [*self._tags, tag]
            self._edited.show_tags(self._tags)

    @Slot(str)
    def _remove_tag(self, tag: str) -> None:
        self._tags = [own for own in self._tags if own != tag]
        self._edited.show_tags(self._tags)

    def _enable(self, enabled: bool) -> None:
        for widget in (self._text, self._tag, self._save, self._cancel):
            widget.setEnabled(enabled)


def _text_of(run: RunReadResponse) -> tuple[str, list[str]]:
    from launchpad.platform.custom_metadata import note_of, tags_of

    return note_of(run.custom_metadata), tags_of(run.custom_metadata)
