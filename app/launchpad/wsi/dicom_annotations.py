"""GeoJSON as a DICOM object of its own: Microscopy Bulk Simple Annotations (DICOM PS3.3, sections A.87 and C.37.1).

One annotation group a class and kind of shape; coordinates are pixels of the base level, as in the GeoJSON.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import __version__, geojson
from launchpad.errors import BadInput, LaunchpadError, SlideError
from launchpad.wsi import dicom
from launchpad.wsi.discovery import FoundSlide, Rejected, find
from launchpad.wsi.metadata import read_metadata

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_STORAGE = "1.2.840.10008.5.1.4.1.1.91.1"
_SAME = (  # what an annotation object has in common with its slide
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
)
# Codes of SNOMED CT for classes whose name tells; others are a morphology that is not said closer.
_TYPES = {
    "nucleus": ("84640000", "Nucleus"),
    "cell": ("4421005", "Cell"),
    "tissue": ("85756007", "Tissue"),
}
_OTHER = ("49755003", "Morphologically abnormal structure")
_CATEGORY = ("91723000", "Anatomical structure")


@dataclass(frozen=True)
class Written:
    """What was written: the file, objects in it, and what was left out or lost on the way."""

    path: Path
    points: int
    polygons: int
    outside: int
    unusable: int
    holes: int


@dataclass
class _Group:
    kind: str
    coordinates: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # from 1, into the coordinates
    areas: list[float] = field(default_factory=list)
    count: int = 0


def import_geojson(dicom_path: Path, geojson_path: Path) -> Written:
    """Write the objects of a GeoJSON file as `<name>_annotations.dcm` beside the files of a DICOM slide.

    Points and polygons are taken; a polygon's holes are not, DICOM's simple annotations have none. Areas (µm²) are
    added where the slide says its resolution.

    Args:
        dicom_path: a file of the slide, or a folder that holds one DICOM slide.
        geojson_path: coordinates in pixels of the base level.

    Raises:
        SlideError: there is no DICOM slide, or several.
        BadInput: the file is no GeoJSON, or holds nothing that can be taken.
        LaunchpadError: the file cannot be written.
    """
    import pydicom

    base = _slide(dicom_path)
    metadata = read_metadata(base)
    source = pydicom.dcmread(base, stop_before_pixels=True)
    groups, counts = _groups(geojson_path, metadata.width, metadata.height)
    if not groups:
        raise BadInput(
            "The GeoJSON file holds no point or polygon inside of the slide",
            detail=f"{counts['outside']} lie outside of {metadata.width} × {metadata.height} px, "
            f"{counts['unusable']} are of another kind.",
            advice="Check that it belongs to this slide and is in pixels of its base level.",
            subject=str(geojson_path),
        )
    pixel_area = None if metadata.mpp_x is None or metadata.mpp_y is None else metadata.mpp_x * metadata.mpp_y
    data = _object(source, geojson_path.stem)
    data.AnnotationGroupSequence = [
        _annotation_group(number, name, group, pixel_area)
        for number, ((name, _), group) in enumerate(sorted(groups.items()), start=1)
    ]
    path = base.parent / f"{geojson_path.stem}_annotations.dcm"
    temporary = path.with_name(path.name + ".part")
    try:
        data.save_as(temporary, enforce_file_format=True)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LaunchpadError(
            "The annotations cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check the disk and your rights.",
            subject=str(path),
        ) from error
    points = sum(group.count for group in groups.values() if group.kind == "POINT")
    polygons = sum(group.count for group in groups.values() if group.kind == "POLYGON")
    return Written(path, points, polygons, counts["outside"], counts["unusable"], counts["holes"])


def _slide(path: Path) -> Path:
    path = path.expanduser().absolute()
    if path.is_file():
        return dicom.pyramid_of(path).base().path
    entries = list(find([path]))
    slides = [item.path for item in entries if isinstance(item, FoundSlide) and item.format == "DICOM"]
    if len(slides) == 1:
        return slides[0]
    reasons = [item.reason for item in entries if isinstance(item, Rejected)]
    raise SlideError(
        "The folder holds several DICOM slides" if slides else "There is no DICOM slide here",
        detail=", ".join(item.name for item in slides[:4]) or (reasons[0] if reasons else ""),
        advice="Name a file of the slide.",
        subject=str(path),
    )


def _groups(path: Path, width: int, height: int) -> tuple[dict[tuple[str, str], _Group], dict[str, int]]:
    groups: dict[tuple[str, str], _Group] = {}
    counts = {"outside": 0, "unusable": 0, "holes": 0}
    for feature in geojson.read_features(path):
        name = _class_name(feature)
        for kind, ring, holes in _shapes(feature.get("geometry")):
            points = _points(ring)
            if points is None or (kind == "POLYGON" and len(points) < 3):
                counts["unusable"] += 1
                continue
            if not all(0 <= x <= width and 0 <= y <= height for x, y in points):
                counts["outside"] += 1
                continue
            group = groups.setdefault((name, kind), _Group(kind))
            group.count += 1
            group.starts.append(len(group.coordinates) + 1)
            group.coordinates.extend(value for point in points for value in point)
            counts["holes"] += holes
            if kind == "POLYGON":
                group.areas.append(_area(points))
    return groups, counts


def _class_name(feature: dict[str, object]) -> str:
    properties = feature.get("properties")
    classification = properties.get("classification") if isinstance(properties, dict) else None
    name = classification.get("name") if isinstance(classification, dict) else None
    if not name and isinstance(properties, dict):
        name = properties.get("objectType")
    return str(name or "Annotation")


def _shapes(geometry: object) -> Iterator[tuple[str, object, int]]:
    """Kind, outer ring or point, and number of holes of each part; a kind of "" for what DICOM has no place for."""
    if not isinstance(geometry, dict) or not isinstance(geometry.get("coordinates"), list):
        yield "", None, 0
        return
    kind, coordinates = geometry.get("type"), geometry["coordinates"]
    if kind == "Point":
        yield "POINT", [coordinates], 0
    elif kind == "MultiPoint":
        yield from (("POINT", [point], 0) for point in coordinates)
    elif kind == "Polygon":
        yield "POLYGON", coordinates[0] if coordinates else None, max(0, len(coordinates) - 1)
    elif kind == "MultiPolygon":
        for part in coordinates:
            rings = part if isinstance(part, list) else []
            yield "POLYGON", rings[0] if rings else None, max(0, len(rings) - 1)
    else:
        yield "", None, 0


def _points(ring: object) -> list[tuple[float, float]] | None:
    if not isinstance(ring, list) or not ring:
        return None
    try:
        points = [(float(point[0]), float(point[1])) for point in ring]
    except (TypeError, ValueError, IndexError, KeyError):
        return None
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()  # DICOM closes polygons by itself
    return points


def _area(points: Sequence[tuple[float, float]]) -> float:
    """Of a simple polygon, in square pixels (shoelace formula)."""
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def _object(source: Dataset, name: str) -> Dataset:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    now = datetime.datetime.now().astimezone()
    data = Dataset()
    data.SOPClassUID = _STORAGE
    data.SOPInstanceUID = generate_uid()
    for keyword in _SAME:
        if keyword in source:
            data[keyword] = source[keyword]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime"):
        if keyword not in data:
            setattr(data, keyword, "")
    for keyword in ("AccessionNumber", "ReferringPhysicianName"):
        if keyword not in data:
            setattr(data, keyword, "")
    data.Modality = "ANN"
    data.SeriesInstanceUID = generate_uid()
    data.SeriesNumber = 10
    data.InstanceNumber = 1
    data.Manufacturer = "Launchpad"
    data.ManufacturerModelName = "Launchpad"
    data.DeviceSerialNumber = "none"
    data.SoftwareVersions = __version__
    data.ContentLabel = "ANNOTATIONS"
    data.ContentDescription = name[:64]
    data.ContentCreatorName = ""
    data.ContentDate = now.strftime("%Y%m%d")
    data.ContentTime = now.strftime("%H%M%S")
    data.AnnotationCoordinateType = "2D"
    data.PixelOriginInterpretation = "VOLUME"
    image = Dataset()
    image.ReferencedSOPClassUID = source.SOPClassUID
    image.ReferencedSOPInstanceUID = source.SOPInstanceUID
    data.ReferencedImageSequence = [image]
    instance = Dataset()
    instance.ReferencedSOPClassUID = source.SOPClassUID
    instance.ReferencedSOPInstanceUID = source.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID = source.SeriesInstanceUID
    series.ReferencedInstanceSequence = [instance]
    data.ReferencedSeriesSequence = [series]
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    return data


def _annotation_group(number: int, name: str, group: _Group, pixel_area: float | None) -> Dataset:
    import numpy as np
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    item = Dataset()
    item.AnnotationGroupNumber = number
    item.AnnotationGroupUID = generate_uid()
    item.AnnotationGroupLabel = name[:64]
    # GeoJSON does not say who made it, and "automatic" wants the algorithm's name.
    item.AnnotationGroupGenerationType = "MANUAL"
    item.AnnotationPropertyCategoryCodeSequence = [_code(*_CATEGORY)]
    kind = next((code for word, code in _TYPES.items() if word in name.casefold()), _OTHER)
    item.AnnotationPropertyTypeCodeSequence = [_code(*kind)]
    item.AnnotationAppliesToAllOpticalPaths = "YES"
    item.AnnotationAppliesToAllZPlanes = "YES"
    item.NumberOfAnnotations = group.count
    item.GraphicType = group.kind
    item.PointCoordinatesData = np.asarray(group.coordinates, dtype="<f4").tobytes()
    if group.kind == "POLYGON":
        item.LongPrimitivePointIndexList = np.asarray(group.starts, dtype="<u4").tobytes()
        if pixel_area is not None:
            values = Dataset()
            areas = np.asarray(group.areas) * pixel_area
            values.FloatingPointValues = areas.astype("<f4").tobytes()
            measured = Dataset()
            measured.ConceptNameCodeSequence = [_code("42798000", "Area")]
            measured.MeasurementUnitsCodeSequence = [_code("um2", "square micrometer", scheme="UCUM")]
            measured.MeasurementValuesSequence = [values]
            item.MeasurementsSequence = [measured]
    return item


def _code(value: str, meaning: str, *, scheme: str = "SCT") -> Dataset:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
