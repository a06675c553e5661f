"""An event loop with a session on a real platform, and pages to try on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import qasync

from launchpad import paths
from launchpad.desktop.background import Jobs
from launchpad.desktop.navigation import Route
from launchpad.desktop.pages.wizard.wizard import WizardPage
from launchpad.desktop.session import Session
from launchpad.desktop.transfers import Transfers

APPLICATION = "he-tme"


class Bench:
    """An event loop with a session on the module's platform, and the pages that were made."""

    def __init__(self, loop: qasync.QEventLoop, session: Session) -> None:
        self.loop = loop
        self.session = session
        self.jobs = Jobs()
        self.transfers = Transfers(session, self.jobs)
        self.went: list[Route] = []
        self.pages: list[WizardPage] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        async def limited() -> None:
            async with asyncio.timeout(240):
                await work

        self.loop.run_until_complete(limited())

    async def page(self, *, ready: bool = True) -> WizardPage:
        page = WizardPage(self.session, self.jobs, self.transfers, self.went.append, APPLICATION)
        self.pages.append(page)
        page.resize(1100, 800)
        page.show()
        if ready:
            await until(lambda: page.model.version is not None)
        return page

    async def leave(self, page: WizardPage) -> None:
        """As the window does it: the page is thrown away, its last save goes on."""
        page.leave()
        page.close()
        page.deleteLater()
        self.pages.remove(page)
        await until(lambda: not len(self.jobs))


def begun() -> None:
    """As if somebody had chosen how to begin: no first start comes."""
    paths.window_file().parent.mkdir(parents=True, exist_ok=True)
    paths.window_file().write_text("[General]\nbegun=true\n")


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - widgets set no asyncio events
            await asyncio.sleep(0.02)
