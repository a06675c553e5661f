"""Mapping rules: later ones win, mistakes are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from launchpad.application.mapping import apply, parse
from launchpad.errors import LaunchpadError

from unit.application.test_manifest import COLUMNS, slide


def test_rules_fill_in_the_slides_that_they_are_found_in() -> None:
    slides = [slide(Path("/s/lung 1.svs"), values={}), slide(Path("/s/skin.dcm"), values={})]
    rules = [parse(r".*:staining_method=H&E, tissue=OTHER"), parse(r"lung \d\.svs$:tissue=LUNG,disease=LUNG_CANCER")]

    lung, skin = apply(rules, slides, COLUMNS)
    assert lung.values == {"staining_method": "H&E", "tissue": "LUNG", "disease": "LUNG_CANCER"}
    assert skin.values == {"staining_method": "H&E", "tissue": "OTHER"}
    assert slides[0].values == {}


def test_a_rule_states_the_resolution() -> None:
    unknown = replace(slide(Path("/s/1.svs")), mpp=None, mpp_problem="The file does not say it.")
    (known,) = apply([parse("1:resolution_mpp=0.25")], [unknown], COLUMNS)
    assert (known.mpp, known.mpp_origin, known.mpp_problem) == (0.25, "user", "")
    assert "resolution_mpp" not in known.values


@pytest.mark.parametrize(
    "text", ["", "tissue=LUNG", ".*:", ".*:tissue", "(:tissue=LUNG", ".*:a b=LUNG", ".*:tissue=LUNG,"]
)
def test_a_malformed_rule_is_named(text: str) -> None:
    with pytest.raises(LaunchpadError) as caught:
        parse(text)
    assert caught.value.subject == text
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("text", [".*:tisue=LUNG", ".*:resolution_mpp=small", ".*:resolution_mpp=0"])
def test_a_rule_that_cannot_be_applied_is_named(text: str) -> None:
    with pytest.raises(LaunchpadError) as caught:
        apply([parse(text)], [slide(Path("/s/1.svs"))], COLUMNS)
    assert caught.value.subject == text


def test_an_unknown_field_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LaunchpadError, match="staining_method, tissue, disease, resolution_mpp"):
        apply([parse(".*:tisue=LUNG")], [], COLUMNS)


def test_quoted_values_hold_commas_and_quotes() -> None:
    rule = parse('.*:tissue="LUNG, left", disease="so ""called""",staining_method=H&E')
    assert rule.values == (("tissue", "LUNG, left"), ("disease", 'so "called"'), ("staining_method", "H&E"))


@pytest.mark.parametrize("text", ['.*:tissue="LUNG', '.*:tissue="LUNG"x', ".*:tissue=LUNG,", ".*:tissue=LUNG,,a=b"])
def test_what_is_left_of_a_rule_is_named(text: str) -> None:
    with pytest.raises(LaunchpadError) as caught:
        parse(text)
    assert caught.value.subject == text
