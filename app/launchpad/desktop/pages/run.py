"""A run: where it is, its slides with their results, why some failed, and the way to the results."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from launchpad import paths
from launchpad.application.failures import failures
from launchpad.application.run_folder import has_results
from launchpad.application.states import has_ended, run_state
from launchpad.desktop.background import Jobs, in_thread
from launchpad.desktop.models.item_table import ItemTableModel, metadata_of
from launchpad.desktop.models.thumbnails import Thumbnails
from launchpad.desktop.models.words import counted, file_size, translated
from launchpad.desktop.navigation import Route
from launchpad.desktop.opening import open_folder
from launchpad.desktop.pages.run_details.actions import DownloadMenu, Question, RunMenu
from launchpad.desktop.pages.run_details.download_row import DownloadRow
from launchpad.desktop.pages.run_details.failures import FailuresPanel
from launchpad.desktop.pages.run_details.head import RunCounts, RunTimeline, facts
from launchpad.desktop.pages.run_details.notes import RunNotes
from launchpad.desktop.pages.run_details.preview import PreviewPanel
from launchpad.desktop.pages.run_details.slides import SlidesPanel
from launchpad.desktop.session import Session
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.basics import Card, ElidedLabel, IconButton, Notice, Pill, label
from launchpad.desktop.widgets.open_in_notebook import OpenInNotebook
from launchpad.desktop.widgets.open_in_qupath import OpenInQuPath
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.models import (
        ItemResultReadResponse,
        OutputArtifactResultReadResponse,
        RunReadResponse,
    )

_SLIDES, _FAILURES = range(2)
_WIDE = 1240  # px
_LOW = 640  # px of height below which the counts give way to the slides


class RunPage(QWidget):
    """One run; updates itself while the session watches the runs.

    Signals:
        again: run id and item ids (empty: all): make a new draft of these slides.
        tag_chosen: show the runs that have this tag.
    """

    again = Signal(str, list)
    tag_chosen = Signal(str)

    def __init__(
        self, session: Session, transfers: Transfers, jobs: Jobs, navigate: Callable[[Route], None], run_id: str
    ) -> None:
        super().__init__()
        self._jobs = jobs
        self._offered: list[OpenInQuPath | OpenInNotebook] = []
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session, self._transfers, self._navigate, self.run_id = session, transfers, navigate, run_id
        self._run: RunReadResponse | None = None
        self._items: list[ItemResultReadResponse] = []
        self._folder = paths.results_dir() / run_id
        self._loading = False
        self._again = False
        self._thumbnails = Thumbnails(lambda: session.slides, session.spawn, parent=self)
        self._model = ItemTableModel(self._picture, file_size)
        self._thumbnails.ready.connect(self._model.announce_picture)
        self._question = Question(self)
        self._make()
        self._build()
        session.run_changed.connect(self._changed)
        session.connected.connect(self.load)
        transfers.changed.connect(self._find_download)
        self.load()
        self._find_download()

    # --- widgets ----------------------------------------------------------------------------------------------------
    def _make(self) -> None:
        self._title = ElidedLabel(self.tr("Run"), "display", name="run_title")
        self._pill = Pill("clock", "pending", name="run_state_pill", whole=True)
        self._pill.hide()
        self._facts = ElidedLabel("", "muted", name="run_facts")
        self._timeline = RunTimeline()
        self.notes = RunNotes(self._session)
        self.notes.changed.connect(self._saved)
        self.notes.tag_chosen.connect(self.tag_chosen)
        self.banner = Notice("circle-alert", "failed", name="run_banner")
        retry = IconButton("refresh-cw", self.tr("Try again"), name="run_retry", small=True)
        retry.clicked.connect(self.load)
        self.banner.add(retry)
        self._cancel = IconButton("ban", self.tr("Cancel run"), kind="danger", name="cancel_run")
        self._cancel.clicked.connect(self._ask_cancel)
        self._cancel.hide()
        self._open = IconButton("folder-open", self.tr("Open folder"), name="open_folder")
        self._open.clicked.connect(self._open_folder)
        self._download = IconButton("download", self.tr("Download results"), kind="primary", name="download_results")
        self._download.clicked.connect(self._start_download)
        self._qupath = OpenInQuPath(self._session, self._jobs, self._folder)
        self._qupath.noted.connect(self.banner.say)
        self._qupath.failed.connect(self.banner.show_error)
        self._download_menu = DownloadMenu(self)
        self._download_menu.wanted.connect(self._download_wanted)
        self._download_more = IconButton("chevron-down", tip=self.tr("More ways to download"), name="download_more")
        self._download_more.setMenu(self._download_menu)
        self._menu = RunMenu(self)
        self._menu.wanted.connect(self._wanted)
        self._more = IconButton("ellipsis", tip=self.tr("More about this run"), name="run_menu")
        self._more.setMenu(self._menu)
        self._counts = RunCounts()
        self._progress = DownloadRow()
        self._progress.failed.connect(self.banner.show_error)
        self._progress.ended.connect(self.load)
        self.slides = SlidesPanel(self._model)
        self.slides.preview.connect(self._preview)
        self.slides.save.connect(self._save_one)
        self.slides.folder.connect(self._open_item_folder)
        self.slides.chosen.connect(self._allow)
        self._failures = FailuresPanel()
        self._failures.resubmit.connect(self._resubmit)
        self._failures.chosen.connect(self._show_item)
        self._shown_preview = PreviewPanel(self._session)
        self._shown_preview.closed.connect(self._close_preview)
        self._shown_preview.save_wanted.connect(self._save_shown)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._pill)
        head.addStretch(1)
        head.addWidget(self._cancel)
        self._slot = QHBoxLayout()
        self._slot.setSpacing(8)
        head.addLayout(self._slot)
        head.addWidget(self._open)
        pair = QHBoxLayout()
        pair.setSpacing(2)
        pair.addWidget(self._download)
        pair.addWidget(self._download_more)
        head.addLayout(pair)
        head.addWidget(self._more)
        self._tabs = QTabBar()
        self._tabs.setObjectName("run_tabs")
        self._tabs.setAccessibleName(self.tr("Parts of the run"))
        self._tabs.setDrawBase(False)
        self._tabs.addTab(self.tr("Slides"))
        self._tabs.addTab(self.tr("Failures"))
        self._tabs.setTabVisible(_FAILURES, False)
        self._waiting = label(self.tr("Loading the run …"), "muted", name="run_waiting")
        self._waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._parts = QStackedWidget()
        for part in (self.slides, self._failures, self._shown_preview, self._waiting):
            self._parts.addWidget(part)
        self._parts.setCurrentWidget(self._waiting)
        self._tabs.currentChanged.connect(self._parts.setCurrentIndex)
        card = Card(0)
        card.column.setContentsMargins(1, 1, 1, 10)  # a table would cover the rounded corner
        card.column.setSpacing(0)
        card.column.addWidget(self._progress)
        self._tab_row = QFrame()
        row = QHBoxLayout(self._tab_row)
        row.setContentsMargins(8, 0, 8, 0)
        row.addWidget(self._tabs)
        row.addStretch(1)
        self._tab_row.hide()
        card.column.addWidget(self._tab_row)
        card.column.addWidget(self._parts, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(32, 20, 32, 20)
        self._column.setSpacing(12)
        self._column.addLayout(head)
        for widget in (self._facts, self._timeline, self.notes, self.banner, self._counts):
            self._column.addWidget(widget)
        self._column.addWidget(card, 1)
        self._timeline.hide()
        self.notes.hide()
        self.add_action(self._qupath)

    def add_action(self, button: OpenInQuPath | OpenInNotebook) -> None:
        """Offer a way to open the results, once they are on this computer."""
        self._offered.append(button)
        button.set_ready(False)
        self._slot.addWidget(button)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < 900
        side = 20 if narrow else 32
        self._column.setContentsMargins(side, 16 if self.height() < _LOW else 20, side, 16)
        self._counts.setVisible(self.height() >= _LOW and self._run is not None)
        for button in (*self._offered, self._open, self._cancel):
            # Where it is not wide the title goes first, and of the ways to open results the first is named.
            button.show_words(not narrow and (self.width() >= _WIDE or button in (self._qupath, self._cancel)))

    # --- the run ----------------------------------------------------------------------------------------------------
    @Slot()
    def load(self) -> None:
        """Fetch the run and its items; once more when asked while it does."""
        if not self._session.is_connected:
            return
        self._again = self._loading
        if not self._loading:
            self._loading = True
            self._session.spawn(self._fetch(), self)

    @Slot(str)
    def _changed(self, run_id: str) -> None:
        if run_id == self.run_id:
            self.load()

    async def _fetch(self) -> None:
        try:
            handle = self._session.client.run(self.run_id)
            run = await in_thread(handle.details)
            items = await in_thread(lambda: list(handle.results()))
            folder_exists = await in_thread(self._folder.is_dir)
            ready = await in_thread(has_results, self._folder)
            for button in self._offered:
                button.set_ready(ready)
        except LaunchpadError as error:
            self._waiting.setText(self.tr("This run cannot be shown now."))
            self.banner.show_error(error)
            return
        finally:
            self._loading = False
        if self._run is None:
            self.banner.hide()
        self._run, self._items = run, items
        self._show(run, items, folder_exists=folder_exists)
        if self._again:
            self.load()

    def _show(self, run: RunReadResponse, items: list[ItemResultReadResponse], *, folder_exists: bool) -> None:
        view = run_state(run)
        self._title.setText(self._session.application_name(run.application_id))
        self._pill.show()
        self._pill.set_state(translated("states", view.words), view.token, view.icon)
        words = (self.tr("Version %1"), self.tr("submitted by %1"), self.tr("run %1"))
        self._facts.setText(facts(self._session, run, words))
        self._timeline.show_run(run, items)
        self._timeline.show()
        self.notes.show_run(run, _known_tags(self._session))
        self.notes.show()
        self._counts.show_run(run, items)
        self._model.set_items(items)
        self.slides.refresh()
        causes = failures(items)
        self._failures.show_failures(causes)
        failed = sum(len(cause.items) for cause in causes)
        self._tabs.setTabVisible(_FAILURES, bool(failed))
        self._tabs.setTabText(_FAILURES, self.tr("Failures (%n)", "", failed))
        self._tab_row.setVisible(bool(failed))
        if self._parts.currentWidget() is self._waiting:
            self._parts.setCurrentIndex(self._tabs.currentIndex())
        self._cancel.setVisible(not has_ended(run))
        self._open.setEnabled(folder_exists)
        self._open.setToolTip("" if folder_exists else self.tr("The results are not on this computer yet."))
        self._allow()
        self._fit()

    @Slot()
    def _allow(self) -> None:
        if self._run is None:
            self._download.setEnabled(False)
            return
        item, counts, ended = self.slides.current(), self._run.statistics, has_ended(self._run)
        self._qupath.set_item(item.item_id if item is not None and item.output == "FULL" else None)
        there = any(found.output == "AVAILABLE" for item in self._items for found in item.output_artifacts)
        failed = sum(1 for item in self._items if item.state == "TERMINATED" and item.termination_reason != "SUCCEEDED")
        self._download.setEnabled(there and not self._progress.running)
        waiting = self.tr("There are no results yet.")
        gone = self.tr("The results were deleted.")
        self._download.setToolTip("" if there else gone if counts.item_succeeded_count else waiting)
        self._download_menu.allow(results=there, selected=len(self.slides.selected()), moving=not ended)
        self._menu.allow(failed=failed, ended=ended, results=there)

    @Slot(object)
    def _saved(self, run: RunReadResponse) -> None:
        self._run = run
        self.notes.show_run(run, _known_tags(self._session))
        self._session.refresh()

    def _picture(self, item: ItemResultReadResponse) -> QPixmap | None:
        """From the slide where it is on this computer, otherwise from the cache."""
        path = Path(item.external_id)
        content = str(metadata_of(item).get("checksum_base64_crc32c") or "")
        return self._thumbnails.pixmap(path, content) if path.is_absolute() else None

    @Slot(object)
    def _show_item(self, item: ItemResultReadResponse) -> None:
        self._tabs.setCurrentIndex(_SLIDES)
        self.slides.go_to(item.item_id)

    def leave(self) -> None:
        """The page is about to be thrown away."""
        self._thumbnails.pause()

    # --- previews and single results --------------------------------------------------------------------------------
    @Slot(object, object)
    def _preview(self, item: ItemResultReadResponse, artifact: OutputArtifactResultReadResponse) -> None:
        self._parts.setCurrentWidget(self._shown_preview)
        self._tab_row.hide()
        self._shown_preview.open(item, artifact, partial(self._bring, item, artifact))

    def _bring(self, item: ItemResultReadResponse, artifact: OutputArtifactResultReadResponse) -> Path:
        """In a worker thread: the file of a result on this computer."""
        from launchpad.application.result_files import fetch_result, result_path

        path = result_path(self.run_id, self._items, item, artifact, paths.results_dir())
        return fetch_result(self._session.client, self.run_id, artifact, path)

    @Slot()
    def _close_preview(self) -> None:
        self._tab_row.setVisible(self._tabs.isTabVisible(_FAILURES))
        self._parts.setCurrentIndex(self._tabs.currentIndex())
        self.slides.artifacts.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _save_shown(self, artifact: OutputArtifactResultReadResponse) -> None:
        item = self.slides.current()
        if item is not None:
            self._save_one(item, artifact)

    @Slot(object, object)
    def _save_one(self, item: ItemResultReadResponse, artifact: OutputArtifactResultReadResponse) -> None:
        from launchpad.application.results import file_name

        dialog = self._dialog(self.tr("Save result"), QFileDialog.FileMode.AnyFile, file_name(artifact))
        dialog.fileSelected.connect(lambda file: self._session.spawn(self._save(artifact, Path(file)), self))
        dialog.open()

    async def _save(self, artifact: OutputArtifactResultReadResponse, path: Path) -> None:
        from launchpad.application.result_files import fetch_result

        try:
            await in_thread(fetch_result, self._session.client, self.run_id, artifact, path)
        except LaunchpadError as error:
            self.banner.show_error(error)

    def _dialog(self, title: str, mode: QFileDialog.FileMode, name: str = "") -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setObjectName("save_dialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        if mode is QFileDialog.FileMode.AnyFile:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.selectFile(name)
        dialog.setDirectory(str(Path.home()))
        return dialog

    # --- downloads --------------------------------------------------------------------------------------------------
    @Slot()
    def _start_download(self) -> None:
        self._download_plan()

    @Slot(str)
    def _download_wanted(self, key: str) -> None:
        if key == "selected":
            self._download_plan(item_ids=tuple(item.item_id for item in self.slides.selected()))
        elif key == "folder":
            dialog = self._dialog(self.tr("Folder for the results"), QFileDialog.FileMode.Directory)
            dialog.fileSelected.connect(lambda folder: self._download_plan(folder=folder))
            dialog.open()
        elif key == "zip":
            dialog = self._dialog(self.tr("ZIP file"), QFileDialog.FileMode.AnyFile, f"{self.run_id}.zip")
            dialog.setDefaultSuffix("zip")
            dialog.fileSelected.connect(lambda file: self._download_plan(zip_file=file))
            dialog.open()
        else:
            self._download_plan()

    def _download_plan(self, *, item_ids: tuple[str, ...] = (), folder: str = "", zip_file: str = "") -> None:
        from launchpad.application.download_plan import DownloadPlan

        moving = self._run is not None and not has_ended(self._run)
        wait = moving and self._download_menu.keep.isChecked() and not item_ids
        plan = DownloadPlan(self.run_id, item_ids, folder, zip_file, wait)
        self._progress.watch(self._transfers.download(plan, self._title.text()))
        self._allow()

    @Slot()
    def _find_download(self) -> None:
        """Show one that another visit, or another start, began."""
        found = self._transfers.find_download(self.run_id)
        if found is not None:
            self._progress.watch(found)
        self._allow()

    @Slot()
    def _open_folder(self) -> None:
        open_folder(self._folder, self)

    @Slot(object)
    def _open_item_folder(self, item: ItemResultReadResponse) -> None:
        from launchpad.application.results import result_folders

        folder = self._folder / result_folders(self._items)[item.item_id]
        open_folder(folder if folder.is_dir() else self._folder, self)

    # --- what one does ----------------------------------------------------------------------------------------------
    @Slot(str)
    def _wanted(self, key: str) -> None:
        if key == "copy_id":
            QGuiApplication.clipboard().setText(self.run_id)
        elif key == "copy_link":
            QGuiApplication.clipboard().setText(f"launchpad://run/{self.run_id}")
        elif key == "share":
            from launchpad.desktop.pages.run_details.share import ShareDialog

            ShareDialog(self._session, self.run_id, self).open()
        elif key == "duplicate":
            self.again.emit(self.run_id, [])
        elif key == "resubmit":
            self._resubmit([item for cause in failures(self._items) for item in cause.items])
        elif key in ("code", "metadata") and self._run is not None:
            from launchpad.desktop.pages.run_details.code import show_code

            show_code(self._run, self, metadata=key == "metadata")
        elif key == "delete":
            self._ask_delete()

    @Slot(list)
    def _resubmit(self, items: list[ItemResultReadResponse]) -> None:
        if items:
            self.again.emit(self.run_id, [item.item_id for item in items])

    @Slot()
    def _ask_cancel(self) -> None:
        counts = self._run.statistics if self._run is not None else None
        left = counts.item_pending_count + counts.item_processing_count if counts is not None else 0
        slides = counted(left, self.tr("1 slide is not done yet."), self.tr("%n slides are not done yet.", "", left))
        self._question.ask(
            "cancel_question",
            self.tr("Cancel run"),
            f"{self.tr('Cancel this run?')} {slides}",
            self.tr("What is done stays. This cannot be undone."),
            self.tr("Keep running"),
            self.tr("Cancel run"),
            lambda: self._carry_out(self._session.client.run(self.run_id).cancel),
        )

    def _ask_delete(self) -> None:
        count = sum(found.output == "AVAILABLE" for item in self._items for found in item.output_artifacts)
        files = counted(count, self.tr("1 result file"), self.tr("%n result files", "", count))
        self._question.ask(
            "delete_question",
            self.tr("Delete results"),
            self.tr("Delete %1 of this run on the platform?").replace("%1", files),
            self.tr("What was downloaded to this computer stays. This cannot be undone."),
            self.tr("Keep results"),
            self.tr("Delete results"),
            lambda: self._carry_out(self._session.client.run(self.run_id).delete),
        )

    def _carry_out(self, call: Callable[[], None]) -> None:
        self._session.spawn(self._in_thread(call), self)

    async def _in_thread(self, call: Callable[[], None]) -> None:
        try:
            await in_thread(call)
        except LaunchpadError as error:
            self.banner.show_error(error)
        self._session.refresh()
        self.load()


def _known_tags(session: Session) -> list[str]:
    from launchpad.platform.custom_metadata import tags_of

    return sorted({tag for run in session.runs for tag in tags_of(run.custom_metadata)})
