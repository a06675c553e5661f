"""What the specimen description of a DICOM slide says of stain and anatomy: to be proposed, never taken for granted.

Codes: DICOM PS3.3, section C.7.6.22 (Specimen Module), and PS3.16, template 8001 (specimen preparation).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_USING_SUBSTANCE = "424361007"  # SCT: the substance of a preparation step
_PROCESSING_TYPE = "111701"  # DCM
_STAINING = "127790008"  # SCT


@dataclass(frozen=True)
class Code:
    """A coded concept: value, scheme (SCT for SNOMED CT) and the words that the file gives for it."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Specimen:
    """Substances that the slide was stained with, and the structures that the tissue comes from."""

    stains: tuple[Code, ...] = ()
    anatomy: tuple[Code, ...] = ()


def read_specimen(path: Path) -> Specimen:
    """The specimen description of a DICOM file; empty where it has none or it cannot be understood."""
    import pydicom

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SpecimenDescriptionSequence"])
        described = header.get("SpecimenDescriptionSequence", None) or ()
        stains: dict[str, Code] = {}
        anatomy: dict[str, Code] = {}
        for specimen in described:
            for step in specimen.get("SpecimenPreparationSequence", None) or ():
                for code in _stains(step.get("SpecimenPreparationStepContentItemSequence", None) or ()):
                    stains[code.value] = code
            for structure in specimen.get("PrimaryAnatomicStructureSequence", None) or ():
                code = _code(structure)
                anatomy[code.value] = code
    except Exception:  # noqa: BLE001 - a proposal less; what is wrong with the file is said by its reader
        return Specimen()
    return Specimen(tuple(stains.values()), tuple(anatomy.values()))


def _stains(items: Iterable[Dataset]) -> list[Code]:
    found = []
    is_staining = False
    for item in items:
        name, value = item.get("ConceptNameCodeSequence", None), item.get("ConceptCodeSequence", None)
        if not name or not value:
            continue
        kind = _code(name[0]).value
        if kind == _PROCESSING_TYPE and _code(value[0]).value == _STAINING:
            is_staining = True
        elif kind == _USING_SUBSTANCE:
            found.append(_code(value[0]))
    return found if is_staining else []


def _code(item: Dataset) -> Code:
    return Code(
        str(item.get("CodeValue", "") or item.get("LongCodeValue", "") or ""),
        str(item.get("CodingSchemeDesignator", "") or ""),
        str(item.get("CodeMeaning", "") or ""),
    )
