"""Cells of the schema's columns: red while a required value is missing, green when it is there, edited by one click."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from launchpad.desktop.delegates.cell_paint import Index, cell_paint
from launchpad.desktop.delegates.slide_cell import box_rect, paint_field
from launchpad.desktop.models.slide_roles import Role


class ChoiceBox(QComboBox):
    """The editor of one cell. It says when its list was closed without a choice.

    Signals:
        dismissed: the list was closed without a choice.
    """

    dismissed = Signal()

    def __init__(self, choices: tuple[str, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.settled = False
        self.setObjectName("choice_editor")
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setMaxVisibleItems(16)
        self.addItems(list(choices))
        completer = self.completer()
        assert completer is not None, "an editable box has one"
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)

    def showPopup(self) -> None:
        super().showPopup()
        self.view().window().installEventFilter(self)  # Escape hides the list without telling the box

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide and not self.settled:
            QTimer.singleShot(0, self, self._after_popup)  # a choice is announced after the list is closed
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()  # otherwise the table sees it, too, and opens the next editor

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # scrolling the table must not change a value

    @Slot()
    def _after_popup(self) -> None:
        if not self.settled:
            self.dismissed.emit()


class ChoiceDelegate(QStyledItemDelegate):
    """Paints and edits the schema's columns.

    Signals:
        typed: a value was chosen or typed for this cell: index, text.
    """

    typed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.open_list = True
        """Whether the next editor shows its list at once (a click does, typing does not)."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        paint = cell_paint()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.background(painter, option)
        value, proposed, required, chevron, wrong, usable = index.data(Role.Field)
        box = box_rect(option.rect)
        if not usable:
            painter.setOpacity(0.5)
            paint_field(painter, paint, box, value or "–", "", "", chevron=chevron)
        elif proposed and not value:  # not taken yet: as a question
            paint_field(painter, paint, box, f"? {proposed}", "partial", "", chevron=chevron)
        elif wrong:
            words = value or self.tr("Required")
            short = value or self.tr("Set")
            paint_field(painter, paint, box, words, "failed", "circle-alert", chevron=chevron, short=short)
        elif value and required:
            paint_field(painter, paint, box, value, "done", "check", chevron=chevron)
        else:
            paint_field(painter, paint, box, value or self.tr("Optional"), "", "", chevron=chevron)
        painter.setOpacity(1)
        paint.focus(painter, option)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, cell_paint().theme.size["row"])

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        title = index.model().headerData(index.column(), Qt.Orientation.Horizontal)
        choices: tuple[str, ...] = index.data(Role.Choices)
        if not choices:
            free = QLineEdit(parent)
            free.setObjectName("choice_editor")
            free.setAccessibleName(title)
            return free
        box = ChoiceBox(choices if index.data(Role.Required) else ("", *choices), parent)
        box.setAccessibleName(title)
        box.activated.connect(self._chosen)
        box.dismissed.connect(self._dismissed)
        line = box.lineEdit()
        assert line is not None, "an editable box has one"
        line.returnPressed.connect(self._entered)
        if self.open_list:
            QTimer.singleShot(0, box, box.showPopup)
        return box

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        value = str(index.data(Qt.ItemDataRole.EditRole))
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findText(value))
            editor.setEditText(value)
            line = editor.lineEdit()
            if line is not None:
                line.setSelection(len(value), -len(value))  # the cursor in front: a long value shows its beginning
        elif isinstance(editor, QLineEdit):
            editor.setText(value)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        text = editor.currentText() if isinstance(editor, QComboBox) else ""
        if isinstance(editor, QLineEdit):
            text = editor.text()
        # Also when it is the cell's own value: of several selected slides the others may have another.
        settled = isinstance(editor, ChoiceBox) and editor.settled
        if settled or text.strip() != index.data(Qt.ItemDataRole.EditRole):
            self.typed.emit(index, text)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(box_rect(option.rect))

    def destroyEditor(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, ChoiceBox):
            editor.settled = True  # a list that closes with its editor dismisses nothing
        super().destroyEditor(editor, index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, ChoiceBox):
            if event.type() == QEvent.Type.FocusOut and watched.view().isVisible():
                return False  # the focus went into the box's own list
            if isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                return False  # the box says itself when it is done; Qt's delegate would commit a second time
        return super().eventFilter(watched, event)

    def _settle(self, box: object) -> None:
        if isinstance(box, ChoiceBox) and not box.settled:
            box.settled = True
            self.commitData.emit(box)
            self.closeEditor.emit(box)

    @Slot()
    def _entered(self) -> None:
        line = self.sender()
        self._settle(line.parent() if line is not None else None)

    @Slot(int)
    def _chosen(self, number: int) -> None:
        self._settle(self.sender())

    @Slot()
    def _dismissed(self) -> None:
        box = self.sender()
        if isinstance(box, ChoiceBox) and not box.settled:
            box.settled = True
            self.closeEditor.emit(box)
