"""What opens in other programs: the user guide, folders; or the reason is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from launchpad import paths
from launchpad.desktop.opening import open_folder
from launchpad.desktop.widgets.main_menu import open_guide
from launchpad.errors import LaunchpadError, NotFound


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there a frozen program names its libraries")
def test_a_frozen_program_opens_folders_with_a_clean_environment(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\n(echo "$1"; env) > "{tmp_path}/part"\nmv "{tmp_path}/part" "{tmp_path}/seen"\n')
    opener.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("PATH", f"{opener.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/bundle")
    folder = tmp_path / "results ä"
    open_folder(folder)
    qtbot.waitUntil((tmp_path / "seen").exists)
    address, *environment = (tmp_path / "seen").read_text().splitlines()
    assert QUrl(address).toLocalFile() == str(folder)
    assert not any(line.startswith("LD_LIBRARY_PATH") for line in environment)

    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(LaunchpadError) as raised:
        open_folder(folder)
    assert raised.value.subject == str(folder)
