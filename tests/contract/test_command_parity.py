"""The command line that scripts of the old SDK rely on: its commands, options and defaults, and each row run."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qupath_stand_in as stand_in
from command_rows import BY_OTHERS, all_rows, filled, rows_of, wrong
from commands import described, done_here, wait_for
from commands_here import here
from launchpad import application, paths, platform
from launchpad.cli.app import app
from platform_callers import PLAIN
from public_mirror import SERIES

if TYPE_CHECKING:
    from conftest import SlideThatWaits

COMMANDS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "commands.json").read_text(encoding="utf-8")
)
MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"
SQUARE = {
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [[[10, 10], [90, 10], [90, 90], [10, 90], [10, 10]]]},
    "properties": {"objectType": "annotation"},
}
ROOT = Path(__file__).resolve().parents[2]


def all_commands() -> dict[str, Any]:
    """Every command of the application by its name; the application itself is the empty name."""
    import typer

    def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        names = command.list_commands(None) if hasattr(command, "list_commands") else []
        if not names or not name:
            yield name, command
        for word in names:
            yield from below(command.get_command(None, word), f"{name} {word}".strip())

    before, sys.argv = sys.argv, ["launchpad", "application"]  # not only help: groups are loaded
    try:
        return dict(below(typer.main.get_command(app), ""))
    finally:
        sys.argv = before


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    return all_commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_arguments_options_and_defaults(name: str, commands: dict[str, Any]) -> None:
    assert name in commands
    command, row = commands[name], COMMANDS[name]
    by_option = {word: item for item in command.params for word in (*item.opts, *item.secondary_opts)}
    arguments = [item.name for item in command.params if item.param_type_name == "argument"]
    assert arguments == row["arguments"]
    for option, default in row["options"].items():
        assert option in by_option, f"{name} has no {option}"
        found = by_option[option].default
        found = found() if callable(found) else found
        if default is None:
            assert not found
        else:
            assert str(getattr(found, "value", found)) == str(default), option


def test_every_command_and_every_option_has_a_row(commands: dict[str, Any]) -> None:
    """Of a pair such as `--x/--no-x` the word that is not the default."""
    named: dict[str, set[str]] = {}
    for row in all_rows():
        words = row["run"].split()
        name, rest = "", set()
        for word in words:
            if f"{name} {word}".strip() in commands or any(
                known.startswith(f"{name} {word} ".lstrip()) for known in commands
            ):
                name = f"{name} {word}".strip()
            elif word.startswith("-"):
                rest.add(word.partition("=")[0])
        named.setdefault(name, set()).update(rest)
        named.setdefault("", set()).update(rest)
    assert not set(commands) - set(named), "commands without a row"
    missing = []
    for name, command in commands.items():
        for item in command.params:
            if item.param_type_name == "option":
                pair = [words for words in (item.opts, item.secondary_opts) if words]
                if len(pair) == 2 and item.default is not None:
                    pair = pair[1:] if item.default else pair[:1]  # the one that changes something
                missing += [f"{name} {words[0]}" for words in pair if not named[name] & set(words)]
    assert not missing, "options without a row"


def test_every_variable_of_the_old_sdk_has_a_row() -> None:
    names = json.loads((Path(__file__).parent / "data" / "variables.json").read_text(encoding="utf-8"))
    rows = list(all_rows())
    in_words = " ".join(f"{row['run']} {row.get('contains', '')}" for row in rows)
    missing = [name for name in names if not any(name in row.get("env", {}) for row in rows) and name not in in_words]
    assert not missing


def test_rows_that_are_run_elsewhere_are_run_there() -> None:
    for row in all_rows():
        if BY_OTHERS in row:
            text = (ROOT / row[BY_OTHERS]).read_text(encoding="utf-8")
            options = [word for word in row["run"].split() if word.startswith("--")]
            assert not [word for word in options if word not in text], row


@pytest.fixture(scope="module")
def values(
    slide_that_waits: SlideThatWaits, platform_endpoint: object, module_data_dir: Path, small_tiff: Path,
    sample_dicom: Path, tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:  # fmt: skip
    """What stands in braces in the rows, on a platform with two runs that have ended."""
    tmp = tmp_path_factory.mktemp("rows")
    for folder in ("slides", "tree", "idc", "results", "home"):
        (tmp / folder).mkdir()
    slides = tmp / "slides"
    slide = Path(shutil.copy(small_tiff, slides / "small.tiff"))
    (tmp / "damaged").mkdir()
    shutil.copy(small_tiff, tmp / "damaged" / "good.tiff")
    (tmp / "damaged" / "bad.tiff").write_bytes(b"II*\0 cut off")
    for name in ("a.txt", "b.txt"):
        (tmp / "tree" / name).write_text(name)
    (tmp / "table.csv").write_text("file;tissue\nsmall.tiff;LUNG\n")
    (tmp / "named.env").write_text("AIGNOSTICS_RUN_TIMEOUT=55\n")
    Path(".env.rows").write_text("AIGNOSTICS_RUN_TIMEOUT=57\n")  # in the folder of this module's tests
    (tmp / "script.groovy").write_text('println "here"')
    (tmp / "square.geojson").write_text(json.dumps(SQUARE))
    shutil.copytree(sample_dicom, tmp / "dicom")
    words = ["application", "run", "execute", "he-tme", str(tmp / "results" / "run.csv"), str(slides), "--mapping"]
    code, out, err = here([*words, MAPPING, "--tags", "one,two", "--note", "A note"])
    assert code == 0, err
    run_id = next(line for line in out.splitlines() if line.startswith("Submitted run")).split("'")[1]
    manifest = str(tmp / "results" / "run.csv")
    out = here(["application", "run", "submit", "he-tme", manifest])[1]
    with Path(manifest).open(newline="", encoding="utf-8") as file:
        item = next(csv.DictReader(file, delimiter=";"))["external_id"]
    document = json.loads(here(["application", "version", "document", "list", "he-tme", "--json"])[1])[0]["name"]
    version = json.loads(here(["application", "describe", "he-tme", "--json"])[1])["versions"][0]["number"]
    organization = json.loads(here(["user", "whoami"])[1])["organization"]["id"]
    other = out.split("'")[1]
    wait_for(lambda: described(other, done_here)["state"] == "TERMINATED", "the second run")
    return {
        "tmp": tmp, "slides": slides, "slide": slide, "run": run_id, "other": other, "item": item,
        "document": document, "version": version, "organization": organization, "mapping": MAPPING,
        "dicom": tmp / "dicom", "geojson": tmp / "square.geojson", "script": tmp / "script.groovy",
        "results": tmp / "results" / run_id, "platform": module_data_dir / "platform", "series": SERIES, "_": " ",
        "variables": paths.env_file(),
    }  # fmt: skip


@pytest.fixture
def for_dataset(
    public_mirror: object, unpacked_index: Path, module_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror of the public buckets, the index, and no browser."""
    target = module_data_dir / "datasets" / "index" / unpacked_index.name
    target.parent.mkdir(parents=True)
    target.symlink_to(unpacked_index)
    monkeypatch.setattr("webbrowser.open", lambda address: True)


