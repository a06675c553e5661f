"""The user guide that ships with Launchpad: which of its pages belongs to which page of the window, and opening it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtWidgets import QMessageBox, QWidget

from launchpad import paths
from launchpad.desktop import navigation
from launchpad.desktop.navigation import Route
from launchpad.desktop.opening import open_url
from launchpad.errors import LaunchpadError, NotFound

START = ("index.html", "")
# Routes by their kind: page of the guide, and its part.
PAGES: dict[type, tuple[str, str]] = {
    navigation.Home: START,
    navigation.FirstStart: START,
    navigation.About: START,
    navigation.Catalog: ("tutorial.html", "choose-an-application"),
    navigation.Wizard: ("tutorial.html", "find-your-slides"),
    navigation.RunPage: ("guide-pathologist.html", "read-the-results"),
    navigation.QuPathPage: ("guide-pathologist.html", "go-on-in-qupath"),
    navigation.DatasetPage: ("datasets.html", "in-the-window"),
    navigation.NotebookPage: ("guide-data-scientist.html", "notebooks"),
    navigation.BucketPage: ("guide-bioinformatician.html", "files-in-the-bucket"),
    navigation.TransferList: ("troubleshooting.html", "what-gives-no-message"),
    navigation.SignIn: ("security.html", "signing-in"),
    navigation.Info: ("troubleshooting.html", "look-here-first"),
}


def open_guide(route: Route | None = None) -> None:
    """Open the guide in the person's browser, where it says something about a page; no network is needed.

    Raises:
        LaunchpadError: this installation lacks it, or there is no program that shows it.
    """
    name, part = PAGES[type(route)] if route is not None else START
    try:
        page = paths.resource("help", name)
    except FileNotFoundError:
        raise NotFound(
            "This installation has no user guide", advice="In a clone of the source, `make docs` builds it."
        ) from None
    url = QUrl.fromLocalFile(str(page))
    if part:
        url.setFragment(part)
    if not open_url(url):
        raise LaunchpadError("No program shows the user guide", advice="Open it in a browser.", subject=str(page))


def show_guide(window: QWidget, route: Route | None = None) -> None:
    """`open_guide`; why it cannot be opened is said in a dialog."""
    try:
        open_guide(route)
    except LaunchpadError as error:
        title = QCoreApplication.translate("guide", "User guide")
        box = QMessageBox(QMessageBox.Icon.Information, title, error.title, parent=window)
        box.setObjectName("no_guide")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(" ".join(filter(None, (error.subject, error.advice))))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
