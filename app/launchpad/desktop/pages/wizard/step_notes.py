"""Step 4: a note and tags, by which one finds the run again."""

from __future__ import annotations

from PySide6.QtCore import QStringListModel, Qt, Slot
from PySide6.QtWidgets import QCompleter, QLineEdit, QPlainTextEdit

from launchpad.desktop.pages.wizard.draft_model import DraftModel
from launchpad.desktop.widgets.basics import Card, label
from launchpad.desktop.widgets.tag_chips import TagChips


class NotesStep(Card):
    """Note and tags. Both may stay empty."""

    def __init__(self, model: DraftModel) -> None:
        super().__init__(margins=20)
        self._model = model
        title = label(self.tr("&Note"), "section")
        self._note = QPlainTextEdit()
        self._note.setObjectName("note_edit")
        self._note.setAccessibleName(self.tr("Note"))
        self._note.setPlaceholderText(self.tr("What is this run about? You can search for it later."))
        self._note.setTabChangesFocus(True)
        self._note.setMinimumHeight(90)
        self._note.setMaximumHeight(220)
        self._note.textChanged.connect(self._noted)
        title.setBuddy(self._note)
        tags_title = label(self.tr("&Tags"), "section")
        self._tag = QLineEdit()
        self._tag.setObjectName("tag_edit")
        self._tag.setAccessibleName(self.tr("New tag"))
        self._tag.setPlaceholderText(self.tr("Type a tag and press Enter"))
        self._tag.returnPressed.connect(self._add_tag)
        tags_title.setBuddy(self._tag)
        self._known = QStringListModel(self)
        completer = QCompleter(self._known, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._tag.setCompleter(completer)
        model.recent.tags.connect(self._known.setStringList)
        self._chips = TagChips()
        self._chips.setObjectName("tag_chips")
        self._chips.removed.connect(model.remove_tag)
        self._hint = label("", "muted", name="tag_hint")
        self.column.addWidget(title)
        self.column.addWidget(self._note, 2)
        self.column.addSpacing(8)
        self.column.addWidget(tags_title)
        self.column.addWidget(self._tag)
        self.column.addWidget(self._chips)
        self.column.addWidget(self._hint)
        self.column.addStretch(1)
        model.changed.connect(self._refresh)
        self._refresh()

    def enter(self) -> None:
        """Called when the step is opened."""
        self._note.setFocus(Qt.FocusReason.OtherFocusReason)
        self._model.recent.load()

    def leave(self) -> None:
        """Called when the step is left: a tag that was typed without Enter is meant."""
        if self._tag.text().strip():
            self._add_tag()

    @Slot()
    def _refresh(self) -> None:
        if self._note.toPlainText() != self._model.draft.note:
            self._note.setPlainText(self._model.draft.note)
        self._chips.show_tags(self._model.draft.tags)

    @Slot()
    def _noted(self) -> None:
        self._model.set_note(self._note.toPlainText())

    @Slot()
    def _add_tag(self) -> None:
        tag = self._tag.text().strip()
        self._tag.clear()
        known = tag in self._model.draft.tags
        self._hint.setText(self.tr("“%1” is there already.").replace("%1", tag) if known else "")
        self._model.add_tag(tag)
