"""The command line that scripts of the old SDK rely on: its commands, options and defaults, and each row run."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from commands_here import here
from launchpad.cli.app import app

DATA = Path(__file__).parent / "data"
COMMANDS: dict[str, dict[str, Any]] = json.loads((DATA / "commands.json").read_text(encoding="utf-8"))
ROWS: list[dict[str, Any]] = json.loads((DATA / "runs.json").read_text(encoding="utf-8"))
MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"


def command_named(name: str) -> Any:
    import typer

    before, sys.argv = sys.argv, ["launchpad", *name.split()]  # not only help: groups are loaded
    try:
        command: Any = typer.main.get_command(app)
        for word in name.split():
            command = command.get_command(None, word)
            assert command is not None, f"there is no {word} in {name}"
    finally:
        sys.argv = before
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_arguments_options_and_defaults(name: str) -> None:
    command, row = command_named(name), COMMANDS[name]
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


@pytest.fixture(scope="module")
def values(platform_endpoint: object, small_tiff: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What stands in braces in the rows, on a platform with one run that has ended."""
    tmp = tmp_path_factory.mktemp("rows")
    slides = tmp / "slides"
    slides.mkdir()
    slide = Path(shutil.copy(small_tiff, slides / "small.tiff"))
    words = ["application", "run", "execute", "he-tme", str(tmp / "run.csv"), str(slides), "--mapping", MAPPING]
    code, out, err = here([*words, "--tags", "one,two", "--note", "A note"])
    assert code == 0, err
    run_id = next(line for line in out.splitlines() if line.startswith("Submitted run")).split("'")[1]
    with (tmp / "run.csv").open(newline="", encoding="utf-8") as file:
        item = next(csv.DictReader(file, delimiter=";"))["external_id"]
    document = json.loads(here(["application", "version", "document", "list", "he-tme", "--json"])[1])[0]["name"]
    version = json.loads(here(["application", "describe", "he-tme", "--json"])[1])["versions"][0]["number"]
    return {"tmp": tmp, "slides": slides, "slide": slide, "run": run_id, "item": item, "document": document,
           "version": version}  # fmt: skip


def filled(text: str, values: dict[str, Any]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def test_each_row_ends_as_scripts_expect(values: dict[str, Any]) -> None:
    """In order: later rows build on earlier ones."""
    problems = []
    for row in ROWS:
        words = [filled(word, values) for word in row["run"].split()]
        code, out, err = here(words)
        wrong = _wrong(row, values, code, out, err)
        if wrong:
            problems.append(f"{shlex.join(words)}: {wrong}; exit {code}\n{out[-300:]}{err[-500:]}")
    assert not problems, "\n\n".join(problems)


def _wrong(row: dict[str, Any], values: dict[str, Any], code: int, out: str, err: str) -> str:
    if code != row.get("code", 0):
        return f"expected exit {row.get('code', 0)}"
    if "prints" in row and filled(row["prints"], values) not in out:
        return f"does not print {row['prints']}"
    if code and not err.strip():
        return "fails without a word on stderr"
    if "error" in row and (json.loads(err)["error"] != row["error"] or out):
        return "the error is not as promised"
    if row.get("silent") and err:
        return "writes to stderr"
    if "is_text" in row and out.strip() != row["is_text"]:
        return f"is not {row['is_text']}"
    for file in row.get("files", []):
        if not Path(filled(file, values)).is_file():
            return f"does not write {file}"
    if not {"keys", "is", "empty"} & set(row):
        return ""
    document = json.loads(out)
    if "is" in row and document != row["is"]:
        return f"is not {row['is']}"
    if row.get("empty"):
        return "" if document == [] else "is not empty"
    first = document[0] if isinstance(document, list) else document
    values.update({name: first[key] for name, key in row.get("keep", {}).items()})
    missing = set(row.get("keys", ())) - set(first)
    return f"lacks {sorted(missing)}" if missing else ""
