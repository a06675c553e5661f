"""What a person may choose: how it looks, notifications, proxy and bandwidth; where folders and caches are."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from launchpad import paths
from launchpad.desktop.appearance import Appearance
from launchpad.desktop.background import in_thread
from launchpad.desktop.models.words import file_size
from launchpad.desktop.opening import open_folder
from launchpad.desktop.session import Session
from launchpad.desktop.widgets.basics import Card, ElidedLabel, IconButton, Notice, label
from launchpad.desktop.window_state import TEXT_SIZES, WindowState
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.settings import Settings

_MEGA = 1_000_000  # bytes


class SettingsTab(QWidget):
    """Cards of settings; each is kept at once."""

    def __init__(self, session: Session, appearance: Appearance, state: WindowState) -> None:
        super().__init__()
        self._session, self._appearance, self._state = session, appearance, state
        self._shown: dict[str, str | float | None] = {}
        self._failed = Notice("circle-x", "failed", name="settings_error")
        self._saved = Notice("circle-check", "done", name="settings_saved")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(14)
        for part in (self._failed, self._saved, self._look(), self._network(), self._folders()):
            box.addWidget(part)
        box.addStretch(1)
        appearance.changed.connect(self._show_look)

    # --- how it looks -------------------------------------------------------------------------------------------------
    def _look(self) -> Card:
        card = Card(20)
        card.column.addWidget(label(self.tr("Appearance"), "section"))
        row = QHBoxLayout()
        row.setSpacing(16)
        self._group = QButtonGroup(self)
        words = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        for key, text in words.items():
            button = QRadioButton(text)
            button.setObjectName(f"scheme_{key}")
            button.setProperty("scheme", key)
            self._group.addButton(button)
            row.addWidget(button)
        self._group.buttonClicked.connect(self._scheme_clicked)
        row.addStretch(1)
        card.column.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(16)
        name = label(self.tr("&Text size"))
        self._size = QComboBox()
        self._size.setObjectName("text_size")
        self._size.setAccessibleName(self.tr("Text size"))
        for size in TEXT_SIZES:
            self._size.addItem(self.tr("%1 %").replace("%1", str(size)), size)
        self._size.activated.connect(self._size_chosen)
        name.setBuddy(self._size)
        row.addWidget(name)
        row.addWidget(self._size)
        row.addStretch(1)
        card.column.addLayout(row)
        self._notify = QCheckBox(self.tr("Tell me when a run ends while I do something else"))
        self._notify.setObjectName("notify")
        self._notify.setChecked(self._state.notify)
        self._notify.toggled.connect(self._notify_chosen)
        card.column.addWidget(self._notify)
        self._show_look()
        return card

    @Slot()
    def _show_look(self) -> None:
        for button in self._group.buttons():
            button.setChecked(button.property("scheme") == self._appearance.scheme)
        self._size.setCurrentIndex(self._size.findData(self._appearance.text_size))

    @Slot(object)
    def _scheme_clicked(self, button: QRadioButton) -> None:
        self._appearance.choose_scheme(str(button.property("scheme")))

    @Slot(int)
    def _size_chosen(self, number: int) -> None:
        self._appearance.choose_size(int(self._size.itemData(number)))

    @Slot(bool)
    def _notify_chosen(self, wanted: bool) -> None:
        self._state.notify = wanted

    # --- network ------------------------------------------------------------------------------------------------------
    def _network(self) -> Card:
        card = Card(20)
        card.column.addWidget(label(self.tr("Network"), "section"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        self._proxy = QLineEdit()
        self._proxy.setObjectName("proxy")
        self._proxy.setPlaceholderText("http://proxy.example.org:8080")
        self._proxy.setMinimumWidth(220)
        self._proxy.editingFinished.connect(self._proxy_typed)
        self._proxy_words = label("", "muted", wrap=True, name="proxy_words")
        self._limit = QComboBox()
        self._limit.setObjectName("upload_limit")
        self._limit.addItem(self.tr("no limit"), None)
        for mega in (1, 2, 5, 10, 20, 50, 100):
            self._limit.addItem(self.tr("%1 MB/s").replace("%1", str(mega)), float(mega * _MEGA))
        self._limit.activated.connect(self._limit_chosen)
        self._connections = QComboBox()
        self._connections.setObjectName("connections")
        self._connections.addItem(self.tr("as needed"), None)
        for count in (1, 2, 4, 8, 16, 32):
            self._connections.addItem(str(count), count)
        self._connections.activated.connect(self._connections_chosen)
        for row, (words, widget, more) in enumerate(
            (
                (self.tr("&Proxy"), self._proxy, self._proxy_words),
                (
                    self.tr("&Upload at most"),
                    self._limit,
                    label(self.tr("So that others can work, too."), "muted", wrap=True),
                ),
                (
                    self.tr("&Connections"),
                    self._connections,
                    label(self.tr("At once, for each transfer."), "muted", wrap=True),
                ),
            )
        ):
            name = label(words)
            name.setBuddy(widget)
            widget.setAccessibleName(words.replace("&", ""))
            grid.addWidget(name, row, 0)
            grid.addWidget(widget, row, 1)
            grid.addWidget(more, row, 2)
        card.column.addLayout(grid)
        return card

    @Slot()
    def _proxy_typed(self) -> None:
        self._write("proxy", self._proxy.text().strip() or None)

    @Slot(int)
    def _limit_chosen(self, number: int) -> None:
        self._write("upload_bytes_per_second", self._limit.itemData(number))

    @Slot(int)
    def _connections_chosen(self, number: int) -> None:
        self._write("transfer_connections", self._connections.itemData(number))

    def _write(self, name: str, value: str | float | None) -> None:
        if self._shown and self._shown[name] != value:
            self._shown[name] = value
            self._session.spawn(self._save(name, value), self)

    async def _save(self, name: str, value: str | float | None) -> None:
        from launchpad.system.preferences import write_setting

        self._failed.hide()
        try:
            settings = await in_thread(write_setting, name, value)
        except LaunchpadError as error:
            self._failed.show_error(error)
            await self._load()
            return
        self._show(settings)
        self._saved.say(self.tr("Saved. Transfers that begin from now on use it; a proxy counts at the next start."))

    # --- folders ------------------------------------------------------------------------------------------------------
    def _folders(self) -> Card:
        card = Card(20)
        card.column.addWidget(label(self.tr("Folders and caches"), "section"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self._sizes: dict[Path, QLabel] = {}
        thumbnails = paths.cache_dir() / "thumbnails"
        for row, (words, folder, cache) in enumerate(
            (
                (self.tr("Results"), paths.results_dir(), False),
                (self.tr("Data"), paths.data_dir(), False),
                (self.tr("Logs"), paths.log_dir(), False),
                (self.tr("Thumbnails"), thumbnails, True),
            )
        ):
            grid.addWidget(label(words, "muted"), row, 0)
            place = ElidedLabel(str(folder), middle=True)
            place.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            grid.addWidget(place, row, 1)
            size = label("", "muted")
            self._sizes[folder] = size
            grid.addWidget(size, row, 2)
            show = IconButton("folder-open", tip=self.tr("Open %1").replace("%1", words), small=True, kind="quiet")
            show.clicked.connect(partial(self._open, folder))
            grid.addWidget(show, row, 3)
            if cache:
                clear = IconButton("trash-2", self.tr("Clear"), name="clear_thumbnails", small=True)
                clear.clicked.connect(partial(self._clear, folder))
                grid.addWidget(clear, row, 4)
        card.column.addLayout(grid)
        return card

    def _open(self, folder: Path, _checked: bool = False) -> None:
        open_folder(folder, self)

    def _clear(self, folder: Path, _checked: bool = False) -> None:
        self._session.spawn(self._clear_now(folder), self)

    async def _clear_now(self, folder: Path) -> None:
        from launchpad.system.diagnostics import clear_cache

        try:
            count = await in_thread(clear_cache, folder)
        except OSError as error:
            self._failed.say(self.tr("The cache cannot be cleared: %1.").replace("%1", str(error)))
            return
        self._saved.say(self.tr("%n pictures were deleted; they are made again when they are needed.", "", count))
        await self._measure()

    # --- what is shown ------------------------------------------------------------------------------------------------
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._session.spawn(self._load(), self)
        self._session.spawn(self._measure(), self)

    async def _load(self) -> None:
        from launchpad.settings import load_settings

        try:
            self._show(await in_thread(load_settings))
        except LaunchpadError as error:
            self._failed.show_error(error)

    def _show(self, settings: Settings) -> None:
        from launchpad.system.preferences import overridden, proxies

        self._shown = {
            "proxy": settings.proxy,
            "upload_bytes_per_second": settings.upload_bytes_per_second,
            "transfer_connections": settings.transfer_connections,
        }
        self._proxy.setText(settings.proxy or "")
        limit = settings.upload_bytes_per_second
        _choose(self._limit, limit, self.tr("%1 MB/s").replace("%1", f"{(limit or 0) / _MEGA:g}"))
        _choose(self._connections, settings.transfer_connections, str(settings.transfer_connections))
        set_by = self.tr("Set by the environment variable %1, which has the last word.")
        for widget, name in (
            (self._proxy, "proxy"), (self._limit, "upload_bytes_per_second"),
            (self._connections, "transfer_connections"),
        ):  # fmt: skip
            variable = overridden(name)
            widget.setEnabled(not variable)
            widget.setToolTip(set_by.replace("%1", variable) if variable else "")
        found = proxies()
        words = ", ".join(f"{scheme}: {address}" for scheme, address in found.items())
        none = self.tr("None is set. The system's certificates are trusted, also those of a hospital.")
        self._proxy_words.setText(self.tr("In use: %1").replace("%1", words) if found else none)

    async def _measure(self) -> None:
        from launchpad.system.diagnostics import folder_size, free_space

        for folder, shown in self._sizes.items():
            if folder != paths.data_dir():
                shown.setText(file_size(await in_thread(folder_size, folder)))
        free = await in_thread(free_space, paths.data_dir())
        self._sizes[paths.data_dir()].setText(self.tr("%1 free").replace("%1", file_size(free)))


def _choose(box: QComboBox, value: float | None, words: str) -> None:
    """Choose a value, which may be one that the list does not have yet."""
    if box.findData(value) < 0:
        box.addItem(words, value)
    box.setCurrentIndex(box.findData(value))
