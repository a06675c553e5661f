"""What the header of a slide says: size, resolution, levels."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.wsi import dicom, tiff
from launchpad.wsi.formats import format_name
from launchpad.wsi.reader import bounds, open_slide, pyramid_at, translated

if TYPE_CHECKING:
    from openslide import OpenSlide

    from launchpad.wsi.dicom_frames import FrameSlide

# OpenSlide's vendor, where the suffix alone does not tell.
_VENDOR_FORMATS = {"aperio": "SVS", "dicom": "DICOM", "philips-tiff": "Philips TIFF"}
_NOTED_DIFFERENCE = 0.01  # of MPP x and y: less is rounding
# Where files name the maker and the model of the scanner; the first that is there counts.
_MAKERS = ("dicom.Manufacturer", "tiff.Make", "leica.device-vendor", "hamamatsu.Vendor", "openslide.vendor")
_MODELS = (
    "dicom.ManufacturerModelName",
    "tiff.Model",
    "leica.device-model",
    "hamamatsu.Product",
    "mirax.GENERAL.SLIDE_TYPE",
    "aperio.ScanScope ID",
)
_MAKER_NAMES = {
    "aperio": "Aperio",
    "hamamatsu": "Hamamatsu",
    "leica": "Leica",
    "mirax": "3DHISTECH",
    "ventana": "Ventana",
}
_SMALLEST_MPP, _LARGEST_MPP = 0.02, 20.0  # outside of this it is a resolution for printing, not a microscope's


@dataclass(frozen=True)
class Level:
    """One level of the pyramid, in pixels."""

    width: int
    height: int
    downsample: float


@dataclass(frozen=True)
class SlideMetadata:
    """Header of one slide.

    Attributes:
        path: the file that is sent; of a DICOM pyramid the instance with the base level.
        files: all files that form the slide.
        format: the format as people call it.
        vendor: OpenSlide's name of the format.
        width: of the base level, pixels.
        height: of the base level, pixels.
        mpp_x: micrometres a pixel, None where the file does not say; never guessed.
        mpp_y: likewise.
        mpp_problem: "" or why the resolution is missing.
        mpp_note: "" or what is worth knowing about a resolution that is there.
        objective_power: magnification of the objective, where the file says it.
        levels: base level first.
        size: bytes of `path`.
        associated_images: names of label, overview and thumbnail.
        scanner: maker and model, as the file says them; "" where it does not.
        bounds: (x, y, width, height) of the scanned part in pixels of the base level; the whole where the file
            names none.
    """

    path: Path
    files: tuple[Path, ...]
    format: str
    vendor: str
    width: int
    height: int
    mpp_x: float | None
    mpp_y: float | None
    mpp_problem: str
    mpp_note: str
    objective_power: float | None
    levels: tuple[Level, ...]
    size: int
    associated_images: tuple[str, ...]
    scanner: str
    bounds: tuple[int, int, int, int]


def read_metadata(path: Path) -> SlideMetadata:
    """Read the header of a slide file; any one file of a DICOM pyramid will do.

    Raises:
        SlideError: there is no such file, it is no slide, or it is damaged.
    """
    return read_header(path)[0]


def read_header(path: Path) -> tuple[SlideMetadata, dict[str, str]]:
    """As `read_metadata`, together with the properties that OpenSlide read; opening a slide is what takes long.

    Raises:
        SlideError: there is no such file, it is no slide, or it is damaged.
    """
    path = path.expanduser().absolute()
    files: tuple[Path, ...] = (path,)
    is_tiff = tiff.is_tiff(path)
    if is_tiff or path.suffix.lower() == ".ndpi":
        tiff.check_complete(path)  # OpenSlide opens a file that lacks its last tiles without a word
    pyramid = pyramid_at(path)
    if pyramid is not None:
        path, files = pyramid.base().path, pyramid.files
    with open_slide(path, pyramid) as slide, translated(path):
        properties = read = _properties(slide)
        vendor = properties.get("openslide.vendor", "")
        width, height = slide.dimensions
        levels = tuple(
            Level(size[0], size[1], float(downsample))
            for size, downsample in zip(slide.level_dimensions, slide.level_downsamples, strict=True)
        )
        stated = tiff.resolution(path) if is_tiff and "openslide.mpp-x" not in properties else None
        if stated is not None:
            properties = {**properties, "openslide.mpp-x": str(stated[0]), "openslide.mpp-y": str(stated[1])}
        elif pyramid is not None and "openslide.mpp-x" not in properties:
            properties = {**properties, **_imaged_size(pyramid.base())}
        mpp_x, mpp_y, problem = _resolution(properties, pyramid is not None)
        metadata = SlideMetadata(
            path=path,
            files=files,
            format=_VENDOR_FORMATS.get(vendor) or format_name(path) or vendor,
            vendor=vendor,
            width=width,
            height=height,
            mpp_x=mpp_x,
            mpp_y=mpp_y,
            mpp_problem=problem,
            mpp_note=_difference(mpp_x, mpp_y),
            objective_power=_number(properties.get("openslide.objective-power")),
            levels=levels,
            size=path.stat().st_size,
            associated_images=tuple(sorted(slide.associated_images)),
            scanner=_scanner(properties),
            bounds=bounds(properties, width, height),
        )
        return metadata, read


def _properties(slide: OpenSlide | FrameSlide) -> dict[str, str]:
    found = {}
    for name in slide.properties:
        with contextlib.suppress(KeyError):  # a damaged file can name a property that has no value
            found[name] = slide.properties[name]
    return found


def media_type(path: Path) -> str:
    """Media type of a slide file, as applications' schemas want it."""
    return {".tif": "image/tiff", ".tiff": "image/tiff", ".dcm": "application/dicom"}.get(
        path.suffix.lower(), "application/octet-stream"
    )


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _resolution(properties: Mapping[str, str], is_dicom: bool) -> tuple[float | None, float | None, str]:
    texts = properties.get("openslide.mpp-x"), properties.get("openslide.mpp-y")
    x, y = (_number(text) for text in texts)
    if x is None or y is None:
        if texts == (None, None):
            return None, None, "The file does not say how large a pixel is."
        return None, None, f"The file's size of a pixel is no number: {texts[0]} × {texts[1]} µm."
    if not (_SMALLEST_MPP <= x <= _LARGEST_MPP and _SMALLEST_MPP <= y <= _LARGEST_MPP):
        return None, None, f"The file's size of a pixel cannot be a microscope's: {x:g} × {y:g} µm."
    if is_dicom and x == y == 1.0:
        # DICOM demands a pixel spacing, so converters that know none write one.
        return None, None, "The file says exactly 1 µm a pixel, which converters write when they do not know it."
    return x, y, ""


def _difference(x: float | None, y: float | None) -> str:
    if x is None or y is None or abs(x - y) <= _NOTED_DIFFERENCE * max(x, y):
        return ""
    return f"A pixel is {x:.4g} µm wide and {y:.4g} µm high; the width is used."


def _imaged_size(base: dicom.Instance) -> dict[str, str]:
    """The resolution by the size of the imaged volume, for DICOM files without pixel spacing."""
    if not (base.imaged_width and base.imaged_height and base.width and base.height):
        return {}
    return {
        "openslide.mpp-x": str(base.imaged_width * 1000 / base.width),
        "openslide.mpp-y": str(base.imaged_height * 1000 / base.height),
    }


def _scanner(properties: Mapping[str, str]) -> str:
    maker = next((properties[key].strip() for key in _MAKERS if properties.get(key, "").strip()), "")
    model = next((properties[key].strip() for key in _MODELS if properties.get(key, "").strip()), "")
    if maker == properties.get("openslide.vendor"):
        maker = _MAKER_NAMES.get(maker, "")  # a format that several makers write names none
    return model if model.casefold().startswith(maker.casefold()) and model else f"{maker} {model}".strip()
