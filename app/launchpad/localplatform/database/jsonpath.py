"""The forms of PostgreSQL JSON paths with a condition that clients filter custom metadata by.

`$.a.b ? (@ == "x")`, `$.a.b[*] ? (@ == "x" || @ == "y")`, `$.a.b ? (@ like_regex "…" flag "i")`, and `$.a.b` alone
(it exists). SQLite calls `matches` for each document as the function `json_path_matches`; PostgreSQL has
`jsonb_path_exists`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Integer, and_, case, func, or_

FUNCTIONS = ("json_path_matches", "json_text_matches")
_EXACT = 1e15  # numbers below are written without an exponent
_PATH = re.compile(r'\$((?:\.(?:\w+|"[^"]*")|\[\*\])*)\s*(?:\?\s*\((.*)\)\s*)?', re.DOTALL)
_STEP = re.compile(r'\.(\w+)|\."([^"]*)"|(\[\*\])')
_STRING = r'"(?:[^"\\]|\\.)*"'
_EQUALS = re.compile(rf"\s*@\s*==\s*({_STRING}|-?\d+(?:\.\d+)?|true|false|null)\s*")
_REGEX = re.compile(rf"\s*@\s+like_regex\s+({_STRING})(?:\s+flag\s+({_STRING}))?\s*")
_ALTERNATIVE = re.compile(rf'\s*((?:[^"|]|{_STRING})+?)\s*(\|\||$)')
_MANY = 16  # repetitions that count as any number
_OPEN_ENDS = 3  # unbounded repetitions in a regular expression
_PLAIN = re.compile(r"[\w .,:;/+-]*", re.ASCII)  # the same letters in JSON, however it was written


class _Path:
    """A path that was understood."""

    def __init__(self, text: str) -> None:
        match = _PATH.fullmatch(text.strip())
        if match is None:
            raise ValueError("the JSON path is malformed, or of a form that this platform does not know")
        self.steps = [(name or quoted, bool(star)) for name, quoted, star in _STEP.findall(match.group(1))]
        self.keys = [f'"{name}"' for name, star in self.steps if not star and _PLAIN.fullmatch(name)]
        """Texts of which a document has to hold each."""
        self.place = "".join(f'."{name}"' for name, _ in self.steps)
        """The path as SQLite knows it; "" where it has no such path."""
        if any(star for _, star in self.steps) or len(self.keys) != len(self.steps):
            self.place = ""
        self.wanted: list[str] | None = None
        """Texts of which a document has to hold one; None where that is not known."""
        self.tests: list[Callable[[Any], bool]] | None = None
        if match.group(2) is not None:
            parts = _alternatives(match.group(2))
            self.tests = [_test(part) for part in parts]
            plain = [_EQUALS.fullmatch(part) for part in parts]
            texts = [json.loads(found.group(1)) if found else None for found in plain]
            written = [_written(value) if found else None for value, found in zip(texts, plain, strict=True)]
            if None not in written:
                self.wanted = [text for text in written if text is not None]

    def matches(self, document: Any) -> bool:
        found = _select(document, self.steps)
        if self.tests is None:
            return any(True for _ in found)
        tests = self.tests
        # Lax mode: a condition on a list is asked of its elements.
        values = (part for value in found for part in (value if isinstance(value, list) else (value,)))
        return any(test(value) for value in values for test in tests)


@lru_cache(maxsize=256)
def _compiled(text: str) -> _Path:
    return _Path(text)


def condition(column: Any, text: str) -> ColumnElement[bool]:
    """A condition on a JSON column.

    Raises:
        ValueError: the expression is of another form, or would take too long.
    """
    path = _compiled(text)
    full: ColumnElement[bool] = func.json_path_matches(column, text, type_=Integer) == 1
    # Most documents are left out without being parsed, or before their parts become Python's.
    parts = [func.instr(column, key) > 0 for key in path.keys]
    if path.wanted is not None:
        parts.append(or_(*(func.instr(column, wanted) > 0 for wanted in path.wanted)))
    elif path.tests is not None and path.place:
        place = f"${path.place}"
        own = func.json_text_matches(func.json_extract(column, place), text, type_=Integer) == 1
        full = case((func.json_type(column, place) == "text", own), else_=full)
    return and_(*parts, full)


def matches(document: str | None, text: str) -> int:
    """Whether a document, as it is stored, has what the path asks for: 1 or 0."""
    return int(document is not None and _compiled(text).matches(orjson.loads(document)))


def text_matches(value: str, text: str) -> int:
    """Whether a text at the end of the path is what the condition asks for: 1 or 0."""
    return int(any(test(value) for test in _compiled(text).tests or ()))


def _written(value: Any) -> str | None:
    """How a value stands in a document, whoever wrote it; None where that is not sure."""
    if isinstance(value, str):
        return f'"{value}"' if _PLAIN.fullmatch(value) else None
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if float(value).is_integer():
        return str(int(value)) if abs(value) < _EXACT else None
    return repr(value) if 1e-3 < abs(value) < _EXACT else None


def _alternatives(text: str) -> list[str]:
    parts: list[str] = []
    at = 0
    while at < len(text) or not parts:
        match = _ALTERNATIVE.match(text, at)
        if match is None:
            raise ValueError(f"the condition “{text.strip()}” is malformed")
        parts.append(match.group(1))
        if not match.group(2):
            return parts
        at = match.end()
    raise ValueError(f"the condition “{text.strip()}” ends too early")


def _test(text: str) -> Callable[[Any], bool]:
    if match := _EQUALS.fullmatch(text):
        wanted = json.loads(match.group(1))
        if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
            return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value == wanted
        return lambda value: type(value) is type(wanted) and value == wanted
    if match := _REGEX.fullmatch(text):
        flags = re.IGNORECASE if match.group(2) and "i" in json.loads(match.group(2)) else 0
        expression = json.loads(match.group(1))
        try:
            _check_effort(expression)
            pattern = re.compile(expression, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"the regular expression is malformed: {error}") from error
        return lambda value: isinstance(value, str) and pattern.search(value) is not None
    raise ValueError(f"the condition “{text.strip()}” is of a form that this platform does not know")


def _check_effort(expression: str) -> None:
    """Refuse expressions that can take exponential time: repetitions of what repeats or chooses by itself."""
    from re import _parser  # type: ignore[attr-defined]

    if _open_ends(_parser.parse(expression)) > _OPEN_ENDS:
        raise ValueError(f"the regular expression has more than {_OPEN_ENDS} repetitions without an end")


def _open_ends(parsed: Any) -> int:
    total = 0
    for name, argument in parsed:
        inside = sum(_open_ends(part) for part in _nested(argument))
        if str(name) in ("MAX_REPEAT", "MIN_REPEAT") and argument[1] > _MANY:
            if inside or any(str(operation) == "BRANCH" for operation, _ in _flat(argument[2])):
                raise ValueError("the regular expression repeats a repetition or a choice; that could take forever")
            inside = 1
        elif str(name) == "GROUPREF":
            raise ValueError("the regular expression refers back to a group; that could take forever")
        total += inside
    return total


def _nested(argument: Any) -> Iterator[Any]:
    """The patterns within an operation's argument."""
    if hasattr(argument, "getwidth"):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _nested(part)


def _flat(parsed: Any) -> Iterator[tuple[Any, Any]]:
    for name, argument in parsed:
        yield name, argument
        for part in _nested(argument):
            yield from _flat(part)


def _select(document: Any, steps: list[tuple[str, bool]]) -> Iterator[Any]:
    if not steps:
        yield document
        return
    name, star = steps[0]
    if star:
        for item in document if isinstance(document, list) else [document]:
            yield from _select(item, steps[1:])
    elif isinstance(document, list):  # lax mode: a name is looked for in the elements
        for item in document:
            if isinstance(item, Mapping) and name in item:
                yield from _select(item[name], steps[1:])
    elif isinstance(document, Mapping) and name in document:
        yield from _select(document[name], steps[1:])
