"""A hook of mkdocs: every error of the code with its advice, for the page on troubleshooting.

Beside the pages it writes `errors.json`, by which the window finds the entry of an error that it shows.
Titles are read from the code without running it: also those that stand in a variable, in a table, in a choice of two,
or that are given to a function which makes the error.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_CODE = _HERE.parent / "app" / "launchpad"
_MARK = "<!-- errors -->"
_PARTS = ("title", "detail", "advice", "subject")
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEEP = 4  # calls that a title is followed through
AREAS = {
    "Slides": ("wsi", "dataset"),
    "Starting a run": ("application",),
    "The platform and the line to it": ("platform", "localplatform"),
    "Uploads, downloads and the bucket": ("bucket",),
    "QuPath and notebooks": ("qupath", "notebook"),
    "The analysis": ("analysis",),
    "This computer, settings and updates": ("", "system", "cli", "desktop", "mcp"),
}


@dataclass
class Entry:
    """An error: its title (“…” for a value), what to do, and the packages that it comes from."""

    title: str
    advice: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Place:
    """A place in the code that makes an error whose title could not be read."""

    file: str
    line: int
    text: str


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put the errors where a page asks for them."""
    return markdown.replace(_MARK, listed()) if _MARK in markdown else markdown


def on_post_build(config: Any) -> None:
    """Write where each error stands."""
    Path(config.site_dir, "errors.json").write_text(json.dumps(places()), encoding="utf-8")


def places() -> dict[str, str]:
    """The anchor of each error on the page, by its title, as the `toc` of Markdown makes it."""
    from markdown.extensions.toc import slugify

    return {title: slugify(title, "-") for title in sorted(collect()[0])}


def listed() -> str:
    """All errors as Markdown, by what they are about."""
    found, _ = collect()
    more = extra()
    page: list[str] = []
    for area in AREAS:
        entries = [entry for entry in found.values() if area_of(entry) == area]
        page += [f"## {area}", ""] if entries else []
        for entry in sorted(entries, key=lambda item: item.title.casefold()):
            lines = [*sorted(entry.advice), *([more[entry.title]] if entry.title in more else [])]
            page += [f"### {_text(entry.title)}", "", *(f"- {_text(line)}" for line in lines), ""]
    return "\n".join(page)


def area_of(entry: Entry) -> str:
    """The first area that one of its packages belongs to."""
    return next(area for area, packages in AREAS.items() if entry.packages & set(packages))


def extra() -> dict[str, str]:
    """What to do about errors whose advice the code does not have, by title."""
    known: dict[str, str] = tomllib.loads((_HERE / "errors.toml").read_text(encoding="utf-8"))
    return known


