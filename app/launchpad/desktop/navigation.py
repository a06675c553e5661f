"""Where one is: routes, and the history of them."""

from __future__ import annotations

from dataclasses import dataclass

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
class Info:
    """Health, versions, places, settings."""


@dataclass(frozen=True)
class TransferList:
    """Uploads and downloads."""


@dataclass(frozen=True)
class FirstStart:
    """How to begin."""


@dataclass(frozen=True)
class SignIn:
    """Signing in to a platform; without a name a person chooses which."""

    profile: str = ""


@dataclass(frozen=True)
class QuPathPage:
    """QuPath on this computer: found, installed, started."""


Route = Home | Wizard | RunPage | TransferList | Info | QuPathPage | FirstStart | SignIn


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
