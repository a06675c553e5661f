"""Values for a slide's columns that its own specimen description, or the data set that it is from, suggests; a person
takes them or not.

Codes are SNOMED CT's, as DICOM PS3.16 lists them (CID 8112 stains, CID 8134 anatomic structures).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from launchpad.application.columns import Column

_HEMATOXYLIN, _EOSIN = "12710003", "36879007"
_STRUCTURES = {
    "23451007": "ADRENAL_GLAND",
    "89837001": "BLADDER",
    "272673000": "BONE",
    "12738006": "BRAIN",
    "76752008": "BREAST",
    "71854001": "COLON",
    "10200004": "LIVER",
    "39607008": "LUNG",
    "59441001": "LYMPH_NODE",
    "15776009": "PANCREAS",
    "41216001": "PROSTATE",
    "78961009": "SPLEEN",
    "69695003": "STOMACH",
}

Codes = Sequence[tuple[str, str]]
"""Pairs of code and meaning."""


def propose(
    columns: Sequence[Column], stains: Codes, anatomy: Codes, origin: Mapping[str, str] | None = None
) -> dict[str, str]:
    """For each column the choice that fits what the file says; columns without such a choice are left out.

    `origin` is what is known of a public data set that the file is from (`wsi/origin.py`); the file's own word counts
    more.
    """
    known = origin or {}
    found = {column.key: known[column.key] for column in columns if known.get(column.key, "") in column.choices}
    if stains and not is_h_and_e(stains):
        found.pop("staining_method", None)
    for column in columns:
        if column.key == "staining_method" and "H&E" in column.choices and is_h_and_e(stains):
            found[column.key] = "H&E"
        elif column.key == "tissue":
            value = _tissue(column.choices, anatomy)
            if value:
                found[column.key] = value
    return found


def is_h_and_e(stains: Codes) -> bool:
    """Whether these are hematoxylin and eosin, and nothing else."""
    codes = {code.strip() for code, _ in stains}
    words = " ".join(meaning.casefold() for _, meaning in stains)
    hematoxylin = _HEMATOXYLIN in codes or "hematoxylin" in words or "haematoxylin" in words
    eosin = _EOSIN in codes or "eosin" in words
    return hematoxylin and eosin and len(stains) == 2


def other_stain(columns: Sequence[Column], stains: Codes) -> str:
    """Words for a person when the file names a stain that the application does not take, otherwise ""."""
    column = next((item for item in columns if item.key == "staining_method"), None)
    if column is None or not stains or not column.choices or (is_h_and_e(stains) and "H&E" in column.choices):
        return ""
    named = ", ".join(meaning or code for code, meaning in stains)
    return f"The file says it was stained with {named}; the application takes {', '.join(column.choices)}."


def _tissue(choices: Sequence[str], anatomy: Codes) -> str:
    for code, meaning in anatomy:
        known = _STRUCTURES.get(code.strip(), "")
        if known in choices:
            return known
        words = set(re.findall(r"\w+", meaning.upper()))
        fitting = [choice for choice in choices if set(choice.upper().split("_")) <= words]
        if fitting:
            return max(fitting, key=len)
    return ""
