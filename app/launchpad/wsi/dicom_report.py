"""What DICOM files of a folder hold, as people look at them: study, slide (container), series, files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launchpad.errors import NotFound, SlideError
from launchpad.wsi.dicom import WHOLE_SLIDE_STORAGE, read_instance
from launchpad.wsi.formats import is_dicom_file

_TAGS = ("StudyInstanceUID", "ContainerIdentifier", "SeriesInstanceUID", "Modality", "NumberOfFrames")


@dataclass(frozen=True)
class Entry:
    """One DICOM file. `flavor` is VOLUME, LABEL, OVERVIEW, THUMBNAIL or ""; sizes in pixels and bytes."""

    path: Path
    study: str
    container: str
    series: str
    modality: str
    kind: str
    flavor: str
    width: int
    height: int
    frames: int
    size: int
    is_whole_slide: bool


def entries(path: Path) -> Iterator[Entry | SlideError]:
    """The DICOM files of a file or folder (recursively), in the order of study, container, series, size.

    A file that carries DICOM's mark and cannot be read comes as its error, at the end.

    Raises:
        NotFound: there is no such file or folder.
        SlideError: it holds no DICOM file.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise NotFound("There is no such file or folder", advice="Check the path.", subject=str(path))
    files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    found: list[Entry] = []
    damaged: list[SlideError] = []
    for file in files:
        if file != path and not is_dicom_file(file):
            continue
        try:
            found.append(_entry(file))
        except SlideError as error:
            damaged.append(error)
    if not found and not damaged:
        raise SlideError(
            "There is no DICOM file here", advice="Choose a DICOM file, or a folder with some.", subject=str(path)
        )
    yield from sorted(
        found, key=lambda item: (item.study, item.container, item.series, -item.width * item.height, item.path)
    )
    yield from damaged


def _entry(path: Path) -> Entry:
    import pydicom

    instance = read_instance(path)
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    return Entry(
        path=path,
        study=str(header.get("StudyInstanceUID", "")),
        container=str(header.get("ContainerIdentifier", "") or ""),
        series=instance.series,
        modality=str(header.get("Modality", "")),
        kind=instance.sop_class_name,
        flavor=instance.flavor,
        width=instance.width,
        height=instance.height,
        frames=int(header.get("NumberOfFrames", None) or 1),
        size=path.stat().st_size,
        is_whole_slide=instance.sop_class == WHOLE_SLIDE_STORAGE,
    )
