"""Folders and pages open in other programs, or the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from launchpad.desktop.opening import open_address, open_folder
from launchpad.errors import LaunchpadError


class System(QObject):
    """Takes what would go to another program."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def show(self, url: QUrl) -> None:
        self.opened.append(url)


def test_a_folder_and_a_page_reach_the_system(qapp: object, tmp_path: Path) -> None:
    system = System()
    for scheme in ("file", "https"):
        QDesktopServices.setUrlHandler(scheme, system, "show")
    try:
        open_folder(tmp_path / "results ä")
        open_address("https://localhost/x?a=1&b=2")
    finally:
        for scheme in ("file", "https"):
            QDesktopServices.unsetUrlHandler(scheme)
    assert Path(system.opened[0].toLocalFile()) == tmp_path / "results ä"
    assert system.opened[1].toString() == "https://localhost/x?a=1&b=2"


@pytest.mark.qt_log_ignore("This plugin does not support QPlatformServices")
def test_where_nothing_opens_a_folder_or_a_page_it_is_said(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call, subject in ((open_folder, tmp_path), (open_address, "http://localhost")):
        with pytest.raises(LaunchpadError) as raised:
            call(subject)  # type: ignore[operator]
        assert raised.value.subject == str(subject)
        assert raised.value.advice
