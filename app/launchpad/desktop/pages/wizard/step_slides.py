"""Step 2: find whole slide images in files and folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
)

from launchpad import paths
from launchpad.desktop.models.words import counted
from launchpad.desktop.pages.wizard.draft_model import DraftModel
from launchpad.desktop.widgets.basics import Card, IconButton, label
from launchpad.desktop.widgets.drop_area import DropArea

if TYPE_CHECKING:
    from launchpad.dataset.downloaded import Downloaded

SAMPLE = "CMU-1-Small-Region.svs"


class FindStep(Card):
    """Five ways to name slides: drop, dialog, pasted path, data set, the sample; what was found, what cannot be used.

    Signals:
        datasets_wanted: somebody wants to download public slides.
    """

    datasets_wanted = Signal()

    def __init__(self, model: DraftModel) -> None:
        super().__init__()
        self._model = model
        self.drop_area = DropArea(self.tr("Drop slides or folders here"), large=True)
        self.drop_area.dropped.connect(model.add_sources)
        add_folder = IconButton("folder", self.tr("Add folder …"), name="add_folder")
        add_folder.clicked.connect(self._ask_folder)
        add_files = IconButton("file-plus", self.tr("Add files …"), name="add_files")
        add_files.clicked.connect(self._ask_files)
        sample = IconButton("microscope", self.tr("Use the sample slide"), kind="quiet", name="use_sample")
        sample.clicked.connect(self._use_sample)
        self._sets = QMenu(self)
        self._sets_button = IconButton("database", self.tr("Data sets"), name="find_datasets")
        self._sets_button.setMenu(self._sets)
        self.drop_area.button_row.addStretch(1)
        self._recent = QMenu(self)
        self._recent_button = IconButton("clock", self.tr("Recent"), name="recent_folders")
        self._recent_button.setMenu(self._recent)
        self._recent_button.hide()
        for button in (add_folder, add_files, self._sets_button, self._recent_button, sample):
            self.drop_area.button_row.addWidget(button)
        self.drop_area.button_row.addStretch(1)
        self.column.addWidget(self.drop_area, 1)

        self._path = QLineEdit()
        self._path.setObjectName("source_path")
        self._path.setPlaceholderText(self.tr("Or paste the path of a slide or a folder and press Enter"))
        self._path.setAccessibleName(self.tr("Path of a slide or a folder"))
        self._path.setClearButtonEnabled(True)
        self._path.returnPressed.connect(self._take_path)
        self.column.addWidget(self._path)
        self._formats = label(
            self.tr(
                "SVS, TIFF and DICOM. Folders are searched with all folders in them; the files of a DICOM pyramid "
                "count as one slide."
            ),
            "muted",
            wrap=True,
        )
        self.column.addWidget(self._formats)

        self._found = label("", "strong", wrap=True, name="found_label")
        self._bar = QProgressBar()
        self._bar.setObjectName("scan_progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self._bar.setAccessibleName(self.tr("Progress of reading slides"))
        self._what = label("", "caption")
        self._what.setMinimumWidth(40)
        self._cancel = IconButton("x", self.tr("Stop"), name="cancel_scan", small=True)
        self._cancel.clicked.connect(model.cancel_scan)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._found, 1)
        row.addWidget(self._what, 1)
        row.addWidget(self._cancel)
        self.column.addLayout(row)
        self.column.addWidget(self._bar)

        self._refused_title = label("", "strong")
        self._forget = IconButton("x", self.tr("Clear list"), kind="quiet", name="clear_rejected", small=True)
        self._forget.clicked.connect(model.forget_rejected)
        title = QHBoxLayout()
        title.addWidget(self._refused_title, 1)
        title.addWidget(self._forget)
        self.column.addLayout(title)
        self._refused = QTreeWidget()
        self._refused.setObjectName("rejected_list")
        self._refused.setAccessibleName(self.tr("Files that cannot be used"))
        self._refused.setColumnCount(2)
        self._refused.setHeaderHidden(True)
        self._refused.setRootIsDecorated(False)
        self._refused.setWordWrap(True)
        self._refused.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._refused.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self._refused.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self._refused.header().resizeSection(0, 180)
        self._refused.setMinimumHeight(64)
        self._refused.setMaximumHeight(190)
        self.column.addWidget(self._refused)
        model.recent.datasets.connect(self._show_datasets)
        self._show_datasets([])
        model.recent.folders.connect(self._show_recent)
        model.scan_changed.connect(self._refresh)
        model.slides.rowsRemoved.connect(self._refresh)
        model.slides.modelReset.connect(self._refresh)
        self._refresh()

    def enter(self) -> None:
        """Called when the step is opened."""
        self._path.setFocus(Qt.FocusReason.OtherFocusReason)
        self._model.recent.load()

    @Slot(list)
    def _show_recent(self, folders: list[str]) -> None:
        self._recent.clear()
        for folder in folders:
            action = self._recent.addAction(folder.replace("&", "&&"))
            action.triggered.connect(partial(self._model.add_sources, [Path(folder)]))
        self._recent_button.setVisible(bool(folders))

    @Slot(list)
    def _show_datasets(self, found: list[Downloaded]) -> None:
        """Public slides on this computer, and the way to more."""
        self._sets.clear()
        for item in found:
            words = " · ".join(part for part in (item.collection_id, item.patient_id, item.description) if part)
            action = self._sets.addAction(words.replace("&", "&&"))
            action.triggered.connect(partial(self._model.add_sources, [item.folder]))
        if found:
            self._sets.addSeparator()
        more = self._sets.addAction(self.tr("Download public slides …"))
        more.setObjectName("more_datasets")
        more.triggered.connect(self.datasets_wanted)

    @Slot()
    def _refresh(self) -> None:
        scanning = self._model.scan is not None
        self._found.setText(self._found_words())
        self._cancel.setVisible(scanning)
        self._bar.setVisible(scanning)
        self._what.setVisible(scanning)
        if self._model.scan is not None:
            done, total, what = self._model.scan.report.latest or (0, 0, "")
            # A bar counts to 2^31 at most, files may be larger.
            self._bar.setRange(0, 1000 if total else 0)
            self._bar.setValue(done * 1000 // total if total else 0)
            metrics = self._what.fontMetrics()
            self._what.setText(metrics.elidedText(what, Qt.TextElideMode.ElideMiddle, max(self._what.width(), 40)))
        rejected = list(self._model.rejected.values())
        for widget in (self._refused_title, self._forget, self._refused):
            widget.setVisible(bool(rejected))
        self._formats.setVisible(not rejected)  # the reasons need the room
        if self._refused.topLevelItemCount() == len(rejected):
            return
        self._refused_title.setText(
            counted(
                len(rejected), self.tr("1 file cannot be used"), self.tr("%n files cannot be used", "", len(rejected))
            )
        )
        self._refused.clear()
        for entry in rejected:
            reason = "\n".join(part for part in (entry.reason, entry.advice) if part)
            item = QTreeWidgetItem([entry.path.name, reason])
            item.setToolTip(0, str(entry.path))
            item.setToolTip(1, reason)
            self._refused.addTopLevelItem(item)

    def _found_words(self) -> str:
        count = self._model.slides.rowCount()
        if self._model.scan is not None:
            return counted(count, self.tr("1 slide so far …"), self.tr("%n slides so far …", "", count))
        words = self.tr("No slides yet")
        if count:
            words = counted(count, self.tr("1 slide in your list"), self.tr("%n slides in your list", "", count))
        if self._model.last_scan is not None and self._model.last_scan[1]:
            words += self.tr("; %n of those found now were in it already", "", self._model.last_scan[1])
        return words

    @Slot()
    def _take_path(self) -> None:
        text = self._path.text()
        self._path.clear()
        found = [path for path in (_path(line) for line in text.splitlines()) if path is not None]
        if found:
            self._model.add_sources(found)

    @Slot()
    def _use_sample(self) -> None:
        self._model.add_sources([paths.resource("sample", SAMPLE)])

    @Slot()
    def _ask_folder(self) -> None:
        self._ask(QFileDialog.FileMode.Directory, self.tr("Add a folder with slides"))

    @Slot()
    def _ask_files(self) -> None:
        self._ask(QFileDialog.FileMode.ExistingFiles, self.tr("Add slides"))

    def _ask(self, mode: QFileDialog.FileMode, title: str) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode == QFileDialog.FileMode.ExistingFiles:
            dialog.setNameFilters([self.tr("Whole slide images (*.svs *.tif *.tiff *.dcm)"), self.tr("All files (*)")])
        sources = self._model.draft.sources
        dialog.setDirectory(str(sources[-1].parent if sources else Path.home()))
        dialog.filesSelected.connect(self._take_files)
        dialog.open()

    @Slot("QStringList")
    def _take_files(self, files: list[str]) -> None:
        self._model.add_sources([Path(file) for file in files])


def _path(line: str) -> Path | None:
    """The path that somebody pasted: quoted, as a file address, with ~, or plain."""
    text = line.strip().strip("\"'").strip()
    if not text:
        return None
    if text.lower().startswith("file:"):
        text = url2pathname(urlsplit(text).path)
    return Path(text).expanduser().absolute()
