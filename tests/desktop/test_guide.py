"""The user guide opens from this computer, or the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from launchpad import paths
from launchpad.desktop.widgets.main_menu import open_guide
from launchpad.errors import NotFound


class Browser(QObject):
    """Takes what would go to the person's browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.opened.append(url)


def test_the_guide_is_a_file_of_this_installation(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "help ä" / "index.html"
    page.parent.mkdir()
    page.write_text("<h1>Launchpad</h1>")
    monkeypatch.setattr(paths, "resource", lambda *parts: tmp_path.joinpath("help ä", *parts[1:]))
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "show")
    try:
        open_guide()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [Path(url.toLocalFile()) for url in browser.opened] == [page]


def test_an_installation_without_the_guide_says_so(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*parts: str) -> Path:
        raise FileNotFoundError("/".join(parts))

    monkeypatch.setattr(paths, "resource", missing)
    with pytest.raises(NotFound) as raised:
        open_guide()
    assert "make docs" in raised.value.advice
