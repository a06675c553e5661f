"""Formatted text of others: Markdown without HTML, in a browser that loads nothing."""

from __future__ import annotations

from PySide6.QtCore import QSize, QUrl, Slot
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QFrame, QTextBrowser

from launchpad.desktop.widgets.main_menu import open_web

_HIGHEST = 240  # px


class SafeBrowser(QTextBrowser):
    """Shows release notes. Links open in the person's own browser, pictures and other resources are never fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("safe_browser")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.anchorClicked.connect(self._follow)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def show_markdown(self, text: str) -> None:
        """Show a text of somebody else."""
        features = QTextDocument.MarkdownFeature
        self.document().setMarkdown(text, features.MarkdownDialectGitHub | features.MarkdownNoHTML)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Nothing is loaded, from wherever."""
        return None

    def _fit(self) -> None:
        """As high as the text, until it has to scroll."""
        self.setFixedHeight(max(24, min(_HIGHEST, round(self.document().size().height()) + 6)))

    def sizeHint(self) -> QSize:
        return QSize(300, 120)

    @Slot(QUrl)
    def _follow(self, link: QUrl) -> None:
        open_web(link.toString(), self)
