"""Step 1: which version, what changed in it, what it needs and what it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, Slot
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from launchpad.desktop.models.words import artifact_words
from launchpad.desktop.pages.wizard.draft_model import DraftModel
from launchpad.desktop.widgets.basics import Card, label

if TYPE_CHECKING:
    from launchpad.platform.models import VersionReadResponse


class VersionStep(Card):
    """The choice of the version, with its changelog and artifacts."""

    def __init__(self, model: DraftModel) -> None:
        super().__init__()
        self._model = model
        self._choice = QComboBox()
        self._choice.setObjectName("version_choice")
        self._choice.setMinimumWidth(180)
        self._choice.setAccessibleName(self.tr("Version of the application"))
        self._choice.activated.connect(self._chosen)
        self._released = label("", "muted")
        name = label(self.tr("&Version"), "strong")
        name.setBuddy(self._choice)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(name)
        row.addWidget(self._choice)
        row.addWidget(self._released)
        row.addStretch(1)
        self.column.addLayout(row)
        self._about = label("", wrap=True, name="application_description")
        self._changes = label("", wrap=True, name="version_changelog")
        self._inputs = label("", wrap=True, name="version_inputs")
        self._outputs = label("", wrap=True, name="version_outputs")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(6)
        for title, text in (
            (self.tr("About"), self._about),
            (self.tr("What is new"), self._changes),
            (self.tr("What it needs for each slide"), self._inputs),
            (self.tr("What it makes"), self._outputs),
        ):
            column.addWidget(label(title, "section"))
            column.addWidget(text)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addSpacing(10)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inside)
        scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self.column.addWidget(scroll, 1)
        model.loaded.connect(self._show_versions)
        model.version_loaded.connect(self._show_details)

    def enter(self) -> None:
        """Called when the step is opened."""
        self._choice.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(int)
    def _chosen(self, number: int) -> None:
        for text in (self._changes, self._inputs, self._outputs):
            text.setText(self.tr("Loading …"))
        self._model.choose_version(self._choice.currentText())
        if self._model.version is not None:
            self._show_details()

    @Slot()
    def _show_versions(self) -> None:
        self._choice.clear()
        self._choice.addItems(self._model.versions())
        self._choice.setCurrentText(self._model.draft.version)
        application = self._model.application
        self._about.setText(application.description if application is not None else "")

    @Slot()
    def _show_details(self) -> None:
        version = self._model.version
        if version is None:
            return
        self._choice.setCurrentText(str(version.version_number))
        released = QDateTime.fromSecsSinceEpoch(int(version.released_at.timestamp()))
        date = QLocale().toString(released.date(), QLocale.FormatType.ShortFormat)
        self._released.setText(self.tr("released %1").replace("%1", date))
        self._changes.setText(version.changelog.strip() or self.tr("This version says nothing about its changes."))
        self._inputs.setText(self._input_words(version))
        self._outputs.setText("\n".join(_artifact(item.name, item.mime_type) for item in version.output_artifacts))

    def _input_words(self, version: VersionReadResponse) -> str:
        lines = [_artifact(item.name, item.mime_type) for item in version.input_artifacts]
        required = [column.title for column in self._model.slides.columns if column.required]
        optional = [column.title for column in self._model.slides.columns if not column.required]
        if required:
            lines.append(self.tr("You are asked for: %1").replace("%1", ", ".join(required)))
        if optional:
            lines.append(self.tr("You may also say: %1").replace("%1", ", ".join(optional)))
        if not required and not optional:
            lines.append(self.tr("Everything else is read from the file."))
        return "\n".join(lines)


def _artifact(name: str, media_type: str) -> str:
    """One artifact in a line: `Cell classification: geojson polygons (application/geo+json)`."""
    return f"• {artifact_words(name)} ({media_type})"
