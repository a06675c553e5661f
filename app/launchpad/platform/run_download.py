"""`Run.download_to_folder`: results as they become available, into `<base>/<run id>/<slide>/<artifact>`."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.download import download
from launchpad.errors import TransferError
from launchpad.platform.files import get_mime_type_for_artifact, mime_type_to_file_ending

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse
    from launchpad.platform.runs import Run

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


class DownloadTimeoutError(RuntimeError):
    """The run did not end within the time that was allowed; what was downloaded stays."""


def folder_of(external_id: str) -> str:
    """A folder's name for an item: what is no part of a name on some system becomes `_`, so nothing leaves the base."""
    name = _UNSAFE.sub("_", external_id).strip(" .")
    return name or "_"


def download_to_folder(
    run: Run,
    base: Path,
    *,
    checksum_key: str,
    sleep_interval: float,
    timeout_seconds: float | None,
    print_status: bool,
    callback: Callable[[ItemResultReadResponse], None] | None = None,
) -> None:
    """Wait for a run and download each item as it ends. See `Run.download_to_folder`."""
    base = Path(base) / run.run_id
    base.mkdir(parents=True, exist_ok=True)
    end = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    through: set[str] = set()
    while True:
        ended = run.details().state == "TERMINATED"
        for item in run.results():
            if item.item_id in through or item.state != "TERMINATED":
                continue
            if item.output == "FULL":
                ensure_artifacts_downloaded(run, base, item, checksum_key=checksum_key, print_status=print_status)
            elif print_status:
                _tell(f"{item.external_id}: {item.error_message or item.termination_reason}")
            through.add(item.item_id)
            if callback is not None:
                callback(item)
        if ended:
            return
        if end is not None and time.monotonic() + sleep_interval > end:
            raise DownloadTimeoutError(
                f"Run {run.run_id} did not end within {timeout_seconds:g} seconds; its results so far are in {base}."
            )
        time.sleep(sleep_interval)


def ensure_artifacts_downloaded(
    run: Run, base: Path, item: ItemResultReadResponse, *, checksum_key: str, print_status: bool
) -> None:
    """Download what of an item is not there yet. See `Run.ensure_artifacts_downloaded`."""
    folder = Path(base) / folder_of(item.external_id)
    for artifact in item.output_artifacts:
        if artifact.output != "AVAILABLE":
            continue
        metadata = artifact.metadata or {}
        checksum = metadata.get(checksum_key) or metadata.get("checksum_crc32c")
        if not checksum:
            raise TransferError(
                "The artifact cannot be checked",
                detail=f"Its metadata have no {checksum_key}.",
                advice="Tell those who run the platform.",
                subject=artifact.name,
            )
        ending = mime_type_to_file_ending(get_mime_type_for_artifact(artifact))
        path = folder / f"{folder_of(artifact.name)}{ending}"
        if path.is_file() and crc32c_file(path) == checksum:
            continue
        handle = run.artifact(artifact.output_artifact_id)
        download(handle.get_download_url, path, crc32c=str(checksum))
        if print_status:
            _tell(f"{item.external_id}: {path}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - asked for by print_status; stdout belongs to the caller
