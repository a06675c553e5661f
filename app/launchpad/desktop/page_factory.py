"""Makes the page of a route; each page is imported when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from launchpad import paths
from launchpad.desktop.navigation import (
    About,
    BucketPage,
    Catalog,
    DatasetPage,
    FirstStart,
    Info,
    Navigator,
    NotebookPage,
    QuPathPage,
    Route,
    RunPage,
    SignIn,
    TransferList,
    Wizard,
)

if TYPE_CHECKING:
    from launchpad.desktop.account import Account
    from launchpad.desktop.appearance import Appearance
    from launchpad.desktop.background import Jobs
    from launchpad.desktop.notebooks import Notebooks
    from launchpad.desktop.session import Session
    from launchpad.desktop.transfers import Transfers
    from launchpad.desktop.updates import Updates
    from launchpad.desktop.window_state import WindowState


@dataclass(frozen=True)
class Wiring:
    """The slots that signals of pages are connected to."""

    submitted: Callable[..., None]
    again: Callable[..., None]
    begin: Callable[..., None]
    signed_in: Callable[..., None]
    tag_chosen: Callable[..., None]
    use_slides: Callable[..., None]


class PageFactory:
    """Makes pages; `drafts` names for an application the draft that its next wizard opens."""

    def __init__(
        self,
        session: Session,
        jobs: Jobs,
        transfers: Transfers,
        notebooks: Notebooks,
        updates: Updates,
        account: Account,
        appearance: Appearance,
        state: WindowState,
        navigator: Navigator,
        wiring: Wiring,
    ) -> None:
        self._session, self._jobs, self._transfers, self._notebooks = session, jobs, transfers, notebooks
        self._updates, self._account, self._appearance, self._state = updates, account, appearance, state
        self._navigator, self._wiring = navigator, wiring
        self.drafts: dict[str, str] = {}

    def make(self, route: Route) -> QWidget:
        """The page of a route, wired to what it can lead to."""
        if isinstance(route, Wizard):
            from launchpad.desktop.pages.wizard.wizard import WizardPage

            draft_id = self.drafts.pop(route.application_id, "")
            page = WizardPage(
                self._session, self._jobs, self._transfers, self._navigator.go, route.application_id, draft_id=draft_id
            )
            page.submitted.connect(self._wiring.submitted)
            return page
        if isinstance(route, RunPage):
            from launchpad.desktop.pages.run import RunPage as Page
            from launchpad.desktop.widgets.open_in_notebook import OpenInNotebook

            shown = Page(self._session, self._transfers, self._jobs, self._navigator.go, route.run_id)
            shown.again.connect(self._wiring.again)
            shown.tag_chosen.connect(self._wiring.tag_chosen)
            folder = paths.results_dir() / route.run_id
            shown.add_action(OpenInNotebook(self._notebooks, self._navigator.go, route.run_id, folder))
            return shown
        if isinstance(route, TransferList):
            from launchpad.desktop.pages.transfers import TransfersPage

            return TransfersPage(self._transfers, self._navigator.go)
        if isinstance(route, QuPathPage):
            from launchpad.desktop.pages.qupath import QuPathPage as QuPath

            return QuPath(self._session, self._jobs)
        if isinstance(route, NotebookPage):
            from launchpad.desktop.pages.notebook import NotebookPage as Notebook

            return Notebook(self._notebooks, self._navigator.go, route.run_id)
        if isinstance(route, Info):
            from launchpad.desktop.pages.info import InfoPage

            return InfoPage(self._session, self._appearance, self._state, self._updates)
        if isinstance(route, FirstStart):
            from launchpad.desktop.pages.first_start import FirstStartPage

            first = FirstStartPage(self._navigator.go)
            first.begin_here.connect(self._wiring.begin)
            return first
        if isinstance(route, SignIn):
            from launchpad.desktop.pages.sign_in import SignInPage

            sign_in = SignInPage(self._account, route.profile)
            sign_in.signed_in.connect(self._wiring.signed_in)
            sign_in.left.connect(self._navigator.back)
            return sign_in
        if isinstance(route, Catalog):
            from launchpad.desktop.pages.catalog import CatalogPage

            return CatalogPage(self._session, self._navigator.go, route.application_id)
        if isinstance(route, BucketPage):
            from launchpad.desktop.pages.bucket import BucketPage as Objects

            return Objects(self._session, self._jobs, self._state)
        if isinstance(route, DatasetPage):
            from launchpad.desktop.pages.dataset import DatasetPage as Slides

            slides = Slides(self._session, self._jobs, self._state)
            slides.use_wanted.connect(self._wiring.use_slides)
            return slides
        if isinstance(route, About):
            from launchpad.desktop.pages.about import AboutPage

            return AboutPage(self._session)
        from launchpad.desktop.pages.home import HomePage

        return HomePage(self._session, self._navigator.go)
