"""Pixels of a slide, as RGB arrays on white."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from launchpad.errors import SlideError
from launchpad.wsi import dicom, dicom_colour, dicom_frames
from launchpad.wsi.formats import is_dicom_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from openslide import OpenSlide

    from launchpad.wsi.dicom_frames import FrameSlide

_PIECE = 4 << 20  # source pixels decoded at once: 16 MB, whatever area is asked for
_MAX_SIDE = 1 << 31
_WHOLE_LIMIT = 256 << 20  # source pixels of a thumbnail: some ten seconds of decoding
_FINER = 4  # how much finer a nearly empty slide is looked at
_LITTLE_TISSUE = 0.01  # share of a thumbnail


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of OpenSlide and the system into SlideError that names the file."""
    import openslide

    try:
        yield
    except openslide.OpenSlideUnsupportedFormatError as error:
        raise SlideError(
            "The file is not a whole slide image that can be read",
            detail="Its content fits none of the known slide formats, whatever its name says.",
            advice="Check that it is complete. Plain images have to be converted into a tiled pyramid TIFF.",
            subject=str(path),
        ) from error
    except openslide.OpenSlideError as error:
        raise SlideError(
            "The slide cannot be read",
            detail=f"{str(error).rstrip('.')}.",
            advice="The file is damaged or incomplete. Copy it again from where it was made, or leave it out.",
            subject=str(path),
        ) from error
    except OSError as error:
        raise SlideError(
            "The slide cannot be opened",
            detail=f"{error.strerror or error}.",
            advice="Check that the file exists and that you may read it.",
            subject=str(path),
        ) from error


def open_slide(path: Path, pyramid: dicom.Pyramid | None) -> OpenSlide | FrameSlide:
    """Open a slide with OpenSlide, or by its frames where OpenSlide does not take it.

    `pyramid` is that of a DICOM file, as `pyramid_at` gives it: finding it reads the headers of a whole folder.

    Raises:
        SlideError: there is no such file, or it is no slide.
    """
    import openslide

    with translated(path):
        with path.open("rb") as file:  # tells a missing or locked file from one that is no slide
            file.read(1)
        slide: OpenSlide | FrameSlide
        if pyramid is not None and dicom_frames.is_needed(pyramid):
            slide = dicom_frames.open_frames(path, pyramid)
        else:
            slide = openslide.OpenSlide(str(path))
    width, height = slide.dimensions
    if not (0 < width < _MAX_SIDE and 0 < height < _MAX_SIDE):
        slide.close()
        raise SlideError(
            "The slide has no usable size",
            detail=f"Its header says {width} × {height} px.",
            advice="The file is damaged. Leave it out.",
            subject=str(path),
        )
    return slide


def pyramid_at(path: Path) -> dicom.Pyramid | None:
    """The pyramid that a DICOM file belongs to, None for other files. Raises SlideError for what is no slide."""
    return dicom.pyramid_of(path) if is_dicom_file(path) else None