@pytest.fixture
def for_qupath(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A release server, and no QuPath on this computer."""
    if sys.platform == "win32":
        pytest.skip("the program that stands in for QuPath is a script")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with stand_in.serve_releases(tmp_path, "0.6.0") as releases:
        monkeypatch.setenv("LAUNCHPAD_QUPATH_RELEASES", f"{releases.url}/releases")
        yield


@pytest.mark.parametrize("group", ["application", "bucket", "dataset", "own", "qupath", "system", "wsi", "environment"])
def test_each_row_ends_as_scripts_expect(
    group: str, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """In order: later rows build on earlier ones."""
    if group in ("dataset", "qupath"):
        request.getfixturevalue(f"for_{group}")
    problems = []
    for row in rows_of(group):
        if BY_OTHERS in row:
            continue
        words = [filled(word, values) for word in row["run"].split()]
        with monkeypatch.context() as patch:
            for name, value in row.get("env", {}).items():
                patch.setenv(name, filled(value, values))
            code, out, err = here(words)
        problem = wrong(row, values, code, out, err)
        if problem:
            problems.append(f"{shlex.join(words)}: {problem}; exit {code}\n{out[-300:]}{err[-500:]}")
    assert not problems, "\n\n".join(problems)


def test_runs_that_have_not_ended_are_cancelled(values: dict[str, Any], slide_that_waits: SlideThatWaits) -> None:
    """One by one, and by a filter: whose limit counts those that match it."""

    def said(*words: str) -> str:
        code, out, err = here(["application", "run", *words])
        assert (code, err) == (0, "")
        return out.splitlines()[-1]

    artifact = platform.InputArtifact(
        name="whole_slide_image", download_url=slide_that_waits.url, metadata=PLAIN | {"media_type": "image/tiff"}
    )
    item = platform.InputItem(external_id="0", input_artifacts=[artifact])
    with application.Service() as service:
        runs = [service.application_run_submit("test-app", [item], tags={"waits"}) for _ in range(3)]
    one = runs[0].run_id
    assert said("cancel-by-filter", "--tags", "waits", "--dry-run") == "Would cancel 3 run(s)."
    assert said("cancel", one) == f"Run with ID '{one}' has been canceled."
    assert described(one, done_here)["termination_reason"] == "CANCELED_BY_USER"
    by_filter = ("cancel-by-filter", "--tags", "waits", "--application-id", "test-app")
    assert said(*by_filter, "--application-version", "9.9.9") == "Canceled 0 of 0 run(s)."
    assert said(*by_filter, "--limit", "1") == "Canceled 1 of 1 run(s)."
    assert said(*by_filter, "--application-version", values["version"]) == "Canceled 1 of 1 run(s)."
    assert {described(run.run_id, done_here)["state"] for run in runs} == {"TERMINATED"}
    slide_that_waits.let_go()
