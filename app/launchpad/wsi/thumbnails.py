"""Small pictures of slides."""

from __future__ import annotations

import io
from pathlib import Path

from launchpad.wsi.reader import SlideReader


def thumbnail_png(path: Path, size: int) -> bytes:
    """The whole slide as PNG, its longest side `size` pixels or less; white where the slide is transparent.

    Raises:
        SlideError: the slide cannot be read.
    """
    from PIL import Image

    with SlideReader(path) as reader:
        pixels = reader.thumbnail(size)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
