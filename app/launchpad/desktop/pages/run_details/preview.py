"""A result looked at without leaving the window: a table, a picture, a tree, or cells over the slide."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QStackedWidget,
    QTableView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import counted, file_size
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import ElidedLabel, IconButton, Notice, label
from launchpad.desktop.widgets.picture_view import PictureView, paint_shapes
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.application.previews import Shapes, Table
    from launchpad.platform.models import ItemResultReadResponse, OutputArtifactResultReadResponse

_Index = QModelIndex | QPersistentModelIndex
_PICTURE = 1600  # px
_BRANCHES = 5000  # of a tree


class TableModel(QAbstractTableModel):
    """The rows of a CSV file; numbers stand at the right."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._table.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else max([len(self._table.header), *map(len, self._table.rows[:50])])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Vertical:
            return section + 1
        return self._table.header[section] if section < len(self._table.header) else ""

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._table.rows[index.row()]
        text = row[index.column()] if index.column() < len(row) else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if _is_number(text) else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


class PreviewPanel(QFrame):
    """Shows one result at a time; Escape goes back.

    Signals:
        closed: the person wants the run again.
        save_wanted: the artifact to be saved somewhere.
    """

    closed = Signal()
    save_wanted = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("preview_panel")
        self._session = session
        self._artifact: OutputArtifactResultReadResponse | None = None
        self._model: TableModel | None = None
        self._asked = 0
        back = IconButton("arrow-left", self.tr("Back to the slides"), kind="quiet", name="preview_back", small=True)
        back.clicked.connect(self.closed)
        save = IconButton("arrow-down-to-line", self.tr("Save as …"), name="preview_save", small=True)
        save.clicked.connect(self._save)
        self._title = ElidedLabel("", "strong", middle=True, name="preview_title")
        self._detail = ElidedLabel("", "muted", name="preview_detail")
        head = QHBoxLayout()
        head.setContentsMargins(8, 8, 8, 8)
        head.setSpacing(10)
        head.addWidget(back)
        head.addWidget(self._title)
        head.addWidget(self._detail)
        head.addStretch(1)
        head.addWidget(save)
        self._failed = Notice("circle-x", "failed", name="preview_error")
        self._table = QTableView()
        self._table.setObjectName("preview_table")
        self._table.setProperty("role", "padded")
        self._table.setAccessibleName(self.tr("Rows of the table"))
        self._table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self._table.setWordWrap(False)
        self._tree = QTreeWidget()
        self._tree.setObjectName("preview_tree")
        self._tree.setProperty("role", "padded")
        self._tree.setAccessibleName(self.tr("Content of the file"))
        self._tree.setColumnCount(2)
        self._tree.setHeaderLabels([self.tr("Name"), self.tr("Value")])
        self._picture = PictureView()
        self._legend = QVBoxLayout()
        self._legend.setSpacing(4)
        side = QWidget()
        side.setLayout(self._legend)
        self._legend.setContentsMargins(12, 8, 12, 8)
        self._side = side
        pictures = QWidget()
        row = QHBoxLayout(pictures)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._picture, 1)
        row.addWidget(side)
        waiting = QWidget()
        column = QVBoxLayout(waiting)
        column.addStretch(1)
        self._waiting = label(self.tr("Fetching the file …"), "muted", name="preview_waiting")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._waiting)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setMaximumWidth(240)
        column.addWidget(bar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._bar = bar
        self._stack = QStackedWidget()
        for widget in (waiting, self._table, self._tree, pictures):
            self._stack.addWidget(widget)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(head)
        box.addWidget(self._failed)
        box.addWidget(self._stack, 1)

    def open(
        self,
        item: ItemResultReadResponse,
        artifact: OutputArtifactResultReadResponse,
        fetch: Callable[[], Path],
    ) -> None:
        """Show a result; `fetch` brings its file to this computer, in a worker thread."""
        from launchpad.application.results import file_name

        self._artifact = artifact
        self._asked += 1
        name = file_name(artifact)
        self._title.setText(name)
        self._detail.setText(item.external_id.replace("\\", "/").rpartition("/")[2])
        self._failed.hide()
        self._waiting.setText(self.tr("Fetching the file …"))
        self._bar.show()
        self._stack.setCurrentIndex(0)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._session.spawn(self._load(self._asked, item, artifact, fetch), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            event.accept()
            return
        super().keyPressEvent(event)

    async def _load(
        self,
        asked: int,
        item: ItemResultReadResponse,
        artifact: OutputArtifactResultReadResponse,
        fetch: Callable[[], Path],
    ) -> None:
        from launchpad.application import previews
        from launchpad.application.results import file_name

        metadata = artifact.metadata or {}
        kind = previews.kind_of(file_name(artifact), str(metadata.get("media_type") or metadata.get("mime_type") or ""))
        try:
            path = await in_thread(fetch)
            shown: Any = None
            if kind == "table":
                shown = await in_thread(previews.read_table, path)
            elif kind == "tree":
                shown = await in_thread(previews.read_tree, path)
            elif kind == "picture":
                png = await in_thread(self._session.slides.call, path, previews.picture_png, _PICTURE)
                shown = await in_thread(QImage.fromData, png)
            elif kind == "cells":
                shown = await in_thread(partial(_cells, self._session, item, path))
        except LaunchpadError as error:
            if asked == self._asked:
                self._waiting.setText(self.tr("This result cannot be shown."))
                self._bar.hide()
                self._failed.show_error(error)
            return
        if asked == self._asked:
            self._show(kind, shown, path)

    def _show(self, kind: str, shown: Any, path: Path) -> None:
        if kind == "table":
            self._show_table(shown)
        elif kind == "tree":
            self._show_tree(shown)
        elif kind == "picture":
            self._show_legend(None)
            self._picture.show_picture(shown, smooth=False)
            self._stack.setCurrentIndex(3)
        elif kind == "cells":
            picture, overlay, shapes = shown
            self._show_legend(shapes)
            self._picture.show_picture(picture, overlay)
            self._stack.setCurrentIndex(3)
        else:
            self._bar.hide()
            self._waiting.setText(
                self.tr("There is no preview for this kind of file. It is saved at %1").replace("%1", str(path))
            )

    def _show_table(self, table: Table) -> None:
        self._model = TableModel(table)
        self._table.setModel(self._model)
        for column in range(self._model.columnCount()):
            shown = [row[column] for row in table.rows[:30] if column < len(row)]
            header = table.header[column] if column < len(table.header) else ""
            widest = max((self._table.fontMetrics().horizontalAdvance(text) for text in [header, *shown]), default=0)
            self._table.setColumnWidth(column, min(max(widest + 34, 70), 340))
        count = len(table.rows)
        words = counted(count, self.tr("1 row"), self.tr("%n rows", "", count))
        if table.more:
            words = self.tr("the first %n rows", "", count)
        self._detail.setText(f"{self._detail.text()} · {words}")
        self._stack.setCurrentIndex(1)
        self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_tree(self, document: Any) -> None:
        self._tree.clear()
        left = itertools.count()
        for name, value in _branches(document):
            self._tree.addTopLevelItem(self._branch(name, value, left))
        self._tree.expandToDepth(1)
        self._tree.setColumnWidth(0, 300)
        self._stack.setCurrentIndex(2)
        self._tree.setFocus(Qt.FocusReason.OtherFocusReason)

    def _branch(self, name: str, value: Any, number: Iterator[int]) -> QTreeWidgetItem:
        plain = not isinstance(value, (dict, list))
        item = QTreeWidgetItem([name, _plain(value) if plain else ""])
        if not plain:
            for key, inner in _branches(value):
                if next(number) > _BRANCHES:
                    item.addChild(QTreeWidgetItem(["…", self.tr("There is more: save the file to see it.")]))
                    break
                item.addChild(self._branch(key, inner, number))
        return item

    def _show_legend(self, shapes: Shapes | None) -> None:
        while (entry := self._legend.takeAt(0)) is not None:
            widget = entry.widget()
            if widget is not None:
                widget.deleteLater()
        self._side.setVisible(shapes is not None)
        if shapes is None:
            return
        self._legend.addWidget(label(self.tr("Classes"), "strong"))
        for name, number, colour in shapes.counts[:24]:
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(6)
            dot = QLabel()
            square = QPixmap(12, 12)
            square.fill(QColor(*colour))
            dot.setPixmap(square)
            line.addWidget(dot)
            line.addWidget(label(f"{name or self.tr('Without class')}: {number:n}"))
            line.addStretch(1)
            self._legend.addWidget(row)
        if shapes.more:
            count = len(shapes.shapes)
            self._legend.addWidget(label(self.tr("The first %n are drawn.", "", count), "caption", wrap=True))
        self._legend.addStretch(1)

    @Slot()
    def _save(self) -> None:
        if self._artifact is not None:
            self.save_wanted.emit(self._artifact)


def _cells(session: Session, item: ItemResultReadResponse, path: Path) -> tuple[QImage, QImage, Shapes]:
    """In a worker thread: the slide's picture, what lies over it, and the shapes themselves."""
    from launchpad.application.previews import read_shapes

    # Thousands of outlines are taken apart in Python: in a process, so that the window stays quick.
    shapes = session.slides.call(path, read_shapes)
    metadata = item.input_artifacts[0].metadata or {} if item.input_artifacts else {}
    points = [point for shape in shapes.shapes for point in shape.points]
    width = float(metadata.get("width_px") or max((x for x, _ in points), default=1))
    height = float(metadata.get("height_px") or max((y for _, y in points), default=1))
    try:
        content = str(metadata.get("checksum_base64_crc32c") or "")
        picture = QImage.fromData(session.slides.thumbnail(Path(item.external_id), 1024, content))
    except LaunchpadError:  # the slide is not on this computer: its cells are shown all the same
        picture = QImage()
    overlay = paint_shapes(shapes, width, height, _PICTURE)
    if picture.isNull():
        picture = QImage(overlay.size(), QImage.Format.Format_RGB32)
        picture.fill(Qt.GlobalColor.white)
    return picture, overlay, shapes


def _branches(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, list):
        yield from ((f"[{number}]", inner) for number, inner in enumerate(value))
    else:
        yield "", value


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:4000]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def size_words(artifact: OutputArtifactResultReadResponse) -> str:
    """Size of a result, "" where the platform does not say."""
    size = (artifact.metadata or {}).get("size_bytes")
    return file_size(size) if isinstance(size, int) else ""
