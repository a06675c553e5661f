"""Opens folders, files and addresses in the person's own programs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from launchpad.errors import LaunchpadError


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
    return QDesktopServices.openUrl(url)
