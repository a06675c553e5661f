"""The forms of PostgreSQL JSON paths with a condition that clients filter custom metadata by.

`$.a.b ? (@ == "x")`, `$.a.b[*] ? (@ == "x" || @ == "y")`, `$.a.b ? (@ like_regex "…" flag "i")`, and `$.a.b` alone
(it exists).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PATH = re.compile(r'\$((?:\.(?:\w+|"[^"]*")|\[\*\])*)\s*(?:\?\s*\((.*)\)\s*)?', re.DOTALL)
_STEP = re.compile(r'\.(\w+)|\."([^"]*)"|(\[\*\])')
_STRING = r'"(?:[^"\\]|\\.)*"'
_EQUALS = re.compile(rf"\s*@\s*==\s*({_STRING}|-?\d+(?:\.\d+)?|true|false|null)\s*")
_REGEX = re.compile(rf"\s*@\s+like_regex\s+({_STRING})(?:\s+flag\s+({_STRING}))?\s*")
_OR = re.compile(rf'((?:[^"|]|{_STRING})+)(?:\|\||$)')


def compile_path(text: str) -> Callable[[Mapping[str, Any] | None], bool]:
    """A test for documents.

    Raises:
        ValueError: the expression is of another form.
    """
    match = _PATH.fullmatch(text.strip())
    if match is None:
        raise ValueError("the JSON path is malformed, or of a form that this platform does not know")
    steps = [name or quoted or "*" for name, quoted, _ in _STEP.findall(match.group(1))]
    condition = match.group(2)
    if condition is None:
        return lambda document: any(True for _ in _select(document, steps))
    parts = [part.group(1) for part in _OR.finditer(condition)]
    tests = [_test(part) for part in parts]
    return lambda document: any(test(value) for value in _select(document, steps) for test in tests)


def _test(text: str) -> Callable[[Any], bool]:
    if match := _EQUALS.fullmatch(text):
        wanted = json.loads(match.group(1))
        return lambda value: type(value) is type(wanted) and value == wanted
    if match := _REGEX.fullmatch(text):
        flags = re.IGNORECASE if match.group(2) and "i" in json.loads(match.group(2)) else 0
        try:
            pattern = re.compile(json.loads(match.group(1)), flags)
        except re.error as error:
            raise ValueError(f"the regular expression is malformed: {error}") from error
        return lambda value: isinstance(value, str) and pattern.search(value) is not None
    raise ValueError(f"the condition “{text.strip()}” is of a form that this platform does not know")


def _select(document: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        # Lax mode: a condition on an array is asked of its elements.
        yield from document if isinstance(document, list) else (document,)
    elif steps[0] == "*":
        for item in document if isinstance(document, list) else [document]:
            yield from _select(item, steps[1:])
    elif isinstance(document, Mapping) and steps[0] in document:
        yield from _select(document[steps[0]], steps[1:])
