"""`launchpad.wsi.Service`: slide headers and thumbnails under the names that scripts know."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.errors import BadInput
from launchpad.wsi import privacy
from launchpad.wsi.discovery import FoundSlide, find
from launchpad.wsi.metadata import read_header
from launchpad.wsi.specimen import read_specimen
from launchpad.wsi.thumbnails import thumbnail_png

if TYPE_CHECKING:
    from PIL.Image import Image


class Service:
    """Static methods; decoding happens in the calling process."""

    @staticmethod
    def get_metadata(path: str | Path) -> dict[str, object]:
        """All that a slide's header says, and what in it identifies somebody, as plain data.

        A missing resolution is None.

        Raises:
            SlideError: the slide cannot be read.
            BadInput: a pattern of the settings for identifying names is malformed.
        """
        found, properties = read_header(Path(path))
        levels = []
        for index, level in enumerate(found.levels):
            tile_width = _whole(properties.get(f"openslide.level[{index}].tile-width")) or level.width
            tile_height = _whole(properties.get(f"openslide.level[{index}].tile-height")) or level.height
            levels.append(
                {
                    "index": index,
                    "dimensions": {"width": level.width, "height": level.height},
                    "downsample": level.downsample,
                    "resolution": {
                        "mpp_x": None if found.mpp_x is None else found.mpp_x * level.downsample,
                        "mpp_y": None if found.mpp_y is None else found.mpp_y * level.downsample,
                    },
                    "tile": {
                        "width": tile_width,
                        "height": tile_height,
                        "grid": {"x": -(-level.width // tile_width), "y": -(-level.height // tile_height)},
                    },
                }
            )
        first = levels[0]["tile"]
        return {
            "format": found.format,
            "file": {"path": str(found.path), "size": found.size, "size_human": human_size(found.size)},
            "files": [str(path) for path in found.files],
            "dimensions": {"width": found.width, "height": found.height},
            "resolution": {
                "mpp_x": found.mpp_x,
                "mpp_y": found.mpp_y,
                "unit": "µm",
                "x_resolution": properties.get("tiff.XResolution"),
                "y_resolution": properties.get("tiff.YResolution"),
                "problem": found.mpp_problem,
                "note": found.mpp_note,
            },
            "bounds": dict(zip(("x", "y", "width", "height"), found.bounds, strict=True)),
            "tile": first,
            "levels": {"count": len(levels), "data": levels},
            "extra": {"objective_power": found.objective_power, "scanner": found.scanner},
            "properties": properties,
            "vendor": found.vendor,
            "associated_images": list(found.associated_images),
            "specimen": asdict(read_specimen(found.path)) if found.vendor == "dicom" else None,
            "identifying": [asdict(item) for item in privacy.inspect(found, properties, privacy.own_patterns())],
        }

    @staticmethod
    def get_thumbnail(path: str | Path, max_safe_dimension: int = 4096) -> Image:
        """The whole slide as a PIL image of at most 256 x 256 px.

        Raises:
            BadInput: `max_safe_dimension` is less than 1.
            SlideError: the slide cannot be read.
        """
        from PIL import Image

        return Image.open(io.BytesIO(Service.get_thumbnail_bytes(path, max_safe_dimension)))

    @staticmethod
    def get_thumbnail_bytes(path: str | Path, max_safe_dimension: int = 4096) -> bytes:
        """The whole slide as PNG of at most 256 x 256 px, or less where `max_safe_dimension` says less.

        Raises:
            BadInput: `max_safe_dimension` is less than 1.
            SlideError: the slide cannot be read.
        """
        if max_safe_dimension < 1:
            raise BadInput("The size of a thumbnail must be 1 or more", subject=str(max_safe_dimension))
        return thumbnail_png(Path(path), min(256, max_safe_dimension))

    @staticmethod
    def get_tiff_as_jpg(url: str) -> bytes:
        """The first image of a TIFF at an address (https, or http on this computer) as JPEG.

        Raises:
            BadInput: the address is none of these, does not answer, or holds no image that can be read.
        """
        from launchpad.wsi.pictures import jpeg_of

        return jpeg_of(url)

    @staticmethod
    def get_wsi_files_to_process(path: Path, extension: str) -> Iterator[Path]:
        """The slides below a folder whose files end so (in either case), as `.svs`; of a DICOM pyramid the base level.

        Files that are no slides are left out.
        """
        for found in find([Path(path)]):
            if isinstance(found, FoundSlide) and found.path.name.lower().endswith(extension.lower()):
                yield found.path


def human_size(size: int) -> str:
    """Bytes for people, in powers of ten as file managers show them."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _whole(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None
