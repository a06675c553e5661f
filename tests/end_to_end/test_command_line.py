"""The command line against a real platform on this computer, with real slides: its steps, and what goes wrong."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tifffile

from commands import (
    ARTIFACTS,
    LIMIT,
    MAPPING,
    described,
    done_here,
    here,
    rows_of,
    run_id_of,
)
from dicom_files import add_specimen, picture, write
from launchpad.platform.embedded import Endpoint
from launchpad.wsi.reader import SlideReader


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


@pytest.mark.usefixtures("platform_endpoint")
def test_bad_slides_are_named_and_stop_no_other(small_tiff: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copy(small_tiff, folder / "good.tiff")
    text = folder / "text.svs"
    text.write_text("a text file named .svs")
    blank = folder / "no mpp.tiff"
    with SlideReader(small_tiff) as reader:
        pixels = reader.read(0, 0, 512, 512)
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
        assert len([line for line in err.splitlines() if not line.startswith("Step ")]) == 1
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
    assert len(rows_of(manifest)) == 2

    # A file that went away since: named, exit 2, and the others are uploaded.
    rows = manifest.read_text(encoding="utf-8").replace("CMU-1-Small-Region.svs", "gone.svs")
    manifest.write_text(rows, encoding="utf-8")
    answer = here("application", "run", "upload", "he-tme", manifest)
    assert answer.returncode == 2
    assert "gone.svs" in answer.stderr
    assert sorted(row["platform_bucket_url"] != "" for row in rows_of(manifest)) == [False, True]


def test_a_platform_that_cannot_be_reached_is_named(
    data_dir: Path, slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAUNCHPAD_API_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "a")
    for kind in ("ME", "APPLICATION", "APPLICATION_VERSION", "RUN"):
        monkeypatch.setenv(f"LAUNCHPAD_{kind}_RETRY_ATTEMPTS", "0")
    manifest = tmp_path / "run.csv"
    answer = here("application", "run", "execute", "he-tme", manifest, slides, "--mapping", MAPPING)
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
    answer = here(
        "application", "run", "prepare", "he-tme", manifest, folder, "--values", values, "--accept-proposals",
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

    submitted = here("application", "run", "submit", "he-tme", manifest)
    assert submitted.returncode == 2
    assert "Row 3, column tissue: it is missing." in submitted.stderr
