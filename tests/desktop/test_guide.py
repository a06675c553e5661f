"""The user guide opens from this computer, or the reason is said."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from PySide6.QtCore import QObject, QSettings, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from desktop_bench import Bench
from documentation import DOCS, anchors
from launchpad import paths
from launchpad.desktop import guide
from launchpad.desktop.guide import open_guide
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.navigation import Catalog, DatasetPage, Home, Navigator, Route, RunPage
from launchpad.desktop.window_state import WindowState
from launchpad.errors import NotFound


class Browser(QObject):
    """Takes what would go to the person's browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.opened.append(url)


@pytest.mark.parametrize(
    ("route", "page", "part"),
    [
        (None, "index.html", ""),
        (Home(), "index.html", ""),
        (RunPage("x"), "guide-pathologist.html", "read-the-results"),
        (DatasetPage(), "datasets.html", "in-the-window"),
    ],
)
def test_the_guide_opens_from_this_installation_where_it_tells_of_the_page(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, route: Route | None, page: str, part: str
) -> None:
    file = tmp_path / "help ä" / page
    file.parent.mkdir()
    file.write_text("<h1>Launchpad</h1>")
    monkeypatch.setattr(paths, "resource", lambda *parts: tmp_path.joinpath("help ä", *parts[1:]))
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "show")
    try:
        open_guide(route)
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [(Path(url.toLocalFile()), url.fragment()) for url in browser.opened] == [(file, part)]


def test_every_page_of_the_window_has_its_part_of_the_guide() -> None:
    assert set(guide.PAGES) == set(get_args(Route))
    for name, part in guide.PAGES.values():
        text = (DOCS / name).with_suffix(".md").read_text(encoding="utf-8")
        assert not part or part in anchors(text), f"{name} has no part {part}"


def test_f1_opens_the_guide_and_shift_f1_the_keys(bench: Bench, tmp_path: Path) -> None:
    state = WindowState(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
    window = MainWindow(state, plain=False)
    window.fill(bench.session, bench.transfers, bench.jobs, Navigator(), lambda route: QWidget())
    asked: list[str] = []
    window.guide_wanted.connect(lambda: asked.append("guide"))
    window.help_wanted.connect(lambda: asked.append("keys"))
    by_key = {action.shortcut().toString(): action for action in window.menu.actions()}
    by_key["F1"].trigger()
    by_key["Shift+F1"].trigger()
    assert asked == ["guide", "keys"]
    window.let_close()
    window.deleteLater()


def test_why_the_guide_does_not_open_is_said(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*parts: str) -> Path:
        raise FileNotFoundError("/".join(parts))

    monkeypatch.setattr(paths, "resource", missing)
    window = QWidget()
    qtbot.addWidget(window)
    guide.show_guide(window, Catalog("he-tme"))
    box = window.findChild(QMessageBox, "no_guide")
    assert isinstance(box, QMessageBox)
    assert "no user guide" in box.text()
    assert "make docs" in box.informativeText()
    box.close()


def test_an_installation_without_the_guide_says_so(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*parts: str) -> Path:
        raise FileNotFoundError("/".join(parts))

    monkeypatch.setattr(paths, "resource", missing)
    with pytest.raises(NotFound) as raised:
        open_guide()
    assert "make docs" in raised.value.advice
