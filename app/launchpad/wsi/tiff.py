"""What the directories of a TIFF say that OpenSlide does not: where the last tile ends, resolution, OME's pixel size.

Classic TIFF and BigTIFF, both byte orders (TIFF 6.0; BigTIFF as libtiff writes it). Only tags are read, no pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from launchpad.errors import SlideError

_MAX_DIRECTORIES = 4096  # a chain that is longer goes in a circle
_OFFSETS, _COUNTS = ("TileOffsets", "StripOffsets"), ("TileByteCounts", "StripByteCounts")
# Micrometres in one of OME's units of length.
_OME_UNITS = {"µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4, "pm": 1e-6}
_UNIT_MICROMETRES = {2: 25_400.0, 3: 10_000.0}  # ResolutionUnit: inch, centimetre


def is_tiff(path: Path) -> bool:
    """Whether the file begins as a TIFF or BigTIFF does, whatever its name is.

    NDPI does too, and keeps offsets of 64 bits in a classic TIFF; its directories cannot be followed as a TIFF's.
    """
    if path.suffix.lower() == ".ndpi":
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    except OSError:
        return False


def check_complete(path: Path) -> None:
    """See that the file holds all tiles and strips that its directories name.

    Raises:
        SlideError: the file ends before, as after an interrupted copy; says how much is missing.
    """
    import numpy as np

    size = path.stat().st_size
    _check_chain(path, size)
    end = 0
    for page in _pages(path):
        offsets = next((page.tags[name].value for name in _OFFSETS if name in page.tags), ())
        counts = next((page.tags[name].value for name in _COUNTS if name in page.tags), ())
        pairs = min(len(offsets), len(counts))
        if pairs:
            ends = np.asarray(offsets[:pairs], np.float64) + np.asarray(counts[:pairs], np.float64)
            end = max(end, int(ends.max()))
    if end > size:
        raise _cut_off(path, f"Its last tile ends at byte {end:,}, the file at byte {size:,}.")


def _cut_off(path: Path, detail: str) -> SlideError:
    return SlideError(
        "The slide is cut off",
        detail=detail,
        advice="Copy it again from where it was made, and wait until the copy is complete.",
        subject=str(path),
    )


def _check_chain(path: Path, size: int) -> None:
    """Follow the directories; one that lies behind the file's end was cut off, one that was visited is a circle."""
    with path.open("rb") as file:
        head = file.read(16)
        order: Literal["little", "big"] = "little" if head[:1] == b"I" else "big"
        big = 43 in head[2:4]
        count_size, entry_size, offset_size = (8, 20, 8) if big else (2, 12, 4)
        start = 8 if big else 4
        offset = int.from_bytes(head[start : start + offset_size], order)
        visited: set[int] = set()
        while offset:
            if offset in visited or len(visited) > _MAX_DIRECTORIES:
                raise _damaged(path, "they go in a circle")
            visited.add(offset)
            file.seek(min(offset, size))
            count = int.from_bytes(file.read(count_size), order)
            follows = offset + count_size + count * entry_size
            if follows + offset_size > size:
                raise _cut_off(path, f"A directory ends at byte {follows + offset_size:,}, the file at byte {size:,}.")
            file.seek(follows)
            offset = int.from_bytes(file.read(offset_size), order)


def _damaged(path: Path, why: str) -> SlideError:
    return SlideError(
        "The slide cannot be read",
        detail=f"Its TIFF directories are damaged: {why.rstrip('.')}.",
        advice="The file is damaged or incomplete. Copy it again from where it was made, or leave it out.",
        subject=str(path),
    )


def resolution(path: Path) -> tuple[float, float] | None:
    """Micrometres a pixel, x and y, of OME's pixel size or of the resolution tags with their unit; None without."""
    page = next(_pages(path), None)
    if page is None:
        return None
    ome = _ome(str(page.description or ""))
    if ome is not None:
        return ome
    unit = page.tags["ResolutionUnit"].value if "ResolutionUnit" in page.tags else 1
    scale = _UNIT_MICROMETRES.get(int(unit))
    values = []
    for name in ("XResolution", "YResolution"):
        above, below = page.tags[name].value if name in page.tags else (0, 1)
        if scale is None or not above or not below:
            return None
        values.append(scale * below / above)
    return values[0], values[1]


def _ome(description: str) -> tuple[float, float] | None:
    pixels = (
        re.search(r"<(?:\w+:)?Pixels\b[^>]*>", description) if "<OME" in description or ":OME" in description else None
    )
    if pixels is None:
        return None
    values = []
    for axis in "XY":
        number = re.search(rf'\bPhysicalSize{axis}="([^"]+)"', pixels.group())
        unit = re.search(rf'\bPhysicalSize{axis}Unit="([^"]+)"', pixels.group())
        scale = _OME_UNITS.get(unit.group(1) if unit else "µm")
        try:
            value = float(number.group(1)) if number else 0.0
        except ValueError:
            return None
        if scale is None or value <= 0:
            return None
        values.append(value * scale)
    return values[0], values[1]


def _pages(path: Path) -> Iterator[Any]:
    """All directories, those of SubIFDs too, with their tags."""
    import tifffile

    try:
        with tifffile.TiffFile(path, _multifile=False) as file:
            for number, page in enumerate(file.pages):
                if number >= _MAX_DIRECTORIES:
                    raise ValueError("its directories go in a circle")
                yield page
                yield from _below(page)
    except SlideError:
        raise
    except Exception as error:  # tifffile raises whatever a damaged structure leads to
        raise _damaged(path, str(error) or type(error).__name__) from error


def _below(page: Any) -> Iterator[Any]:
    pages = getattr(page, "pages", None)
    if pages:
        for number, child in enumerate(pages):
            if number >= _MAX_DIRECTORIES:
                raise ValueError("its directories go in a circle")
            yield child
