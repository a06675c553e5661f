"""Folders and pages open in other programs, or the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from launchpad.desktop.opening import open_address, open_folder
from launchpad.desktop.widgets.main_menu import open_web


class System(QObject):
    """Takes what would go to another program."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.opened.append(url)


def test_a_folder_and_a_page_reach_the_system(qtbot: QtBot, tmp_path: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    system = System()
    for scheme in ("file", "https"):
        QDesktopServices.setUrlHandler(scheme, system, "show")
    try:
        open_folder(tmp_path / "results ä", window)
        open_address("https://localhost/x?a=1&b=2", window)
    finally:
        for scheme in ("file", "https"):
            QDesktopServices.unsetUrlHandler(scheme)
    assert Path(system.opened[0].toLocalFile()) == tmp_path / "results ä"
    assert system.opened[1].toString() == "https://localhost/x?a=1&b=2"


@pytest.mark.qt_log_ignore("This plugin does not support QPlatformServices")
def test_where_nothing_opens_a_folder_or_a_page_a_dialog_says_so(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call, subject in ((open_folder, tmp_path), (open_address, "http://localhost"), (open_web, "mailto:a@b")):
        window = QWidget()
        qtbot.addWidget(window)
        call(subject, window)  # type: ignore[operator]
        box = window.findChild(QMessageBox, "not_opened")
        assert isinstance(box, QMessageBox)
        assert str(subject) in box.informativeText()
        assert "by hand" in box.informativeText() or "browser" in box.informativeText()
        box.close()
