"""DICOM whole slide images: which files form one slide, and which of them holds the base level."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from launchpad.errors import SlideError
from launchpad.wsi.formats import is_dicom_file

WHOLE_SLIDE_STORAGE = "1.2.840.10008.5.1.4.1.1.77.1.6"
# What is made of a slide and lies beside it: annotations, segmentations, presentation states, reports.
BESIDE_SLIDES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{number}"
    for number in ("91.1", "66.4", "66.7", "11.1", "11.8", "88.11", "88.22", "88.33", "88.34", "88.35")
)
_DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Instance:
    """What the header of one DICOM file says.

    Attributes:
        path: the file.
        syntax: UID of its transfer syntax.
        sop_class: UID of its class.
        sop_class_name: the class in words.
        series: UID of its series.
        pyramid: UID of its pyramid, "" where the file has none.
        flavor: VOLUME, LABEL, OVERVIEW, THUMBNAIL or "".
        is_resampled: whether its pixels were computed from those of a larger level.
        concatenation: UID that the parts of one spread instance share, "" where it is whole.
        width: of the level, pixels.
        height: of the level, pixels.
        imaged_width: of the level, millimetres; 0 where the file does not say.
        imaged_height: likewise.
    """

    path: Path
    syntax: str
    sop_class: str
    sop_class_name: str
    series: str
    pyramid: str
    flavor: str
    is_resampled: bool
    concatenation: str
    width: int
    height: int
    imaged_width: float
    imaged_height: float


@dataclass(frozen=True)
class Pyramid:
    """The instances of one slide: `volumes` largest first, `others` are label, overview and thumbnail.

    `is_alone` says whether their series holds no other pyramid.
    """

    volumes: tuple[Instance, ...]
    others: tuple[Instance, ...]
    is_alone: bool = True

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the slide, base level first."""
        return tuple(item.path for item in (*self.volumes, *self.others))

    def base(self) -> Instance:
        """The instance that holds the base level.

        Raises:
            SlideError: there is no volume instance, the base level is missing, or spread over several instances.
        """
        if not self.volumes:
            raise SlideError(
                "The DICOM files hold no slide",
                detail="There are only label, overview or thumbnail instances here.",
                advice="Add the instances with the image itself (ImageType VOLUME).",
                subject=str(self.others[0].path),
            )
        base = self.volumes[0]
        if base.is_resampled:
            raise SlideError(
                "The base level of this DICOM slide is missing",
                detail=f"The largest level here, {base.width} × {base.height} px, was computed from a larger one.",
                advice="Add the instance with the base level to the folder, or export the slide again.",
                subject=str(base.path),
            )
        largest = [item for item in self.volumes if (item.width, item.height) == (base.width, base.height)]
        if base.concatenation or len(largest) > 1:
            names = ", ".join(item.path.name for item in largest[:4]) + (" …" if len(largest) > 4 else "")
            how = "parts of a concatenation" if base.concatenation else f"{base.width} × {base.height} px each"
            raise SlideError(
                "The base level of this slide is spread over several DICOM instances",
                detail=f"Here are {len(largest)} of them, {how}: {names}. Of each slide one file is sent.",
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
        with path.open("rb") as file:  # tells a locked file from one that is no DICOM
            status = os.fstat(file.fileno())
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    return _read_instance(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8192)
def _read_instance(path: Path, size: int, mtime_ns: int) -> Instance:
    import pydicom

    if not is_dicom_file(path):
        raise _unreadable(path, "It does not carry the mark of a DICOM file")
    tags = [
        "SOPClassUID",
        "SeriesInstanceUID",
        "PyramidUID",
        "ImageType",
        "ConcatenationUID",
        "ImagedVolumeWidth",
        "ImagedVolumeHeight",
        "TotalPixelMatrixColumns",
        "TotalPixelMatrixRows",
        "Columns",
        "Rows",
    ]
    try:
        syntax = str(pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID", ""))
        if syntax == _DEFLATED:  # unpacked as a whole before anything can be read, whatever its size
            raise ValueError("Its data set is deflated, which whole slide images are not")
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags))
        image_type = [str(part) for part in header.get("ImageType", None) or ()]
        sop_class = str(header.get("SOPClassUID", ""))
        if not sop_class:
            raise ValueError("It does not say what it holds (SOPClassUID)")
        return Instance(
            path=path,
            syntax=syntax,
            sop_class=sop_class,
            sop_class_name=pydicom.uid.UID(sop_class).name,
            series=str(header.get("SeriesInstanceUID", "")),
            pyramid=str(header.get("PyramidUID", "")),
            flavor=image_type[2].upper() if len(image_type) > 2 else "",
            is_resampled=len(image_type) > 3 and image_type[3].upper() == "RESAMPLED",
            concatenation=str(header.get("ConcatenationUID", "") or ""),
            width=int(header.get("TotalPixelMatrixColumns", None) or header.get("Columns", None) or 0),
            height=int(header.get("TotalPixelMatrixRows", None) or header.get("Rows", None) or 0),
            imaged_width=float(header.get("ImagedVolumeWidth", None) or 0),
            imaged_height=float(header.get("ImagedVolumeHeight", None) or 0),
        )
    except Exception as error:  # pydicom raises whatever comes on damaged bytes, RecursionError too
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
            # Of two largest, the one that is no copy of another is the base level.
            volumes.sort(key=lambda item: (-item.width * item.height, item.is_resampled, item.path))
            yield Pyramid(tuple(volumes), others, len(pyramids) == 1)


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
