"""What a person fills in for each slide, from the JSON Schema of an application version's input artifact."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launchpad.platform.models import InputArtifact, VersionReadResponse

# What Launchpad reads from the file itself.
TECHNICAL = frozenset(("checksum_base64_crc32c", "resolution_mpp", "width_px", "height_px", "media_type"))
# Values that the platform took before it said so in its schema.
_KNOWN: dict[str, tuple[str, ...]] = {"staining_method": ("H&E",)}
_LIMITS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "minimum": (operator.ge, "at least"),
    "exclusiveMinimum": (operator.gt, "more than"),
    "maximum": (operator.le, "at most"),
    "exclusiveMaximum": (operator.lt, "less than"),
}
_DEEPEST = 20  # references that lead to references
# The order that the old SDK's CSV has.
_FIRST = ("staining_method", "tissue", "disease")


@dataclass(frozen=True)
class Column:
    """A field of a slide. `pointer` is its place in the artifact's metadata; no `choices` means free text."""

    key: str
    pointer: tuple[str, ...]
    title: str
    required: bool
    choices: tuple[str, ...]
    default: str | None

    def refuses(self, value: str) -> bool:
        """Whether a value is none of the choices; where there is none, nothing is refused for that."""
        return bool(value and self.choices) and value not in self.choices


def input_artifact(version: VersionReadResponse) -> InputArtifact:
    """The one artifact that a slide is.

    Raises:
        LaunchpadError: the version wants none or several; a slide is one file.
    """
    if len(version.input_artifacts) != 1:
        from launchpad.errors import LaunchpadError

        raise LaunchpadError(
            "This application cannot be used with slides alone",
            detail=f"It wants {len(version.input_artifacts)} files for each item.",
            advice="Use its API directly.",
        )
    return version.input_artifacts[0]


def mpp_limits(schema: Mapping[str, Any]) -> dict[str, float]:
    """The limits that the schema sets to the resolution, in micrometres a pixel, under JSON Schema's keywords."""
    field = _resolved((schema.get("properties") or {}).get("resolution_mpp") or {}, schema)
    return {key: float(field[key]) for key in _LIMITS if isinstance(field.get(key), (int, float))}


def outside(limits: Mapping[str, float], value: float) -> str:
    """Words for a person when a number breaks a limit, otherwise ""."""
    for key, (keeps, words) in _LIMITS.items():
        if key in limits and not keeps(value, limits[key]):
            return f"{value:g} is not {words} {limits[key]:g}"
    return ""


def columns(schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """The fields to fill in, in the order of the metadata CSV. A field that has one choice only has it as default."""
    found = _fields(schema, schema, (), required=True)
    order = {key: number for number, key in enumerate(_FIRST)}
    return tuple(sorted(found, key=lambda column: order.get(column.key, len(order))))


def _fields(
    schema: Mapping[str, Any], root: Mapping[str, Any], place: tuple[str, ...], *, required: bool
) -> list[Column]:
    found: list[Column] = []
    wanted = schema.get("required", ())
    for name, value in (schema.get("properties") or {}).items():
        if not place and name in TECHNICAL:
            continue
        value = _resolved(value, root)
        needed = required and name in wanted
        if value.get("type") == "object" or "properties" in value:
            found.extend(_fields(value, root, (*place, name), required=needed))
            continue
        choices = tuple(str(choice) for choice in _choices(value, root) if choice is not None)
        choices = choices or _KNOWN.get(name, ())
        default = value.get("default")
        if default is None and needed and len(choices) == 1:
            default = choices[0]
        title = str(value.get("title") or name.replace("_", " ").capitalize())
        found.append(Column(name, (*place, name), title, needed, choices, None if default is None else str(default)))
    return found


def _choices(value: Mapping[str, Any], root: Mapping[str, Any]) -> list[Any]:
    value = _resolved(value, root)
    if "const" in value:
        return [value["const"]]
    if "enum" in value:
        return list(value["enum"])
    parts = [*value.get("anyOf", ()), *value.get("oneOf", ())]
    return [choice for part in parts for choice in _choices(part, root)]


def _resolved(value: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A local reference (`#/$defs/Name`) replaced by what it names."""
    for _ in range(_DEEPEST):
        reference = value.get("$ref") or next((part["$ref"] for part in value.get("allOf", ()) if "$ref" in part), "")
        if not str(reference).startswith("#/"):
            break
        target: Any = root
        for part in str(reference)[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, Mapping) else {}
        value = {**target, **{key: item for key, item in value.items() if key not in ("$ref", "allOf")}}
    return value


def place_values(columns_: tuple[Column, ...], values: Mapping[str, str]) -> dict[str, Any]:
    """The values that are set, nested as the schema wants them."""
    document: dict[str, Any] = {}
    for column in columns_:
        value = values.get(column.key, "")
        if not value:
            continue
        place = document
        for part in column.pointer[:-1]:
            place = place.setdefault(part, {})
        place[column.pointer[-1]] = value
    return document
