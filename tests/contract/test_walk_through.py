"""The walk-throughs of the old introduction, word for word but for the command, the editor and the id of the run."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from commands_here import here

if TYPE_CHECKING:
    from public_mirror import Mirror

WORDS = (Path(__file__).resolve().parent.parent / "data" / "seed").joinpath
FILLED = {"staining_method": "H&E", "tissue": "LUNG", "disease": "LUNG_CANCER"}


def commands(name: str) -> list[list[str]]:
    """The lines of a walk-through without comments, as words after `uvx aignostics`."""
    lines = WORDS(f"{name}.sh.txt").read_text(encoding="utf-8").splitlines()
    split = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    assert all(words[:2] == ["uvx", "aignostics"] or words[0] == "nano" for words in split)
    return [words[2:] if words[0] == "uvx" else words for words in split]


def edit(manifest: Path) -> None:
    """What a person does in the editor."""
    with manifest.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter=";")
        rows, names = [{**row, **FILLED} for row in reader], reader.fieldnames
    assert names
    assert rows
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def ran(words: list[str]) -> str:
    code, out, err = here(words)
    assert code == 0, f"{shlex.join(words)}\n{out}{err}"
    return out


@pytest.fixture
def work(platform_endpoint: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the person is, with the folder for the data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.mark.long
def test_the_steps_one_by_one(work: Path, public_mirror: Mirror) -> None:
    run_id = ""
    for words in commands("walk_through"):
        if words[0] == "nano":
            edit(work / "data" / "tcga_luad" / "run.csv")
            continue
        out = ran([run_id if word == "APPLICATION_RUN_ID" else word for word in words])
        if words[:3] == ["application", "run", "submit"]:
            run_id = out.split("'")[1]
        elif words[:3] == ["application", "run", "list"]:
            assert run_id in out
    from launchpad import paths

    assert list((paths.results_dir() / run_id).rglob("*.csv")), "no results were downloaded"


@pytest.mark.long
def test_all_in_one_command(work: Path, public_mirror: Mirror) -> None:
    outputs = [ran(words) for words in commands("execute")]
    run_id = next(line for line in outputs[-1].splitlines() if line.startswith("Submitted run")).split("'")[1]
    assert list((work / "data" / "tcga_luad" / run_id).rglob("*.csv")), "no results were downloaded"


@pytest.mark.parametrize("words", commands("help"), ids=" ".join)
def test_the_help_is_extensive(words: list[str]) -> None:
    assert "Usage" in ran(words)
