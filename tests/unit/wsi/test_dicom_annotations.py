"""GeoJSON becomes a DICOM annotation object, and what is lost on the way is counted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

from launchpad.errors import BadInput, SlideError
from launchpad.wsi.dicom_annotations import import_geojson
from launchpad.wsi.discovery import FoundSlide, find

SQUARE = [[10, 10], [30, 10], [30, 20], [10, 20], [10, 10]]
HOLE = [[12, 12], [14, 12], [14, 14], [12, 12]]


def _feature(kind: str, coordinates: object, name: str | None = "Nucleus") -> dict[str, object]:
    properties = {} if name is None else {"classification": {"name": name}}
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _file(folder: Path, *features: dict[str, object]) -> Path:
    file = folder / "cells ä.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


@pytest.fixture
def slide(tmp_path: Path, sample_dicom: Path) -> Path:
    return Path(shutil.copytree(sample_dicom, tmp_path / "slide"))


def test_polygons_and_points_by_class(slide: Path, tmp_path: Path) -> None:
    far = [[9000, 10], [9030, 10], [9030, 20]]
    file = _file(
        tmp_path,
        _feature("Polygon", [SQUARE, HOLE]),
        _feature("MultiPolygon", [[SQUARE], [[[100, 100], [110, 100], [110, 110]]]]),
        _feature("Point", [5.5, 6.25], "Mitosis"),
        _feature("Polygon", [SQUARE], None),
        _feature("Polygon", [far]),
        _feature("LineString", SQUARE),
        _feature("Polygon", [[[1, 1], [2, 2]]]),
    )
    done = import_geojson(slide, file)
    assert done.path == slide / "cells ä_annotations.dcm"
    assert (done.polygons, done.points, done.outside, done.unusable, done.holes) == (4, 1, 1, 2, 1)
    data = pydicom.dcmread(done.path)
    base = pydicom.dcmread(slide / "volume-02220.dcm", stop_before_pixels=True)
    assert data.SOPClassUID == "1.2.840.10008.5.1.4.1.1.91.1"
    assert (data.Modality, data.StudyInstanceUID) == ("ANN", base.StudyInstanceUID)
    assert data.ReferencedImageSequence[0].ReferencedSOPInstanceUID == base.SOPInstanceUID
    groups = {item.AnnotationGroupLabel: item for item in data.AnnotationGroupSequence}
    assert {name: (item.GraphicType, item.NumberOfAnnotations) for name, item in groups.items()} == {
        "Annotation": ("POLYGON", 1),
        "Mitosis": ("POINT", 1),
        "Nucleus": ("POLYGON", 3),
    }
    nuclei = groups["Nucleus"]
    points = np.frombuffer(nuclei.PointCoordinatesData, "<f4").reshape(-1, 2)
    starts = np.frombuffer(nuclei.LongPrimitivePointIndexList, "<u4")
    assert starts.tolist() == [1, 9, 17]
    assert points[:4].tolist() == SQUARE[:4]
    assert points[8:].tolist() == [[100, 100], [110, 100], [110, 110]]
    areas = np.frombuffer(nuclei.MeasurementsSequence[0].MeasurementValuesSequence[0].FloatingPointValues, "<f4")
    assert areas == pytest.approx(np.array([200, 200, 50]) * 0.499**2)
    assert np.frombuffer(groups["Mitosis"].PointCoordinatesData, "<f4").tolist() == [5.5, 6.25]


def test_the_slide_stays_one_slide(slide: Path, tmp_path: Path) -> None:
    import_geojson(slide / "label.dcm", _file(tmp_path, _feature("Polygon", [SQUARE])))
    assert [item.path.name for item in find([slide]) if isinstance(item, FoundSlide)] == ["volume-02220.dcm"]


def test_what_cannot_be_imported_is_an_error(slide: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no point or polygon"):
        import_geojson(slide, _file(tmp_path, _feature("LineString", SQUARE)))
    (tmp_path / "bad.geojson").write_text("{")
    with pytest.raises(BadInput):
        import_geojson(slide, tmp_path / "bad.geojson")
    with pytest.raises(SlideError, match="no DICOM slide"):
        import_geojson(tmp_path / "launchpad", _file(tmp_path, _feature("Polygon", [SQUARE])))
    assert not list(slide.glob("*_annotations*"))
