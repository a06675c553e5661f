"""The whole journey through the real window on a real platform; `make run` has all forms of the slide."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_the_journey(data_dir: Path, tmp_path: Path, theme: str, sample_svs: Path, sample_dicom: Path) -> None:
    shots = tmp_path / "screenshots ä"
    slides = [str(sample_svs), str(sample_dicom)] if theme == "light" else [str(sample_svs)]
    arguments = ["--screenshots", str(shots), "--theme", theme, "--slides", *slides]
    done = subprocess.run(
        [sys.executable, "-m", "launchpad.desktop.journey", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(slides)} slides are ready" in done.stdout
    assert len(list(shots.glob("*.png"))) == 11
    readouts = list((data_dir / "results").glob("*/*/readout_generation_json_summary.json"))
    assert len(readouts) == len(slides)


def test_a_journey_that_fails_says_so(data_dir: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.svs"
    text.write_text("this is no slide")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "launchpad.desktop.journey",
            "--screenshots",
            str(tmp_path / "x"),
            "--slides",
            str(text),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "LAUNCHPAD_JOURNEY_SECONDS": "5"},
    )
    assert done.returncode == 1
    assert "The journey failed" in done.stderr
