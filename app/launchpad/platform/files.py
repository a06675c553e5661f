"""Small helpers around files of results, under the old SDK's names."""

from __future__ import annotations

import contextlib
from pathlib import Path

from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.download import download
from launchpad.bucket.signing import MAX_EXPIRES
from launchpad.errors import BadInput
from launchpad.platform.models import (
    InputArtifact,
    InputArtifactResultReadResponse,
    OutputArtifact,
    OutputArtifactResultReadResponse,
)

_ENDINGS = {
    "application/geo+json": ".json",
    "application/json": ".json",
    "application/vnd.apache.parquet": ".parquet",
    "application/zip": ".zip",
    "image/png": ".png",
    "image/tiff": ".tiff",
    "text/csv": ".csv",
}


def calculate_file_crc32c(file: Path) -> str:
    """CRC32C of a file, base64 of its four big-endian bytes. Raises NotFound when it cannot be read."""
    return crc32c_file(Path(file))


def download_file(signed_url: str, file_path: str, verify_checksum: str) -> None:
    """Fetch a file from a signed URL; nothing stands at `file_path` unless its CRC32C (base64) is right.

    Raises:
        TransferError: what came is not what was promised.
        Unreachable: the store does not answer.
        LaunchpadError: the file cannot be written.
    """
    download(lambda: signed_url, Path(file_path), crc32c=verify_checksum)


def generate_signed_url(url: str, expires_seconds: int = 21_600) -> str:
    """A URL that opens an object of one's own bucket (`gs://bucket/key`) for some seconds, six hours by default.

    With application default credentials; they need a key to sign with, as a service account has.

    Raises:
        BadInput: the address is none of an object, or the time is not 1 to 604,800 seconds.
        SettingsError: there are no credentials, or they cannot sign.
    """
    bucket, _, key = url.removeprefix("gs://").partition("/")
    if not url.startswith("gs://") or not bucket or not key:
        raise BadInput("This is not the address of an object", advice="Give one like gs://bucket/key.", subject=url)
    if not 1 <= expires_seconds <= MAX_EXPIRES:
        raise BadInput(
            "A signed URL cannot live that long",
            detail=f"{expires_seconds} seconds were asked for.",
            advice=f"Ask for 1 to {MAX_EXPIRES} seconds.",
            subject=url,
        )
    from launchpad.bucket.google_bucket import GoogleBucket

    with contextlib.closing(GoogleBucket(bucket)) as storage:
        return storage.signed_url(key, expires_seconds)


def mime_type_to_file_ending(mime_type: str) -> str:
    """The ending of files of a MIME type, with its dot.

    Raises:
        ValueError: the type is not one of results.
    """
    ending = _ENDINGS.get(mime_type)
    if ending is None:
        raise ValueError(f"Unknown mime type: {mime_type}")
    return ending


def get_mime_type_for_artifact(
    artifact: OutputArtifact | InputArtifact | OutputArtifactResultReadResponse | InputArtifactResultReadResponse,
) -> str:
    """The MIME type that an artifact, or the description of one, names."""
    if isinstance(artifact, (OutputArtifact, InputArtifact)):
        return artifact.mime_type
    metadata = artifact.metadata or {}
    return str(metadata.get("media_type") or metadata.get("mime_type") or "application/octet-stream")
