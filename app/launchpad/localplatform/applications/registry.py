"""The registry: what each application is, what it wants of a slide, and what it makes.

Both run on the open engine and say what they are; neither claims to be a commercial model of a similar name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from launchpad import analysis
from launchpad.platform.models import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    InputArtifact,
    OutputArtifact,
    OutputArtifactScope,
    OutputArtifactVisibility,
    VersionReadResponse,
)

INPUT = "whole_slide_image"
TISSUES = [
    "ADRENAL_GLAND",
    "BLADDER",
    "BONE",
    "BRAIN",
    "BREAST",
    "COLON",
    "LIVER",
    "LUNG",
    "LYMPH_NODE",
    "OTHER",
    "PANCREAS",
    "PROSTATE",
    "SPLEEN",
    "STOMACH",
]
DISEASES = [
    "BLADDER_CANCER",
    "BREAST_CANCER",
    "COLORECTAL_CANCER",
    "LIVER_CANCER",
    "LUNG_CANCER",
    "PANCREATIC_CANCER",
    "PROSTATE_CANCER",
    "STOMACH_CANCER",
]

_TECHNICAL: dict[str, Any] = {
    "checksum_base64_crc32c": {
        "title": "Checksum",
        "type": "string",
        "pattern": "^[A-Za-z0-9+/]{6}==$",
        "description": "CRC32C of the file, base64 of its big-endian bytes",
    },
    "resolution_mpp": {
        "title": "MPP",
        "type": "number",
        "exclusiveMinimum": 0.05,
        "maximum": 2.0,
        "description": "Micrometres per pixel of the base level",
    },
    "width_px": {"title": "Width", "type": "integer", "minimum": 1, "description": "Of the base level, in pixels"},
    "height_px": {"title": "Height", "type": "integer", "minimum": 1, "description": "Of the base level, in pixels"},
    "media_type": {"title": "Media type", "type": "string", "description": "MIME type of the file"},
}
_CLINICAL: dict[str, Any] = {
    "staining_method": {"title": "Stain", "type": "string", "enum": ["H&E"], "description": "How it was stained"},
    "specimen": {
        "title": "Specimen",
        "type": "object",
        "additionalProperties": False,
        "required": ["tissue", "disease"],
        "properties": {
            "tissue": {"title": "Tissue", "type": "string", "enum": TISSUES, "description": "Where it comes from"},
            "disease": {"title": "Disease", "type": "string", "enum": DISEASES, "description": "Its diagnosis"},
        },
    },
}
_OUTPUTS = (
    ("tissue_segmentation:geojson_polygons", "application/geo+json"),
    ("cell_classification:geojson_polygons", "application/geo+json"),
    ("tissue_segmentation:tiff_segmap", "image/tiff"),
    ("readout_generation:csv_measurements", "text/csv"),
    ("readout_generation:json_summary", "application/json"),
)


def _schema(properties: Mapping[str, Any], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


@dataclass(frozen=True)
class Application:
    """An application with its one version."""

    application_id: str
    name: str
    description: str
    number: str
    released_at: datetime
    changelog: str
    schema: dict[str, Any]
    classify: bool

    @property
    def version(self) -> ApplicationVersion:
        """Number and release date."""
        return ApplicationVersion(number=self.number, released_at=self.released_at)

    def short(self) -> ApplicationReadShortResponse:
        """As the list shows it."""
        return ApplicationReadShortResponse(
            application_id=self.application_id,
            name=self.name,
            regulatory_classes=["RUO"],
            description=self.description,
            latest_version=self.version,
        )

    def full(self) -> ApplicationReadResponse:
        """With its versions."""
        return ApplicationReadResponse(
            application_id=self.application_id,
            name=self.name,
            regulatory_classes=["RUO"],
            description=self.description,
            versions=[self.version],
        )

    def details(self) -> VersionReadResponse:
        """The version with its inputs and outputs."""
        return VersionReadResponse(
            version_number=self.number,
            changelog=self.changelog,
            released_at=self.released_at,
            input_artifacts=[InputArtifact(name=INPUT, mime_type="image/tiff", metadata_schema=self.schema)],
            output_artifacts=[
                OutputArtifact(
                    name=name,
                    mime_type=mime_type,
                    metadata_schema={
                        "type": "object",
                        "required": ["media_type", "checksum_base64_crc32c"],
                        "properties": {
                            "media_type": {"type": "string"},
                            "checksum_base64_crc32c": {"type": "string"},
                        },
                    },
                    scope=OutputArtifactScope.ITEM,
                    visibility=OutputArtifactVisibility.EXTERNAL,
                )
                for name, mime_type in _OUTPUTS
            ],
        )


APPLICATIONS: dict[str, Application] = {
    application.application_id: application
    for application in (
        Application(
            application_id="he-tme",
            name="Open H&E TME (research use only)",
            description=(
                "Finds tissue and nuclei on H&E slides and sorts cells into classes by open rules on size, shape and "
                f"darkness. Rule-based and not validated. {analysis.NOTICE}"
            ),
            number="0.1.0",
            released_at=datetime(2026, 11, 1, tzinfo=UTC),
            changelog="First version: tissue, nuclei by colour deconvolution, rule-based cell classes.",
            schema=_schema({**_TECHNICAL, **_CLINICAL}),
            classify=True,
        ),
        Application(
            application_id="test-app",
            name="Test Application (research use only)",
            description=(
                "Reads every tile of a slide and counts its nuclei, to try out the way from slide to result. "
                f"{analysis.NOTICE}"
            ),
            number="0.1.0",
            released_at=datetime(2026, 11, 1, tzinfo=UTC),
            changelog="First version.",
            schema=_schema(_TECHNICAL, optional=frozenset({"media_type"})),
            classify=False,
        ),
    )
}


def output_names() -> tuple[str, ...]:
    """Names of the output artifacts, the same for all applications."""
    return tuple(name for name, _ in _OUTPUTS)
