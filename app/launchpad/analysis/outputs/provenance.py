"""What every output file says about its origin."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launchpad.analysis import NOTICE


@dataclass(frozen=True)
class Provenance:
    """Who made a result. Plain texts, as the platform knows them."""

    platform: str
    application_id: str
    application_name: str
    version: str
    engine: str
    run_id: str
    item_id: str
    external_id: str


@dataclass(frozen=True)
class OutputFile:
    """One output: artifact `name`, `path` on disk, `crc32c` in base64, `size` in bytes."""

    name: str
    path: Path
    media_type: str
    crc32c: str
    size: int
    metadata: dict[str, object]


def described(provenance: Provenance) -> dict[str, object]:
    """The origin as plain data."""
    return {
        "platform": provenance.platform,
        "application": provenance.application_id,
        "application_name": provenance.application_name,
        "application_version": provenance.version,
        "engine": provenance.engine,
        "run_id": provenance.run_id,
        "item_id": provenance.item_id,
        "external_id": provenance.external_id,
        "notice": NOTICE,
    }


def finished(name: str, path: Path, media_type: str, more: Mapping[str, object] | None = None) -> OutputFile:
    """Describe a file that was written."""
    import google_crc32c

    checksum, size = 0, 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum = google_crc32c.extend(checksum, block)
            size += len(block)
    crc32c = base64.b64encode(checksum.to_bytes(4, "big")).decode()
    metadata: dict[str, object] = {"media_type": media_type, "checksum_base64_crc32c": crc32c, **(more or {})}
    return OutputFile(name, path, media_type, crc32c, size, metadata)
