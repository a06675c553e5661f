"""The menu at the top right: pages, appearance, the platform's web pages, help, quit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from launchpad.desktop.opening import open_address
from launchpad.desktop.theme import icons, palette
from launchpad.desktop.window_state import SCHEMES, TEXT_SIZES

if TYPE_CHECKING:
    from launchpad.platform.auth.profiles import Links


def open_web(address: str, window: QWidget) -> bool:
    """Open a web page or a mail in the person's own program; False for any other kind of address."""
    if QUrl(address, QUrl.ParsingMode.StrictMode).scheme() not in ("https", "http", "mailto"):
        return False
    open_address(address, window)
    return True


class MainMenu(QMenu):
    """Actions with their shortcuts; they work while the menu is closed, as they belong to the window, too."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._owner = window
        self._icons: dict[QAction, str] = {}
        self._web: dict[str, QAction] = {}
        self._web_line: QAction | None = None
        self.setToolTipsVisible(True)
        self._drawn: palette.Theme | None = None
        self.aboutToShow.connect(self._restyle)  # the first window does not wait for two dozen icons

    def add(self, name: str, icon: str, words: str, slot: Callable[[], object], keys: str = "") -> QAction:
        """Offer something; `keys` is its shortcut."""
        action = QAction(words, self._owner)
        action.setObjectName(f"menu_{name}")
        action.triggered.connect(lambda _checked=False: slot())
        self._take(action, icon, keys)
        return action

    def add_appearance(
        self, scheme: str, size: int, choose_scheme: Callable[[str], None], choose_size: Callable[[int], None]
    ) -> None:
        """Light, dark or as the system, and the size of the text."""
        menu = self.addMenu(self.tr("Appearance"))
        self._icons[menu.menuAction()] = "sun"
        words = {"system": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")}
        self._schemes = self._group(
            menu, {key: words[key] for key in SCHEMES}, scheme, lambda key: choose_scheme(str(key))
        )
        menu.addSeparator()
        sizes = {number: self.tr("Text %1 %").replace("%1", str(number)) for number in TEXT_SIZES}
        self._sizes = self._group(menu, sizes, size, lambda key: choose_size(int(str(key))))

    def show_appearance(self, scheme: str, size: int) -> None:
        """Mark what is in use."""
        for group, value in ((self._schemes, scheme), (self._sizes, size)):
            for action in group.actions():
                action.setChecked(action.data() == value)

    def add_web(self) -> None:
        """Places for the platform's web pages, shown when the profile has them."""
        self._web_line = self.addSeparator()
        for name, icon, words in (
            ("console", "layout-grid", self.tr("Open the console")),
            ("documentation", "file-text", self.tr("Documentation")),
            ("support", "circle-help", self.tr("Get support")),
            ("status", "list-checks", self.tr("Check the platform's status")),
        ):
            action = QAction(words, self._owner)
            action.setObjectName(f"menu_{name}")
            self._take(action, icon, "")
            self._web[name] = action
        self.show_links(None)

    def show_links(self, links: Links | None) -> None:
        """Show the pages that there are."""
        for name, action in self._web.items():
            address = getattr(links, name, None)
            action.setVisible(bool(address))
            action.setToolTip(address or "")
            action.setData(address)
            if address and not action.property("wired"):
                action.setProperty("wired", True)
                action.triggered.connect(partial(self._open, action))
        if self._web_line is not None:
            self._web_line.setVisible(any(action.isVisible() for action in self._web.values()))

    def _open(self, action: QAction, _checked: bool = False) -> None:
        open_web(str(action.data()), self._owner)

    def _take(self, action: QAction, icon: str, keys: str) -> None:
        if icon:
            self._icons[action] = icon
        if keys:
            action.setShortcut(QKeySequence(keys))
            self._owner.addAction(action)
        self.addAction(action)

    def _group(
        self, menu: QMenu, choices: dict[object, str] | dict[str, str] | dict[int, str], chosen: object,
        choose: Callable[[object], None],
    ) -> QActionGroup:  # fmt: skip
        group = QActionGroup(self)
        for key, words in choices.items():
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setData(key)
            action.setChecked(key == chosen)
            group.addAction(action)
        group.triggered.connect(lambda action: choose(action.data()))
        return group

    @Slot()
    def _restyle(self) -> None:
        if self._drawn is palette.current():
            return
        self._drawn = palette.current()
        for action, icon in self._icons.items():
            action.setIcon(icons.icon(icon))
