"""What TIFF directories say of a file: whether all of it is there, and its resolution.

OpenSlide opens a file that lacks its last tiles without a word, and reads only its own formats' pixel sizes. The
directories are read here by hand: classic TIFF and BigTIFF by the TIFF 6.0 specification and its BigTIFF extension,
NDPI's offsets of 64 bits as tifffile documents them. tifffile itself takes longer to import than 50 slides to read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from launchpad.errors import SlideError

_MAX_DIRECTORIES = 4096
_MAX_VALUES = 1 << 25  # tiles of a level: more than a slide of a terabyte has
_MAX_TEXT = 16 << 20  # bytes of a description
_STRIP_OFFSETS, _STRIP_COUNTS, _TILE_OFFSETS, _TILE_COUNTS = 273, 279, 324, 325
_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _SUB_DIRECTORIES = 270, 282, 283, 296, 330
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_OME_UNITS = {"µm": 1.0, "μm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "Å": 1e-4, "pm": 1e-6}
_UNIT_MICROMETRES = {2: 25_400.0, 3: 10_000.0}  # ResolutionUnit: inch, centimetre


@dataclass(frozen=True)
class _Tag:
    kind: int
    count: int
    offset: int  # where its values stand


@dataclass(frozen=True)
class _Layout:
    """How a kind of TIFF writes: byte order, and the struct codes of a count of tags, of values, and of an offset."""

    order: Literal["<", ">"]
    tags: str
    values: str
    offset: str
    start: int  # of the first directory's offset
    is_ndpi: bool

    def size(self, code: str) -> int:
        return struct.calcsize("<" + code)


def is_tiff(path: Path) -> bool:
    """Whether the file begins as a TIFF or BigTIFF does, whatever its name is; NDPI is none."""
    if path.suffix.lower() == ".ndpi":
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
    except OSError:
        return False


def check_complete(path: Path) -> None:
    """See that the file holds all tiles and strips that its directories name; an NDPI file will do, too.

    Raises:
        SlideError: the file ends before, as after an interrupted copy; says how much is missing. Or its directories
            are damaged.
    """
    with _Directories(path) as directories:
        end = 0
        for tags in directories:
            for offsets, counts in ((_TILE_OFFSETS, _TILE_COUNTS), (_STRIP_OFFSETS, _STRIP_COUNTS)):
                if offsets in tags and counts in tags:
                    pairs = zip(directories.numbers(tags[offsets]), directories.numbers(tags[counts]), strict=False)
                    end = max(end, max((offset + count for offset, count in pairs), default=0))
                    break
        if end > directories.size:
            raise _cut_off(path, f"Its last tile ends at byte {end:,}, the file at byte {directories.size:,}.")


def resolution(path: Path) -> tuple[float, float] | None:
    """Micrometres a pixel, x and y, of OME's pixel size or of the resolution tags with their unit; None without.

    Raises:
        SlideError: the directories are damaged.
    """
    with _Directories(path) as directories:
        tags = next(iter(directories), {})
        if _DESCRIPTION in tags:
            ome = _ome(directories.text(tags[_DESCRIPTION]))
            if ome is not None:
                return ome
        units = directories.numbers(tags[_RESOLUTION_UNIT]) if _RESOLUTION_UNIT in tags else ()
        scale = _UNIT_MICROMETRES.get(units[0] if units else 1)
        values = [directories.ratio(tags[name]) if name in tags else 0.0 for name in (_X_RESOLUTION, _Y_RESOLUTION)]
        if scale is None or not all(values):
            return None
        return scale / values[0], scale / values[1]


class _Directories:
    """The directories of a file, those of SubIFDs too; iterate once. Values are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("rb")
        try:
            self.size = path.stat().st_size
            self._layout = _layout(self._file.read(8), is_ndpi=path.suffix.lower() == ".ndpi")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> _Directories:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[dict[int, _Tag]]:
        layout = self._layout
        if layout is None:
            return  # another reader says what it is
        visited: set[int] = set()
        waiting = [self._number(layout.start, layout.offset)]
        while waiting:
            offset = waiting.pop()
            if not offset:
                continue
            if offset in visited or len(visited) > _MAX_DIRECTORIES:
                raise _damaged(self._path, "they go in a circle")
            visited.add(offset)
            tags, follows = self._directory(offset)
            waiting.append(follows)
            if _SUB_DIRECTORIES in tags:
                waiting.extend(self.numbers(tags[_SUB_DIRECTORIES]))
            yield tags

    def numbers(self, tag: _Tag) -> tuple[int, ...]:
        """Whole numbers; none where the tag holds something else."""
        code = _CODES.get(tag.kind)
        if code is None or self._layout is None:
            return ()
        if tag.count > _MAX_VALUES:
            raise _damaged(self._path, f"one names {tag.count:,} tiles")
        data = self._read(tag.offset, tag.count * _SIZES[tag.kind])
        return struct.unpack(f"{self._layout.order}{tag.count}{code}", data)

    def ratio(self, tag: _Tag) -> float:
        """The value of a resolution tag, 0 where it is no fraction of two numbers above 0."""
        if tag.kind != 5 or tag.count != 1 or self._layout is None:
            return 0.0
        above, below = struct.unpack(f"{self._layout.order}2I", self._read(tag.offset, 8))
        return above / below if below else 0.0

    def text(self, tag: _Tag) -> str:
        """A text, its beginning where it is very long."""
        if tag.kind not in (1, 2, 7):
            return ""
        return self._read(tag.offset, min(tag.count, _MAX_TEXT)).decode("utf-8", "replace")

    def _directory(self, offset: int) -> tuple[dict[int, _Tag], int]:
        layout = self._layout
        assert layout is not None
        count = self._number(offset, layout.tags)
        entry = 4 + 2 * layout.size(layout.values)
        start = offset + layout.size(layout.tags)
        data = self._read(start, count * entry)
        follows = start + len(data)
        high = b""
        if layout.is_ndpi:  # the upper halves of all values stand behind the offset of the next directory
            high = self._read(follows + layout.size(layout.offset), 4 * count)
        tags: dict[int, _Tag] = {}
        for number in range(count):
            place = number * entry
            code, kind, values = struct.unpack_from(f"{layout.order}HH{layout.values}", data, place)
            room = layout.size(layout.values)
            where = start + place + 4 + room
            if values * _SIZES.get(kind, 1) > room:
                (where,) = struct.unpack_from(layout.order + layout.values, data, place + 4 + room)
                where += int.from_bytes(high[4 * number : 4 * number + 4], "little") << 32
            tags[code] = _Tag(kind, values, where)
        return tags, self._number(follows, layout.offset)

    def _number(self, offset: int, code: str) -> int:
        layout = self._layout
        assert layout is not None
        (value,) = struct.unpack(layout.order + code, self._read(offset, layout.size(code)))
        return int(value)

    def _read(self, offset: int, size: int) -> bytes:
        if offset + size > self.size:
            raise _cut_off(self._path, f"A directory ends at byte {offset + size:,}, the file at byte {self.size:,}.")
        self._file.seek(offset)
        return self._file.read(size)


def _layout(head: bytes, *, is_ndpi: bool) -> _Layout | None:
    order: Literal["<", ">"] = "<" if head[:2] == b"II" else ">"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return _Layout(order, "H", "I", "Q" if is_ndpi else "I", 4, is_ndpi)
    if head[:4] in (b"II+\0", b"MM\0+"):
        return _Layout(order, "Q", "Q", "Q", 8, is_ndpi=False)
    return None


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


def _cut_off(path: Path, detail: str) -> SlideError:
    return SlideError(
        "The slide is cut off",
        detail=detail,
        advice="Copy it again from where it was made, and wait until the copy is complete.",
        subject=str(path),
    )


def _damaged(path: Path, why: str) -> SlideError:
    return SlideError(
        "The slide cannot be read",
        detail=f"Its TIFF directories are damaged: {why.rstrip('.')}.",
        advice="The file is damaged or incomplete. Copy it again from where it was made, or leave it out.",
        subject=str(path),
    )
