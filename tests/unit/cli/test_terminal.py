"""What a person sees in the terminal: errors in one line, help that fits, wildcards that the shell left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands_here import here
from launchpad.cli.wildcards import expand, single
from launchpad.errors import BadInput, NotFound

HELP = ["", "application", "application run", "application run execute", "application run share token create", "system",
        "qupath install", "dataset idc download", "bucket purge"]  # fmt: skip


@pytest.mark.parametrize("columns", [24, 40, 80])
def test_help_fits_into_a_narrow_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for name in HELP:
        code, out, _ = here([*name.split(), "--help"])
        assert code == 0
        wide = [line.strip() for line in out.splitlines() if len(line.rstrip()) > columns]
        # A name is never cut, however long it is.
        assert not [line for line in wide if not line.startswith(("-", "Usage: ")) and " <" not in line], name


def test_help_names_options_whole_and_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = here(["application", "run", "execute", "--help"])
    assert "--no-create-subdirectory-per-item" in out
    assert "--node-acquisition-timeout-minutes" in out
    assert "metadata_csv_file" in out
    words = " ".join(out.split())
    assert "The metadata CSV file." in words
    assert "default: 720" in words


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["application", "run", "execute"], "launchpad application run execute --help"),
        (["application", "list", "--nope"], "launchpad application list --help"),
        (["nope"], "launchpad --help"),
        (["wsi", "inspect", "nope.svs"], "Check that the file exists"),
        (["profile", "show", "nope"], "Choose one of"),
        (["system", "config", "get", "NOPE"], "launchpad system config set"),
    ],
)
def test_an_error_is_one_line_with_advice(words: list[str], advice: str) -> None:
    code, out, err = here(words)
    assert code
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("Error: ")
    assert advice in line
    code, out, err = here([*words, "--format", "json"])
    assert set(json.loads(err)) == {"error", "message"}


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    for name in ("b.svs", "A.svs", "c.tiff", "x[1].svs"):
        (tmp_path / name).touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_wildcards_that_the_shell_left_alone_are_written_out(slides: Path) -> None:
    assert names(expand([slides / "*.svs"], written_out=False)) == ["A.svs", "b.svs", "x[1].svs"]
    assert names(expand([slides / "?.svs", slides / "c.tiff"], written_out=False)) == ["A.svs", "b.svs", "c.tiff"]
    assert names(expand([slides / "x[1].svs"], written_out=False)) == ["x[1].svs"], "a file of that name is meant"
    assert names(expand([slides / "missing.svs"], written_out=False)) == ["missing.svs"], "the command says so itself"
    with pytest.raises(NotFound, match="ndpi"):
        expand([slides / "*.ndpi"], written_out=False)
    assert single(slides / "c.*", written_out=False) == slides / "c.tiff"
    with pytest.raises(BadInput, match="More than one"):
        single(slides / "*.svs", written_out=False)


def test_wildcards_after_a_shell_that_writes_them_out_belong_to_a_name(slides: Path) -> None:
    assert names(expand([slides / "*.svs"], written_out=True)) == ["*.svs"]
