"""The user guide opens from this computer, or the reason is said."""

from __future__ import annotations

import html
import re
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
from PySide6.QtCore import QObject, QSettings, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop_bench import Bench
from documentation import DOCS, anchors, hook
from launchpad import paths
from launchpad.desktop import guide
from launchpad.desktop.guide import open_guide
from launchpad.desktop.main_window import MainWindow
from launchpad.desktop.navigation import Catalog, DatasetPage, Home, Navigator, Route, RunPage
from launchpad.desktop.widgets.basics import Notice
from launchpad.desktop.window_state import WindowState
from launchpad.errors import LaunchpadError, NotFound


class Browser(QObject):
    """Takes what would go to the person's browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        """As the systems' openers do: without the part of a page. What leads on to another page is followed."""
        url.setFragment("")
        text = Path(url.toLocalFile()).read_text(encoding="utf-8")
        led = re.search(r'content="0; url=([^"]+)"', text)
        self.opened.append(QUrl(html.unescape(led[1])) if led else url)


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
    qapp: object,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    route: Route | None,
    page: str,
    part: str,
) -> None:
    file = tmp_path / "help ä" / page
    file.parent.mkdir()
    file.write_text("<h1>Launchpad</h1>")
    monkeypatch.setattr(paths, "resource", lambda *parts: tmp_path.joinpath("help ä", *parts[1:]))
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "show")
    try:
        open_guide(guide.PAGES[type(route)] if route else guide.START)
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


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (NotFound("The folder is not there", subject="/slides"), "the-folder-is-not-there"),
        (NotFound("The profile has no issuer"), "the-profile-has-no"),
        (LaunchpadError("Words of another server"), "look-here-first"),
    ],
)
def test_an_error_leads_to_what_the_guide_says_of_it(
    qtbot: QtBot, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: LaunchpadError, part: str
) -> None:
    (tmp_path / "troubleshooting.html").write_text("<h1>Troubleshooting</h1>")
    hook("errors").on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
    monkeypatch.setattr(paths, "resource", lambda *parts: tmp_path.joinpath(*parts[1:]))
    notice = Notice("circle-alert", "failed", name="trouble")
    qtbot.addWidget(notice)
    notice.resize(600, 40)
    notice.show_error(ValueError("no error of ours"))
    more = notice.findChild(QPushButton, "trouble_more")
    assert isinstance(more, QPushButton)
    assert not more.isVisible()
    notice.show_error(error)
    assert more.isVisible()
    assert more.text()
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "show")
    try:
        more.click()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [(Path(url.toLocalFile()).name, url.fragment()) for url in browser.opened] == [
        ("troubleshooting.html", part)
    ]
    notice.show_error(NotFound("The file is not there", subject=f"/slides/{'a' * 200}.svs"))
    assert notice.minimumSizeHint().width() < 420, "a long name must not widen the window"
    notice.resize(280, 80)
    assert not more.text()
    assert more.toolTip()
    notice.say("Another thing")
    assert not more.isVisible()


def test_why_the_guide_does_not_open_is_said(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*parts: str) -> Path:
        raise FileNotFoundError("/".join(parts))

    monkeypatch.setattr(paths, "resource", missing)
    window = QWidget()
    qtbot.addWidget(window)
    guide.show_guide(window, guide.PAGES[Catalog])
    box = window.findChild(QMessageBox, "not_opened")
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
