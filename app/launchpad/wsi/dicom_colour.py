"""DICOM slides whose header says RGB while their JPEG frames hold YCbCr.

Several converters write such files. OpenSlide takes the header at its word, so its colours have to be converted once
more. What a JPEG holds is told by its own markers, by the same rules as libjpeg's.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_ITEM = b"\xfe\xff\x00\xe0"
_HEADER = 65536  # of a frame; the markers stand before the first scan


def is_mislabelled(path: Path) -> bool:
    """Whether the header of this instance says RGB and its first frame is YCbCr."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with path.open("rb") as file:
            header = pydicom.dcmread(file, stop_before_pixels=True)
            syntax = str(header.file_meta.get("TransferSyntaxUID", ""))
            if syntax != _JPEG_BASELINE or header.get("PhotometricInterpretation", "") != "RGB":
                return False
            return _is_ycbcr(_first_frame(file))
    except (InvalidDicomError, OSError, EOFError, ValueError, AttributeError, struct.error):
        return False  # OpenSlide says what is wrong with it when it reads the pixels


def _first_frame(file: BinaryIO) -> bytes:
    """The beginning of the first frame; the file stands at its pixel data element (explicit VR, encapsulated)."""
    file.seek(12, 1)  # tag, VR, two reserved bytes, length
    for number in range(2):  # the offset table, then the first frame
        tag, length = struct.unpack("<4sI", file.read(8))
        if tag != _ITEM:
            raise ValueError("the pixel data is not encapsulated")
        if number == 0:
            file.seek(length, 1)
    return file.read(min(length, _HEADER))


def _is_ycbcr(jpeg: bytes) -> bool:
    position, jfif = 2, False
    components: list[int] = []
    while position + 4 <= len(jpeg) and jpeg[position] == 0xFF:
        marker, length = jpeg[position + 1], struct.unpack(">H", jpeg[position + 2 : position + 4])[0]
        body = jpeg[position + 4 : position + 2 + length]
        if marker == 0xE0 and body.startswith(b"JFIF"):
            jfif = True
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            return body[11] == 1
        elif 0xC0 <= marker <= 0xC2:
            components = [body[6 + 3 * index] for index in range(body[5])]
        elif marker == 0xDA:
            break
        position += 2 + length
    if len(components) != 3:
        return False
    return jfif or bytes(components) != b"RGB"
