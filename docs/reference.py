"""A hook of mkdocs: the pages that are made from the code, so that they cannot disagree with it."""

from __future__ import annotations

import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PACKAGES = ("platform", "application", "wsi", "dataset", "bucket", "qupath", "notebook", "system")
_CODES = (
    "`launchpad COMMAND --help` says the same in a terminal. Where a command prints data, `--format json` prints JSON.",
    "",
    "| exit code | meaning |",
    "|---|---|",
    "| 0 | done |",
    "| 1 | failed, not healthy, or done with failures in some slides |",
    "| 2 | bad use, bad input, or not found |",
    "| 3 | changed by somebody else meanwhile |",
    "| 78 | the settings are not valid, or no platform is chosen |",
    "| 130 | cancelled (Ctrl-C) |",
)
_FETCHED = re.compile(r"<script src=\"?https://unpkg\.com/iframe-worker/shim\"?></script>")
_PICTURE = re.compile(r"screenshots/([\w-]+)\.png")
_SHIM = "offline/iframe-worker.js"  # browsers start no worker from a local file; this runs its script in a frame


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    from mkdocs.structure.files import File

    for name, content in generated().items():
        files.append(File.generated(config, name, content=content))
    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """With our copy of the script that the theme would fetch from the network for its search in local files."""
    return _FETCHED.sub(f'<script src="{"../" * page.url.count("/")}{_SHIM}"></script>', output)


def on_post_template(output_content: str, template_name: str, config: Any) -> str:
    """As `on_post_page`, for pages without Markdown."""
    return _FETCHED.sub(f'<script src="{_SHIM}"></script>', output_content)


def on_post_build(config: Any) -> None:
    """Leave out what no page uses, and make the pictures small: the help ships with every installation."""
    from PIL import Image

    site = Path(config.site_dir)
    for unused in (*site.rglob("*.map"), *site.glob("sitemap.xml*")):
        unused.unlink()
    shutil.rmtree(site / "assets" / "javascripts" / "lunr")  # other languages' searches
    shown: set[str] = set()
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        shown |= set(_PICTURE.findall(text))
        page.write_text(_PICTURE.sub(r"screenshots/\1.webp", text), encoding="utf-8")
    for picture in (site / "screenshots").glob("*.png"):
        if picture.stem in shown:
            with Image.open(picture) as image:
                image.convert("RGB").save(picture.with_suffix(".webp"), lossless=True, method=4)
        picture.unlink()


def generated() -> dict[str, str]:
    """The pages by file name, as Markdown."""
    return {"cli.md": command_line(), "library.md": library()}


