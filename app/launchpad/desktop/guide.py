"""The user guide that ships with Launchpad: which of its pages belongs to which page of the window, and opening it."""

from __future__ import annotations

import html
import json
import re

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QWidget

from launchpad import paths
from launchpad.desktop import navigation
from launchpad.desktop.opening import open_url, tell
from launchpad.errors import LaunchpadError, NotFound

START = ("index.html", "")
ERRORS = ("troubleshooting.html", "look-here-first")
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
    navigation.Info: ERRORS,
}


def open_guide(place: tuple[str, str] = START) -> None:
    """Open a page of the guide at one of its parts in the person's browser; no network is needed.

    Raises:
        LaunchpadError: this installation lacks it, or there is no program that shows it.
    """
    name, part = place
    try:
        page = paths.resource("help", name)
    except FileNotFoundError:
        raise NotFound(
            "This installation has no user guide", advice="In a clone of the source, `make docs` builds it."
        ) from None
    url = QUrl.fromLocalFile(str(page))
    if part:
        url.setFragment(part)
        url = _led_to(url)
    if not open_url(url):
        raise LaunchpadError("No program shows the user guide", advice="Open it in a browser.", subject=str(page))


def _led_to(url: QUrl) -> QUrl:
    """A page of our own that leads there: what systems open files with drops the part of a page from its address."""
    address = html.escape(url.toString(QUrl.ComponentFormattingOption.FullyEncoded))
    text = f'<!doctype html><meta http-equiv="refresh" content="0; url={address}"><a href="{address}">Launchpad</a>'
    file = paths.cache_dir() / "guide.html"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        paths.write_atomic(file, text.encode())
    except OSError:
        return url
    return QUrl.fromLocalFile(str(file))


def place_of_error(title: str) -> tuple[str, str]:
    """Where the guide says what to do about an error; for one that it does not know, where to look first."""
    try:
        known: dict[str, str] = json.loads(paths.resource("help", "errors.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ERRORS
    if title in known:
        return ERRORS[0], known[title]
    for name in sorted(known, key=len, reverse=True):  # the most exact one that has a value where this title has one
        if "…" in name and re.fullmatch(".+".join(map(re.escape, name.split("…"))), title, re.DOTALL):
            return ERRORS[0], known[name]
    return ERRORS


def show_guide(window: QWidget, place: tuple[str, str] = START) -> None:
    """`open_guide`; why it cannot be opened is said in a dialog."""
    try:
        open_guide(place)
    except LaunchpadError as error:
        tell(error, window)
