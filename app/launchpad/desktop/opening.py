"""Opens folders, files and addresses in the person's own programs; where none takes them, a dialog says so."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from launchpad.errors import LaunchpadError


def open_folder(folder: Path, window: QWidget) -> None:
    """Show a folder in the file manager."""
    if not open_url(QUrl.fromLocalFile(str(folder))):
        error = LaunchpadError(
            "The folder cannot be shown",
            detail="No file manager took it.",
            advice="Check that it is still there, and open it by hand.",
            subject=str(folder),
        )
        tell(error, window)


def open_address(address: str, window: QWidget) -> None:
    """Show a web page in the browser."""
    if not open_url(QUrl(address)):
        error = LaunchpadError(
            "No browser opened the page",
            advice="Copy the address into a browser.",
            subject=address,
        )
        tell(error, window)


def open_url(url: QUrl) -> bool:
    """Hand an address to the system; False where nothing took it."""
    return QDesktopServices.openUrl(url)


def tell(error: LaunchpadError, window: QWidget) -> None:
    """Say in a dialog why something did not open; its subject can be copied."""
    box = QMessageBox(QMessageBox.Icon.Warning, "Launchpad", error.title, parent=window)
    box.setObjectName("not_opened")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.setInformativeText("\n".join(filter(None, (error.subject, error.detail, error.advice))))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