# --- the command line -------------------------------------------------------------------------------------------------
def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its words, `launchpad application list`, and what Click knows of it; hidden ones left out."""
    import typer

    from launchpad.cli.app import COMMANDS, GROUPS

    for name, (module, _) in (GROUPS | COMMANDS).items():
        app = importlib.import_module(f"launchpad.cli.{module}").app
        yield from _below(f"launchpad {name}", typer.main.get_command(app))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, child in command.commands.items():
        if not child.hidden:
            yield from _below(f"{words} {name}", child)


def command_line() -> str:
    """Every command with its arguments and options, a heading for each group."""
    import typer

    from launchpad.cli.app import GROUPS, app

    page = ["# Command line", "", *_CODES, ""]
    page += [
        "## Before any command",
        "",
        "`launchpad [options] command …`",
        "",
        *_parameters(typer.main.get_command(app)),
    ]
    group = ""
    for words, command in commands():
        name = words.split()[1]
        if name in GROUPS and name != group:
            page += [f"## launchpad {name}", "", _text(GROUPS[name][1]), ""]
        group = name
        page += [f"{'###' if name in GROUPS else '##'} {words}", "", f"`{_usage(words, command)}`", ""]
        page += [_text(inspect.cleandoc(command.help or command.short_help or "")), "", *_parameters(command)]
    return "\n".join(page)


def _usage(words: str, command: Any) -> str:
    parts = [words]
    if any(item.param_type_name == "option" and not item.hidden for item in command.params):
        parts.append("[options]")
    for item in (item for item in command.params if item.param_type_name == "argument"):
        name = f"{item.name}{'…' if item.nargs == -1 else ''}"
        parts.append(f"<{name}>" if item.required else f"[{name}]")
    return " ".join(parts)


def _parameters(command: Any, *, root: bool = False) -> list[str]:
    """The table of a command; completion belongs to `launchpad` alone, though typer gives it to every group."""
    shown = [item for item in command.params if not item.hidden and (root or not item.name.endswith("_completion"))]
    rows = [_parameter(item, command) for item in shown]
    return ["| argument or option | default | meaning |", "|---|---|---|", *rows, ""] if rows else []


def _parameter(item: Any, command: Any) -> str:
    import typer

    argument = item.param_type_name == "argument"
    name = f"<{item.name}>" if argument else " / ".join((*item.opts, *item.secondary_opts))
    default = "" if item.required or item.default in (None, (), [], False) or callable(item.default) else item.default
    default = getattr(default, "value", default)
    default = "needed" if item.required else "on" if default is True else default
    meaning = _cell(getattr(item, "help", "") or "")
    choices = item.display_type(typer.Context(command))
    if "|" in choices:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in choices.strip('<>[]').split('|'))}."
    elif item.min is not None and item.max is not None:
        meaning += f" From {item.min:g} to {item.max:g}."
    if item.multiple and "repeated" not in meaning:
        meaning += " Can be given several times."
    return f"| `{name}` | {_cell(str(default))} | {meaning.strip()} |"


# --- the library ------------------------------------------------------------------------------------------------------
def exported(package: str) -> list[str]:
    """The names that a package offers; `bucket` knows its `Service` by name alone."""
    module = importlib.import_module(f"launchpad.{package}")
    return sorted(getattr(module, "_EXPORTS", None) or getattr(module, "__all__", None) or ("Service",))


def library() -> str:
    """Every name that the packages export, with signature and docstring."""
    page = ["# Python library", "", "Names that a package exports are loaded at their first use.", ""]
    for package in PACKAGES:
        module = importlib.import_module(f"launchpad.{package}")
        page += [f"## launchpad.{package}", "", _text(inspect.getdoc(module) or ""), ""]
        for name in exported(package):
            value = getattr(module, name)
            page += _member(name, value, "###")
            if inspect.isclass(value) and not _is_data(value):
                for part, own in vars(value).items():
                    function = own.__func__ if isinstance(own, staticmethod | classmethod) else own
                    if not part.startswith("_") and inspect.isfunction(function):
                        page += _member(f"{name}.{part}", function, "####")
    return "\n".join(page)


def _is_data(value: Any) -> bool:
    return hasattr(value, "model_fields") or hasattr(value, "__members__")


def _member(name: str, value: Any, level: str) -> list[str]:
    if not callable(value):
        return [f"{level} {name}", "", f"`{value!r}`", ""]
    if hasattr(value, "model_fields"):
        words = ", ".join(f"`{field}`" for field in value.model_fields)
        return [f"{level} {name}", "", _text(inspect.getdoc(value) or ""), "", f"Fields: {words}.", ""]
    if hasattr(value, "__members__"):
        words = ", ".join(f"`{member}`" for member in value.__members__)
        return [f"{level} {name}", "", _text(inspect.getdoc(value) or ""), "", f"Values: {words}.", ""]
    try:
        signature = str(inspect.signature(value))
    except ValueError:
        signature = "(…)"
    signature = re.sub(r" at 0x[0-9a-f]+", "", signature)
    signature = re.sub(r"(: |-> )(['\"])((?:(?!\2).)*)\2", r"\1\3", signature)  # annotations stand in quotes
    return [
        f"{level} {name}",
        "",
        f"`{name.rpartition('.')[2]}{signature}`",
        "",
        _text(inspect.getdoc(value) or ""),
        "",
    ]


def _text(words: str) -> str:
    """Docstrings are plain text: what HTML or Markdown would take for its own is written out, but not in backquotes."""
    parts = re.split(r"(`[^`\n]+`)", words)
    return "".join(part if part.startswith("`") and len(part) > 2 else _plain(part) for part in parts)


def _plain(words: str) -> str:
    words = re.sub(r"([\[\]*_|`])", r"\\\1", words.replace("&", "&amp;"))
    return words.replace("<", "&lt;").replace(">", "&gt;")


def _cell(words: str) -> str:
    return _text(" ".join(words.split()))
