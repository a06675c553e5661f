"""A web page inside of the window, where Qt's web engine is installed and may run."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QApplication, QWidget

_PROFILE = "notebook_profile"


def can_embed() -> bool:
    """Whether web pages can be shown in the window.

    The engine comes with the extra `notebook`. It ends the whole process when it runs as root with its sandbox.
    """
    if importlib.util.find_spec("PySide6.QtWebEngineWidgets") is None:
        return False
    if sys.platform == "win32":
        return True
    return os.geteuid() != 0 or os.environ.get("QTWEBENGINE_DISABLE_SANDBOX") == "1"


def web_view(name: str) -> QWidget | None:
    """A view for pages of this computer, which leaves nothing on disk; None where there is no engine."""
    if not can_embed():
        return None
    from PySide6.QtWebEngineCore import QWebEnginePage
    from PySide6.QtWebEngineWidgets import QWebEngineView

    view = QWebEngineView()
    view.setObjectName(name)
    view.setPage(QWebEnginePage(_profile(), view))
    made: QWidget = view
    return made


def show_page(view: QWidget, address: str) -> None:
    """Go to an address; "" leaves the page, so that nothing of it goes on."""
    view.setProperty("url", QUrl(address or "about:blank"))


def _profile() -> Any:
    """One for all views, as it has to outlive their pages."""
    from PySide6.QtWebEngineCore import QWebEngineProfile

    app = QApplication.instance()
    found = app.findChild(QWebEngineProfile, _PROFILE) if app is not None else None
    if found is None:
        # A profile without a storage name keeps cookies and cache in memory: the server's token is in them.
        found = QWebEngineProfile(app)
        found.setObjectName(_PROFILE)
        found.downloadRequested.connect(_accept)
    return found


def _accept(download: Any) -> None:
    """A table or a picture that one saves goes to the folder of downloads, under a name that is free."""
    download.accept()
