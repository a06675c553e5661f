"""What nobody expected: a person is told all of it, the log and the report name no slide."""

from __future__ import annotations

import asyncio

import qasync
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget

from desktop_bench import begun, until
from launchpad import paths
from launchpad.desktop.app import Application, _hook
from launchpad.desktop.background import pool
from launchpad.desktop.start import FirstWindow
from launchpad.errors import SlideError
from launchpad.system import crash_reports
from launchpad.system.logging import set_up, tear_down


def test_the_dialog_says_the_words_and_the_log_only_kind_title_and_place(
    qapp: QApplication, platform_endpoint: object
) -> None:
    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    qapp.setQuitOnLastWindowClosed(False)
    begun()
    said: list[str] = []
    handler = set_up("INFO", "desktop")
    application = Application(FirstWindow(qapp, "light"), [])
    _hook(application, loop)

    def fail() -> None:
        try:
            int("Smith 1957")
        except ValueError as error:
            raise SlideError("The slide cannot be read", detail="It names Jones.", subject="Smith.svs") from error

    async def driver(window: QWidget) -> None:
        loop.call_soon(fail)
        try:
            await until(lambda: window.findChild(QMessageBox, "unexpected_error") is not None, 20)
            box = window.findChild(QMessageBox, "unexpected_error")
            said.append(box.text())
            assert box.findChild(QPushButton, "error_more") is not None
            box.close()
        finally:
            window.close()

    import sys

    before = sys.excepthook
    try:
        application.show()
        loop.run_until_complete(asyncio.wait_for(application.run(driver), 60))
    finally:
        sys.excepthook = before
        tear_down(handler)
        application.window.deleteLater()
        application.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        pool.close()
        loop.close()
        asyncio.set_event_loop(None)
    assert "Smith.svs" in said[0]
    (report,) = crash_reports.waiting()
    for text in ((paths.log_dir() / "desktop.log").read_text(), report.text()):
        assert "SlideError: The slide cannot be read" in text
        assert "ValueError" in text
        assert "in fail" in text
        for name in ("Smith.svs'", "Smith.svs.", "names Jones.'", "base 10"):  # the code's own lines are shown
            assert name not in text
    crash_reports.put_away(report)
