"""One result of a run on this computer: where it lies, whether it is whole, and how it comes there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.application.results import file_name, result_folders
from launchpad.bucket.download import download
from launchpad.errors import LaunchpadError, NotFound, TransferError
from launchpad.paths import safe_name
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import ItemResultReadResponse, OutputArtifactResultReadResponse


def result_path(
    run_id: str,
    items: Sequence[ItemResultReadResponse],
    item: ItemResultReadResponse,
    artifact: OutputArtifactResultReadResponse,
    destination: Path,
) -> Path:
    """Where a download of all results puts this one; `items` are all of the run, as names may collide."""
    return destination / safe_name(run_id) / result_folders(items)[item.item_id] / file_name(artifact)


def fetch_result(
    client: Client,
    run_id: str,
    artifact: OutputArtifactResultReadResponse,
    path: Path,
    progress: Progress | None = None,
) -> Path:
    """Bring one result to this computer, verified; one that is there already, whole, stays.

    Raises:
        TransferError: the platform gave no checksum, or the bytes are not those it names.
        Unreachable, ApiException: the platform does not answer or refuses.
        LaunchpadError: the file cannot be written.
    """
    if artifact.output != "AVAILABLE":
        raise NotFound("This result is not there", detail="It is not made yet, or was deleted.", subject=artifact.name)
    metadata = artifact.metadata or {}
    crc32c = str(metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c") or "")
    if not crc32c:
        raise TransferError(
            "The result cannot be verified",
            detail="The platform gave no checksum for it.",
            advice="Tell those who run the platform.",
            subject=artifact.name,
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LaunchpadError(
            "The result cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights.",
            subject=str(path.parent),
        ) from error
    return download(
        lambda: client.run(run_id).get_artifact_download_url(artifact.output_artifact_id),
        path,
        crc32c=crc32c,
        progress=progress or Progress(),
    )
