"""The notebook of a run: what it needs, opening it, showing it here or in the browser, stopping it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from launchpad.desktop.models.words import file_size
from launchpad.desktop.navigation import NotebookPage as NotebookRoute
from launchpad.desktop.navigation import Route, RunPage
from launchpad.desktop.notebooks import CLOSED, EXPORTING, OPENING, RUNNING, Notebooks
from launchpad.desktop.opening import open_address
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, StateIcon, label
from launchpad.desktop.widgets.web_view import show_page, web_view
from launchpad.errors import LaunchpadError


class NotebookPage(QWidget):
    """One notebook. Shows what `Notebooks` says; opening it is asked for by a button, here or on the run's page."""

    def __init__(
        self,
        notebooks: Notebooks,
        navigate: Callable[[Route], None],
        run_id: str = "",
        title: str = "",
        open_web: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.route = NotebookRoute(run_id)
        self._notebooks, self._navigate, self.run_id = notebooks, navigate, run_id
        self._open_web = open_web or partial(open_address, window=self)
        self._view: QWidget | None = None
        self._shown_url = ""
        self.banner = Notice("circle-alert", "failed", name="notebook_banner")
        self.note = Notice("info", "partial", name="notebook_note")
        self._make()
        self._build(title)
        notebooks.changed.connect(self._changed)
        notebooks.opened.connect(self._opened)
        notebooks.exported.connect(self._exported)
        notebooks.failed.connect(self._failed)
        notebooks.environment_changed.connect(self._show)
        notebooks.look()
        self._show()

    # --- how it looks -----------------------------------------------------------------------------------------------
    def _make(self) -> None:
        def button(icon: str, words: str, name: str, slot: Callable[[], object], kind: str = "secondary") -> IconButton:
            made = IconButton(icon, words, kind=kind, name=name)
            made.clicked.connect(slot)
            return made

        self._back = button("arrow-left", self.tr("Back to the run"), "notebook_back", self._go_back, "quiet")
        self._back.setVisible(bool(self.run_id))
        self._folder = button("folder-open", self.tr("Show folder"), "notebook_folder", self._show_folder)
        self._jupyter = button("file-text", self.tr("Save for Jupyter"), "notebook_jupyter", self._export)
        self._jupyter.setToolTip(self.tr("Runs all cells and writes them with their outputs as an .ipynb file."))
        self._stop = button("square", self.tr("Stop"), "notebook_stop", self._end)
        self._browser = button("external-link", self.tr("Open in browser"), "notebook_browser", self._browse)
        self._open = button("play", self.tr("Open the notebook"), "notebook_open", self.open_now, "primary")
        self._again = button("external-link", self.tr("Show it again"), "notebook_again", self._browse, "primary")
        words = self.tr("Make the environment")
        self._prepare = button("download", words, "notebook_make", self._notebooks.make, "primary")
        self._copy = button("copy", self.tr("Copy"), "notebook_copy", self._copy_line)
        self._look = button("refresh-cw", self.tr("Look again"), "notebook_look", self.open_now)
        self._cancel = button("x", self.tr("Cancel"), "notebook_cancel", self._cancel_now)
        self._remove = button("trash-2", self.tr("Remove"), "notebook_remove", self._notebooks.remove, "quiet")
        self._line = QLineEdit()
        self._line.setObjectName("notebook_line")
        self._line.setReadOnly(True)
        self._line.setAccessibleName(self.tr("The line to type"))
        self._bar = QProgressBar()
        self._bar.setObjectName("notebook_progress")
        self._bar.setTextVisible(False)
        self._icon = StateIcon("notebook-pen", "accent", 28)
        self._head = label("", "title", name="notebook_state")
        self._words = label("", "body", wrap=True, name="notebook_words")
        self._place = label("", "caption", wrap=True, name="notebook_place")
        self._place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._runs_in = label("", "caption", wrap=True, name="notebook_environment")

    def _build(self, title: str) -> None:
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._back)
        top.addWidget(label(self.tr("Notebook"), "display"))
        about = title or (
            self.tr("run {0}").format(self.run_id[:8]) if self.run_id else self.tr("From sign-in to download")
        )
        top.addWidget(label(title or about, "muted", name="notebook_about"))
        top.addStretch(1)
        for button in (self._folder, self._jupyter, self._browser, self._stop):
            top.addWidget(button)
        card = Card(24)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._icon)
        head.addWidget(self._head)
        head.addStretch(1)
        card.column.addLayout(head)
        card.column.addWidget(self._words)
        card.column.addWidget(self._place)
        card.column.addWidget(self._bar)
        self._typed = QFrame()
        row = QHBoxLayout(self._typed)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._line, 1)
        row.addWidget(self._copy)
        card.column.addWidget(self._typed)
        actions = QHBoxLayout()
        actions.setSpacing(8)
        for button in (self._open, self._again, self._prepare, self._look, self._cancel):
            actions.addWidget(button)
        actions.addStretch(1)
        card.column.addLayout(actions)
        foot = QHBoxLayout()
        foot.addWidget(self._runs_in, 1)
        foot.addWidget(self._remove)
        words = QWidget()
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(card)
        column.addLayout(foot)
        column.addStretch(1)
        self._stack = QStackedWidget()
        self._card = words
        self._stack.addWidget(words)
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 24, 32, 20)
        box.setSpacing(12)
        box.addLayout(top)
        box.addWidget(self.banner)
        box.addWidget(self.note)
        box.addWidget(self._stack, 1)

    # --- what is so -------------------------------------------------------------------------------------------------
    @Slot(str)
    def _changed(self, run_id: str) -> None:
        if run_id == self.run_id:
            self._show()

    @Slot()
    def _show(self) -> None:
        view, there = self._notebooks.view(self.run_id), self._notebooks.environment
        if view.state == CLOSED and self._view is not None and self._shown_url:
            show_page(self._view, "")
            self._shown_url = ""
        missing = there is not None and there.interpreter is None and view.state == CLOSED
        making = self._notebooks.making
        busy = view.state in (OPENING, EXPORTING)
        closed = view.state == CLOSED and not making and not missing
        self._open.setVisible(closed)
        self._again.setVisible(view.state == RUNNING)
        self._prepare.setVisible(missing and not making and there is not None and there.tool is not None)
        self._typed.setVisible(missing and not making)
        self._look.setVisible(missing and not making)
        self._cancel.setVisible(busy or making)
        self._bar.setVisible(busy or making)
        self._stop.setVisible(view.state == RUNNING)
        self._browser.setVisible(view.state == RUNNING and self._view is not None)
        self._jupyter.setVisible(view.path is not None and not missing)
        self._jupyter.setEnabled(not busy)
        self._folder.setVisible(bool(self.run_id) or view.path is not None)
        self._place.setText(str(view.path or ""))
        self._place.setVisible(view.path is not None)
        if making:
            self._say_making()
        elif missing:
            self._say_missing()
        elif busy:
            self._say(self.tr("One moment"), view.words)
            self._bar.setRange(0, 0)
        elif view.state == RUNNING:
            self._say(
                self.tr("The notebook runs in your browser"),
                self.tr("It listens on this computer only, behind a token, and ends with Launchpad. What you change is "
                        "saved in the file below and is never overwritten."),
            )  # fmt: skip
        else:
            self._say_closed()
        self._say_environment()
        embedded = self._view if view.state in (RUNNING, EXPORTING) and not making else None
        self._stack.setCurrentWidget(embedded or self._card)

    def _say(self, head: str, words: str) -> None:
        self._head.setText(head)
        self._words.setText(words)

    def _say_closed(self) -> None:
        if self.run_id:
            words = self.tr("Counts and densities by class and region, distributions, overlays on the slide and a "
                            "comparison of slides, in Python (marimo). A copy lies beside the results: it is yours to "
                            "change.")  # fmt: skip
        else:
            words = self.tr("The whole way in Python: sign in, choose an application and slides, submit, download. "
                            "Nothing is submitted before you press its button.")  # fmt: skip
        self._say(self.tr("Results in a Python notebook") if self.run_id else self.tr("A first notebook"), words)

    def _say_missing(self) -> None:
        there = self._notebooks.environment
        if there is None:
            return
        from launchpad.notebook.environment import EXPECTED_BYTES

        self._line.setText(there.line)
        if there.tool is not None:
            words = self.tr(
                "marimo, pandas and matplotlib are not installed. Launchpad can make an environment for them with {0}, "
                "in its own folder: about {1} on disk, from the Python package index. Or type this line yourself:"
            ).format(there.tool.words, file_size(EXPECTED_BYTES))
        else:
            words = self.tr("No Python 3.11 to 3.14 and no uv were found on this computer. Type this line, then look "
                            "again:")  # fmt: skip
        self._say(self.tr("Notebooks need a few more Python packages"), words)

    def _say_making(self) -> None:
        done, total = self._notebooks.done, self._notebooks.total
        self._bar.setRange(0, 1000 if total else 0)
        self._bar.setValue(done * 1000 // total if total else 0)
        size = self.tr("{0} of about {1} on disk").format(file_size(done), file_size(total)) if total else ""
        self._say(self.tr("Making the environment"), size or self.tr("Connecting …"))

    def _say_environment(self) -> None:
        there = self._notebooks.environment
        ours = there is not None and there.ours
        self._remove.setVisible(ours and not self._notebooks.making)
        words = ""
        if there is not None and ours:
            words = self.tr("Runs in an environment that Launchpad made: {0} on disk.").format(file_size(there.size))
        elif there is not None and there.interpreter is not None:
            words = self.tr("Runs in the Python that runs Launchpad.")
        self._runs_in.setText(words)

    # --- what happens -----------------------------------------------------------------------------------------------
    @Slot()
    def open_now(self) -> None:
        """Open the notebook."""
        self.banner.hide()
        self._notebooks.open(self.run_id)

    @Slot(str)
    def _opened(self, run_id: str) -> None:
        view = self._notebooks.view(run_id)
        if run_id != self.run_id or not view.url:
            return
        if view.notes:
            self.note.say("\n".join(view.notes))
        if self._view is None and (made := web_view("notebook_view")) is not None:
            self._view = made
            self._stack.addWidget(made)
        if self._view is None:
            self._open_web(view.url)
        elif self._shown_url != view.url:
            show_page(self._view, view.url)
        self._shown_url = view.url
        self._show()

    @Slot(str, object)
    def _exported(self, run_id: str, path: Path) -> None:
        if run_id == self.run_id:
            self.note.say(self.tr("For Jupyter: {0}").format(path))

    @Slot(str, object)
    def _failed(self, run_id: str, error: BaseException) -> None:
        if run_id in (self.run_id, ""):
            if not isinstance(error, LaunchpadError):
                self._notebooks_error(error)
            self.banner.show_error(error)

    def _notebooks_error(self, error: BaseException) -> None:
        import logging

        logging.getLogger(__name__).error("unexpected error", exc_info=error)

    @Slot()
    def _browse(self) -> None:
        url = self._notebooks.view(self.run_id).url
        if url:
            self._open_web(url)

    @Slot()
    def _export(self) -> None:
        self.banner.hide()
        self._notebooks.export(self.run_id)

    @Slot()
    def _end(self) -> None:
        self._notebooks.stop(self.run_id)

    @Slot()
    def _cancel_now(self) -> None:
        if self._notebooks.making:
            self._notebooks.cancel_making()
        else:
            self._notebooks.cancel(self.run_id)

    @Slot()
    def _copy_line(self) -> None:
        QGuiApplication.clipboard().setText(self._line.text())

    @Slot()
    def _show_folder(self) -> None:
        path = self._notebooks.view(self.run_id).path
        folder = path.parent if path is not None else self._notebooks.folder(self.run_id)
        self._open_web(QUrl.fromLocalFile(str(folder)).toString())

    @Slot()
    def _go_back(self) -> None:
        self._navigate(RunPage(self.run_id))
