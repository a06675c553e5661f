"""Commands of Launchpad for tests: as processes of their own, or in this one, and what they leave."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import commands_here

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
