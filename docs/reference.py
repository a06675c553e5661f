"""A hook of mkdocs: the pages that are made from the code, so that they cannot disagree with it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CODE = Path(__file__).resolve().parent.parent / "app" / "launchpad"
_ERRORS = {
    "LaunchpadError", "BadInput", "NotFound", "Changed", "SettingsError", "SlideError", "Unreachable", "TransferError",
    "ChecksumError", "TooLarge", "DiskFull", "WorkerDied",
}  # fmt: skip
_FETCHED = re.compile(r"<script src=\"?https://unpkg\.com/iframe-worker/shim\"?></script>")
_SHIM = "offline/iframe-worker.js"  # browsers start no worker from a local file; this runs its script in a frame
_PARTS = ("title", "detail", "advice", "subject")


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


def generated() -> dict[str, str]:
    """The pages by file name, as Markdown."""
    return {"cli.md": command_line(), "library.md": library(), "troubleshooting.md": troubleshooting()}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its words, `launchpad application list`, and what Click knows of it."""
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
    """Every command with its arguments and options."""
    codes = (
        "Exit codes: 0 done, 1 failed or done with failures in some slides, 2 bad input or not found, "
        "3 changed by somebody else, 78 bad settings, 130 cancelled."
    )
    page = ["# Command line", "", codes, ""]
    for words, command in commands():
        page += [f"## {words}", "", _text(command.help or command.short_help), ""]
        rows = [_parameter(item) for item in command.params if not getattr(item, "hidden", False)]
        rows = [row for row in rows if "--install-completion" not in row and "--show-completion" not in row]
        if rows:
            page += ["| argument or option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(page)


def _parameter(item: Any) -> str:
    argument = item.param_type_name == "argument"
    name = f"<{item.name}>" if argument else " / ".join((*item.opts, *item.secondary_opts))
    default = "" if item.required or item.default in (None, (), []) or callable(item.default) else item.default
    default = getattr(default, "value", default)
    if item.required:
        default = "needed"
    return f"| `{name}` | {_cell(str(default))} | {_cell(getattr(item, 'help', '') or '')} |"


def library() -> str:
    """Every name that the packages export, with signature and docstring."""
    page = ["# Python library", "", "Names that a package exports are loaded at their first use.", ""]
    for package in ("platform", "application", "wsi", "qupath", "notebook"):
        module = importlib.import_module(f"launchpad.{package}")
        names = sorted(getattr(module, "_EXPORTS", None) or getattr(module, "__all__", ()))
        if not names:
            continue
        page += [f"## launchpad.{package}", "", _text(inspect.getdoc(module) or ""), ""]
        for name in names:
            page += _member(name, getattr(module, name), "###")
            if inspect.isclass(getattr(module, name)) and not _is_data(getattr(module, name)):
                for part, value in vars(getattr(module, name)).items():
                    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
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
    return [
        f"{level} {name}",
        "",
        f"`{name.rpartition('.')[2]}{signature}`",
        "",
        _text(inspect.getdoc(value) or ""),
        "",
    ]


def troubleshooting() -> str:
    """Every error title in the code with its advice."""
    found: dict[str, set[str]] = {}
    for file in sorted(_CODE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _ERRORS:
                parts = dict(zip(_PARTS, node.args, strict=False)) | {
                    word.arg: word.value for word in node.keywords if word.arg
                }
                title = _constant(parts.get("title"))
                if title:
                    advice = _constant(parts.get("advice"))
                    found.setdefault(title, set()).update([advice] if advice else [])
    head = (
        "An error says what happened, to what, and what to do next. Here is every one that has a fixed title, in "
        "alphabetical order. “…” stands for a value. `launchpad system health` looks at everything once."
    )
    page = ["# Troubleshooting by error message", "", head, ""]
    for title in sorted(found, key=str.casefold):
        page += [f"## {_text(title)}", "", *(f"- {_text(advice)}" for advice in sorted(found[title])), ""]
    return "\n".join(page)


def _constant(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
    return ""


def _text(words: str) -> str:
    """Docstrings are plain text: what HTML or Markdown would take for its own is written out."""
    return re.sub(r"([<>\[\]*_|])", r"\\\1", words.replace("&", "&amp;")).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _cell(words: str) -> str:
    return _text(" ".join(words.split()))
