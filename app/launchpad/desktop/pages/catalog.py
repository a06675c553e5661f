"""An application: its versions with release notes and documents, what it needs for each slide, what it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from launchpad.application.explain import explain
from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import artifact_words, plain_tip
from launchpad.desktop.navigation import Route, Wizard
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, ElidedLabel, IconButton, Notice, label
from launchpad.desktop.widgets.class_pill import class_pill
from launchpad.desktop.widgets.main_menu import open_web
from launchpad.desktop.widgets.safe_browser import SafeBrowser
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.models import (
        ApplicationReadResponse,
        InputArtifact,
        OutputArtifact,
        VersionDocumentResponse,
        VersionReadResponse,
    )


_NAME = 60  # characters of a document's name


class CatalogPage(QWidget):
    """One application of the catalog."""

    def __init__(self, session: Session, navigate: Callable[[Route], None], application_id: str) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._navigate, self._id = session, navigate, application_id
        self._application: ApplicationReadResponse | None = None
        self._documents: list[VersionDocumentResponse] = []
        self._title = ElidedLabel(session.application_name(application_id), "display", name="catalog_title")
        self._pills = QHBoxLayout()
        self._pills.setSpacing(8)
        start = IconButton("plus", self.tr("New run"), kind="primary", name="catalog_new_run")
        start.clicked.connect(lambda: navigate(Wizard(application_id)))
        self.banner = Notice("circle-alert", "failed", name="catalog_error")
        retry = IconButton("refresh-cw", self.tr("Try again"), name="catalog_retry", small=True)
        retry.clicked.connect(self.load)
        self.banner.add(retry)
        self._about = label("", "muted", wrap=True, name="catalog_description")
        self._choice = QComboBox()
        self._choice.setObjectName("catalog_version")
        self._choice.setMinimumWidth(150)
        self._choice.setAccessibleName(self.tr("Version of the application"))
        self._choice.activated.connect(self._chosen)
        self._released = label("", "muted", name="catalog_released")
        self._notes = SafeBrowser()
        self._notes.setAccessibleName(self.tr("Release notes"))
        self._papers = QVBoxLayout()
        self._papers.setSpacing(6)
        self._inputs = QVBoxLayout()
        self._outputs = QVBoxLayout()
        for column in (self._inputs, self._outputs):
            column.setSpacing(10)
        self._build(start)
        session.connected.connect(self.load)
        session.applications_changed.connect(self._named)
        self.load()

    def _build(self, start: IconButton) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addLayout(self._pills)
        head.addStretch(1)
        head.addWidget(start)
        version = Card(20)
        row = QHBoxLayout()
        row.setSpacing(12)
        name = label(self.tr("&Version"), "section")
        name.setBuddy(self._choice)
        row.addWidget(name)
        row.addWidget(self._choice)
        row.addWidget(self._released)
        row.addStretch(1)
        version.column.addLayout(row)
        version.column.addWidget(label(self.tr("Release notes"), "strong"))
        version.column.addWidget(self._notes)
        version.column.addWidget(label(self.tr("Documents"), "strong"))
        version.column.addLayout(self._papers)
        needs = Card(20)
        needs.column.addWidget(label(self.tr("What it needs for each slide"), "section"))
        needs.column.addLayout(self._inputs)
        makes = Card(20)
        makes.column.addWidget(label(self.tr("What it makes"), "section"))
        makes.column.addLayout(self._outputs)
        inner = QWidget()
        inner.setObjectName("page")
        box = QVBoxLayout(inner)
        box.setContentsMargins(32, 24, 32, 24)
        box.setSpacing(14)
        box.addLayout(head)
        box.addWidget(self._about)
        box.addWidget(self.banner)
        for card in (version, needs, makes):
            box.addWidget(card)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    @Slot()
    def load(self) -> None:
        """Fetch the application and the details of its chosen version."""
        if self._session.is_connected:
            self._session.spawn(self._fetch(self._choice.currentText()), self)
        else:
            self._released.setText(self.tr("Loading …"))

    @Slot()
    def _named(self) -> None:
        self._title.setText(self._session.application_name(self._id))

    @Slot(int)
    def _chosen(self, number: int) -> None:
        self._released.setText(self.tr("Loading …"))
        self.load()

    async def _fetch(self, number: str) -> None:
        from launchpad.platform.applications import precedence
        from launchpad.platform.http import ApiException

        client = self._session.client
        self._released.setText(self.tr("Loading …"))
        try:
            if self._application is None:
                self._application = await in_thread(client.application, self._id)
                numbers = sorted((str(item.number) for item in self._application.versions), key=precedence)
                self._choice.addItems(list(reversed(numbers)))
                self._show_application(self._application)
            number = number or self._choice.currentText()
            version = await in_thread(client.application_version, self._id, number or None)
        except LaunchpadError as error:
            self._released.setText("")
            self.banner.show_error(error)
            return
        self.banner.hide()
        try:
            documents = await in_thread(client.documents.list, self._id, version.version_number)
        except ApiException as error:
            documents = []  # a platform without documents
            if error.status not in (404, 501):
                self.banner.show_error(error)
        self._show_version(version)
        self._show_documents(version.version_number, documents)

    def _show_application(self, application: ApplicationReadResponse) -> None:
        self._title.setText(application.name)
        self._about.setText(application.description)
        _clear(self._pills)
        for regulatory_class in application.regulatory_classes:
            self._pills.addWidget(class_pill(regulatory_class, self.tr("Research use only")))

    def _show_version(self, version: VersionReadResponse) -> None:
        moment = QDateTime.fromSecsSinceEpoch(int(version.released_at.timestamp()))
        date = QLocale().toString(moment.date(), QLocale.FormatType.LongFormat)
        self._released.setText(self.tr("released %1").replace("%1", date))
        self._notes.show_markdown(version.changelog.strip() or self.tr("This version says nothing about its changes."))
        self._show_artifacts(self._inputs, version.input_artifacts)
        self._show_artifacts(self._outputs, version.output_artifacts)

    def _show_documents(self, number: str, documents: list[VersionDocumentResponse]) -> None:
        _clear(self._papers)
        for document in documents:
            name = document.name if len(document.name) <= _NAME else f"{document.name[: _NAME - 1]}…"
            button = IconButton("file-text", name.replace("&", "&&"), kind="link", name="catalog_document")
            button.setToolTip(plain_tip(f"{document.name}\n{document.mime_type}"))
            button.clicked.connect(partial(self._open, number, document.name))
            self._papers.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        if not documents:
            self._papers.addWidget(label(self.tr("None for this version."), "muted", name="catalog_no_documents"))

    def _open(self, number: str, name: str, _checked: bool = False) -> None:
        self._session.spawn(self._open_document(number, name), self)

    async def _open_document(self, number: str, name: str) -> None:
        try:
            open_web(await in_thread(self._session.client.documents.url, self._id, number, name), self)
        except LaunchpadError as error:
            self.banner.show_error(error)

    def _show_artifacts(self, column: QVBoxLayout, artifacts: Sequence[InputArtifact | OutputArtifact]) -> None:
        _clear(column)
        for artifact in artifacts:
            column.addWidget(label(artifact_words(artifact.name), "strong", wrap=True))
            words = artifact.mime_type
            scope = str(getattr(artifact, "scope", ""))
            if scope:
                one, all_ = self.tr("one for each slide"), self.tr("one for the whole run")
                words = f"{words}  ·  {all_ if scope == 'GLOBAL' else one}"
            column.addWidget(label(words, "caption"))
            fields = explain(artifact.metadata_schema)
            if fields:
                tree = QTreeWidget()
                tree.setObjectName("schema_fields")
                tree.setProperty("role", "padded")
                tree.setAccessibleName(self.tr("Fields of %1").replace("%1", artifact.name))
                tree.setRootIsDecorated(False)
                tree.setColumnCount(3)
                tree.setHeaderLabels([self.tr("Field"), self.tr("Takes"), self.tr("Meaning")])
                tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
                tree.setFocusPolicy(Qt.FocusPolicy.NoFocus)
                tree.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
                for field in fields:
                    title = self.tr("%1 (required)").replace("%1", field.path) if field.required else field.path
                    item = QTreeWidgetItem([title, field.takes, field.meaning])
                    for place, text in enumerate((title, field.takes, field.meaning)):
                        item.setToolTip(place, plain_tip(text))
                    tree.addTopLevelItem(item)
                tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
                tree.setColumnWidth(0, 268)
                tree.setColumnWidth(1, 240)
                row = max(tree.sizeHintForRow(0), 24)
                tree.setFixedHeight(row * len(fields) + tree.header().sizeHint().height() + 6)
                column.addWidget(tree)


def _clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    while (entry := layout.takeAt(0)) is not None:
        widget = entry.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
