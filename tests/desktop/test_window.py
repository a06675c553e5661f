"""The window: what comes back, links, one instance, filters of many runs, notes that others change, the poller."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, Qt, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QHeaderView,
    QListView,
    QMainWindow,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop_bench import until
from launchpad.application.monitor import Monitor, follow
from launchpad.desktop.background import Jobs, pool
from launchpad.desktop.deliveries import Deliveries
from launchpad.desktop.instance import hand_over
from launchpad.desktop.models.run_list import RowRole, RunFilter, RunListModel
from launchpad.desktop.navigation import (
    Catalog,
    Home,
    Info,
    RunPage,
    TransferList,
    Wizard,
    route_from_text,
    route_of_link,
    route_to_text,
)
from launchpad.desktop.pages.run import RunPage as Page
from launchpad.desktop.session import Session
from launchpad.desktop.theme import palette
from launchpad.desktop.transfers import Transfers
from launchpad.desktop.widgets.main_menu import MainMenu, open_web
from launchpad.desktop.widgets.run_sidebar import RunSidebar
from launchpad.desktop.widgets.safe_browser import SafeBrowser
from launchpad.desktop.widgets.shortcut_dialog import ShortcutDialog
from launchpad.desktop.window_state import WindowState
from launchpad.errors import Changed
from launchpad.platform import Client
from launchpad.platform.auth.profiles import Links
from launchpad.platform.models import RunReadResponse
from platform_that_says import HTML, RUN, Says, serve, uuid


@pytest.mark.parametrize("route", [Home(), Info(), Wizard("he-tme"), RunPage(RUN), TransferList()])
def test_a_route_survives_a_restart(route: Any) -> None:
    assert route_from_text(route_to_text(route)) == route


def test_what_is_no_route_is_none() -> None:
    for text in ("", "{}", '["Gone", {}]', '["Wizard", {}]', '["Wizard", 3]', "x"):
        assert route_from_text(text) is None, text


def test_links_only_navigate_to_what_is_there() -> None:
    assert route_of_link(f"launchpad://run/{RUN}") == RunPage(RUN)
    assert route_of_link(f"LAUNCHPAD://run/{RUN.upper()}/") == RunPage(RUN)
    assert route_of_link("launchpad://application/he-tme") == Catalog("he-tme")
    for link in (
        "launchpad://run/../../x", "launchpad://run/", f"launchpad://delete/{RUN}", f"https://run/{RUN}", "/a.svs",
        "launchpad://application/a b", f"launchpad://run/{RUN}/cancel",
    ):  # fmt: skip
        assert route_of_link(link) is None, link


def test_only_web_pages_are_opened(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    for address in ("file:///etc/passwd", "javascript:alert(1)", "launchpad://run/x", "smb://host/x", ""):
        assert not open_web(address, window), address
    assert not window.findChildren(QMessageBox)


def test_window_sidebar_columns_page_and_size_come_back(qtbot: QtBot, tmp_path: Path) -> None:
    def made() -> tuple[WindowState, QMainWindow, QSplitter, QHeaderView]:
        state = WindowState(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))
        window, splitter, table = QMainWindow(), QSplitter(), QTableView()
        qtbot.addWidget(window)
        splitter.addWidget(QWidget())
        splitter.addWidget(QWidget())
        window.setCentralWidget(splitter)
        state.restore_geometry(window)
        state.restore_sidebar(splitter, 296, window.width())
        table.setModel(RunListModel(table))
        qtbot.addWidget(table)
        state.keep_columns("runs", table.horizontalHeader())
        window.table = table  # type: ignore[attr-defined]
        return state, window, splitter, table.horizontalHeader()

    state, window, splitter, header = made()
    window.resize(711, 577)
    window.show()
    splitter.setSizes([300, 411])
    header.resizeSection(0, 321)
    state.route, state.scheme, state.text_size, state.notify = RunPage(RUN), "dark", 130, False
    sizes = splitter.sizes()
    state.save_window(window, splitter)
    state.sync()
    window.close()
    state, window, splitter, header = made()
    window.show()
    assert (window.width(), window.height()) == (711, 577)
    assert splitter.sizes() == sizes
    assert header.sectionSize(0) == 321
    assert (state.route, state.scheme, state.text_size, state.notify) == (RunPage(RUN), "dark", 130, False)
    window.close()


def test_the_text_grows_with_everything_that_holds_it(qapp: QApplication) -> None:
    usual, large = palette.Theme(dark=False), palette.Theme(dark=False, scale=1.5)
    assert large.font("body").pixelSize() == round(usual.font("body").pixelSize() * 1.5)
    for name in ("control", "row", "header", "footer", "topBar"):
        assert large.size[name] == round(usual.size[name] * 1.5)


def test_pages_of_the_platform_are_hidden_where_it_has_none(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    menu = MainMenu(window)
    menu.add_web()
    shown = lambda: [action.objectName() for action in menu.actions() if action.isVisible() and action.objectName()]  # noqa: E731
    assert shown() == []
    menu.show_links(Links(console="https://console.example.org", status="https://status.example.org"))
    assert shown() == ["menu_console", "menu_status"]
    menu.show_links(Links())
    assert shown() == []


def test_release_notes_load_nothing(qtbot: QtBot) -> None:
    browser = SafeBrowser()
    qtbot.addWidget(browser)
    browser.show_markdown(f"# New\n\n{HTML} and ![x](file:///etc/passwd) [link](https://example.org)")
    assert "img src=file:///x" in browser.toPlainText()
    assert browser.loadResource(2, "file:///etc/passwd") is None


def test_f1_lists_the_keys(qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QLabel

    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ShortcutDialog(parent)
    words = {item.text() for item in dialog.findChildren(QLabel)}
    assert {"F1", "Ctrl+D", "Fill down", "F5"} <= words
    dialog.close()


# --- runs -------------------------------------------------------------------------------------------------------------
def runs_of(says: Says, count: int) -> list[RunReadResponse]:
    return [RunReadResponse.model_validate(says.run(number)) for number in range(1, count + 1)]


def test_the_list_of_runs_keeps_what_is_selected(qtbot: QtBot) -> None:
    model, view = RunListModel(), QListView()
    qtbot.addWidget(view)
    view.setModel(model)
    says = Says("normal")
    runs = runs_of(says, 40)
    model.set_runs(runs[10:])
    view.setCurrentIndex(model.index(5))
    chosen = view.currentIndex().data(RowRole).run_id
    model.set_runs(runs)  # ten newer ones came
    assert view.currentIndex().data(RowRole).run_id == chosen
    model.set_runs(list(reversed(runs)))
    assert view.currentIndex().data(RowRole).run_id == chosen
    model.set_filter(RunFilter(state="running"))
    assert model.rowCount() == 10
    model.set_filter(RunFilter(tag="nothing"))
    assert model.rowCount() == 0
    model.set_filter(RunFilter(text="COHORT b"))
    assert model.rowCount() == 40
    assert model.tags() == ["cohort B", "sample"]


def test_five_thousand_runs_are_filtered_at_once(qtbot: QtBot) -> None:
    model, view = RunListModel(), QListView()
    qtbot.addWidget(view)
    view.setModel(model)
    runs = runs_of(Says("normal"), 5000)
    model.set_runs(runs)
    started = time.perf_counter()
    for wanted in (RunFilter(state="completed_with_errors"), RunFilter(text="4999"), RunFilter()):
        model.set_filter(wanted)
    assert time.perf_counter() - started < 3  # with room for a busy machine; benchmarks/desktop.py measures
    assert model.rowCount() == 5000


class Told:
    """A session on a platform that says what it is told."""

    def __init__(self, qapp: QApplication, says: Says) -> None:
        qapp.setQuitOnLastWindowClosed(False)
        self.loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(self.loop)
        self.says, self.session, self.jobs = says, Session(), Jobs()
        self.transfers = Transfers(self.session, self.jobs)
        self.widgets: list[QWidget] = []

    def run(self, work: Any) -> None:
        async def whole() -> None:
            self.session.start()
            await until(lambda: self.session.runs_loaded and self.session.health is not None)
            await work

        self.loop.run_until_complete(asyncio.wait_for(whole(), 60))


@pytest.fixture
def told(qapp: QApplication, data_dir: Path, monkeypatch: pytest.MonkeyPatch, request: Any) -> Iterator[Told]:
    says = Says(*getattr(request, "param", ("normal",)))
    with serve(says) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        monkeypatch.setenv("LAUNCHPAD_STORAGE_ENDPOINT", address)
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        made = Told(qapp, says)
        yield made
        for widget in made.widgets:
            getattr(widget, "leave", lambda: None)()
            widget.close()
            widget.deleteLater()
        made.loop.run_until_complete(made.session.close())
        pool.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        made.loop.close()
        asyncio.set_event_loop(None)


@pytest.mark.parametrize("told", [("normal", 250)], indirect=True)
def test_more_runs_come_as_one_scrolls(told: Told) -> None:
    sidebar = RunSidebar(told.session)
    told.widgets.append(sidebar)
    sidebar.resize(300, 700)
    sidebar.show()

    async def work() -> None:
        await until(lambda: sidebar.model.rowCount() >= 100)
        view = sidebar.findChild(QListView, "run_list")
        for wanted in (200, 250):
            view.scrollToBottom()
            await until(lambda wanted=wanted: sidebar.model.rowCount() >= wanted)
        assert told.session.runs_complete
        assert sidebar.model.rowCount() == 250

    told.run(work())


def test_a_note_that_somebody_else_changed_is_shown_and_not_overwritten(told: Told) -> None:
    page = Page(told.session, told.transfers, told.jobs, lambda route: None, RUN)
    told.widgets.append(page)
    page.resize(1000, 800)
    page.show()

    async def work() -> None:
        await until(lambda: page.notes.isVisible())
        QTest.mouseClick(page.findChild(QPushButton, "edit_notes"), Qt.MouseButton.LeftButton)
        field = page.findChild(QPlainTextEdit, "run_note_edit")
        field.setPlainText("Mine")
        told.says.metadata = {"sdk": {"note": "Theirs", "tags": ["x"], "other": 1}}
        told.says.checksum += 1
        QTest.mouseClick(page.findChild(QPushButton, "notes_save"), Qt.MouseButton.LeftButton)
        conflict = page.notes._conflict
        await until(conflict.isVisible)
        assert "Theirs" in conflict.text()
        assert told.says.metadata["sdk"]["note"] == "Theirs"
        QTest.mouseClick(page.findChild(QPushButton, "notes_save_over"), Qt.MouseButton.LeftButton)
        await until(lambda: not page.notes.editing)
        assert told.says.metadata["sdk"]["note"] == "Mine"
        assert told.says.metadata["sdk"]["other"] == 1, "what others keep in the metadata was lost"

    told.run(work())


def test_nothing_is_asked_while_hidden_and_nothing_runs(told: Told) -> None:
    told.says.ended = {uuid(1, number) for number in range(1, 4)}

    async def work() -> None:
        await until(lambda: all(run.state == "TERMINATED" for run in told.session.runs))
        monitor = told.session._monitor
        assert monitor is not None
        assert monitor.next_delay(hidden=True) is None
        assert monitor.next_delay() is not None
        told.session.set_hidden(True)
        told.session.refresh()
        await asyncio.sleep(0.3)
        before = told.says.requests.count("/api/v1/runs")
        told.session.set_hidden(False)  # comes back: looks at once
        await until(lambda: told.says.requests.count("/api/v1/runs") > before)

    told.run(work())


def test_pages_of_many_runs_are_let_go(told: Told, tmp_path: Path) -> None:
    from launchpad.desktop.main_window import MainWindow
    from launchpad.desktop.navigation import Navigator

    navigator = Navigator()
    state = WindowState(QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat))

    def make(route: Any) -> QWidget:
        return Page(told.session, told.transfers, told.jobs, navigator.go, route.run_id)

    window = MainWindow(state, plain=False)
    window.fill(told.session, told.transfers, told.jobs, navigator, make)
    window.show()

    async def work() -> None:
        for number in range(1, 21):
            navigator.go(RunPage(uuid(1, number)))
            await asyncio.sleep(0.02)
        await until(lambda: len(told.session.tasks._live) <= 2)
        assert len(window._pages) == 8
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert len(window.findChildren(Page)) == 8

    told.run(work())
    window.leave_pages()
    window.let_close()
    window.deleteLater()


def test_a_run_that_ends_is_announced_once(told: Told) -> None:
    ended: list[str] = []
    told.session.run_ended.connect(ended.append)
    moving = uuid(1, 2)

    async def work() -> None:
        told.says.ended = {moving}
        told.session.refresh()
        await until(lambda: ended)
        told.session.refresh()
        await asyncio.sleep(0.2)
        assert ended == [moving]

    told.run(work())


def test_follow_tells_changes_and_ends_with_the_run(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    says = Says("normal")
    with serve(says) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        with Client() as client:
            seen: list[str] = []

            def changed(run: RunReadResponse) -> None:
                seen.append(str(run.state))
                says.ended.add(run.run_id)

            run = follow(client.run(uuid(1, 4)), on_change=changed)
            assert seen == ["PROCESSING", "TERMINATED"]
            assert run.state == "TERMINATED"
            monitor = Monitor(client)
            assert len(monitor.poll().runs) == 3


def test_the_note_is_not_saved_over_a_change(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from launchpad.application.annotate import change_note_and_tags

    says = Says("normal")
    with serve(says) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
        with Client() as client:
            seen = client.run(RUN).details()
            changed = change_note_and_tags(client, seen, "New", ["b", "a"])
            assert changed.custom_metadata is not None
            assert changed.custom_metadata["sdk"]["tags"] == ["a", "b"]
            with pytest.raises(Changed, match="Somebody else"):
                change_note_and_tags(client, seen, "Other", [])


# --- one instance ---
def test_a_second_start_hands_over_its_files_and_ends(data_dir: Path, sample_svs: Path, qapp: QApplication) -> None:
    assert not hand_over(["nobody listens"])
    code = """
