"""DICOM slides that OpenSlide does not open, read frame by frame by pydicom.

These are RLE compressed ones, and pyramids that share their folder and series with another one. `FrameSlide` has the
part of OpenSlide's interface that is used here.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from launchpad.wsi.dicom import Instance, Pyramid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

_RLE = "1.2.840.10008.1.2.5"
_IMPLICIT = "1.2.840.10008.1.2"
_KEPT = 64  # decoded frames
_NAMES = {"LABEL": "label", "OVERVIEW": "macro", "THUMBNAIL": "thumbnail"}


def is_needed(pyramid: Pyramid) -> bool:
    """Whether OpenSlide would refuse this slide, or mix it with another one."""
    return not pyramid.is_alone or any(item.syntax == _RLE for item in pyramid.volumes)


class FrameSlide:
    """An open DICOM pyramid. A context manager; for one thread at a time.

    Attributes:
        properties: under OpenSlide's names, as far as they are used here.
        dimensions: (width, height) of the base level, pixels.
        level_dimensions: of each level.
        level_downsamples: how many base pixels a pixel of each level spans.
        associated_images: names of label, macro and thumbnail.
        color_profile: always None; such a slide is shown as it is.
    """

    color_profile = None

    def __init__(self, pyramid: Pyramid) -> None:
        """Open the files. Raises whatever pydicom does on damaged bytes."""
        self._levels: list[_Level] = []
        try:
            for item in pyramid.volumes:
                self._levels.append(_Level(item))
        except BaseException:
            self.close()
            raise
        base = self._levels[0]
        self.level_dimensions = tuple((level.width, level.height) for level in self._levels)
        self.dimensions = self.level_dimensions[0]
        self.level_downsamples = tuple(
            (base.width / level.width + base.height / level.height) / 2 for level in self._levels
        )
        self.associated_images = tuple(_NAMES[item.flavor] for item in pyramid.others)
        self.properties = base.properties()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        for level in self._levels:
            level.close()

    def read_region(self, location: tuple[int, int], level: int, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Pixels of a rectangle: `location` in pixels of the base level, `size` (width, height) in those of `level`.

        Returns:
            RGBA, shape (height, width, 4); transparent where there is no frame.
        """
        downsample = self.level_downsamples[level]
        x, y = int(location[0] / downsample), int(location[1] / downsample)
        return self._levels[level].region(x, y, *size)


class _Level:
    """One instance: where its frames lie, and how they are decoded."""

    def __init__(self, instance: Instance) -> None:
        import pydicom

        self.width, self.height = instance.width, instance.height
        self._file: BinaryIO = instance.path.open("rb")
        try:
            self._header: Dataset = pydicom.dcmread(self._file, stop_before_pixels=True)
            self._options = _pixel_options(self._header)
            # Tag, VR, two reserved bytes and the length stand before the value; with implicit VR tag and length.
            self._value = self._file.tell() + (8 if instance.syntax == _IMPLICIT else 12)
            self._tile_width, self._tile_height = int(self._header.Columns), int(self._header.Rows)
            self._frames = _places(self._header, self.width, self.height)
        except BaseException:
            self._file.close()
            raise
        self._kept: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

    def close(self) -> None:
        self._file.close()

    def region(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        import numpy as np

        result = np.zeros((height, width, 4), dtype=np.uint8)
        for (left, top), number in self._frames.items():
            x0, y0 = max(x, left), max(y, top)
            # A frame at the edge is filled up beyond the image.
            x1 = min(x + width, left + self._tile_width, self.width)
            y1 = min(y + height, top + self._tile_height, self.height)
            if x0 < x1 and y0 < y1:
                frame = self._frame(number)
                result[y0 - y : y1 - y, x0 - x : x1 - x, :3] = frame[y0 - top : y1 - top, x0 - left : x1 - left]
                result[y0 - y : y1 - y, x0 - x : x1 - x, 3] = 255
        return result

    def properties(self) -> dict[str, str]:
        found = {"openslide.vendor": "dicom"}
        for name in ("Manufacturer", "ManufacturerModelName"):
            if self._header.get(name):
                found[f"dicom.{name}"] = str(self._header.get(name))
        shared = self._header.get("SharedFunctionalGroupsSequence") or ()
        for measures in (item for group in shared for item in group.get("PixelMeasuresSequence") or ()):
            spacing = measures.get("PixelSpacing")
            if spacing and len(spacing) == 2:  # between rows, then between columns; millimetres
                found["openslide.mpp-x"] = str(float(spacing[1]) * 1000)
                found["openslide.mpp-y"] = str(float(spacing[0]) * 1000)
        for optical in self._header.get("OpticalPathSequence") or ():
            if optical.get("ObjectiveLensPower"):
                found["openslide.objective-power"] = f"{float(optical.ObjectiveLensPower):g}"
        return found

    def _frame(self, number: int) -> NDArray[np.uint8]:
        import numpy as np
        from pydicom.pixels.decoders.base import get_decoder

        kept = self._kept.get(number)
        if kept is None:
            self._file.seek(self._value)
            decoder = get_decoder(self._options["transfer_syntax_uid"])
            pixels, _ = decoder.as_array(self._file, index=number, **self._options)
            kept = np.asarray(pixels, dtype=np.uint8)
            if kept.ndim == 2:
                kept = np.repeat(kept[:, :, None], 3, axis=2)
            self._kept[number] = kept
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(number)
        return kept


def _pixel_options(header: Dataset) -> dict[str, Any]:
    from pydicom.pixels.utils import as_pixel_options

    if int(header.BitsAllocated) != 8:
        raise ValueError(f"It has {header.BitsAllocated} bits a sample, slides of a microscope have 8")
    options: dict[str, Any] = as_pixel_options(header)
    options["transfer_syntax_uid"] = header.file_meta.TransferSyntaxUID
    options["pixel_keyword"] = "PixelData"
    options["pixel_vr"] = "OB"
    return options


def _places(header: Dataset, width: int, height: int) -> dict[tuple[int, int], int]:
    """Number of each frame by its left upper corner, in pixels; of several focal planes the first one counts."""
    columns, rows, count = int(header.Columns), int(header.Rows), int(header.get("NumberOfFrames", None) or 1)
    if str(header.get("DimensionOrganizationType", "")) != "TILED_SPARSE":
        corners = [(x, y) for y in range(0, height, rows) for x in range(0, width, columns)]
        return {corner: number for number, corner in enumerate(corners[:count])}
    found: dict[tuple[int, int], int] = {}
    for number, frame in enumerate(header.PerFrameFunctionalGroupsSequence):
        place = frame.PlanePositionSlideSequence[0]
        corner = (
            int(place.ColumnPositionInTotalImagePixelMatrix) - 1,
            int(place.RowPositionInTotalImagePixelMatrix) - 1,
        )
        found.setdefault(corner, number)
    return found


def open_frames(path: Path, pyramid: Pyramid) -> FrameSlide:
    """Open the slide of a DICOM pyramid.

    Raises:
        SlideError: a file of it is damaged; names `path`.
    """
    from launchpad.errors import SlideError

    try:
        return FrameSlide(pyramid)
    except Exception as error:  # pydicom raises whatever comes on damaged bytes
        raise SlideError(
            "The DICOM slide cannot be read",
            detail=f"{str(error).rstrip('.') or type(error).__name__}.",
            advice="Check that its files are complete, or leave it out.",
            subject=str(path),
        ) from error
