"""All that preparation wants to know of a slide's header, in one call to a worker process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from launchpad.wsi import privacy
from launchpad.wsi.metadata import SlideMetadata, read_header
from launchpad.wsi.specimen import Specimen, read_specimen


@dataclass(frozen=True)
class SlideDescription:
    """A slide's header, what in it may identify somebody, and what it says of the specimen."""

    metadata: SlideMetadata
    identifying: tuple[privacy.Finding, ...]
    specimen: Specimen


def describe(path: Path, patterns: Iterable[str]) -> SlideDescription:
    """Read a slide's header; `patterns` are regular expressions for identifying names.

    Raises:
        SlideError: there is no such file, it is no slide, or it is damaged.
        BadInput: a pattern is malformed.
    """
    metadata, properties = read_header(path)
    found = privacy.inspect(metadata, properties, patterns)
    specimen = read_specimen(metadata.path) if metadata.vendor == "dicom" else Specimen()
    return SlideDescription(metadata, found, specimen)