class SlideReader:
    """An open slide. A context manager; for one thread at a time.

    Attributes:
        width: of the base level, pixels.
        height: of the base level, pixels.
        level_dimensions: (width, height) of each level.
        level_downsamples: how many base pixels a pixel of each level spans.
        bounds: (x, y, width, height) of the scanned part, pixels of the base level.
    """

    def __init__(self, path: Path) -> None:
        """Open the slide.

        Raises:
            SlideError: there is no such file, or it is no slide.
        """
        self.path = path
        self._pyramid = pyramid_at(path)
        self._slide = open_slide(path, self._pyramid)
        self.width, self.height = self._slide.dimensions
        self.level_dimensions: tuple[tuple[int, int], ...] = tuple(self._slide.level_dimensions)
        self.level_downsamples: tuple[float, ...] = tuple(self._slide.level_downsamples)
        self.bounds = bounds(self._slide.properties, self.width, self.height)
        self._unreadable_levels: set[int] = set()
        self._ycbcr_levels = _ycbcr_levels(self._pyramid, self.level_dimensions)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._slide.close()

    def icc_profile(self) -> bytes | None:
        """The colour profile that the file carries, None where it has none that can be used; `read` applies none."""
        from PIL.ImageCms import PyCMSError

        try:
            with translated(self.path):
                profile = self._slide.color_profile
        except PyCMSError:
            return None
        return None if profile is None else profile.tobytes()

    def read(self, x: int, y: int, width: int, height: int, downsample: float = 1.0) -> NDArray[np.uint8]:
        """Pixels of a rectangle.

        Args:
            x: left edge in pixels of the base level; may be negative.
            y: top edge in pixels of the base level; may be negative.
            width: of the returned array.
            height: of the returned array.
            downsample: how many base pixels a returned pixel spans, 1 or more; any number.

        Returns:
            RGB, shape (height, width, 3); white outside of the slide and where it is transparent.

        Raises:
            SlideError: this part of the file is damaged.
        """
        import cv2
        import numpy as np

        level = self._level_for(downsample)
        factor = downsample / self.level_downsamples[level]
        exact = abs(factor - 1.0) * max(width, height) < 0.5  # less than half a pixel over the whole width
        source = (width, height) if exact else (max(1, round(width * factor)), max(1, round(height * factor)))
        if source[0] * source[1] > _PIECE and max(width, height) > 1:
            return self._read_halves(x, y, width, height, downsample)
        try:
            pixels = self._read_level(x, y, level, *source)
        except SlideError:
            if level == 0:
                raise
            # Some converters write lower levels that cannot be decoded; the base level holds all there is.
            self._unreadable_levels.add(level)
            self._slide.close()  # an OpenSlide handle that met an error stays in it
            self._slide = open_slide(self.path, self._pyramid)
            return self.read(x, y, width, height, downsample)
        if exact:
            return pixels
        how = cv2.INTER_AREA if factor > 1 else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), dtype=np.uint8)

    def overview(self, downsample: float) -> NDArray[np.uint8]:
        """The whole slide, one pixel for each `downsample` base pixels, decoded piece by piece in bounded memory.

        Returns:
            RGB, shape (ceil(height / downsample), ceil(width / downsample), 3).

        Raises:
            SlideError: the file is damaged.
        """
        columns, rows = math.ceil(self.width / downsample), math.ceil(self.height / downsample)
        return self.read(0, 0, columns, rows, downsample)

    def thumbnail(self, size: int) -> NDArray[np.uint8]:
        """The scanned part of the slide as RGB, its longest side `size` pixels or less; never enlarged.

        Where the lowest level is too large to be read for it, the slide's own thumbnail serves; its label never does.
        Tissue that averaging would wash out, because there is so little of it, is kept as dark as it is.

        Raises:
            SlideError: the file is damaged.
        """
        x, y, width, height = self.bounds
        downsample = max(1.0, max(width, height) / size)
        level = self._level_for(downsample)
        if self.width * self.height / self.level_downsamples[level] ** 2 > _WHOLE_LIMIT:
            own = self._own_thumbnail(size)
            if own is not None:
                return own
        columns, rows = math.ceil(width / downsample), math.ceil(height / downsample)
        picture = self.read(x, y, columns, rows, downsample)
        if downsample > _FINER and _tissue_share(picture) < _LITTLE_TISSUE:
            picture = _darkest(self.read(x, y, columns * _FINER, rows * _FINER, downsample / _FINER))
        return picture

    def _own_thumbnail(self, size: int) -> NDArray[np.uint8] | None:
        """The picture that the scanner put into the file, None where there is none of the whole slide."""
        import cv2
        import numpy as np

        if isinstance(self._slide, dicom_frames.FrameSlide) or "thumbnail" not in self._slide.associated_images:
            return None
        with translated(self.path):
            own = np.asarray(self._slide.associated_images["thumbnail"].convert("RGB"))
        height, width = own.shape[:2]
        if abs(width / height / (self.width / self.height) - 1) > 0.02 or max(width, height) < size // 2:
            return None
        scale = min(1.0, size / max(width, height))
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        return np.asarray(cv2.resize(own, shape, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def _level_for(self, downsample: float) -> int:
        best = 0
        for level, value in enumerate(self.level_downsamples):
            if value <= downsample * 1.005 and level not in self._unreadable_levels:
                best = level
        return best

    def _read_halves(self, x: int, y: int, width: int, height: int, downsample: float) -> NDArray[np.uint8]:
        import numpy as np

        if width >= height:
            near = width // 2
            first = self.read(x, y, near, height, downsample)
            second = self.read(x + round(near * downsample), y, width - near, height, downsample)
            return np.concatenate([first, second], axis=1)
        near = height // 2
        first = self.read(x, y, width, near, downsample)
        second = self.read(x, y + round(near * downsample), width, height - near, downsample)
        return np.concatenate([first, second], axis=0)

    def _read_level(self, x: int, y: int, level: int, width: int, height: int) -> NDArray[np.uint8]:
        import cv2
        import numpy as np

        with translated(self.path):
            try:
                pixels = np.asarray(self._slide.read_region((x, y), level, (width, height)))
            except (ValueError, RuntimeError, TypeError, AttributeError, KeyError, EOFError) as error:
                if isinstance(self._slide, dicom_frames.FrameSlide):
                    raise SlideError(
                        "The slide cannot be read",
                        detail=f"A frame is damaged: {str(error).rstrip('.') or type(error).__name__}.",
                        advice="The file is damaged or incomplete. Copy it again from where it was made.",
                        subject=str(self.path),
                    ) from error
                raise
        alpha = pixels[:, :, 3]
        rgb = np.ascontiguousarray(pixels[:, :, :3])
        if level in self._ycbcr_levels:
            rgb = np.asarray(cv2.cvtColor(rgb[:, :, [0, 2, 1]], cv2.COLOR_YCrCb2RGB), dtype=np.uint8)
        if alpha.min() == 255:
            return rgb
        weight = alpha[:, :, None].astype(np.uint16)
        blended = (rgb * weight + 255 * (255 - weight) + 127) // 255
        return blended.astype(np.uint8)


def bounds(properties: Mapping[str, str], width: int, height: int) -> tuple[int, int, int, int]:
    """(x, y, width, height) of the scanned part in pixels of the base level; the whole where the file names none."""
    whole = 0, 0, width, height
    try:
        x, y, across, down = (int(properties[f"openslide.bounds-{name}"]) for name in ("x", "y", "width", "height"))
    except (KeyError, ValueError):
        return whole
    inside = x >= 0 and y >= 0 and across > 0 and down > 0 and x + across <= width and y + down <= height
    return (x, y, across, down) if inside else whole


def _tissue_share(picture: NDArray[np.uint8]) -> float:
    """Share of pixels that are coloured or dark, as tissue and pen are."""
    import numpy as np

    coloured = np.ptp(picture, axis=2) > 24
    return float((coloured | (picture.max(axis=2) < 200)).mean())


def _darkest(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each square of _FINER pixels the darkest one; sides are multiples of _FINER."""
    import numpy as np

    rows, columns = picture.shape[0] // _FINER, picture.shape[1] // _FINER
    squares = picture.reshape(rows, _FINER, columns, _FINER, 3).swapaxes(1, 2).reshape(rows, columns, -1, 3)
    darkest = squares.sum(axis=3, dtype=np.int32).argmin(axis=2)
    return np.asarray(np.take_along_axis(squares, darkest[:, :, None, None], axis=2)[:, :, 0], dtype=np.uint8)


def _ycbcr_levels(pyramid: dicom.Pyramid | None, sizes: tuple[tuple[int, int], ...]) -> frozenset[int]:
    """Levels whose colours OpenSlide gets wrong."""
    if pyramid is None or dicom_frames.is_needed(pyramid):
        return frozenset()  # pydicom goes by what the frames hold
    wrong = {(item.width, item.height) for item in pyramid.volumes if dicom_colour.is_mislabelled(item.path)}
    return frozenset(level for level, size in enumerate(sizes) if size in wrong)
