"""DICOM slides of all kinds, made from the sample slide's pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

TILE = 64
SYNTAXES = {
    "jpeg": JPEGBaseline8Bit,
    "jpeg2000": JPEG2000,
    "jpeg2000-lossless": JPEG2000Lossless,
    "rle": RLELossless,
    "uncompressed": ExplicitVRLittleEndian,
}


def picture(width: int = 192, height: int = 128) -> np.ndarray:
    """RGB, shape (height, width, 3): a smooth field with a dark square, so that mixed up tiles are seen."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + x * 180 // width, 60 + y * 180 // height, 200 - x * 60 // width], axis=2).astype(np.uint8)
    pixels[20:50, 100:140] = (90, 20, 120)
    return pixels


def write(
    path: Path,
    pixels: np.ndarray,
    *,
    syntax: str = "uncompressed",
    series: str = "1.2.3.4",
    pyramid: str = "1.2.3.5",
    flavor: str = "VOLUME",
    resampled: bool = False,
    spacing: float | None = 0.0005,
    order: list[int] | None = None,
    change: Callable[[Dataset], None] = lambda data: None,
) -> Path:
    """Write one instance of VL Whole Slide Microscopy Image Storage.

    Args:
        path: the file to write.
        pixels: RGB, shape (height, width, 3); sides multiples of TILE.
        syntax: key of SYNTAXES.
        series: UID of its series.
        pyramid: UID of its pyramid.
        flavor: third value of ImageType.
        resampled: fourth value of ImageType.
        spacing: millimetres a pixel; None leaves it out.
        order: TILED_SPARSE with the frames in this order; None is TILED_FULL.
        change: called with the data set before it is written.
    """
    height, width = pixels.shape[:2]
    places = [(y, x) for y in range(0, height, TILE) for x in range(0, width, TILE)]
    if order is not None:
        places = [places[number] for number in order]
    frames = [pixels[y : y + TILE, x : x + TILE] for y, x in places]
    data = Dataset()
    data.SOPClassUID = VLWholeSlideMicroscopyImageStorage
    data.SOPInstanceUID = generate_uid()
    data.StudyInstanceUID = "1.2.3"
    data.SeriesInstanceUID = UID(series)
    data.FrameOfReferenceUID = "1.2.3.6"
    data.PyramidUID = UID(pyramid)
    data.Modality = "SM"
    data.ImageType = ["ORIGINAL", "PRIMARY", flavor, "RESAMPLED" if resampled else "NONE"]
    data.Manufacturer = "Maker"
    data.ManufacturerModelName = "Model 7"
    data.SamplesPerPixel = 3
    data.PhotometricInterpretation = "RGB"
    data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit = 7
    data.PixelRepresentation = 0
    data.Rows = data.Columns = TILE
    data.NumberOfFrames = len(frames)
    data.TotalPixelMatrixColumns = width
    data.TotalPixelMatrixRows = height
    data.TotalPixelMatrixFocalPlanes = 1
    data.NumberOfOpticalPaths = 1
    data.ImagedVolumeWidth = width * 0.0005
    data.ImagedVolumeHeight = height * 0.0005
    data.DimensionOrganizationType = "TILED_FULL" if order is None else "TILED_SPARSE"
    optical = Dataset()
    optical.OpticalPathIdentifier = "1"
    data.OpticalPathSequence = Sequence([optical])
    measures = Dataset()
    if spacing is not None:
        measures.PixelSpacing = [spacing, spacing]
    measures.SliceThickness = 0.001
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    if order is not None:
        data.PerFrameFunctionalGroupsSequence = Sequence(_position(y, x) for y, x in places)
    _set_pixels(data, frames, syntax)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    change(data)
    data.save_as(path, enforce_file_format=True)
    return path


def add_specimen(data: Dataset, stains: list[tuple[str, str]], anatomy: tuple[str, str] | None) -> None:
    """Describe the specimen: SNOMED CT codes with their meanings."""

    def code(value: str, scheme: str, meaning: str) -> Dataset:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
        return item

    def content(name: Dataset, value: Dataset) -> Dataset:
        item = Dataset()
        item.ValueType = "CODE"
        item.ConceptNameCodeSequence = Sequence([name])
        item.ConceptCodeSequence = Sequence([value])
        return item

    step = Dataset()
    step.SpecimenPreparationStepContentItemSequence = Sequence(
        [
            content(code("111701", "DCM", "Processing type"), code("127790008", "SCT", "Staining")),
            *(
                content(code("424361007", "SCT", "Using substance"), code(*stain[:1], "SCT", stain[1]))
                for stain in stains
            ),
        ]
    )
    specimen = Dataset()
    specimen.SpecimenIdentifier = "S1"
    specimen.SpecimenPreparationSequence = Sequence([step])
    if anatomy is not None:
        specimen.PrimaryAnatomicStructureSequence = Sequence([code(anatomy[0], "SCT", anatomy[1])])
    data.SpecimenDescriptionSequence = Sequence([specimen])


def _position(y: int, x: int) -> Dataset:
    place = Dataset()
    place.ColumnPositionInTotalImagePixelMatrix = x + 1
    place.RowPositionInTotalImagePixelMatrix = y + 1
    frame = Dataset()
    frame.PlanePositionSlideSequence = Sequence([place])
    return frame


def _set_pixels(data: Dataset, frames: list[np.ndarray], syntax: str) -> None:
    if syntax == "uncompressed":
        data.PixelData = b"".join(frame.tobytes() for frame in frames)
        return
    data.PixelData = encapsulate([_encoded(frame, syntax) for frame in frames])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    if syntax == "jpeg":
        data.PhotometricInterpretation = "YBR_FULL_422"


def _encoded(frame: np.ndarray, syntax: str) -> bytes:
    import cv2
    from pydicom.pixels.encoders.native import _encode_frame

    if syntax == "rle":
        from pydicom.pixels.encoders import RLELosslessEncoder
        from pydicom.pixels.encoders.base import EncodeRunner

        runner = EncodeRunner(RLELossless)
        runner.set_source(frame)
        runner.set_options(
            rows=TILE,
            columns=TILE,
            samples_per_pixel=3,
            bits_allocated=8,
            bits_stored=8,
            pixel_representation=0,
            photometric_interpretation="RGB",
            number_of_frames=1,
            planar_configuration=0,
        )
        del RLELosslessEncoder
        return _encode_frame(frame.tobytes(), runner)
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    if syntax == "jpeg":
        good, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    else:
        lossless = 1000 if syntax.endswith("lossless") else 500
        good, data = cv2.imencode(".jp2", bgr, [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, lossless])
    assert good
    content = data.tobytes()
    if syntax.startswith("jpeg2000"):  # the code stream without the boxes of a .jp2 file
        content = content[content.index(b"\xff\x4f\xff\x51") :]
    return content
