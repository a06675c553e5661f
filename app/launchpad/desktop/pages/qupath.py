"""QuPath on this computer: the versions found, installing, updating, removing, starting."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from launchpad.desktop.background import Jobs, in_thread
from launchpad.desktop.models.words import file_size
from launchpad.desktop.opening import open_address
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, IconButton, Notice, Pill, StateIcon, label, line
from launchpad.desktop.widgets.qupath_install import QuPathInstall
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from launchpad.qupath.installation import Installation

_WEBSITE = "https://qupath.github.io"


class QuPathPage(QWidget):
    """Looks for QuPath whenever it is shown."""

    def __init__(self, session: Session, jobs: Jobs) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._found: list[Installation] = []
        self._install = QuPathInstall(session, jobs, self)
        self._install.changed.connect(self._moved)
        self._install.installed.connect(self.look)
        self.banner = Notice("circle-alert", "failed", name="qupath_banner")
        self._install.failed.connect(self.banner.show_error)
        self._make()
        self._build()
        self.look()

    def _make(self) -> None:
        self._add = IconButton("download", self.tr("Install QuPath"), kind="primary", name="qupath_install")
        self._add.clicked.connect(self._begin)
        self._update = IconButton("refresh-cw", self.tr("Check for updates"), kind="secondary", name="qupath_update")
        self._update.clicked.connect(self._check)
        self._choose = IconButton("folder-open", self.tr("Choose program …"), kind="secondary", name="qupath_choose")
        self._choose.clicked.connect(self._ask_program)
        self._progress = QFrame()
        self._progress.hide()
        self._bar = QProgressBar()
        self._bar.setObjectName("qupath_progress")
        self._bar.setTextVisible(False)
        self._words = label("", "strong", name="qupath_words")
        self._stop = IconButton("", self.tr("Cancel"), kind="quiet", name="qupath_cancel")
        self._stop.clicked.connect(self._install.cancel)
        self._newer = ""

    def _build(self) -> None:
        inner = QWidget()
        inner.setObjectName("page")
        box = QVBoxLayout(inner)
        box.setContentsMargins(32, 28, 32, 24)
        box.setSpacing(16)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(label(self.tr("QuPath"), "display"))
        head.addStretch(1)
        for button in (self._choose, self._update, self._add):
            head.addWidget(button)
        box.addLayout(head)
        intro = self.tr(
            "QuPath is open software for looking at whole slide images and for analysing them. “Open in QuPath” on the "
            "page of a run shows its slides there, with regions, cells, classes and measurements in place."
        )
        box.addWidget(label(intro, "muted", wrap=True))
        box.addWidget(self.banner)
        row = QHBoxLayout(self._progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(StateIcon("download", "accent"))
        row.addWidget(self._words)
        row.addWidget(self._bar, 1)
        row.addWidget(self._stop)
        box.addWidget(self._progress)
        self._card = Card(20)
        self._card.column.addWidget(label(self.tr("On this computer"), "section"))
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self._card.column.addLayout(self._list)
        box.addWidget(self._card)
        about = Card(20)
        about.column.addWidget(label(self.tr("About QuPath"), "section"))
        words = self.tr(
            "Launchpad writes projects that QuPath 0.5, 0.6 and 0.7 read. QuPath is made by its own authors and has a "
            "licence of its own (GPL 3). When you use it for published work, cite: Bankhead, P. et al. QuPath: Open "
            "source software for digital pathology image analysis. Scientific Reports 7, 16878 (2017)."
        )
        about.column.addWidget(label(words, wrap=True))
        site = IconButton("external-link", self.tr("Website of QuPath"), kind="secondary", name="qupath_website")
        site.clicked.connect(self._open_site)
        foot = QHBoxLayout()
        foot.addWidget(site)
        foot.addStretch(1)
        about.column.addLayout(foot)
        box.addWidget(about)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    # --- what is there ----------------------------------------------------------------------------------------------
    @Slot()
    def look(self) -> None:
        """Look for installations again."""
        self._session.spawn(self._look(), self)

    async def _look(self) -> None:
        from launchpad.qupath.installation import find

        try:
            self._found = await in_thread(find)
        except LaunchpadError as error:
            self._found = []
            self.banner.show_error(error)
        self._show()

    @property
    def versions(self) -> list[str]:
        """The versions that are shown."""
        return [item.version for item in self._found]

    def _show(self) -> None:
        _empty(self._list)
        for number, item in enumerate(self._found):
            if number:
                self._list.addWidget(line())
            self._list.addWidget(self._row(number, item))
        if not self._found:
            words = self.tr(
                "QuPath was not found. Launchpad can install it for this account, without administrator rights, or use "
                "one that you choose."
            )
            self._list.addWidget(label(words, "muted", wrap=True, name="qupath_none"))
        self._add.setVisible(not self._found or bool(self._newer))
        self._update.setVisible(bool(self._found))
        self._add.setText(
            self.tr("Install QuPath {0}").format(self._newer) if self._newer else self.tr("Install QuPath")
        )

    def _row(self, number: int, item: Installation) -> QWidget:
        row = QWidget()
        row.setObjectName(f"qupath_row_{number}")
        line_box = QHBoxLayout(row)
        line_box.setContentsMargins(0, 0, 0, 0)
        line_box.setSpacing(12)
        line_box.addWidget(StateIcon("microscope", "accent", 20))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(f"QuPath {item.version}".strip(), "strong"))
        if number == 0:
            head.addWidget(Pill("circle-check", "done", self.tr("Used by Launchpad")))
        if not item.reads_qpdata:
            head.addWidget(Pill("circle-alert", "partial", self.tr("Objects are imported by a script")))
        head.addStretch(1)
        texts.addLayout(head)
        place = label(str(item.executable), "caption")
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        place.setWordWrap(True)
        texts.addWidget(place)
        line_box.addLayout(texts, 1)
        actions = [("play", self.tr("Launch"), "qupath_launch", "secondary", self._launch)]
        if number:
            actions.insert(0, ("check", self.tr("Use this one"), "qupath_use", "secondary", self._use))
        if item.ours:
            actions.append(("trash-2", self.tr("Remove"), "qupath_remove", "danger", self._ask_remove))
        for icon, words, name, kind, slot in actions:
            button = IconButton(icon, words, kind=kind, name=name)
            button.setProperty("installation", number)
            button.clicked.connect(slot)
            line_box.addWidget(button)
        return row

    def _asked(self) -> Installation | None:
        """The installation whose button was clicked."""
        button = self.sender()
        number = button.property("installation") if isinstance(button, QPushButton) else None
        return self._found[number] if isinstance(number, int) and number < len(self._found) else None

    # --- what one does ----------------------------------------------------------------------------------------------
    @Slot()
    def _launch(self) -> None:
        from launchpad.qupath.starting import launch

        item = self._asked()
        if item is not None:
            self._try(partial(launch, item))

    @Slot()
    def _use(self) -> None:
        from launchpad.qupath.installation import choose

        item = self._asked()
        if item is not None:
            self._try(partial(choose, item.executable))

    def _try(self, call: Callable[[], object]) -> None:
        self._session.spawn(self._called(call), self)

    async def _called(self, call: Callable[[], object]) -> None:
        try:
            await in_thread(call)
        except LaunchpadError as error:
            self.banner.show_error(error)
        await self._look()

    @Slot()
    def _begin(self) -> None:
        self._install.begin(self._newer)

    @Slot()
    def _check(self) -> None:
        self._session.spawn(self._look_for_newer(), self)

    async def _look_for_newer(self) -> None:
        from launchpad.qupath.releases import latest_version

        self._update.setEnabled(False)
        try:
            latest = await in_thread(latest_version)
        except LaunchpadError as error:
            self.banner.show_error(error)
            return
        finally:
            self._update.setEnabled(True)
        self._newer = latest if latest not in self.versions else ""
        self._update.setText(self.tr("Check for updates") if self._newer else self.tr("Up to date"))
        self._show()

    @Slot()
    def _ask_program(self) -> None:
        dialog = QFileDialog(self.window(), self.tr("Choose the program QuPath"))
        dialog.setObjectName("qupath_choose_dialog")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.choose)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    @Slot(str)
    def choose(self, path: str) -> None:
        """Use the QuPath at a path from now on."""
        from launchpad.qupath.installation import choose

        self._try(partial(choose, Path(path)))

    @Slot()
    def _ask_remove(self) -> None:
        item = self._asked()
        if item is None:
            return
        box = QMessageBox(self.window())
        box.setObjectName("qupath_remove_question")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(self.tr("Remove QuPath"))
        box.setText(self.tr("Remove QuPath {0} from this computer?").format(item.version))
        box.setInformativeText(self.tr("Projects and results stay."))
        box.setProperty("executable", str(item.executable))
        box.addButton(self.tr("Keep"), QMessageBox.ButtonRole.RejectRole)
        box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole).setObjectName("qupath_remove_now")
        box.buttonClicked.connect(self._remove_answered)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot(object)
    def _remove_answered(self, button: QPushButton) -> None:
        from launchpad.qupath.installation import uninstall

        box = self.sender()
        if not isinstance(box, QMessageBox) or button.objectName() != "qupath_remove_now":
            return
        wanted = [item for item in self._found if str(item.executable) == box.property("executable")]
        for item in wanted:
            self._try(partial(uninstall, item))

    @Slot()
    def _open_site(self) -> None:
        open_address(_WEBSITE, self)

    @Slot()
    def _moved(self) -> None:
        install = self._install
        self._progress.setVisible(install.running)
        self._add.setEnabled(not install.running)
        self._bar.setRange(0, 1000 if install.total else 0)
        self._bar.setValue(install.done * 1000 // install.total if install.total else 0)
        size = f"  ·  {file_size(install.done)} / {file_size(install.total)}" if install.total else ""
        self._words.setText(install.words + size)


def _empty(box: QVBoxLayout) -> None:
    while (entry := box.takeAt(0)) is not None:
        widget = entry.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
