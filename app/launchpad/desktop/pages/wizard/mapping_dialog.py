"""Rules that fill in values by the slides' names, with a preview of what each would set."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from launchpad.application import mapping
from launchpad.application.columns import Column
from launchpad.application.draft import Slide
from launchpad.desktop.models.words import counted
from launchpad.desktop.widgets.basics import IconButton, Notice, label
from launchpad.errors import LaunchpadError

_SHOWN = 200  # slides of a rule


class MappingDialog(QDialog):
    """One rule a line, as the command line takes them.

    Signals:
        wanted: the slides with the values that the rules set.
    """

    wanted = Signal(object)

    def __init__(self, slides: Sequence[Slide], columns: tuple[Column, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("mapping_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Fill in by rules"))
        self.resize(680, 520)
        self._slides, self._columns = list(slides), columns
        first = next((column for column in columns if column.choices), None)
        example = f".*lung.*:{first.key}={first.choices[0]}" if first is not None else ".*:key=value"
        self._rules = QPlainTextEdit()
        self._rules.setObjectName("mapping_rules")
        self._rules.setAccessibleName(self.tr("Rules"))
        self._rules.setPlaceholderText(example)
        self._rules.setFixedHeight(92)
        self._rules.textChanged.connect(self._preview)
        self._failed = Notice("circle-x", "failed", name="mapping_error")
        self._tree = QTreeWidget()
        self._tree.setObjectName("mapping_preview")
        self._tree.setAccessibleName(self.tr("What the rules would set"))
        self._tree.setHeaderLabels([self.tr("Slide"), self.tr("Would get")])
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._apply = IconButton("check", self.tr("Fill in"), kind="primary", name="mapping_apply", small=True)
        self._apply.clicked.connect(self._take)
        close = IconButton("x", self.tr("Cancel"), name="mapping_cancel", small=True)
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self._apply)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(10)
        box.addWidget(label(self.tr("Fill in by rules"), "title"))
        words = self.tr(
            "A line for each rule: a regular expression that is searched in the slide's path, a colon, and values. "
            "Known: %1."
        )
        known = ", ".join([*(column.key for column in columns), "resolution_mpp"])
        box.addWidget(label(words.replace("%1", known), "muted", wrap=True))
        box.addWidget(self._rules)
        box.addWidget(self._failed)
        box.addWidget(self._tree, 1)
        box.addLayout(buttons)
        self._preview()

    def _parsed(self) -> list[mapping.Mapping]:
        return [mapping.parse(line.strip()) for line in self._rules.toPlainText().splitlines() if line.strip()]

    @Slot()
    def _preview(self) -> None:
        self._tree.clear()
        self._failed.hide()
        ids = [slide.external_id for slide in self._slides]
        try:
            found = mapping.dry_run(self._parsed(), ids, self._columns)
        except LaunchpadError as error:
            self._failed.show_error(error)
            self._apply.setEnabled(False)
            return
        total = 0
        for match in found:
            total += len(match.external_ids)
            count = len(match.external_ids)
            slides = counted(count, self.tr("1 slide"), self.tr("%n slides", "", count))
            values = ", ".join(f"{key}={value}" for key, value in match.values)
            item = QTreeWidgetItem([f"{match.text}  ({slides})", values])
            for external_id in match.external_ids[:_SHOWN]:
                item.addChild(QTreeWidgetItem([external_id, values]))
            self._tree.addTopLevelItem(item)
            item.setExpanded(len(found) == 1)
        self._apply.setEnabled(total > 0)

    @Slot()
    def _take(self) -> None:
        try:
            filled = mapping.apply(self._parsed(), self._slides, self._columns)
        except LaunchpadError as error:
            self._failed.show_error(error)
            return
        self.wanted.emit(filled)
        self.accept()
