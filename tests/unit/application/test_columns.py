"""Columns come from the version's schema, whatever it looks like."""

from __future__ import annotations

import pytest

from launchpad.application.columns import columns, input_artifact, place_values
from launchpad.errors import LaunchpadError
from launchpad.localplatform.applications.registry import APPLICATIONS


def test_columns_of_the_real_application() -> None:
    found = columns(input_artifact(APPLICATIONS["he-tme"].details()).metadata_schema)

    assert [column.key for column in found] == ["staining_method", "tissue", "disease"]  # the order of the old CSV
    stain, tissue, disease = found
    assert stain.default == "H&E"  # its only choice
    assert tissue.pointer == ("specimen", "tissue")
    assert tissue.required
    assert "LUNG" in tissue.choices
    assert "LUNG_CANCER" in disease.choices
    assert disease.default is None


def test_an_application_without_fields_of_its_own_has_no_columns() -> None:
    assert columns(input_artifact(APPLICATIONS["test-app"].details()).metadata_schema) == ()


def test_references_optional_groups_and_alternatives_are_understood() -> None:
    schema = {
        "$defs": {
            "Tissue": {"enum": ["LUNG", "SKIN"], "type": "string", "title": "Organ"},
            "Specimen": {
                "type": "object",
                "required": ["tissue"],
                "properties": {"tissue": {"$ref": "#/$defs/Tissue"}},
            },
        },
        "required": ["specimen"],
        "properties": {
            "width_px": {"type": "integer"},
            "scanner": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "second": {"anyOf": [{"$ref": "#/$defs/Tissue"}, {"type": "null"}]},
            "block": {"type": "object", "required": ["number"], "properties": {"number": {"type": "string"}}},
            "specimen": {"allOf": [{"$ref": "#/$defs/Specimen"}]},
        },
    }
    found = {column.key: column for column in columns(schema)}

    assert list(found) == ["tissue", "scanner", "second", "number"]
    assert found["tissue"].choices == ("LUNG", "SKIN")
    assert found["tissue"].title == "Organ"
    assert found["tissue"].required
    assert not found["number"].required  # required of a group that is optional
    assert found["scanner"].choices == ()
    assert found["second"].choices == ("LUNG", "SKIN")


def test_values_are_nested_as_the_schema_wants_them() -> None:
    fields = columns(input_artifact(APPLICATIONS["he-tme"].details()).metadata_schema)
    values = {"tissue": "LUNG", "disease": "", "staining_method": "H&E", "unknown": "x"}

    assert place_values(fields, values) == {"staining_method": "H&E", "specimen": {"tissue": "LUNG"}}


def test_an_application_that_wants_two_files_a_slide_is_refused() -> None:
    version = APPLICATIONS["he-tme"].details()
    version.input_artifacts = version.input_artifacts * 2

    with pytest.raises(LaunchpadError, match="wants 2 files"):
        input_artifact(version)
