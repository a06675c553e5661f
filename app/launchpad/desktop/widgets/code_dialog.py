"""Text to take along: commands and Python, each with a button that copies it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QTabWidget, QVBoxLayout, QWidget

from launchpad.desktop.widgets.basics import IconButton, label


class CodeDialog(QDialog):
    """A tab for each text."""

    def __init__(self, title: str, words: str, texts: dict[str, str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("code_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.resize(720, 460)
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        for name, text in texts.items():
            field = QPlainTextEdit(text)
            field.setReadOnly(True)
            field.setObjectName("code_text")
            field.setAccessibleName(name)
            field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
            field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self._tabs.addTab(field, name)
        copy = IconButton("copy", self.tr("Copy"), kind="primary", name="code_copy", small=True)
        copy.clicked.connect(self.copy)
        close = IconButton("x", self.tr("Close"), name="code_close", small=True)
        close.clicked.connect(self.accept)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addStretch(1)
        self._buttons.addWidget(copy)
        self._buttons.addWidget(close)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 18, 20, 16)
        box.setSpacing(12)
        box.addWidget(label(title, "title"))
        if words:
            box.addWidget(label(words, "muted", wrap=True))
        box.addWidget(self._tabs, 1)
        box.addLayout(self._buttons)

    def offer(self, icon: str, words: str, name: str, slot: Callable[[], object]) -> None:
        """One more button."""
        button = IconButton(icon, words, name=name, small=True)
        button.clicked.connect(lambda: slot())
        self._buttons.insertWidget(0, button)

    def text(self) -> str:
        """The text of the open tab."""
        field = self._tabs.currentWidget()
        return field.toPlainText() if isinstance(field, QPlainTextEdit) else ""

    def copy(self) -> None:
        """Put the text of the open tab on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())
