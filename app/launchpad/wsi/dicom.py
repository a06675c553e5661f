"""DICOM whole slide images: which files form one slide, and which of them holds the base level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from launchpad.errors import SlideError
from launchpad.wsi.formats import is_dicom_file

WHOLE_SLIDE_STORAGE = "1.2.840.10008.5.1.4.1.1.77.1.6"


@dataclass(frozen=True)
class Instance:
    """What the header of one DICOM file says. `flavor` is VOLUME, LABEL, OVERVIEW, THUMBNAIL or ""."""

    path: Path
    sop_class: str
    sop_class_name: str
    series: str
    pyramid: str
    flavor: str
    width: int
    height: int


@dataclass(frozen=True)
class Pyramid:
    """The instances of one slide: `volumes` largest first, `others` are label, overview and thumbnail."""

    volumes: tuple[Instance, ...]
    others: tuple[Instance, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the slide, base level first."""
        return tuple(item.path for item in (*self.volumes, *self.others))

    def base(self) -> Instance:
        """The instance that holds the base level.

        Raises:
            SlideError: there is no volume instance, or the base level is spread over several instances.
        """
        if not self.volumes:
            raise SlideError(
                "The DICOM files hold no slide",
                detail="There are only label, overview or thumbnail instances here.",
                advice="Add the instances with the image itself (ImageType VOLUME).",
                subject=str(self.others[0].path),
            )
        base = self.volumes[0]
        largest = [item for item in self.volumes if (item.width, item.height) == (base.width, base.height)]
        if len(largest) > 1:
            names = ", ".join(item.path.name for item in largest[:4]) + (" …" if len(largest) > 4 else "")
            raise SlideError(
                "The base level of this slide is spread over several DICOM instances",
                detail=f"{len(largest)} instances are {base.width} × {base.height} px: {names}. "
                "Of each slide one file is sent.",
                advice="Export the slide again with the base level in one instance, without concatenation.",
                subject=str(base.path),
            )
        return base


def read_instance(path: Path) -> Instance:
    """Read the header of a DICOM file; pixel data is not touched.

    Raises:
        SlideError: it is no DICOM file, or its header is damaged.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return _read_instance(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8192)
def _read_instance(path: Path, size: int, mtime_ns: int) -> Instance:
    import pydicom
    from pydicom.errors import InvalidDicomError

    if not is_dicom_file(path):
        raise _unreadable(path, "It does not carry the mark of a DICOM file")
    tags = [
        "SOPClassUID",
        "SeriesInstanceUID",
        "PyramidUID",
        "ImageType",
        "TotalPixelMatrixColumns",
        "TotalPixelMatrixRows",
        "Columns",
        "Rows",
    ]
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags))
        image_type = [str(part) for part in header.get("ImageType", None) or ()]
        sop_class = str(header.get("SOPClassUID", ""))
        if not sop_class:
            raise ValueError("It does not say what it holds (SOPClassUID)")
        return Instance(
            path=path,
            sop_class=sop_class,
            sop_class_name=pydicom.uid.UID(sop_class).name,
            series=str(header.get("SeriesInstanceUID", "")),
            pyramid=str(header.get("PyramidUID", "")),
            flavor=image_type[2].upper() if len(image_type) > 2 else "",
            width=int(header.get("TotalPixelMatrixColumns", None) or header.get("Columns", None) or 0),
            height=int(header.get("TotalPixelMatrixRows", None) or header.get("Rows", None) or 0),
        )
    except (InvalidDicomError, OSError, EOFError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(path, str(error) or type(error).__name__) from error


def _unreadable(path: Path, why: str) -> SlideError:
    return SlideError(
        "The DICOM file cannot be read",
        detail=f"{why.rstrip('.')}.",
        advice="Check that the file is complete, or leave it out.",
        subject=str(path),
    )


def require_slide(instance: Instance) -> None:
    """Raise SlideError for a DICOM file that is no whole slide image, such as a CT."""
    if instance.sop_class != WHOLE_SLIDE_STORAGE:
        raise SlideError(
            "The DICOM file is no whole slide image",
            detail=f"Its class is {instance.sop_class_name}.",
            advice="Choose files of the class VL Whole Slide Microscopy Image Storage.",
            subject=str(instance.path),
        )


def group(instances: Iterable[Instance]) -> Iterator[Pyramid]:
    """Sort whole slide instances into slides.

    One slide is one pyramid of one series. Label, overview and thumbnail often carry no pyramid identifier; they
    belong to every pyramid of their series.
    """
    by_series: dict[str, list[Instance]] = {}
    for item in sorted(instances, key=lambda item: item.path):
        by_series.setdefault(item.series, []).append(item)
    for members in by_series.values():
        pyramids: dict[str, list[Instance]] = {}
        others = tuple(item for item in members if item.flavor in {"LABEL", "OVERVIEW", "THUMBNAIL"})
        for item in members:
            if item not in others:
                pyramids.setdefault(item.pyramid, []).append(item)
        if not pyramids:
            yield Pyramid((), others)
        for volumes in pyramids.values():
            volumes.sort(key=lambda item: (-item.width * item.height, item.path))
            yield Pyramid(tuple(volumes), others)


def pyramid_of(path: Path) -> Pyramid:
    """The slide that a DICOM file belongs to; its other files are looked for in the same folder.

    Raises:
        SlideError: the file is no DICOM whole slide image.
    """
    path = path.absolute()
    own = read_instance(path)
    require_slide(own)
    siblings = [own]
    for other in sorted(path.parent.iterdir()):
        if other == path or not other.is_file() or not is_dicom_file(other):
            continue
        try:
            instance = read_instance(other)
        except SlideError:
            continue  # a damaged neighbour of another series is reported where it is looked at itself
        if instance.sop_class == WHOLE_SLIDE_STORAGE and instance.series == own.series:
            siblings.append(instance)
    pyramids = list(group(siblings))
    for pyramid in pyramids:
        if path in pyramid.files:
            return pyramid
    return pyramids[0]
