"""Slides of a run whose ids are addresses: they are fetched beside the results, for programs that show them."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from launchpad.bucket.download import download
from launchpad.errors import NotFound
from launchpad.paths import safe_name
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse


def slide_file(folder: Path, external_id: str) -> Path:
    """Where the slide of an item lies whose id is an address: in `input` of the run's folder."""
    return folder / "input" / safe_name(PurePosixPath(unquote(urlsplit(external_id).path)).name)


def download_slide(item: ItemResultReadResponse, folder: Path, progress: Progress | None = None) -> Path | None:
    """Fetch the slide of an item whose id is an address, for programs that show it; None where it is a path.

    Raises:
        NotFound: the platform does not say where the slide can be had.
        TransferError, Unreachable: it does not come, or not as it was.
        LaunchpadError: it cannot be written.
    """
    if not re.match(r"\w+://", item.external_id):
        return None
    target = slide_file(folder, item.external_id)
    known = next((artifact for artifact in item.input_artifacts if artifact.download_url), None)
    url = str(known.download_url) if known is not None else item.external_id
    if urlsplit(url).scheme not in ("http", "https"):
        if target.is_file():
            return target
        raise NotFound(
            "The slide is not on this computer",
            detail="The platform does not say where it can be fetched.",
            advice=f"Put it into {target.parent} to see it in QuPath.",
            subject=target.name,
        )
    metadata = (known.metadata if known is not None else None) or {}
    checksum = metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c")
    return download(lambda: url, target, crc32c=str(checksum) if checksum else None, progress=progress)
