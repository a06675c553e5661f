"""Whole runs by the command line: real slides to results, also when commands and workers end before their time."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

import qpdata_reader
from commands import (
    ARTIFACTS,
    MAPPING,
    described,
    done,
    done_here,
    here,
    rows_of,
    run,
    run_id_of,
    wait_for,
)
from launchpad import geojson
from launchpad.bucket.crc32c import crc32c_file
from launchpad.platform import embedded
from launchpad.platform.embedded import Endpoint


def check_qupath_project(folder: Path, rows: list[dict[str, str]]) -> None:
    """Each slide with its objects: as many in data.qpdata as in the GeoJSON and in the CSV of the run."""
    document = json.loads((folder / "qupath" / "project.qpproj").read_text(encoding="utf-8"))
    images = {entry["imageName"]: entry for entry in document["images"]}
    summary = list(csv.DictReader((folder / "summary.csv").read_text(encoding="utf-8").splitlines()))
    for row in rows:
        slide = Path(row["external_id"])
        entry = images[slide.name]
        assert entry["serverBuilder"]["uri"] == slide.as_uri()
        assert f"{slide.name} – tissue segmentation map" in images
        data = qpdata_reader.read(folder / "qupath" / "data" / str(entry["entryID"]) / "data.qpdata")
        found = Counter(item.classification[0] for item in data.objects() if item.classification)
        cells = folder / slide.stem / "cell_classification_geojson_polygons.json"
        listed = Counter(item["properties"]["classification"]["name"] for item in geojson.read_features(cells))
        counted = {line["class"]: int(line["nuclei"]) for line in summary if line["slide"] == slide.stem}
        assert found.pop("Tissue") >= 1
        assert found == listed
        assert counted.pop("All") == found.total()
        assert {name: count for name, count in counted.items() if count} == found
        assert all(item.nucleus is not None for item in data.objects() if item.kind == "PathCellObject")


@pytest.mark.usefixtures("platform_endpoint")
def test_execute_leaves_all_results_of_both_forms(slides: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "study" / "run.csv"
    answer = run("execute", "he-tme", manifest, slides, "--mapping", MAPPING, "--note", "two forms", "--tags", "a,b")
    assert answer.returncode == 0, answer.stderr
    assert "Reading slides: 2 of 2 slides" in answer.stderr
    run_id = run_id_of(answer.stdout)
    folder = tmp_path / "study" / run_id
    assert f"Downloaded results of run '{run_id}' to '{folder}'" in answer.stdout

    rows = rows_of(manifest)
    assert list(rows[0]) == [
        "external_id", "checksum_base64_crc32c", "resolution_mpp", "width_px", "height_px", "staining_method", "tissue",
        "disease", "platform_bucket_url",
    ]  # fmt: skip
    for row in rows:
        assert row["platform_bucket_url"].startswith("gs://")
        assert row["checksum_base64_crc32c"] == crc32c_file(Path(row["external_id"]))

    stems = {Path(row["external_id"]).stem for row in rows}
    assert {path.name for path in folder.iterdir()} == {*stems, "README.txt", "run.json", "summary.csv"}
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    for words in ("On this computer", "he-tme", "0.1.0", "launchpad-engine", run_id, "not a diagnostic device"):
        assert words in readme
    items = described(run_id, done_here)["items"]
    assert isinstance(items, list)
    cells = []
    for item in items:
        one = folder / Path(item["external_id"]).stem
        assert {path.name for path in one.iterdir()} == ARTIFACTS
        for artifact in item["output_artifacts"]:
            (file,) = one.glob(f"{artifact['name'].replace(':', '_')}.*")
            assert crc32c_file(file) == artifact["metadata"]["checksum_base64_crc32c"]
            for words in (b"Launchpad on this computer", b"he-tme", b"0.1.0", b"launchpad-engine", run_id.encode()):
                assert words in file.read_bytes(), (file.name, words)
        cells.append(sum(1 for _ in geojson.read_features(one / "cell_classification_geojson_polygons.json")))
    # The same tissue in two forms: the same cells, but for what recompression changes.
    assert min(cells) > 500
    assert max(cells) < 1.1 * min(cells)

    listed = json.loads(done_here("application", "run", "list", "--tags", "a", "--format", "json"))
    assert [item["run_id"] for item in listed] == [run_id]
    assert "Completed" in done_here("application", "run", "list", "--note-regex", "TWO")
    assert "Completed: " in done_here("application", "run", "watch", listed[0]["run_id"])
    assert json.loads(done_here("application", "run", "list", "--tags", "c", "--format", "json")) == []
    text = done_here("application", "run", "describe", run_id)
    assert "Note: two forms" in text
    assert "cell_classification:geojson_polygons: AVAILABLE" in text
    assert "AVAILABLE" not in done_here("application", "run", "describe", run_id, "--summarize")

    # Once more, elsewhere, without a folder for the run, with a QuPath project and a ZIP file.
    other = tmp_path / "elsewhere"
    download = ("application", "run", "result", "download", run_id, other)
    said = done_here(*download, "--no-create-subdirectory-for-run", "--qupath-project", "--zip")
    assert "4 image(s) added" in said
    assert (tmp_path / "elsewhere.zip").is_file()
    assert {path.name for path in other.iterdir()} == {*stems, "README.txt", "run.json", "summary.csv", "qupath"}
    check_qupath_project(other, rows)
    assert here("application", "run", "cancel", run_id).returncode == 1  # it has ended


def test_a_run_goes_on_when_the_command_has_ended(own_platform: Path, one_slide: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    done_here("application", "run", "prepare", "he-tme", manifest, one_slide, "--mapping", MAPPING)
    done_here("application", "run", "upload", "he-tme", manifest)
    embedded.release()
    run_id = run_id_of(done("application", "run", "submit", "he-tme", manifest))

    # Nobody holds the platform now: it finishes the run and ends by itself.
    launched = own_platform / "platform" / "launch.json"
    pid = json.loads(launched.read_text())["pid"]
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "its end")
    (only,) = json.loads(done_here("application", "run", "list", "--format", "json"))
    assert only["run_id"] == run_id
    assert only["state"] == "TERMINATED"
    assert only["statistics"]["item_succeeded_count"] == 1


@pytest.mark.long  # tests/faults/test_kills.py and tests/unit/platform/test_embedded.py have shorter ones
def test_a_worker_that_is_killed_is_replaced_and_its_slide_done_again(
    own_platform: Path, large_slide: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "run.csv"
    answer = run("execute", "he-tme", manifest, large_slide, "--mapping", MAPPING, "--no-wait-for-completion")
    assert answer.returncode == 0, answer.stderr
    run_id = run_id_of(answer.stdout)
    endpoint = embedded.find()
    assert endpoint is not None
    platform = psutil.Process(endpoint.pid)

    def busy() -> list[psutil.Process]:
        children = platform.children(recursive=True)
        workers = [child for child in children if any("spawn_main" in part for part in child.cmdline())]
        return [worker for worker in workers if worker.cpu_times().user > 1.0]  # past its imports, in the slide

    found = wait_for(busy, "a worker in the middle of a slide")
    assert isinstance(found, list)
    for worker in found:
        worker.kill()
    assert described(run_id)["state"] == "PROCESSING"

    done("application", "run", "result", "download", run_id, tmp_path)
    (item,) = described(run_id)["items"]  # type: ignore[misc]
    assert item["termination_reason"] == "SUCCEEDED"
    assert {path.name for path in (tmp_path / run_id / "large").iterdir()} == ARTIFACTS
    log = (own_platform / "platform" / "platform.log").read_text(encoding="utf-8")
    assert "once more" in log
    assert "attempt 2" in log


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_ends_the_command_and_cancel_ends_the_run(
    platform_endpoint: Endpoint, large_slide: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "launchpad", "application", "run", "execute", "he-tme", str(tmp_path / "run.csv"),
        str(large_slide), "--mapping", MAPPING,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = ""
        while not line.startswith("Submitted run"):
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
        run_id = run_id_of(line)
        time.sleep(0.5)  # into the wait
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Cancelled." in errors
    assert f"result download {run_id}" in errors
    assert "Traceback" not in errors

    assert f"Run with ID '{run_id}' has been canceled." in done_here("application", "run", "cancel", run_id)
    wait_for(lambda: described(run_id, done_here)["state"] == "TERMINATED", "the end of the run")
    assert described(run_id, done_here)["termination_reason"] == "CANCELED_BY_USER"
    assert "Cancelled" in done_here("application", "run", "list")
    fetched = here("application", "run", "result", "download", run_id, tmp_path)
    assert fetched.returncode == 1
    assert "large.tiff" in fetched.stderr
