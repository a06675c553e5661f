"""The page of a notebook in every state, with a real marimo; the way to it from a run's results."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget

import notebook_wheels
from desktop_bench import Bench, until
from launchpad.application import run_folder
from launchpad.application.run_folder import FileFacts, ItemFacts, RunFacts
from launchpad.desktop.background import in_thread
from launchpad.desktop.navigation import NotebookPage as Route
from launchpad.desktop.notebooks import CLOSED, RUNNING, Notebooks
from launchpad.desktop.pages.notebook import NotebookPage
from launchpad.desktop.widgets import web_view
from launchpad.desktop.widgets.open_in_notebook import OpenInNotebook
from launchpad.notebook import environment

UV = Path(__file__).parents[2] / ".tools" / "bin" / "uv"


@pytest.fixture(autouse=True)
def in_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The web engine has a test of its own: it is not everywhere, and not for root."""
    monkeypatch.setattr("launchpad.desktop.pages.notebook.web_view", lambda _name: None)


@pytest.fixture
def results(tmp_path: Path, sample_svs: Path) -> Path:
    """The folder of a run of one slide, with a table only."""
    folder = tmp_path / "run ä"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "readout.csv").write_text("class,nuclei,density_per_mm2,share_percent\nAll,3,1.5,100\n")
    file = FileFacts("readout_generation:csv_measurements", "a/readout.csv", "text/csv")
    item = ItemFacts("item-1", str(sample_svs), "a", "Succeeded", metadata={"width_px": 2220, "height_px": 2967})
    item.files.append(file)
    run_folder.save(folder, RunFacts("run-1", "here", "", "he-tme", "0.1.0", "engine", items=[item]))
    return folder


def click(parent: QWidget, name: str) -> None:
    button = parent.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isVisible(), name
    assert button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def says(page: QWidget, name: str = "notebook_state") -> str:
    found = page.findChild(QLabel, name)
    assert found is not None
    return found.text()


def shown(page: QWidget) -> set[str]:
    return {item.objectName() for item in page.findChildren(QPushButton) if item.isVisible() and item.objectName()}


async def end(page: QWidget, notebooks: Notebooks) -> None:
    page.close()
    page.deleteLater()
    await in_thread(notebooks.close)
    notebooks.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_a_click_on_a_run_opens_its_notebook_and_it_can_be_stopped_and_exported(bench: Bench, results: Path) -> None:
    async def journey() -> None:
        notebooks = Notebooks(bench.session, bench.jobs)
        button = OpenInNotebook(notebooks, bench.went.append, "run-1", results)
        button.show()
        button.set_ready(False)
        assert "not on this computer" in button.toolTip()
        button.set_ready(True)
        addresses: list[str] = []
        page = NotebookPage(notebooks, bench.went.append, "run-1", open_web=addresses.append)
        page.resize(1100, 700)
        page.show()
        await until(lambda: "notebook_open" in shown(page))
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert bench.went[-1] == Route("run-1")
        await until(lambda: addresses)
        assert notebooks.view("run-1").state == RUNNING
        assert "browser" in says(page)
        assert addresses[0].startswith("http://127.0.0.1:")
        assert "token" in addresses[0]
        path = results / "notebook" / "run_results.py"
        assert says(page, "notebook_place") == str(path)
        assert (results / "notebook" / "thumbnails" / "a.png").is_file()
        health = addresses[0].partition("?")[0] + "health"
        assert await in_thread(lambda: urllib.request.urlopen(health, timeout=20).status) == 200
        click(page, "notebook_again")
        assert addresses == [addresses[0]] * 2
        click(page, "notebook_folder")
        assert addresses[-1].startswith("file:///")

        click(page, "notebook_jupyter")
        await until(lambda: page.note.isVisible())
        assert str(path.with_suffix(".ipynb")) in page.note.text()
        assert path.with_suffix(".ipynb").is_file()

        click(page, "notebook_stop")
        await until(lambda: "notebook_open" in shown(page))
        assert notebooks.view("run-1").state == CLOSED
        with pytest.raises(OSError, match="refused"):
            await in_thread(lambda: urllib.request.urlopen(health, timeout=20))

        (results / "run.json").unlink()
        click(page, "notebook_open")
        await until(lambda: page.banner.isVisible())
        assert "no run.json" in page.banner.text()
        click(page, "notebook_back")
        button.close()
        button.deleteLater()
        await end(page, notebooks)

    bench.run(journey())


