"""Small pictures of slides."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.wsi.reader import SlideReader

if TYPE_CHECKING:
    from PIL import Image

_log = logging.getLogger(__name__)
_PROFILE_LIMIT = 1 << 20  # bytes; larger ones take longer than the picture


def thumbnail_png(path: Path, size: int) -> bytes:
    """The whole slide as PNG, its longest side `size` pixels or less; white where the slide is transparent.

    Raises:
        SlideError: the slide cannot be read.
    """
    from PIL import Image

    with SlideReader(path) as reader:
        image = Image.fromarray(reader.thumbnail(size))
        profile = reader.icc_profile()
    if profile is not None and len(profile) <= _PROFILE_LIMIT:
        image = _in_srgb(image, profile)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture as a screen shows it; unchanged where the profile is no usable RGB profile."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError) as error:
        _log.debug("a colour profile cannot be used: %s", error)
        return image
    return image if converted is None else converted
