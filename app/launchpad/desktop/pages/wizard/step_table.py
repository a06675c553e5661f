"""Step 3: the table of slides with what is missing, and the tools to fill it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QLineEdit, QMenu, QWidget
from shiboken6 import isValid

from launchpad.application.spreadsheet import Applied
from launchpad.desktop.background import in_thread
from launchpad.desktop.models.slide_edits import BadValue
from launchpad.desktop.models.words import counted
from launchpad.desktop.opening import open_folder
from launchpad.desktop.pages.wizard.draft_model import STEP_SLIDES, DraftModel
from launchpad.desktop.pages.wizard.table_view import SlideTableView
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, Pill, StateIcon, label
from launchpad.desktop.widgets.drop_area import DropArea
from launchpad.desktop.widgets.larger_picture import LargerPicture
from launchpad.errors import LaunchpadError

_TYPING = 120  # ms
_NARROW, _SHORT = 520, 280  # px at normal size of text: from these on there is room for all


class TableStep(Card):
    """The slide table with its tools.

    Signals:
        add_wanted: the person wants to look for more slides.
    """

    add_wanted = Signal()

    def __init__(self, session: Session, model: DraftModel) -> None:
        super().__init__(margins=1)
        self._session = session
        self._model = model
        self._larger = LargerPicture(session, self)
        self._count = label("", "section", name="slide_count")
        self._attention = Pill("circle-x", "failed", name="attention_pill", whole=True)
        self._identifying = Pill("user", "partial", name="identifying_pill", whole=True)
        self._undo = IconButton("undo-2", name="undo", tip=self.tr("Undo"))
        self._redo = IconButton("redo-2", name="redo", tip=self.tr("Redo"))
        self._remove = IconButton("trash-2", name="remove_slides", tip=self.tr("Remove the selected slides (Del)"))
        self._fill = IconButton("copy", name="fill_down", tip=self.tr("Fill down"))
        self._fill.setToolTip(
            self.tr(
                "Fill down: copy the value of the current column from the first selected slide to the other "
                "selected ones, or to all slides below it (Ctrl+D)"
            )
        )
        self._proposed = Notice("circle-help", "partial", name="proposals")
        self._told = 0  # proposals that the notice was shown for
        take = IconButton("check", self.tr("Take them"), name="take_proposals", small=True)
        take.clicked.connect(model.slides.take_proposals)
        self._proposed.add(take)
        self._import = IconButton(
            "table-2",
            name="import_values",
            tip=self.tr("Import tissue, disease and MPP from a table (CSV) that names the files in a column “file”"),
        )
        more = IconButton("ellipsis", name="table_more", tip=self.tr("More"))
        menu = QMenu(self)
        for name, words, slot in (
            ("mapping", self.tr("Fill in by rules …"), self._ask_rules),
            ("export", self.tr("Save as metadata file (CSV) …"), self.ask_export),
            ("import", self.tr("Import values from a table (CSV) …"), self._choose_table),
        ):
            action = menu.addAction(words)
            action.setObjectName(f"table_{name}")
            action.triggered.connect(slot)
        more.setMenu(menu)
        self._add = IconButton("plus", self.tr("Add"), name="add_slides", tip=self.tr("Add slides"))
        self._add.clicked.connect(self.add_wanted)
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(16, 12, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._count)
        row.addWidget(self._attention)
        row.addWidget(self._identifying)
        row.addStretch(1)
        for button in (self._undo, self._redo, self._remove, self._fill, self._import, more, self._add):
            row.addWidget(button)
        self.column.setSpacing(0)
        self.column.addWidget(tools)
        self.column.addSpacing(10)
        offer = QHBoxLayout()
        offer.setContentsMargins(16, 0, 12, 10)
        offer.addWidget(self._proposed)
        self.column.addLayout(offer)
        self.view = SlideTableView(model.slides)
        self._filter = QLineEdit()
        self._filter.setObjectName("table_filter")
        self._filter.setPlaceholderText(self.tr("Filter by name or value"))
        self._filter.setAccessibleName(self.tr("Filter slides"))
        self._filter.setClearButtonEnabled(True)
        self._incomplete = QCheckBox(self.tr("Only incomplete"))
        self._incomplete.setObjectName("only_incomplete")
        self._shown = label("", "muted", name="table_shown")
        self._soon = QTimer(self)
        self._soon.setObjectName("table_filter_timer")
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TYPING)
        self._soon.timeout.connect(self._apply_filter)
        self._filter.textChanged.connect(self._soon.start)
        self._incomplete.toggled.connect(self._apply_filter)
        filters = QHBoxLayout()
        filters.setContentsMargins(16, 0, 12, 10)
        filters.setSpacing(12)
        filters.addWidget(self._filter, 1)
        filters.addWidget(self._incomplete)
        filters.addWidget(self._shown)
        self.column.addLayout(filters)
        self.view.picture.connect(self._show_larger)
        self.column.addWidget(self.view, 1)

        self._message = QWidget()
        line = QHBoxLayout(self._message)
        line.setContentsMargins(16, 8, 16, 0)
        line.addWidget(StateIcon("circle-alert", "failed"))
        self._message_text = label("", wrap=True, name="table_message")
        line.addWidget(self._message_text, 1)
        self._message.hide()
        self.column.addWidget(self._message)
        drop = DropArea(self.tr("Drop more slides or a folder here"))
        drop.dropped.connect(model.add_sources)
        self._below = QWidget()
        frame = QHBoxLayout(self._below)
        frame.setContentsMargins(16, 12, 16, 14)
        frame.addWidget(drop)
        self.column.addWidget(self._below)

        self._undo.clicked.connect(model.stack.undo)
        self._redo.clicked.connect(model.stack.redo)
        self._remove.clicked.connect(self.view.remove_selected)
        self._fill.clicked.connect(self.view.fill_down)
        self._import.clicked.connect(self._choose_table)
        for keys, act in (
            (QKeySequence(QKeySequence.StandardKey.Undo), model.stack.undo),
            (QKeySequence(QKeySequence.StandardKey.Redo), model.stack.redo),
            (QKeySequence("Ctrl+D"), self.view.fill_down),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.refused.connect(self._show_refused)
        self.view.selectionModel().selectionChanged.connect(self._refresh)
        model.imported.connect(self._show_import)
        model.changed.connect(self._refresh)
        model.stack.indexChanged.connect(self._refresh)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        scaled = palette.current().scaled
        self._add.show_words(self.width() >= scaled(_NARROW))
        self._below.setVisible(self.height() >= scaled(_SHORT))  # slides can be dropped anywhere on the page

    @Slot()
    def _apply_filter(self) -> None:
        self._soon.stop()
        self.view.set_filter(self._filter.text(), incomplete=self._incomplete.isChecked())
        filtered = bool(self._filter.text().strip()) or self._incomplete.isChecked()
        self._shown.setText(self.tr("%n shown", "", self.view.shown_rows()) if filtered else "")

    def find_here(self) -> bool:
        """Ctrl+F: type in the filter next."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    @Slot(object)
    def _show_larger(self, index: QModelIndex | None) -> None:
        if index is None or not index.isValid():
            self._larger.leave()
            return
        slide = self._model.slides.slide(index.row())
        place = self.view.viewport().mapToGlobal(self.view.visualRect(index).center())
        self._larger.show_slide(slide.path, slide.crc32c or "", place)

    def hideEvent(self, event: QHideEvent) -> None:
        self._larger.leave()
        super().hideEvent(event)

    @Slot()
    def _ask_rules(self) -> None:
        from launchpad.desktop.pages.wizard.mapping_dialog import MappingDialog

        dialog = MappingDialog(self._model.draft.slides, self._model.draft.columns, self)
        dialog.wanted.connect(self._model.slides.take_values)
        dialog.open()

    @Slot()
    def ask_export(self) -> None:
        """Ask where to write the metadata file."""
        dialog = QFileDialog(self, self.tr("Save as metadata file"))
        dialog.setObjectName("export_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("slides.csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.export_to)
        dialog.open()

    @Slot(str)
    def export_to(self, file: str) -> None:
        """Write the slides as the command line's metadata file."""
        self._session.spawn(self._export(Path(file)), self)

    async def _export(self, file: Path) -> None:
        from launchpad.application.manifest import write_manifest

        draft = self._model.snapshot()
        try:
            await in_thread(write_manifest, file, draft.included(), draft.columns)
        except LaunchpadError as error:
            self._model.failed.emit(error)
            return
        self._message_text.setText(self.tr("Saved as %1").replace("%1", str(file)))
        self._message.show()

    def enter(self) -> None:
        """Called when the step is opened: the first cell that needs something becomes the current one."""
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)
        for problem in self._model.problems(STEP_SLIDES):
            if problem.slide_id:
                self.view.go_to(problem.slide_id, problem.column)
                return
        if not self.view.currentIndex().isValid() and self._model.slides.rowCount():
            self.view.go_to(self._model.slides.slide(0).id, None)

    @Slot()
    def _refresh(self) -> None:
        if not isValid(self._model.stack):  # a stack announces its own end
            return
        slides = self._model.slides
        count = slides.rowCount()
        self._count.setText(counted(count, self.tr("1 slide"), self.tr("%n slides", "", count)))
        waiting = slides.attention()
        self._attention.setVisible(bool(waiting))
        self._attention.set_text(
            counted(waiting, self.tr("1 needs attention"), self.tr("%n need attention", "", waiting))
        )
        named = sum(1 for slide in self._model.draft.included() if slide.identifying)
        self._identifying.setVisible(bool(named))
        self._identifying.set_text(counted(named, self.tr("1 identifying"), self.tr("%n identifying", "", named)))
        self._identifying.setToolTip(
            self.tr(
                "Labels, names and dates that stand in the files, or in their names, are sent with them. "
                "Point at a slide to see which."
            )
        )
        self._show_proposals()
        stack = self._model.stack
        self._undo.setEnabled(stack.canUndo())
        self._redo.setEnabled(stack.canRedo())
        self._undo.setToolTip(self.tr("Undo %1 (Ctrl+Z)").replace("%1", stack.undoText()).replace("  ", " "))
        self._redo.setToolTip(self.tr("Redo %1 (Ctrl+Shift+Z)").replace("%1", stack.redoText()).replace("  ", " "))
        selected = self.view.selectionModel().hasSelection()
        self._remove.setEnabled(selected)
        self._fill.setEnabled(slides.rowCount() > 1)

    def _show_proposals(self) -> None:
        """Told once for each number of them, so that a notice that was closed stays closed."""
        count = len(self._model.draft.open_proposals())
        if count == self._told:
            return
        self._told = count
        words = counted(
            count, self.tr("1 empty cell has a proposal"), self.tr("%n empty cells have proposals", "", count)
        )
        self._proposed.say(
            self.tr("%1 from the files or their data set, shown with a question mark.").replace("%1", words)
        )
        self._proposed.setVisible(bool(count))

    @Slot(list)
    def _show_refused(self, bad: list[BadValue]) -> None:
        self._message.setVisible(bool(bad))
        if bad:
            values = ", ".join(dict.fromkeys(f"“{entry.value}”" for entry in bad[:20]))
            self._message_text.setText(
                counted(
                    len(bad),
                    self.tr("1 value could not be used, its cell was left as it is: %1"),
                    self.tr("%n values could not be used, their cells were left as they are: %1", "", len(bad)),
                ).replace("%1", values)
            )

    @Slot()
    def _choose_table(self) -> None:
        dialog = QFileDialog(self, self.tr("Import values for the slides"))
        dialog.setObjectName("import_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Tables (*.csv *.tsv *.txt)"), self.tr("All files (*)")])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._model.import_values)
        dialog.open()

    @Slot(object)
    def _show_import(self, applied: Applied) -> None:
        lines = [self.tr("Values for %n slide(s) were taken.", "", applied.matched)]
        if applied.unmatched:
            lines.append(self.tr("No slide for: %1").replace("%1", ", ".join(applied.unmatched[:10])))
        lines.extend(applied.problems[:10])
        self._message_text.setText("\n".join(lines))
        self._message.setVisible(bool(applied.unmatched or applied.problems))

    def _open_folder(self, folder: Path, _checked: bool = False) -> None:
        open_folder(folder, self)

    @Slot(QPoint)
    def _menu(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        slides, ids = self._model.slides, self.view.targets(index)
        slide = slides.slide(index.row())
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in slides.columns:
            if column.choices:
                choices = menu.addMenu(self.tr("Set %1").replace("%1", column.title.replace("&", "&&")))
                for choice in column.choices:
                    action = choices.addAction(choice.replace("&", "&&"))
                    action.triggered.connect(partial(slides.set_text, ids, column.key, choice))
        menu.addSeparator()
        words = self.tr("Leave out") if slide.included else self.tr("Include")
        menu.addAction(words).triggered.connect(partial(slides.include, ids, not slide.included))
        remove = counted(len(ids), self.tr("Remove slide"), self.tr("Remove %n slides", "", len(ids)))
        menu.addAction(remove).triggered.connect(partial(slides.remove, ids))
        menu.addSeparator()
        menu.addAction(self.tr("Open folder")).triggered.connect(partial(self._open_folder, slide.path.parent))
        clipboard = QGuiApplication.clipboard()
        menu.addAction(self.tr("Copy path")).triggered.connect(partial(clipboard.setText, str(slide.path)))
        menu.popup(self.view.viewport().mapToGlobal(place))