import json, sys
from PySide6.QtCore import QCoreApplication, QTimer
from launchpad.desktop.instance import Instance
app = QCoreApplication([])
instance = Instance()
assert instance.listen()
def given(what):
    sys.stdout.write(json.dumps(what)); sys.stdout.flush()
    QTimer.singleShot(100, app.quit)
instance.given.connect(given)
print("listening", flush=True)
QTimer.singleShot(60000, app.quit)
app.exec()
instance.close()
"""
    other = sample_svs.with_name("ä 100 % #1?.svs")
    address = other.as_uri()  # as some desktops name files
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "listening\n"
        started = subprocess.run(
            [sys.executable, "-m", "launchpad.desktop", str(sample_svs), address, f"launchpad://run/{RUN}"],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}, timeout=60, check=False,
        )  # fmt: skip
        assert started.returncode == 0
        assert json.loads(first.stdout.read()) == [str(sample_svs), str(other), f"launchpad://run/{RUN}"]


def test_what_macos_opens_with_the_program_arrives_like_arguments(qapp: QApplication, sample_svs: Path) -> None:
    deliveries = Deliveries(qapp)
    came: list[list[str]] = []
    deliveries.given.connect(came.append)
    link = f"launchpad://run/{RUN}"
    try:
        QCoreApplication.sendEvent(qapp, QFileOpenEvent(QUrl.fromLocalFile(str(sample_svs))))
        QCoreApplication.sendEvent(qapp, QEvent(QEvent.Type.ApplicationStateChange))
        assert (deliveries.take_early(), came) == ([str(sample_svs)], [])
        QCoreApplication.sendEvent(qapp, QFileOpenEvent(QUrl(link)))
    finally:
        qapp.removeEventFilter(deliveries)
        deliveries.setParent(None)
    assert came == [[link]]
