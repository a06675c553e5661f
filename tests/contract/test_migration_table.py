"""The tables of the page on moving from the old SDK: every row of what scripts rely on, and none that is made up."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from documentation import DOCS, hook

from contract.test_library_parity import NAMES

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def parity() -> ModuleType:
    return hook("parity")


def test_every_command_and_option_has_its_row(parity: ModuleType) -> None:
    held = json.loads((DATA / "commands.json").read_text(encoding="utf-8"))
    rows = list(parity.commands(parity.data()))
    assert {row.name for row in rows if not row.of} >= set(held)
    options = {(row.of, row.name) for row in rows if row.of}
    assert options >= {(name, option) for name, entry in held.items() for option in entry["options"]}
    assert len(options) == len([row for row in rows if row.of]), "an option stands twice"


def test_every_name_of_the_library_and_every_variable_has_its_row(parity: ModuleType) -> None:
    known = parity.data()
    for package, names in NAMES.items():
        rows = {row.name.split(".")[0] for row in parity.library(known, package)}
        assert rows >= set(names.split()), package
    patterns = [row.name for row in parity.environment(known)]
    held = json.loads((DATA / "variables.json").read_text(encoding="utf-8"))
    read = {name for name in parity._settings() if name.startswith("AIGNOSTICS_")}
    assert len(read) > 20
    assert not [name for name in (*held, *read) if not any(fnmatch(name, pattern) for pattern in patterns)]


def test_what_is_not_in_launchpad_has_a_reason_and_what_is_changed_says_how(parity: ModuleType) -> None:
    known = parity.data()
    rows = [*parity.commands(known), *parity.environment(known)]
    rows += [row for package in known["library"] for row in parity.library(known, package)]
    for row in rows:
        assert row.words or row.now == "same", f"{row.of} {row.name}: {row.now}, without a reason"
        assert not row.missing or row.words, f"{row.name} takes no {row.missing}, without a reason"
    gone = [row.name for row in rows if row.now == "gone"]
    assert "AIGNOSTICS_SENTRY_*" in gone
    assert parity.command_named("application run nothing") is None
    assert parity.member("platform", "Client.nothing") is None
    assert parity.member("platform", "Client.runs") is not None


def test_a_row_that_names_nothing_is_refused(parity: ModuleType) -> None:
    known = parity.data()
    known["commands"]["application explode"] = {"better": "louder"}
    with pytest.raises(ValueError, match="application explode is not in Launchpad"):
        list(parity.commands(known))
    known = parity.data()
    known["library"]["wsi"]["Service.explode"] = {}
    with pytest.raises(ValueError, match=r"Service\.explode"):
        list(parity.library(known, "wsi"))


def test_the_page_shows_the_tables(parity: ModuleType) -> None:
    page = parity.on_page_markdown((DOCS / "migration.md").read_text(encoding="utf-8"), None, None, None)
    assert "<!-- table" not in page
    assert "| **`application run execute`** |  | better |" in page
    assert "| `AIGNOSTICS_API_ROOT` | same |" in page
    assert "| `Service.get_metadata` | better |" in page