@functools.cache
def collect() -> tuple[dict[str, Entry], list[Place]]:
    """Every error by title, and the places where one is made whose title cannot be read."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(_CODE.rglob("*.py"))}
    classes = _error_classes(texts.values())
    made = re.compile(rf"\b({'|'.join(sorted(classes))})\(|advice=")
    found: dict[str, Entry] = {}
    unread = []
    for file, text in texts.items():
        if not made.search(text):
            continue  # to read all of the code as a tree takes seconds
        package = file.relative_to(_CODE).parts[0] if file.parent != _CODE else ""
        module = _Module(ast.parse(text))
        for call in module.calls():
            parts = _parts(call, classes)
            if parts is None:
                continue
            titles = module.texts(parts.get("title"))
            if not titles:
                unread.append(Place(file.relative_to(_CODE).as_posix(), call.lineno, ast.unparse(call)))
            for title in filter(None, titles):
                entry = found.setdefault(title, Entry(title))
                entry.packages.add(package)
                entry.advice |= module.beside(parts, title)
    return found, unread


def _error_classes(texts: Iterable[str]) -> set[str]:
    """LaunchpadError, and all that derives from it."""
    bases: dict[str, set[str]] = {}
    for text in texts:
        for name, above in re.findall(r"^\s*class (\w+)\(([^)]*)\)", text, re.M):
            bases.setdefault(name, set()).update(re.findall(r"\w+", above))
    known = {"LaunchpadError"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return known


def _parts(call: ast.Call, classes: set[str]) -> dict[str, ast.expr] | None:
    """The arguments of a call that makes an error; None for any other call."""
    name = _name(call.func)
    keywords = {word.arg: word.value for word in call.keywords if word.arg}
    if name not in classes and not {"detail", "advice"} <= set(keywords):
        return None
    return dict(zip(_PARTS, call.args, strict=False)) | keywords


class _Module:
    """One file: what its names may stand for, as far as texts go."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        nodes = list(ast.walk(tree))
        self._above: dict[ast.AST, ast.AST] = {child: node for node in nodes for child in ast.iter_child_nodes(node)}
        self._classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self._unpacked = [
            node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        ]
        self._calls: dict[str, list[ast.Call]] = {}
        for node in nodes:
            if isinstance(node, ast.Call):
                self._calls.setdefault(_name(node.func), []).append(node)

    def calls(self) -> Iterator[ast.Call]:
        """Every call in the file."""
        for calls in self._calls.values():
            yield from calls

    def texts(self, node: ast.expr | None, deep: int = 0) -> list[str]:
        """Every text that an expression may be."""
        if node is None or deep > _DEEP:
            return []
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr():
                return [_joined(node)]
            case ast.IfExp():
                return [*self.texts(node.body, deep + 1), *self.texts(node.orelse, deep + 1)]
            case ast.Name():
                return list(dict.fromkeys(self._named(node, node.id, deep)))
            case ast.Attribute() if node.attr not in _PARTS:  # those of another error come from where it is made
                return [text for value in self._attributes(node.attr) for text in self.texts(value, deep + 1)]
        return []

    def beside(self, parts: dict[str, ast.expr], title: str) -> set[str]:
        """The advice that goes with a title: where both are chosen at once, only that of its choice."""
        advice = parts.get("advice")
        names = (parts.get("title"), advice)
        if all(isinstance(item, ast.Name) for item in names):
            pairs = [pair for pair in self._pairs(*(item.id for item in names)) if pair[0] == title]  # type: ignore[union-attr]
            if any(text for _, text in pairs):
                return {text for _, text in pairs if text}
        return {text for text in self.texts(advice) if text}

    def _pairs(self, first: str, second: str) -> Iterator[tuple[str, str]]:
        for node in self._unpacked:
            names = [getattr(item, "id", "") for item in node.targets[0].elts]  # type: ignore[attr-defined]
            if first in names and second in names:
                for values in _tuples(node.value, len(names)):
                    for title in self.texts(values[names.index(first)]):
                        for advice in self.texts(values[names.index(second)]) or [""]:
                            yield title, advice

    def _named(self, node: ast.AST, name: str, deep: int) -> Iterator[str]:
        function = self._function_of(node)
        scope = function if function is not None else self._tree
        if function is not None and name in _parameters(function):
            yield from self._given(function, name, deep)
        for value in _assigned(scope, name):
            yield from self.texts(value, deep + 1)
        if function is not None and not _is_local(function, name):
            yield from self._named(function, name, deep)

    def _given(self, function: Any, name: str, deep: int) -> Iterator[str]:
        """What callers in this file give for a parameter."""
        position = _parameters(function).index(name) - (_parameters(function)[:1] in (["self"], ["cls"]))
        for call in self._calls.get(function.name, ()):
            given = {word.arg: word.value for word in call.keywords if word.arg}
            value = given.get(name) or (call.args[position] if position < len(call.args) else None)
            yield from self.texts(value, deep + 1)

    def _attributes(self, name: str) -> Iterator[ast.expr]:
        """What a class of this file says an attribute is."""
        for line in (line for node in self._classes for line in node.body):
            if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
                targets = line.targets if isinstance(line, ast.Assign) else [line.target]
                if any(getattr(target, "id", "") == name for target in targets):
                    yield line.value

    def _function_of(self, node: ast.AST) -> Any:
        above = self._above.get(node)
        while above is not None and not isinstance(above, _Function):
            above = self._above.get(above)
        return above


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _parameters(function: Any) -> list[str]:
    own = function.args
    return [item.arg for item in (*own.posonlyargs, *own.args, *own.kwonlyargs)]


def _is_local(function: Any, name: str) -> bool:
    return name in _parameters(function) or any(True for _ in _assigned(function, name))


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if getattr(target, "id", "") == name:
                    yield node.value
                elif isinstance(target, ast.Tuple):
                    names = [getattr(item, "id", "") for item in target.elts]
                    if name in names:
                        yield from (values[names.index(name)] for values in _tuples(node.value, len(names)))
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and getattr(node.target, "id", "") == name and node.value:
            yield node.value


def _tuples(value: ast.expr, length: int) -> Iterator[list[ast.expr]]:
    for node in ast.walk(value):
        if isinstance(node, ast.Tuple) and len(node.elts) == length:
            yield node.elts


def _joined(node: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def _text(words: str) -> str:
    """What HTML or Markdown would take for its own is written out; what stands in backquotes is code."""
    parts = re.split(r"(`[^`]+`)", words)
    return "".join(part if part.startswith("`") and len(part) > 2 else _plain(part) for part in parts)


def _plain(words: str) -> str:
    words = re.sub(r"([\[\]*_|`])", r"\\\1", words.replace("&", "&amp;"))
    return words.replace("<", "&lt;").replace(">", "&gt;")
