"""The command line against a real platform on this computer, with real slides: each command a process of its own."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile

import commands_here
import qpdata_reader
from dicom_files import add_specimen, picture, write
from launchpad import geojson
from launchpad.bucket.crc32c import crc32c_file
from launchpad.platform import embedded
from launchpad.platform.embedded import Endpoint
from launchpad.wsi.reader import SlideReader

MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"
ARTIFACTS = {
    "cell_classification_geojson_polygons.json",
    "readout_generation_csv_measurements.csv",
    "readout_generation_json_summary.json",
    "tissue_segmentation_geojson_polygons.json",
    "tissue_segmentation_tiff_segmap.tiff",
}
LIMIT = 180  # seconds


def launchpad(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run(
        [sys.executable, "-m", "launchpad", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer


def done(*arguments: str | Path) -> str:
    answer = launchpad(*arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return launchpad("application", "run", *arguments)


def wait_for(condition: Callable[[], object], what: str) -> object:
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """As `launchpad`, but in this process, which saves the second that a start takes."""
    words = [str(argument) for argument in arguments]
    return subprocess.CompletedProcess(words, *commands_here.here(words))


def done_here(*arguments: str | Path) -> str:
    answer = here(*arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def run_id_of(output: str) -> str:
    return next(line for line in output.splitlines() if line.startswith("Submitted run")).split("'")[1]


def described(run_id: str, ask: Callable[..., str] = done) -> dict[str, object]:
    document = json.loads(ask("application", "run", "describe", run_id, "--format", "json"))
    assert isinstance(document, dict)
    return document


def rows_of(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory, sample_svs: Path, sample_tiff: Path, sample_dicom: Path) -> Path:
    """A folder with the same slide in three forms."""
    folder = tmp_path_factory.mktemp("slides ä")
    shutil.copy(sample_svs, folder)
    shutil.copy(sample_tiff, folder)
    shutil.copytree(sample_dicom, folder / "dicom")
    return folder


@pytest.fixture(scope="module")
def one_slide(tmp_path_factory: pytest.TempPathFactory, sample_svs: Path) -> Path:
    """A folder with one slide."""
    folder = tmp_path_factory.mktemp("one")
    shutil.copy(sample_svs, folder)
    return folder


@pytest.fixture(scope="module")
def large_slide(tmp_path_factory: pytest.TempPathFactory, sample_svs: Path) -> Path:
    """A folder with one slide that takes the engine some seconds: the sample, four times."""
    folder = tmp_path_factory.mktemp("large")
    with SlideReader(sample_svs) as reader:
        once = reader.read(0, 0, reader.width, reader.height)
    tifffile.imwrite(
        folder / "large.tiff",
        np.tile(once, (2, 2, 1)),
        tile=(256, 256),
        photometric="rgb",
        compression="zlib",
        resolution=(1e4 / 0.499, 1e4 / 0.499),
        resolutionunit="CENTIMETER",
    )
    return folder


@pytest.fixture
def own_platform(data_dir: Path) -> Iterator[Path]:
    """A data folder whose platform nobody but the commands holds; stopped at the end."""
    yield data_dir
    assert launchpad("platform", "stop").returncode == 0


@pytest.mark.usefixtures("platform_endpoint")
def test_applications_are_listed_and_described() -> None:
    listed = json.loads(done_here("application", "list", "--format", "json"))
    assert {item["application_id"] for item in listed} == {"he-tme", "test-app"}
    assert "he-tme  0.1.0" in done_here("application", "list")
    one = json.loads(done_here("application", "describe", "he-tme", "--format", "json"))
    assert one["versions"][0]["number"] == "0.1.0"
    words = done_here("application", "describe", "he-tme", "--verbose")
    assert "cell_classification:geojson_polygons (application/geo+json)" in words
    assert '"LUNG_CANCER"' in words

    unknown = here("application", "describe", "he-tmi", "--format", "json")
    assert unknown.returncode == 2
    assert unknown.stdout == ""
    assert json.loads(unknown.stderr)["error"] == "not_found"


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
def test_execute_leaves_all_results_of_all_three_forms(slides: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "study" / "run.csv"
    answer = run("execute", "he-tme", manifest, slides, "--mapping", MAPPING, "--note", "three forms", "--tags", "a,b")
    assert answer.returncode == 0, answer.stderr
    assert "Reading slides: 3 of 3 slides" in answer.stderr
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
    # The same tissue in three forms: the same cells, but for what recompression changes.
    assert min(cells) > 500
    assert max(cells) < 1.1 * min(cells)

    listed = json.loads(done_here("application", "run", "list", "--tags", "a", "--format", "json"))
    assert [item["run_id"] for item in listed] == [run_id]
    assert "Completed" in done_here("application", "run", "list", "--note-regex", "THREE")
    assert "Completed: " in done_here("application", "run", "watch", listed[0]["run_id"])
    assert json.loads(done_here("application", "run", "list", "--tags", "c", "--format", "json")) == []
    text = done_here("application", "run", "describe", run_id)
    assert "Note: three forms" in text
    assert "cell_classification:geojson_polygons: AVAILABLE" in text
    assert "AVAILABLE" not in done_here("application", "run", "describe", run_id, "--summarize")

    # Once more, elsewhere, without a folder for the run, with a QuPath project and a ZIP file.
    other = tmp_path / "elsewhere"
    download = ("application", "run", "result", "download", run_id, other)
    said = done_here(*download, "--no-create-subdirectory-for-run", "--qupath-project", "--zip")
    assert "6 image(s) added" in said
    assert (tmp_path / "elsewhere.zip").is_file()
    assert {path.name for path in other.iterdir()} == {*stems, "README.txt", "run.json", "summary.csv", "qupath"}
    check_qupath_project(other, rows)
    assert here("application", "run", "cancel", run_id).returncode == 1  # it has ended


@pytest.mark.usefixtures("platform_endpoint")
def test_step_by_step_with_another_application(one_slide: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    assert f"Generated metadata file {manifest}" in done_here(
        "application", "run", "prepare", "test-app", manifest, one_slide
    )
    text = manifest.read_text(encoding="utf-8").replace(";", ",")  # as a spreadsheet may save it
    manifest.write_text("\ufeff" + text, encoding="utf-8")
    assert "Upload completed." in done_here(
        "application", "run", "upload", "test-app", manifest, "--upload-prefix", "p1"
    )
    assert all("/p1/test-app/0.1.0/" in row["platform_bucket_url"] for row in rows_of(manifest))
    run_id = run_id_of(done_here("application", "run", "submit", "test-app", manifest, "--gpu-type", "L4"))
    metadata = described(run_id, done_here)["custom_metadata"]
    assert isinstance(metadata, dict)
    assert metadata["sdk"]["pipeline"]["gpu"]["gpu_type"] == "L4"
    assert metadata["sdk"]["submission"]["interface"] == "cli"
    done_here("application", "run", "result", "download", run_id, tmp_path / "results")
    assert len(list((tmp_path / "results" / run_id).glob("*/*"))) == len(ARTIFACTS)


def test_a_run_goes_on_when_the_command_has_ended(own_platform: Path, one_slide: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    done("application", "run", "prepare", "he-tme", manifest, one_slide, "--mapping", MAPPING)
    done("application", "run", "upload", "he-tme", manifest)
    run_id = run_id_of(done("application", "run", "submit", "he-tme", manifest))

    # Nobody holds the platform now: it finishes the run and ends by itself.
    launched = own_platform / "platform" / "launch.json"
    pid = json.loads(launched.read_text())["pid"]
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "its end")
    (only,) = json.loads(done("application", "run", "list", "--format", "json"))
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


@pytest.mark.usefixtures("platform_endpoint")
def test_bad_slides_are_named_and_stop_no_other(slides: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copy(slides / "CMU-1-Small-Region.svs", folder / "good.svs")
    text = folder / "text.svs"
    text.write_text("a text file named .svs")
    blank = folder / "no mpp.tiff"
    with SlideReader(slides / "CMU-1-Small-Region.svs") as reader:
        pixels = reader.read(0, 0, 1024, 1024)
    tifffile.imwrite(blank, pixels, tile=(256, 256), photometric="rgb", compression="zlib")
    manifest = tmp_path / "run.csv"

    answer = here("application", "run", "execute", "he-tme", manifest, folder, "--mapping", MAPPING)
    assert answer.returncode == 1
    assert f"Left out {text}: " in answer.stderr
    (line,) = [line for line in answer.stderr.splitlines() if str(blank) in line]
    assert "resolution_mpp" in line
    assert str(manifest) in line
    run_id = run_id_of(answer.stdout)
    assert {path.name for path in (tmp_path / run_id / "good").iterdir()} == ARTIFACTS
    statistics = described(run_id, done_here)["statistics"]
    assert isinstance(statistics, dict)
    assert statistics["item_count"] == 1
    good, without = sorted(rows_of(manifest), key=lambda row: row["external_id"] == str(blank))
    assert without["resolution_mpp"] == ""  # it stays in the file, to be completed
    assert without["platform_bucket_url"] == ""
    assert good["platform_bucket_url"] != ""

    # Submitting the file as it is names what is missing; nothing is submitted.
    refused = here("application", "run", "submit", "he-tme", manifest)
    assert refused.returncode == 2
    assert "no mpp.tiff" in refused.stderr
    assert "MPP" in refused.stderr

    # What is said by a mapping counts.
    told = here(
        "application",
        "run",
        "prepare",
        "he-tme",
        manifest,
        folder,
        "--mapping",
        MAPPING,
        "--mapping",
        "no mpp:resolution_mpp=0.5",
    )
    assert told.returncode == 1  # text.svs
    assert next(row for row in rows_of(manifest) if row["external_id"] == str(blank))["resolution_mpp"] == "0.5"


@pytest.mark.usefixtures("platform_endpoint")
def test_what_cannot_be_done_at_all_names_what_and_what_to_do(slides: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    manifest = tmp_path / "run.csv"
    none = tmp_path / "none"
    cases: list[tuple[int, str, list[str | Path]]] = [
        (2, str(empty), ["execute", "he-tme", manifest, empty]),
        (2, str(empty), ["prepare", "he-tme", manifest, empty]),
        (2, str(none), ["execute", "he-tme", manifest, none]),
        (2, "he-tmi", ["execute", "he-tmi", manifest, slides]),
        (2, "9.9.9", ["prepare", "he-tme", manifest, slides, "--application-version", "9.9.9"]),
        (1, "nonsense", ["execute", "he-tme", manifest, slides, "--mapping", "nonsense"]),
        (1, "tisue", ["execute", "he-tme", manifest, slides, "--mapping", ".*:tisue=LUNG"]),
        (2, "--due-date", ["execute", "he-tme", manifest, slides, "--due-date", "2001-01-01T00:00:00Z"]),
        (2, "--deadline", ["submit", "he-tme", manifest, "--deadline", "tomorrow"]),
        (2, str(none), ["upload", "he-tme", none]),
        (2, "run", ["describe", "00000000-0000-4000-8000-000000000000"]),
        (2, "run", ["cancel", "00000000-0000-4000-8000-000000000000"]),
        (2, "run", ["result", "download", "00000000-0000-4000-8000-000000000000", tmp_path]),
    ]
    for code, subject, arguments in cases:
        answer = here("application", "run", *arguments)
        found, out, err = answer.returncode, answer.stdout, answer.stderr
        assert (found, "Error: " in err) == (code, True), (arguments, err)
        assert subject in err, arguments
        assert out == ""
        assert len(err.strip().splitlines()) == 1
    assert not manifest.exists()

    only_text = tmp_path / "only text"
    only_text.mkdir()
    (only_text / "text.svs").write_text("text")
    answer = here("application", "run", "execute", "he-tme", manifest, only_text, "--mapping", MAPPING)
    assert answer.returncode == 2
    assert str(only_text / "text.svs") in answer.stderr

    # Slides that lack what the application wants: the columns are named, the file is there to complete.
    answer = here("application", "run", "execute", "he-tme", manifest, slides)
    assert answer.returncode == 2
    assert "tissue, disease" in answer.stderr
    assert len(rows_of(manifest)) == 3

    # A file that went away since: named, exit 2, and the others are uploaded.
    rows = manifest.read_text(encoding="utf-8").replace("CMU-1-Small-Region.svs", "gone.svs")
    manifest.write_text(rows, encoding="utf-8")
    answer = here("application", "run", "upload", "he-tme", manifest)
    assert answer.returncode == 2
    assert "gone.svs" in answer.stderr
    assert sorted(row["platform_bucket_url"] != "" for row in rows_of(manifest)) == [False, True, True]


def test_a_platform_that_cannot_be_reached_is_named(
    data_dir: Path, slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCHPAD_API_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "a")
    manifest = tmp_path / "run.csv"
    answer = run("execute", "he-tme", manifest, slides, "--mapping", MAPPING)
    assert answer.returncode == 1
    assert answer.stderr.startswith("Error: Platform is not healthy: ")
    assert ". Aborting. Asked: " in answer.stderr
    assert "http://127.0.0.1:9" in answer.stderr
    assert "--force" in answer.stderr
    answer = here("application", "run", "execute", "he-tme", manifest, slides, "--mapping", MAPPING, "--force")
    assert answer.returncode == 1
    assert "http://127.0.0.1:9" in answer.stderr
    answer = here("application", "run", "list", "--format", "json")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "http://127.0.0.1:9" in json.loads(answer.stderr)["message"]
    answer = here("system", "health")
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["status"] == "DOWN"
    assert not manifest.exists()
    assert not (data_dir / "platform").exists()  # no platform was started in its place


@pytest.mark.usefixtures("platform_endpoint")
def test_health_of_a_platform_that_runs() -> None:
    assert json.loads(done_here("system", "health"))["status"] == "UP"
    assert '"status": "UP"' in done_here("system", "health", "--output-format", "yaml")
    assert json.loads(done_here("system", "info"))["package"]["name"] == "pathology-launchpad"


def test_output_into_a_pipe_that_closes_is_no_mistake(platform_endpoint: Endpoint) -> None:
    command = [sys.executable, "-m", "launchpad", "application", "describe", "he-tme", "--verbose"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        answer = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=LIMIT, check=False)
    finally:
        os.close(writing)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "Exception ignored" not in answer.stderr


@pytest.mark.usefixtures("platform_endpoint")
def test_prepare_takes_values_of_a_table_and_proposals_and_tries_mappings_dry(tmp_path: Path, sample_svs: Path) -> None:
    folder = tmp_path / "slides"
    (folder / "dicom").mkdir(parents=True)
    shutil.copy(sample_svs, folder / "a.svs")
    shutil.copy(sample_svs, folder / "b.svs")
    stains = [("12710003", "hematoxylin stain"), ("36879007", "eosin")]
    write(folder / "dicom" / "x.dcm", picture(), change=lambda data: add_specimen(data, stains, ("39607008", "Lung")))
    manifest, values = tmp_path / "run.csv", tmp_path / "values.csv"

    dry = json.loads(
        done_here(
            "application", "run", "prepare", "he-tme", str(manifest), str(folder), "--dry-run", "--format", "json",
            "--mapping", r"a\.svs$:tissue=LIVER",
        )
    )  # fmt: skip
    assert dry["mappings"][0]["slides"] == [str(folder / "a.svs")]
    assert dry["unmatched"] == [str(folder / "b.svs"), str(folder / "dicom" / "x.dcm")]
    assert not manifest.exists()

    values.write_text("file;tissue;disease\na;liver;Liver cancer\nz.svs;LUNG;\nb.svs;moon;\n")
    answer = run(
        "prepare", "he-tme", manifest, folder, "--values", values, "--accept-proposals",
        "--mapping", r"a\.svs$:disease=BREAST_CANCER",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    for words in ("Values for 2 of 3", "row “z.svs”", "“moon” is none of", "The same content"):
        assert words in answer.stderr + answer.stdout, words
    with manifest.open(newline="") as file:
        rows = {Path(row["external_id"]).name: row for row in csv.DictReader(file, delimiter=";")}
    assert (rows["a.svs"]["tissue"], rows["a.svs"]["disease"]) == ("LIVER", "BREAST_CANCER")
    assert rows["b.svs"]["tissue"] == ""
    assert (rows["x.dcm"]["tissue"], rows["x.dcm"]["staining_method"]) == ("LUNG", "H&E")

    submitted = run("submit", "he-tme", manifest)
    assert submitted.returncode == 2
    assert "Row 3, column tissue: it is missing." in submitted.stderr
