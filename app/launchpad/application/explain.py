"""A JSON Schema in words: which fields, what they take, what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 8
_CHOICES = 12  # that are named


@dataclass(frozen=True)
class FieldView:
    """A field: its place as a dotted path, what it takes, whether it must be there, and what it is for."""

    path: str
    takes: str
    required: bool
    meaning: str


def explain(schema: Mapping[str, Any]) -> list[FieldView]:
    """The fields of an object's schema, nested ones below their parents."""
    return list(_fields(schema, schema, "", 0, required_above=True))


def _fields(
    schema: Mapping[str, Any], root: Mapping[str, Any], path: str, depth: int, *, required_above: bool
) -> Iterator[FieldView]:
    wanted = schema.get("required") or ()
    for name, value in (schema.get("properties") or {}).items():
        value = _resolved(value, root)
        place = f"{path}.{name}" if path else str(name)
        required = required_above and name in wanted
        meaning = str(value.get("description") or value.get("title") or "")
        nested = value.get("properties")
        yield FieldView(place, "" if nested else _takes(value, root), required, meaning)
        if nested and depth < _DEEPEST:
            yield from _fields(value, root, place, depth + 1, required_above=required)


def _takes(value: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    choices = list(_choices(value, root))
    if choices:
        shown = ", ".join(str(choice) for choice in choices[:_CHOICES])
        return f"{shown}, and {len(choices) - _CHOICES} more" if len(choices) > _CHOICES else shown
    kinds = value.get("type")
    words = ", ".join(kinds) if isinstance(kinds, list) else str(kinds or "any value")
    if words == "array":
        words = f"list of {_takes(_resolved(value.get('items') or {}, root), root)}"
    limits = [
        f"{text} {value[key]:g}"
        for key, text in (
            ("minimum", "at least"), ("exclusiveMinimum", "more than"), ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        )
        if isinstance(value.get(key), (int, float))
    ]  # fmt: skip
    return ", ".join([words, *limits])


def _choices(value: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Any]:
    value = _resolved(value, root)
    if "const" in value:
        yield value["const"]
    yield from value.get("enum") or ()
    for part in (*(value.get("anyOf") or ()), *(value.get("oneOf") or ())):
        yield from _choices(part, root)


def _resolved(value: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(_DEEPEST):
        if not isinstance(value, Mapping):
            return {}
        reference = str(value.get("$ref") or "")
        if not reference.startswith("#/"):
            return value
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        value = {**target, **{key: item for key, item in value.items() if key != "$ref"}}
    return value if isinstance(value, Mapping) else {}