@pytest.mark.long
def test_a_server_that_died_counts_as_closed(bench: Bench, results: Path) -> None:
    async def journey() -> None:
        import psutil

        notebooks = Notebooks(bench.session, bench.jobs)
        page = NotebookPage(notebooks, bench.went.append, open_web=lambda _: None)
        page.show()
        assert "From sign-in" in says(page, "notebook_about")
        page.open_now()
        await until(lambda: notebooks.view("").state == RUNNING)
        path = notebooks.view("").path
        assert path is not None
        server = notebooks._servers().server(path)
        assert server is not None
        psutil.Process(server.pid).kill()
        await until(lambda: notebooks.view("").state == CLOSED)
        await end(page, notebooks)

    bench.run(journey())


@pytest.mark.skipif(not UV.exists(), reason="no uv in .tools")
def test_without_marimo_the_page_makes_an_environment_and_opens_what_was_asked_for(
    bench: Bench, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook_wheels.offer(tmp_path / "wheels", monkeypatch)
    monkeypatch.setattr(environment, "_MODULES", ("a_package_that_nobody_has",))
    tool = environment.Tool("uv", UV, "0.1")
    monkeypatch.setattr(environment, "find_tool", lambda: None)

    async def journey() -> None:
        notebooks = Notebooks(bench.session, bench.jobs)
        addresses: list[str] = []
        page = NotebookPage(notebooks, bench.went.append, "run-1", open_web=addresses.append)
        page.resize(1100, 700)
        page.show()
        notebooks.open("run-1", results)
        await until(lambda: "more Python packages" in says(page))
        assert "notebook_make" not in shown(page)  # nothing could make it: a line to type
        line = page.findChild(QLineEdit, "notebook_line")
        assert line is not None
        assert "marimo" in line.text()
        click(page, "notebook_copy")
        assert QApplication.clipboard().text() == line.text()

        monkeypatch.setattr(environment, "find_tool", lambda: tool)
        click(page, "notebook_look")
        await until(lambda: "notebook_make" in shown(page))
        assert "uv 0.1" in says(page, "notebook_words")
        click(page, "notebook_make")
        assert "notebook_cancel" in shown(page)
        assert "Making" in says(page)
        await until(lambda: addresses)  # by itself, as soon as it can
        assert notebooks.view("run-1").state == RUNNING
        assert "Launchpad made" in says(page, "notebook_environment")
        click(page, "notebook_remove")
        await until(lambda: notebooks.view("run-1").state == CLOSED and "notebook_make" in shown(page))
        assert not environment.folder().exists()

        slow = tmp_path / "slow"
        slow.write_text("#!/bin/sh\nexec sleep 600\n")
        slow.chmod(0o755)
        monkeypatch.setattr(environment, "find_tool", lambda: environment.Tool("uv", slow, "0.1"))
        click(page, "notebook_make")
        click(page, "notebook_cancel")
        await until(lambda: not notebooks.making and "notebook_make" in shown(page))
        broken = environment.Tool("uv", tmp_path / "no uv", "0.1")
        monkeypatch.setattr(environment, "find_tool", lambda: broken)
        click(page, "notebook_make")
        await until(lambda: page.banner.isVisible())
        assert "cannot be made" in page.banner.text()
        await end(page, notebooks)

    bench.run(journey())


def test_root_gets_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    monkeypatch.delenv("QTWEBENGINE_DISABLE_SANDBOX", raising=False)
    monkeypatch.setattr(web_view.sys, "platform", "linux")  # type: ignore[attr-defined]
    for account, embeds in ((0, False), (1000, True)):
        monkeypatch.setattr("os.geteuid", lambda account=account: account, raising=False)
        assert web_view.can_embed() is embeds
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert not web_view.can_embed()


_EMBEDDED = """
import sys
from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtWidgets import QApplication

QApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
app = QApplication([])
from launchpad.desktop.widgets.web_view import show_page, web_view

view = web_view("notebook_view")
view.loadFinished.connect(lambda good: view.page().toPlainText(lambda text: (print(good, text), app.quit())))
show_page(view, sys.argv[1])
QTimer.singleShot(60000, app.quit)
app.exec()
"""


def test_the_web_engine_shows_a_page_in_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6.QtWebEngineWidgets", reason="PySide6-Addons is not installed: the browser is used")
    monkeypatch.setenv("QTWEBENGINE_DISABLE_SANDBOX", "1")  # of this child alone
    page = tmp_path / "page.html"
    page.write_text("<p>embedded")
    command = [sys.executable, "-c", _EMBEDDED, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "True embedded" in done.stdout
