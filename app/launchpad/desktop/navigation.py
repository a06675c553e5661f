"""Where one is: routes, and the history of them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import get_args
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QObject, Signal


@dataclass(frozen=True)
class Home:
    """Welcome, and the applications."""


@dataclass(frozen=True)
class Wizard:
    """A new run of an application."""

    application_id: str


@dataclass(frozen=True)
class RunPage:
    """A run and its results."""

    run_id: str


@dataclass(frozen=True)
class Catalog:
    """An application: its versions, what it needs, what it makes."""

    application_id: str


@dataclass(frozen=True)
class Info:
    """Health, versions, places, settings."""


@dataclass(frozen=True)
class BucketPage:
    """The objects of the organization's bucket."""


@dataclass(frozen=True)
class About:
    """What Launchpad is and whose work it stands on."""


@dataclass(frozen=True)
class TransferList:
    """Uploads and downloads."""


@dataclass(frozen=True)
class QuPathPage:
    """QuPath on this computer: found, installed, started."""


@dataclass(frozen=True)
class DatasetPage:
    """Public slides: found, downloaded, used."""


@dataclass(frozen=True)
class NotebookPage:
    """The notebook of a run, or with "" the one from sign-in to download."""

    run_id: str = ""


@dataclass(frozen=True)
class FirstStart:
    """How to begin."""


@dataclass(frozen=True)
class SignIn:
    """Signing in to a platform; without a name a person chooses which."""

    profile: str = ""


Route = (
    Home
    | Catalog
    | Wizard
    | RunPage
    | TransferList
    | BucketPage
    | DatasetPage
    | QuPathPage
    | NotebookPage
    | Info
    | About
    | FirstStart
    | SignIn
)

LINK_SCHEME = "launchpad"


def route_to_text(route: Route) -> str:
    """A route as a line of settings."""
    return json.dumps([type(route).__name__, asdict(route)])


def route_from_text(text: str) -> Route | None:
    """The route that `route_to_text` wrote; None for what is no route of this version."""
    try:
        name, fields = json.loads(text)
        kind = next(item for item in get_args(Route) if item.__name__ == name)
        route: Route = kind(**{str(key): str(value) for key, value in fields.items()})
    except (ValueError, TypeError, AttributeError, StopIteration):
        return None
    return route


def route_of_link(link: str) -> Route | None:
    """Where a `launchpad://` link leads: `run/<id>`, `application/<id>` or `transfers`. None for any other text.

    Such a link comes from anywhere: it shows a page and does nothing else.
    """
    parts = urlsplit(link)
    if parts.scheme.lower() != LINK_SCHEME:
        return None
    path = [unquote(part) for part in parts.path.split("/") if part]
    if parts.netloc.lower() == "run" and len(path) == 1:
        try:
            import uuid

            return RunPage(str(uuid.UUID(path[0])))
        except ValueError:
            return None
    if parts.netloc.lower() == "application" and len(path) == 1 and re.fullmatch(r"[\w.-]{1,100}", path[0]):
        return Catalog(path[0])
    return TransferList() if parts.netloc.lower() == "transfers" and not path else None


class Navigator(QObject):
    """The current route with its history."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._routes: list[Route] = [Home()]
        self._at = 0

    @property
    def route(self) -> Route:
        """Where one is."""
        return self._routes[self._at]

    def go(self, route: Route) -> None:
        """Go somewhere; what was ahead in the history is forgotten."""
        if route != self.route:
            self._routes = [*self._routes[: self._at + 1], route]
            self._at += 1
        self.changed.emit(self.route)

    def forget(self) -> None:
        """Begin anew at home, without a history; tells nobody."""
        self._routes, self._at = [Home()], 0

    def back(self) -> None:
        """One step back."""
        if self._at > 0:
            self._at -= 1
            self.changed.emit(self.route)

    def forward(self) -> None:
        """One step forward again."""
        if self._at + 1 < len(self._routes):
            self._at += 1
            self.changed.emit(self.route)
