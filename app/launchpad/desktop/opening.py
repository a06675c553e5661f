"""Opens folders, files and addresses in the person's own programs."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QProcess, QProcessEnvironment, QUrl
from PySide6.QtGui import QDesktopServices

from launchpad.errors import LaunchpadError
from launchpad.other_programs import clean_environment


def open_folder(folder: Path) -> None:
    """Show a folder in the file manager.

    Raises:
        LaunchpadError: no program shows it.
    """
    if not open_url(QUrl.fromLocalFile(str(folder))):
        raise LaunchpadError(
            "The folder cannot be shown",
            detail="No file manager took it.",
            advice="Check that it is still there, and open it by hand.",
            subject=str(folder),
        )


def open_address(address: str) -> None:
    """Show a web page in the browser.

    Raises:
        LaunchpadError: no program shows it.
    """
    if not open_url(QUrl(address)):
        raise LaunchpadError(
            "No browser opened the page",
            advice="Copy the address into a browser.",
            subject=address,
        )


def open_url(url: QUrl) -> bool:
    """Hand an address to the system; False where nothing took it."""
    if not (getattr(sys, "frozen", False) and sys.platform.startswith("linux")):
        return QDesktopServices.openUrl(url)
    # Qt hands its own environment on, in which a frozen program names its libraries: a browser that takes them ends.
    opener = QProcess()
    opener.setProgram("xdg-open")
    opener.setArguments([url.toString(QUrl.ComponentFormattingOption.FullyEncoded)])
    environment = QProcessEnvironment()
    for name, value in clean_environment().items():
        environment.insert(name, value)
    opener.setProcessEnvironment(environment)
    started = opener.startDetached()
    return bool(started[0] if isinstance(started, tuple) else started)
