"""Mapping rules: `<regexp>:<key>=<value>,…` sets fields of the slides whose external id the regexp is found in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from launchpad.application.columns import Column
from launchpad.application.draft import Slide
from launchpad.errors import LaunchpadError

# A quote inside of quotes is doubled, as in CSV.
_VALUE = re.compile(r'\s*(?P<key>\w+)\s*=\s*(?:"(?P<quoted>(?:[^"]|"")*)"\s*|(?P<plain>(?!\s*")[^,]*))(?=,|$)')


@dataclass(frozen=True)
class Mapping:
    """One rule."""

    text: str
    pattern: re.Pattern[str]
    values: tuple[tuple[str, str], ...]


def parse(text: str) -> Mapping:
    """Read a rule. The first colon ends the regexp; values run to the next comma, or are quoted to hold one.

    Raises:
        LaunchpadError: the rule is malformed; names it.
    """
    pattern, colon, rest = text.partition(":")
    if not colon or not rest.strip():
        raise _bad(text, "It has no colon with values behind it.")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise _bad(text, f"Its regular expression is malformed: {error}.") from error
    values = []
    position = 0
    while position <= len(rest):
        found = _VALUE.match(rest, position)
        if found is None:
            raise _bad(text, f"“{rest[position:].partition(',')[0]}” is not of the form key=value.")
        quoted, plain = found.group("quoted"), found.group("plain")
        values.append((found.group("key"), plain.strip() if quoted is None else quoted.replace('""', '"')))
        position = found.end() + 1  # behind the comma, or behind the end
    return Mapping(text, compiled, tuple(values))


def apply(mappings: Iterable[Mapping], slides: Sequence[Slide], columns: Sequence[Column]) -> list[Slide]:
    """The slides with all rules applied, in their order; later rules win.

    Raises:
        LaunchpadError: a rule sets a field that the application does not have; names the known ones.
    """
    result = list(slides)
    known = {column.key for column in columns}
    for mapping in mappings:
        check(mapping, columns)
        for number, slide in enumerate(result):
            if mapping.pattern.search(slide.external_id):
                values = {key: value for key, value in mapping.values if key in known}
                slide = replace(slide, values={**slide.values, **values})
                given = dict(mapping.values).get("resolution_mpp")
                if given is not None:
                    slide = replace(slide, mpp=_mpp(mapping, given), mpp_origin="user", mpp_problem="")
                result[number] = slide
    return result


@dataclass(frozen=True)
class Match:
    """What one rule matched: the external ids, in their order, and the values that it sets."""

    text: str
    external_ids: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


def dry_run(mappings: Iterable[Mapping], external_ids: Sequence[str], columns: Sequence[Column]) -> list[Match]:
    """What each rule would set where, without setting it.

    Raises:
        LaunchpadError: a rule sets a field that the application does not have, or an MPP that cannot be.
    """
    found = []
    for mapping in mappings:
        check(mapping, columns)
        matching = tuple(external_id for external_id in external_ids if mapping.pattern.search(external_id))
        found.append(Match(mapping.text, matching, mapping.values))
    return found


def check(mapping: Mapping, columns: Sequence[Column]) -> None:
    """Raise LaunchpadError when a rule sets a field that the application does not have, or an MPP that cannot be."""
    known = [column.key for column in columns] + ["resolution_mpp"]
    for key, value in mapping.values:
        if key not in known:
            raise _bad(mapping.text, f"“{key}” is no field of this application; known: {', '.join(known)}.")
        if key == "resolution_mpp":
            _mpp(mapping, value)


def _mpp(mapping: Mapping, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _bad(mapping.text, f"“{text}” is not a number.") from None
    if not 0 < value < 100:
        raise _bad(mapping.text, f"An MPP of {text} cannot be.")
    return value


def _bad(text: str, detail: str) -> LaunchpadError:
    return LaunchpadError(
        "The mapping cannot be used",
        detail=detail,
        advice="Write it like “.*\\.svs:tissue=LUNG,disease=LUNG_CANCER”.",
        subject=text,
    )
