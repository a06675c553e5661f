"""Pictures from addresses, for pages that cannot show a TIFF."""

from __future__ import annotations

import http.client
import io
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from launchpad.errors import BadInput
from launchpad.tls import verification

_MOST = 256 << 20  # bytes
_SECONDS = 60.0
_HERE = ("localhost", "127.0.0.1", "::1")


def jpeg_of(url: str) -> bytes:
    """The first image at an address as JPEG.

    Raises:
        BadInput: the address is not https (nor http on this computer), does not answer, or holds no such image.
    """
    from PIL import Image

    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise BadInput(
            "This is no address of a picture", advice="Give one like https://store.example.org/file.tiff.", subject=url
        )
    try:
        with Image.open(io.BytesIO(_bytes(url))) as image:
            made = io.BytesIO()
            image.convert("RGB").save(made, format="JPEG", quality=90)
    except (OSError, ValueError, http.client.HTTPException, Image.DecompressionBombError) as error:
        raise BadInput(
            "The picture cannot be had",
            detail=f"{error}.",
            advice="Check that the address is right and has not expired.",
            subject=urlsplit(url)._replace(query="").geturl(),  # what is signed is nobody else's business
        ) from error
    return made.getvalue()


def _bytes(url: str) -> bytes:
    # A proxy of the environment must not come between us and our own computer.
    direct = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname in _HERE else []
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=verification()), *direct)
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            data = answer.read(_MOST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    if len(data) > _MOST:
        raise ValueError(f"it has more than {_MOST >> 20} MB")
    return bytes(data)
