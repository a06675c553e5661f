"""The notebook of a real run, in a real marimo: its numbers are those of the CSVs; its server and how that ends."""

from __future__ import annotations

import csv
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from launchpad import geojson
from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.service import Service as Runs
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.notebook import server, service
from launchpad.notebook.service import Service

MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"


@pytest.fixture(scope="module")
def run(
    platform_endpoint: object, small_tiff: Path, sample_svs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a run of two slides; the name of one is hard on a reader of tables."""
    import numpy
    import openslide
    import tifffile

    folder = tmp_path_factory.mktemp("slides ä")
    shutil.copy(small_tiff, folder / "a slide #1, é.tiff")
    with openslide.OpenSlide(sample_svs) as slide:
        pixels = numpy.asarray(slide.read_region((900, 1400), 0, (640, 512)).convert("RGB"))
    per_cm = (10_000 / 0.499, 10_000 / 0.499)
    tifffile.imwrite(
        folder / "second.tiff",
        pixels,
        tile=(256, 256),
        photometric="rgb",
        resolution=per_cm,
        resolutionunit="CENTIMETER",
    )
    with Runs() as runs:
        version = runs.application_version("he-tme")
        prepared = runs.prepare([folder], version, mappings=[MAPPING])
        sent = runs.upload(prepared.slides, "he-tme", version.version_number)
        fields = columns(input_artifact(version).metadata_schema)
        draft = SubmissionDraft("he-tme", version=version.version_number, columns=fields, slides=sent)
        return runs.application_run_download(runs.submit(draft, version), tmp_path_factory.mktemp("results"))


class _Tables(HTMLParser):
    """The tables of an output as lists of rows of text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append("".join(self._cell))
            self._cell = None


def tables_and_pictures(notebook: Path) -> tuple[list[list[dict[str, str]]], int]:
    """The tables (lists of rows by column) and the number of pictures in the outputs of a Jupyter notebook."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    tables, pictures = [], 0
    for cell in document["cells"]:
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error", output
            data = output.get("data", {})
            pictures += "image/png" in data
            html = "".join(data.get("text/html", ""))
            if "dataframe" in html:
                parser = _Tables()
                parser.feed(html)
                head, *rows = parser.rows
                tables.append([dict(zip(head, row, strict=True)) for row in rows if len(row) == len(head)])
    return tables, pictures


def with_columns(tables: list[list[dict[str, str]]], *names: str) -> list[dict[str, str]]:
    return next(table for table in tables if table and set(names) <= set(table[0]))


def test_the_numbers_of_the_export_are_those_of_the_csvs(run: Path) -> None:
    prepared = service.prepare_run(run)
    assert prepared.notes == ()
    assert prepared.path == run / "notebook" / "run_results.py"
    exported = service.export_jupyter(prepared.path).path
    assert exported == run / "notebook" / "run_results.ipynb"
    tables, pictures = tables_and_pictures(exported)
    assert pictures == 3  # distribution, overlay, comparison

    wanted = []
    for file in sorted(run.glob("*/readout_generation_csv_measurements.csv")):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        wanted += [{"slide": file.parent.name, **row} for row in csv.DictReader(lines)]
    found = with_columns(tables, "class", "nuclei", "density_per_mm2", "tissue_area_mm2")
    assert len(found) == len(wanted) == 10
    assert {row["slide"] for row in found} == {"a slide #1, é", "second"}
    found.sort(key=lambda row: (row["slide"], row["class"]))
    wanted.sort(key=lambda row: (row["slide"], row["class"]))
    for row, want in zip(found, wanted, strict=True):
        for name in ("slide", "class"):
            assert row[name] == want[name]
        for name in ("nuclei", "tissue_area_mm2", "share_percent", "density_per_mm2", "nucleus_area_mean_um2"):
            assert (float(row[name]) if want[name] else row[name]) == (float(want[name]) if want[name] else "nan"), name

    check = with_columns(tables, "counted", "difference")
    assert {row["difference"] for row in check} == {"0"}
    # The export shows the beginning of longer tables only: the notebook as a program has all of them.
    code = "import json, run_results; print(run_results.app.run()[1]['by_region'].to_json(orient='records'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=prepared.path.parent, capture_output=True, text=True, check=True
    )
    by_region = json.loads(done.stdout.splitlines()[-1])
    assert {row["slide"] for row in by_region} == {"a slide #1, é", "second"}
    for slide in ("a slide #1, é", "second"):
        cells = sum(1 for _ in geojson.read_features(run / slide / "cell_classification_geojson_polygons.json"))
        total = next(int(row["nuclei"]) for row in wanted if row["slide"] == slide and row["class"] == "All")
        assert sum(int(row["cells"]) for row in by_region if row["slide"] == slide) == cells == total > 20
    for row in by_region:
        if row["region"] != "outside":
            assert float(row["density_per_mm2"]) == pytest.approx(int(row["cells"]) / float(row["area_mm2"]), rel=1e-3)


def test_a_run_without_its_slides_still_opens_and_says_so(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "moved"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("notebook"))
    document = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    for item in document["items"]:
        item["external_id"] = str(tmp_path / "gone" / Path(item["external_id"]).name)
    (copy / "run.json").write_text(json.dumps(document), encoding="utf-8")
    prepared = service.prepare_run(copy)
    assert prepared.notes == ("2 slide(s) are not where they were: the notebook shows their cells without a picture.",)
    assert service.run_folder("moved", tmp_path) == copy
    assert service.run_folder(str(copy)) == copy
    (copy / "run.json").unlink()
    with pytest.raises(NotFound, match=r"no run\.json"):
        service.prepare_run(copy)
    with pytest.raises(NotFound, match="Download them first"):
        service.run_folder("no-such-run")


def test_a_cell_that_fails_is_told_by_the_export(tmp_path: Path, module_data_dir: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import marimo\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    1 / 0\n    return\n")
    with pytest.raises(LaunchpadError, match="division"):
        service.export_jupyter(broken)
    assert list(tmp_path.glob("*.ipynb")) == []


# --- the server -------------------------------------------------------------------------------------------------------
def status(url: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 0, timeout=20)
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def plain(tmp_path: Path, module_data_dir: Path) -> Path:
    made = tmp_path / "plain ä.py"
    made.write_text("import marimo\napp = marimo.App()\n\n\n@app.cell\ndef _():\n    1 + 1\n    return\n")
    return made


def test_the_server_wants_its_token_and_ends_with_the_service(plain: Path) -> None:
    with Service() as servers:
        url = servers.start(plain)
        assert servers.is_marimo_server_running()
        assert servers.is_monitor_thread_alive()
        assert servers.start(plain) == url  # one server for a notebook
        assert urlsplit(url).hostname == "127.0.0.1"
        bare = url.partition("?")[0]
        assert status(bare) in (303, 401)  # to the page that asks for the token
        assert status(f"{bare}?access_token=wrong") in (303, 401)
        assert status(url) in (200, 303)
        running = servers.server(plain)
        assert running is not None
        process = psutil.Process(running.pid)
        token = url.partition("access_token=")[2]
        assert not any(token in part for part in process.cmdline())
        if sys.platform != "win32":
            assert os.getpgid(running.pid) == running.pid != os.getpgrp()
        with pytest.raises(BadInput, match="cannot listen"):
            server.Server.start(plain, Path(sys.executable), port=running.port)
    assert not process.is_running()
    assert not servers.is_marimo_server_running()
    assert not servers.is_monitor_thread_alive()
    with pytest.raises(NotFound):
        servers.start(plain.with_name("none.py"))


def test_a_marimo_that_does_not_start_tells_why(plain: Path) -> None:
    plain.write_text("this is no notebook (")
    bad = plain.with_name("python")
    bad.write_text("#!/bin/sh\necho it is broken; exit 3\n")
    bad.chmod(0o755)
    with pytest.raises(LaunchpadError, match="it is broken"):
        server.Server.start(plain, bad)


@pytest.fixture
def command(plain: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Starts `launchpad notebook` and waits for its address."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        line = [sys.executable, "-m", "launchpad", "notebook", "--port", "0", "--no-browser", *arguments]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        assert process.stdout is not None
        for text in process.stdout:
            if text.startswith("Open "):
                return process, text.removeprefix("Open ").strip()
        raise AssertionError(f"no address; the command ended with {process.wait()}")

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    assert found
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize(
    ("sent", "code"),
    [pytest.param(signal.SIGINT, 130, marks=pytest.mark.long), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_the_command_ends_its_server_however_it_ends(
    sent: signal.Signals, code: int, command: Callable[..., tuple[subprocess.Popen[str], str]], plain: Path
) -> None:
    process, url = command(str(plain))
    assert status(url) in (200, 303)
    servers = children(process)
    process.send_signal(sent)
    assert process.wait(20) == code
    _, alive = psutil.wait_procs(servers, timeout=20)
    assert [item for item in alive if item.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.long
def test_the_command_opens_the_notebook_of_a_run(
    run: Path, command: Callable[..., tuple[subprocess.Popen[str], str]]
) -> None:
    (run / "notebook").mkdir(exist_ok=True)
    (run / "notebook" / "run_results.py").write_text("mine")
    line = [sys.executable, "-m", "launchpad", "notebook"]
    done = subprocess.run([*line, "--run", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Download them first" in done.stderr
    done = subprocess.run([*line, "x.py", "--run", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    _, url = command("--run", str(run), "--override-if-exists")
    assert status(url) in (200, 303)
    assert (run / "notebook" / "run_results.py").read_text(encoding="utf-8").startswith("import marimo")
    assert (run / "notebook" / "run_results_before.py").read_text(encoding="utf-8") == "mine"
