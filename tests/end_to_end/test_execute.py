"""`application run execute` goes on where it stopped: never a second run of the same slides by mistake."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands_here import here
from launchpad.application import executions
from launchpad.application.draft import Slide

pytestmark = pytest.mark.usefixtures("platform_endpoint")


@pytest.fixture
def slides(small_tiff: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "slides"
    folder.mkdir()
    for name in ("a.tiff", "b.tiff"):
        shutil.copy(small_tiff, folder / name)
    return folder


def execute(manifest: Path, slides: Path, *more: str, application: str = "test-app") -> tuple[int, str, str]:
    return here(["application", "run", "execute", application, str(manifest), str(slides), *more])


def run_id(out: str) -> str:
    found = re.search(r"Submitted run with id '([^']+)'", out)
    assert found is not None, out
    return found[1]


def submitted(*tags: str) -> set[str]:
    listed = json.loads(here(["application", "run", "list", "--tags", ",".join(tags), "--format", "json"])[1])
    return {run["run_id"] for run in listed}


def test_each_step_says_what_it_does_on_stderr(slides: Path, tmp_path: Path) -> None:
    code, out, err = execute(tmp_path / "run.csv", slides, "--tags", "steps,words")
    assert code == 0
    steps = [line for line in err.splitlines() if line.startswith("Step ")]
    assert steps == [
        f"Step 1 of 4: reading the slides of {slides} …",
        "Step 2 of 4: uploading 2 slide(s) …",
        "Step 3 of 4: submitting 2 slide(s) to test-app 0.1.0 …",
        f"Step 4 of 4: waiting for results and downloading them to {tmp_path} …",
    ]
    assert "Step" not in out
    assert submitted("steps", "words") == {run_id(out)}
    assert "Step" not in here(["--quiet", "application", "run", "execute", "test-app", str(tmp_path / "run.csv"),
                               str(slides)])[2]  # fmt: skip


def test_run_again_it_goes_on_with_its_run(slides: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    code, out, _ = execute(manifest, slides, "--tags", "again", "--no-wait-for-completion")
    assert code == 0
    first = run_id(out)
    assert not list(tmp_path.glob(f"{first}/*/*.csv")), "it did not wait"
    code, out, err = execute(manifest, slides, "--tags", "again")
    assert (code, run_id(out)) == (0, first)
    assert "Steps 2 and 3 are done: going on with that run. --force-new submits another one." in err
    assert "Step 2 of 4" not in err
    assert len(list(tmp_path.glob(f"{first}/*/*.csv"))) == 2
    assert submitted("again") == {first}

    code, out, _ = execute(manifest, slides, "--tags", "again", "--force-new")
    assert code == 0
    second = run_id(out)
    assert submitted("again") == {first, second}
    assert run_id(execute(manifest, slides)[1]) == second, "the file stands for its last run"

    # Other slides, or another file, are another run.
    (slides / "b.tiff").unlink()
    third = run_id(execute(manifest, slides, "--tags", "again")[1])
    fourth = run_id(execute(tmp_path / "other.csv", slides, "--tags", "again")[1])
    assert submitted("again") == {first, second, third, fourth}


def test_killed_while_it_submits_it_makes_no_second_run(slides: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    command = [
        sys.executable,
        "-m",
        "launchpad",
        "application",
        "run",
        "execute",
        "test-app",
        str(manifest),
        str(slides),
    ]
    with subprocess.Popen([*command, "--tags", "killed"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith("Step 3"):
            assert line
        process.kill()
    code, out, err = execute(manifest, slides, "--tags", "killed")
    assert code == 0, err
    assert submitted("killed") == {run_id(out)}


def test_after_its_run_was_cancelled_it_begins_another(slides: Path, sample_svs: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    shutil.copy(sample_svs, slides)  # takes seconds: time to cancel
    first = run_id(execute(manifest, slides, "--tags", "cancelled", "--no-wait-for-completion")[1])
    code, _, err = here(["application", "run", "cancel", first])
    assert code == 0, err
    code, out, err = execute(manifest, slides, "--tags", "cancelled")
    assert code == 0, err
    assert "was cancelled: another one is made" in err
    assert submitted("cancelled") == {first, run_id(out)}


def test_what_a_person_fills_into_the_file_counts_the_next_time(slides: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "run.csv"
    code, _, err = execute(manifest, slides, application="he-tme")
    assert code == 2
    assert "run the same command again" in err
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    for row in rows:
        row |= {"staining_method": "H&E", "tissue": "LUNG", "disease": "LUNG_CANCER"}
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    code, out, err = execute(manifest, slides, application="he-tme")
    assert code == 0, err
    assert len(list(tmp_path.glob(f"{run_id(out)}/*/*.csv"))) == 2
    # The mapping is the last word: other values are another run.
    other = run_id(
        execute(manifest, slides, "--mapping", "a.tiff:tissue=LIVER,disease=LIVER_CANCER", application="he-tme")[1]
    )
    assert other != run_id(out)


def test_only_what_is_said_of_the_same_content_is_taken_over() -> None:
    def slide(content: str, mpp: float | None, **values: str) -> Slide:
        path = Path("/a.svs")
        return Slide(path, (path,), "/a.svs", "SVS", 1, 10, 10, mpp, crc32c=content, values=values, bucket_url=content)

    (same,) = executions.with_earlier([slide("x", None, tissue="LUNG")], [slide("x", 0.5, tissue="LIVER", disease="D")])
    assert (same.mpp, same.mpp_origin, same.values) == (0.5, "user", {"tissue": "LIVER", "disease": "D"})
    (other,) = executions.with_earlier([slide("y", None)], [slide("x", 0.5, tissue="LIVER")])
    assert (other.mpp, other.values, other.bucket_url) == (None, {}, "y")
