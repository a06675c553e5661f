"""What a DICOM file says of its specimen is offered for the application's choices, never more."""

from __future__ import annotations

import pytest

from launchpad.application.columns import columns, input_artifact
from launchpad.application.proposals import other_stain, propose
from launchpad.localplatform.applications.registry import APPLICATIONS

COLUMNS = columns(input_artifact(APPLICATIONS["he-tme"].details()).metadata_schema)
H_AND_E = [("12710003", "hematoxylin stain"), ("36879007", "water soluble eosin stain")]


@pytest.mark.parametrize(
    ("anatomy", "tissue"),
    [
        (("39607008", "Lung"), "LUNG"),
        (("45653009", "Upper lobe of lung"), "LUNG"),
        (("59441001", "Structure of lymph node"), "LYMPH_NODE"),
        (("10200004", "Leber"), "LIVER"),
        (("69748006", "Thyroid"), None),
    ],
)
def test_anatomy_proposes_a_tissue(anatomy: tuple[str, str], tissue: str | None) -> None:
    assert propose(COLUMNS, H_AND_E, [anatomy]).get("tissue") == tissue


def test_stains_propose_a_staining_method_or_are_said() -> None:
    assert propose(COLUMNS, H_AND_E, []) == {"staining_method": "H&E"}
    assert other_stain(COLUMNS, H_AND_E) == ""
    assert other_stain(COLUMNS, []) == ""
    other = [("12710003", "hematoxylin stain"), ("113331007", "Ki-67 antibody")]
    assert propose(COLUMNS, other, []) == {}
    assert "Ki-67 antibody" in other_stain(COLUMNS, other)
