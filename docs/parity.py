"""A hook of mkdocs: the tables of migration.md, of parity.toml and of the commands that the tests hold."""

from __future__ import annotations

import fnmatch
import functools
import importlib
import inspect
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_CODE = _HERE.parent / "app" / "launchpad"
_COMMANDS = _HERE.parent / "tests" / "contract" / "data" / "commands.json"
_LIBRARY = _COMMANDS.with_name("library.json")
_STATES = ("same", "better", "changed", "accepted", "added", "gone")
_COLUMNS = "| Now | Why, or what is better |"
_MARK = re.compile(r"<!-- table: (\w+) -->")


@dataclass(frozen=True)
class Row:
    """One name of the old SDK. `part` is its table, `now` a word of `_STATES`, `of` the command of an option."""

    part: str
    name: str
    now: str
    words: str = ""
    of: str = ""
    default: str = ""
    missing: tuple[str, ...] = ()
    """Parameters that the old function took and ours does not."""


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put the tables where a page asks for them."""
    return _MARK.sub(lambda match: tables()[match[1]], markdown)


def data() -> dict[str, Any]:
    """What parity.toml says."""
    return tomllib.loads((_HERE / "parity.toml").read_text(encoding="utf-8"))


def tables() -> dict[str, str]:
    """The tables by name, as Markdown."""
    known = data()
    return {
        "commands": _commands_table(list(commands(known))),
        "environment": _table("Variable", list(environment(known))),
        "library": "\n\n".join(
            f"### launchpad.{package}\n\n{_table('Name', rows)}"
            for package, rows in ((package, list(library(known, package))) for package in known["library"])
        ),
    }


# --- rows -------------------------------------------------------------------------------------------------------------
def commands(known: Mapping[str, Any]) -> Iterator[Row]:
    """Every command and option that the tests hold, then those that parity.toml alone names."""
    held = json.loads(_COMMANDS.read_text(encoding="utf-8"))
    for name in (*held, *(name for name in known["commands"] if name not in held)):
        entry = known["commands"].get(name, {})
        command = command_named(name)
        yield _row("commands", name, entry, there=command is not None)
        own = {word for item in getattr(command, "params", ()) for word in (*item.opts, *item.secondary_opts)}
        options: dict[str, Any] = held.get(name, {}).get("options", {})
        said = entry.get("options", {})
        for option in (*options, *(word for word in said if word not in options)):
            words = said.get(option, known["options"].get(option, {}))
            yield _row("commands", option, words, there=option in own, of=name, default=_default(options.get(option)))


def environment(known: Mapping[str, Any]) -> Iterator[Row]:
    """Every variable."""
    text = _text_of_code()
    for name, entry in known["environment"].items():
        is_setting = bool(fnmatch.filter(_settings(), name))
        row = _row("environment", name, entry, there=is_setting or name.split("*")[0].rstrip("_") in text)
        yield Row("environment", name, "same") if is_setting and row.now == "accepted" else row


def library(known: Mapping[str, Any], package: str) -> Iterator[Row]:
    """Every name of a package that users of the old SDK know: of parity.toml, and the functions that tests hold."""
    held = {
        name.removeprefix(f"{package}.").removesuffix(".__init__"): [item["name"] for item in entry["parameters"]]
        for name, entry in json.loads(_LIBRARY.read_text(encoding="utf-8")).items()
        if name.startswith(f"{package}.")
    }
    own: Mapping[str, Any] = known["library"][package]
    for name in dict.fromkeys((*own, *held)):
        entry = own.get(name, {})
        found = member(package, name)
        taken = held.get(name, entry.get("takes", "").split())
        parameters = inspect.signature(found).parameters if callable(found) and taken else {}
        missing = tuple(word for word in taken if found is not None and word not in parameters)
        yield _row("library", name, entry, there=found is not None, of=package, missing=missing)


def _row(part: str, name: str, entry: Mapping[str, Any], *, there: bool, **more: Any) -> Row:
    said = [state for state in _STATES if state in entry]
    if len(said) > 1:
        raise ValueError(f"{name} has two states: {said}")
    state = said[0] if said else "same"
    if there and state == "gone":
        return Row(part, name, "same", **more)
    if not there and state not in ("accepted", "gone"):
        raise ValueError(f"{more.get('of', '')} {name} is not in Launchpad, and parity.toml does not say why")
    return Row(part, name, state, str(entry.get(state, "")), **more)


# --- what there is ----------------------------------------------------------------------------------------------------
def command_named(name: str) -> Any:
    """What Click knows of a command; None where there is none."""
    from launchpad.cli.app import COMMANDS, GROUPS

    first, *rest = name.split()
    if first not in GROUPS | COMMANDS:
        return None
    command = _group((GROUPS | COMMANDS)[first][0])
    for word in rest:
        command = getattr(command, "commands", {}).get(word)
    return command


@functools.cache
def _group(module: str) -> Any:
    import typer

    return typer.main.get_command(importlib.import_module(f"launchpad.cli.{module}").app)


def member(package: str, name: str) -> Any:
    """A name of a package, or an attribute of one of its classes, also one that its instances alone have; else None."""
    module = importlib.import_module(f"launchpad.{package}")
    first, _, inner = name.partition(".")
    found = getattr(module, first, None)
    if found is None or not inner:
        return found
    if hasattr(found, inner):
        return getattr(found, inner)
    kept = re.search(rf"self\.{inner}\b[^=\n]*=[^=]", inspect.getsource(found))
    return kept[0] if kept else None


@functools.cache
def _settings() -> frozenset[str]:
    from launchpad.bucket.address import NETWORK
    from launchpad.settings import Settings

    aliases = [field.validation_alias for field in Settings.model_fields.values()]
    return frozenset((*NETWORK, *(str(name) for alias in aliases for name in getattr(alias, "choices", ()))))


@functools.cache
def _text_of_code() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(_CODE.rglob("*.py")))


# --- tables -----------------------------------------------------------------------------------------------------------
def _commands_table(rows: list[Row]) -> str:
    page: list[str] = []
    group = ""
    for row in rows:
        words = (row.of or row.name).split()
        head = " ".join(words[:2]) if words[0] in ("application", "system") and len(words) > 2 else words[0]
        if head != group:
            group = head
            page += [
                "",
                f"### {head}",
                "",
                "| Command or option | Default | Now | Why, or what is better |",
                "|---|---|---|---|",
            ]
        name = f"`{row.name}`" if row.of else f"**`{row.name}`**"
        page.append(f"| {name} | {row.default} | {row.now} | {_cell(row)} |")
    return "\n".join(page).strip()


def _table(first: str, rows: list[Row]) -> str:
    lines = [f"| {first} {_COLUMNS}", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{row.name}` | {row.now} | {_cell(row)} |" for row in rows)])


def _cell(row: Row) -> str:
    without = ", ".join(f"`{name}`" for name in row.missing)
    return "; ".join(filter(None, (row.words, f"without {without}" if without else "")))


def _default(value: Any) -> str:
    if value is None or value is False:
        return ""
    return "on" if value is True else f"`{value}`"
