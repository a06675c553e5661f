"""The bench of the desktop's tests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import qasync
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from desktop_bench import Bench, until
from launchpad.application.draft import delete_draft, load_drafts
from launchpad.desktop.background import pool
from launchpad.desktop.session import Session


@pytest.fixture
def bench(qapp: QApplication, platform_endpoint: object) -> Iterator[Bench]:
    qapp.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    session = Session()
    made = Bench(loop, session)

    async def begin() -> None:
        session.start()
        await until(lambda: session.is_connected and session.applications)

    async def end() -> None:
        for page in list(made.pages):
            await made.leave(page)
        await session.close()

    made.run(begin())
    yield made
    made.run(end())
    assert made.jobs.shutdown() == []
    pool.close()
    for draft in load_drafts():
        delete_draft(draft.id)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    loop.close()
    asyncio.set_event_loop(None)
