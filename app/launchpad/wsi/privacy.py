"""What in a slide may identify a patient or a member of staff: listed before anything is sent.

Nothing is changed or removed here, and what is found is shown to the person alone; it goes into no log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from launchpad.errors import BadInput, SlideError
from launchpad.wsi.metadata import SlideMetadata

Kind = Literal["image", "dicom", "description", "name"]

_VALUE_LIMIT = 60  # characters of a value that are shown
_IMAGES = {
    "label": "The label often shows a name, a date of birth or a case number.",
    "macro": "The photograph of the whole glass often shows its label.",
}
# DICOM attributes that name a person, a place or a case (PS3.15, table E.1-1, those that slides carry).
_DICOM_TAGS = (
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "PatientBirthDate",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "PhysiciansOfRecord",
    "OperatorsName",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StudyDate",
    "BarcodeValue",
    "LabelText",
    "ContainerIdentifier",
)
# Keys of scanners' descriptions, compared in lower case and without blanks and underscores.
_DESCRIPTION_KEYS = frozenset(
    (
        "user",
        "date",
        "time",
        "filename",
        "barcode",
        "patient",
        "patientid",
        "patientname",
        "title",
        "datetime",
        "artist",
        "hostcomputer",
        "caseid",
        "slidename",
    )
)
_DESCRIBED = (re.compile(r"^(?:aperio|hamamatsu|leica|mirax|trestle|philips|openslide)\."), re.compile(r"^tiff\."))
NAME_PATTERNS: tuple[str, ...] = (
    r"(?<!\d)(?:19|20)\d\d[-_. ]?(?:0[1-9]|1[0-2])[-_. ]?(?:0[1-9]|[12]\d|3[01])(?!\d)",  # 1961-02-28, 19610228
    r"(?<!\d)(?:0[1-9]|[12]\d|3[01])[-_.](?:0[1-9]|1[0-2])[-_.](?:19|20)\d\d(?!\d)",  # 28.02.1961
    r"(?i)(?<![a-z])(?:patient|mrn|dob|geb)[-_ .:]?(?:id|nr|no)?[-_ .:]*\d\w*",
    r"(?i)(?<![a-z0-9])[shb][-_ ]?\d\d[-_ /.]\d{3,7}(?!\d)",  # H21-12345: a case number
)


@dataclass(frozen=True)
class Finding:
    """One thing that may identify somebody.

    Attributes:
        kind: `image` (label, macro), `dicom` (an attribute), `description` (a scanner's key) or `name` (of a file).
        where: which image, attribute, key, file or folder.
        value: the beginning of what stands there, "" for an image.
        reason: why it is named.
    """

    kind: Kind
    where: str
    value: str
    reason: str

    def words(self) -> str:
        """The finding in one line, for a person."""
        return f"{self.where}: {self.value}" if self.value else f"{self.where} image"


def compile_patterns(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns for names of files and folders.

    Raises:
        BadInput: one is no regular expression; names it.
    """
    compiled = []
    for text in patterns:
        try:
            compiled.append(re.compile(text))
        except re.error as error:
            raise BadInput(
                "A pattern for identifying names is malformed",
                detail=f"{error}.",
                advice="Correct it in the settings (privacy_name_patterns).",
                subject=text,
            ) from error
    return tuple(compiled)


def own_patterns() -> tuple[str, ...]:
    """The patterns for identifying names that the settings give, otherwise NAME_PATTERNS."""
    from launchpad.settings import load_settings

    own = load_settings().privacy_name_patterns
    return NAME_PATTERNS if own is None else tuple(own)


def inspect(
    slide: SlideMetadata, properties: Mapping[str, str], patterns: Iterable[str] = NAME_PATTERNS
) -> tuple[Finding, ...]:
    """What identifies somebody in a slide: its images, DICOM attributes, scanner's description and names.

    Args:
        slide: its header; label and macro of a DICOM slide are files of their own.
        properties: as `read_header` gives them.
        patterns: regular expressions that are searched in the names of the file and its folders.

    Raises:
        SlideError: a DICOM file cannot be read.
        BadInput: a pattern is malformed.
    """
    compiled = compile_patterns(patterns)
    found = [Finding("image", name, "", _IMAGES[name]) for name in slide.associated_images if name in _IMAGES]
    if slide.vendor == "dicom":
        found.extend(_in_dicom([slide.path, *(file for file in slide.files if file != slide.path)]))
    else:
        found.extend(in_description(properties))
    found.extend(in_name(slide.path, compiled))
    return tuple(found)


def in_description(properties: Mapping[str, str]) -> Iterator[Finding]:
    """Keys of a scanner's description that name a person, a day or a case."""
    seen: set[str] = set()
    for key, value in sorted(properties.items()):
        if not any(pattern.match(key) for pattern in _DESCRIBED):
            continue
        last = re.sub(r"[\s_]", "", key.rpartition(".")[2]).lower()
        if value.strip() and last in _DESCRIPTION_KEYS and last not in seen:
            seen.add(last)
            yield Finding("description", key, _short(value), "The scanner wrote it into the file.")


def in_name(path: Path, patterns: Iterable[re.Pattern[str]]) -> Iterator[Finding]:
    """What in the names of a file and its folders fits a pattern: the whole path is sent as external id."""
    for part in path.parts:
        for pattern in patterns:
            match = pattern.search(part)
            if match:
                yield Finding("name", part, _short(match.group()), "Names are sent as the slide's external id.")
                break


def _in_dicom(files: Iterable[Path]) -> Iterator[Finding]:
    import pydicom

    seen: set[tuple[str, str]] = set()
    for path in files:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_DICOM_TAGS))
        except Exception as error:  # pydicom raises whatever comes on damaged bytes
            raise SlideError(
                "The DICOM file cannot be read",
                detail=f"{str(error).rstrip('.') or type(error).__name__}.",
                advice="Check that the file is complete, or leave it out.",
                subject=str(path),
            ) from error
        for name in _DICOM_TAGS:
            value = _short(str(header.get(name, "") or ""))
            if value and (name, value) not in seen:
                seen.add((name, value))
                yield Finding("dicom", name, value, "The attribute stands in the file that is sent.")


def _short(value: str) -> str:
    text = " ".join(value.split())
    return text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"
