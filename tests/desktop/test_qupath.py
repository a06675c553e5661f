"""The QuPath page, and the way from a run's results to QuPath, with a program that stands in for it."""

from __future__ import annotations

import hashlib
import http.server
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QWidget

import qpdata_reader
import qupath_stand_in as stand_in
from desktop_bench import Bench, until
from launchpad import paths
from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.prepare import Prepared
from launchpad.application.service import Service
from launchpad.desktop.pages.qupath import QuPathPage
from launchpad.desktop.pages.run import RunPage
from launchpad.desktop.widgets.open_in_qupath import OpenInQuPath
from launchpad.qupath import installation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No QuPath of this machine is found, and none is remembered."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(installation, "_places", lambda: [installation.own_folder() / "QuPath-0.6.0"])
    monkeypatch.setattr(installation, "_remembered", lambda: None)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    made = stand_in.make(tmp_path / "QuPath-0.6.0")
    yield made
    stand_in.end(made)


@contextmanager
def release_server(data: bytes, digest: str | None) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
            name = "QuPath-v0.6.0-Linux.tar.xz"
            asset = {"name": name, "size": len(data), "digest": digest, "browser_download_url": f"{url}/files/{name}"}
            document = {"tag_name": "v0.6.0", "assets": [asset]}
            body = data if self.path.startswith("/files/") else json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/releases"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def click(parent: QWidget, name: str) -> None:
    button = parent.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def question(name: str) -> QMessageBox | None:
    found = [item for item in QApplication.topLevelWidgets() if item.objectName() == name and item.isVisible()]
    assert all(isinstance(item, QMessageBox) for item in found)
    return found[0] if found else None  # type: ignore[return-value]


def answer(name: str, button: str) -> None:
    box = question(name)
    assert box is not None
    click(box, button)


def gone(page: QWidget) -> None:
    page.close()
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def finished_run(slide: Path) -> str:
    """A run of the test application on one slide that has ended; its id."""
    with Service() as service:
        version = service.application_version("test-app")
        fields = columns(input_artifact(version).metadata_schema)
        prepared: Prepared = service.prepare([slide], version)
        sent = service.upload(prepared.slides, "test-app", version.version_number)
        draft = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=sent)
        run_id = service.submit(draft, version)
        handle = service.application_run(run_id)
        end = threading.Event()
        for _ in range(600):
            if handle.details(nocache=True).state == "TERMINATED":
                return run_id
            end.wait(0.1)
    raise AssertionError("the run did not end")


def test_one_click_from_the_run_page_shows_its_slide_in_qupath(
    bench: Bench, program: Path, sample_svs: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    run_id = finished_run(sample_svs)
    folder = paths.results_dir() / run_id

    async def journey() -> None:
        page = RunPage(bench.session, bench.transfers, bench.jobs, bench.went.append, run_id)
        page.resize(1100, 800)
        page.show()
        button = page.findChild(OpenInQuPath)
        assert button is not None
        await until(lambda: page.findChild(QPushButton, "download_results").isEnabled())
        assert not button.isEnabled()
        assert "not on this computer" in button.toolTip()
        click(page, "download_results")
        await until(lambda: button.isEnabled() and not len(bench.jobs))
        # The project is there already: it was written while the results came.
        assert (folder / "qupath" / "project.qpproj").is_file()

        # Without QuPath one is asked.
        click(page, "open_in_qupath")
        await until(lambda: question("qupath_missing"))
        answer("qupath_missing", "qupath_choose")
        await until(lambda: [item for item in qapp.topLevelWidgets() if item.objectName() == "qupath_choose_dialog"])
        dialog = next(item for item in qapp.topLevelWidgets() if item.objectName() == "qupath_choose_dialog")
        dialog.close()
        opened: list[object] = []
        button.opened.connect(opened.append)
        monkeypatch.setattr(installation, "_remembered", lambda: program)
        button.choose(str(program))
        await until(lambda: opened)
        click(page, "open_in_qupath")  # again, while it runs
        await until(lambda: len(opened) == 2)
        await until(lambda: "open in QuPath already" in page.banner.text())
        gone(page)

    bench.run(journey())
    first, second = stand_in.started(program, 2)
    assert first["args"] == ["-q", "-p", str(folder / "qupath" / "project.qpproj"), "-i", sample_svs.name]
    assert second["args"] == first["args"]
    data = qpdata_reader.read(folder / "qupath" / "data" / "1" / "data.qpdata")
    nuclei = json.loads((folder / sample_svs.stem / "readout_generation_json_summary.json").read_text())["nuclei"]
    detections = [item for item in data.objects() if item.kind == "PathDetectionObject"]
    assert len(detections) == nuclei["count"] > 1000


def test_the_page_installs_starts_and_removes_qupath(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stand_in.archive(tmp_path / "made")

    async def journey(url: str) -> None:
        monkeypatch.setenv("LAUNCHPAD_QUPATH_RELEASES", url)
        page = QuPathPage(bench.session, bench.jobs)
        page.resize(1100, 800)
        page.show()
        await until(lambda: page.findChild(QWidget, "qupath_none"))
        click(page, "qupath_install")
        await until(lambda: question("qupath_unverified"))
        answer("qupath_unverified", "qupath_accept")
        await until(lambda: page.versions == ["0.6.0"])
        click(page, "qupath_update")
        await until(lambda: "Up to date" in page.findChild(QPushButton, "qupath_update").text())
        program = installation.best().executable
        click(page, "qupath_launch")
        await until(lambda: list(program.parents[1].glob("started-*.json")))
        click(page, "qupath_remove")
        await until(lambda: question("qupath_remove_question"))
        answer("qupath_remove_question", "qupath_remove_now")
        await until(lambda: "running" in page.banner.text())
        stand_in.end(program)
        click(page, "qupath_remove")
        await until(lambda: question("qupath_remove_question"))
        answer("qupath_remove_question", "qupath_remove_now")
        await until(lambda: page.versions == [])
        page.choose(str(tmp_path))
        await until(lambda: "no QuPath" in page.banner.text())
        gone(page)

    with release_server(data, None) as url:
        bench.run(journey(url))


def test_the_button_installs_qupath_and_goes_on(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = stand_in.archive(tmp_path / "made")

    async def journey(url: str) -> None:
        monkeypatch.setenv("LAUNCHPAD_QUPATH_RELEASES", url)
        button = OpenInQuPath(bench.session, bench.jobs, tmp_path / "no results")
        button.show()
        errors: list[object] = []
        button.failed.connect(errors.append)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await until(lambda: question("qupath_missing"))
        answer("qupath_missing", "qupath_install")
        await until(lambda: errors)  # QuPath is there then; what it should show is not
        assert "not on this computer" in str(errors[0])
        assert installation.best().version == "0.6.0"
        assert button.isEnabled()
        gone(button)

    with release_server(data, f"sha256:{hashlib.sha256(data).hexdigest()}") as url:
        bench.run(journey(url))
    installation.uninstall(installation.best())
