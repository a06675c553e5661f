"""Results to disk: verified, under a temporary name, then renamed; each slide in a folder of its own."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from launchpad import paths
from launchpad.application.states import has_ended
from launchpad.bucket.download import download
from launchpad.errors import LaunchpadError, TransferError
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import (
        ItemResultReadResponse,
        OutputArtifactResultReadResponse,
        RunReadResponse,
    )

EXTENSIONS = {
    "application/geo+json": ".json",
    "application/json": ".json",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-parquet": ".parquet",
    "application/zip": ".zip",
    "image/png": ".png",
    "image/tiff": ".tiff",
    "text/csv": ".csv",
}
_NAME_BYTES = 150
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Downloaded:
    """What came of one item."""

    item: ItemResultReadResponse
    folder: Path
    files: tuple[Path, ...]
    errors: tuple[LaunchpadError, ...]


def safe_name(name: str) -> str:
    """A name from the server as one that stays in its folder on every system."""
    # One form of umlauts, which macOS takes for the same name as the other.
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", unicodedata.normalize("NFC", name)).strip(" .")
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    # File systems count bytes; what stands behind, such as an extension, has to fit, too.
    return clean.encode()[:_NAME_BYTES].decode(errors="ignore").rstrip(" .") or "_"


def stem_of(external_id: str) -> str:
    """The name of a slide without folder and suffix, whatever system or URL its id is from."""
    text = unquote(urlsplit(external_id).path) if re.match(r"\w+://", external_id) else external_id
    name = PureWindowsPath(text).name if re.match(r"[A-Za-z]:\\|\\\\", text) else PurePosixPath(text).name
    return safe_name(name.rpartition(".")[0] or name)


def result_folders(items: Iterable[ItemResultReadResponse]) -> dict[str, str]:
    """Item id to folder name; slides of one name (ignoring case) all get a mark of their external id."""
    stems = {item.item_id: (item.external_id, stem_of(item.external_id)) for item in items}
    count = Counter(stem.casefold() for _, stem in stems.values())
    return {
        item_id: stem
        if count[stem.casefold()] == 1
        else f"{stem}~{hashlib.sha256(external_id.encode()).hexdigest()[:8]}"
        for item_id, (external_id, stem) in stems.items()
    }


def file_name(artifact: OutputArtifactResultReadResponse) -> str:
    """Name of an artifact on disk: its own with `_` for `:`, and the extension of its media type."""
    metadata = artifact.metadata or {}
    kind = str(metadata.get("media_type") or metadata.get("mime_type") or "").split(";")[0].strip().lower()
    return safe_name(artifact.name.replace(":", "_")) + EXTENSIONS.get(kind, ".bin")


def download_results(
    client: Client,
    run_id: str,
    destination: Path,
    *,
    wait: bool = True,
    per_run: bool = True,
    per_item: bool = True,
    progress: Progress | None = None,
    on_item: Callable[[Downloaded], None] | None = None,
    poll_seconds: float = 5.0,
) -> list[Downloaded]:
    """Download the results of a run, items as they finish when `wait`; files that are complete are left alone.

    Into `<destination>/<run id>/<slide>/<artifact>`; `per_run` and `per_item` leave out a level (then file names begin
    with the slide's). An artifact that fails is an error of its item, and the others go on.

    Raises:
        Unreachable, ApiException: the platform does not answer or does not know the run.
        LaunchpadError: the destination cannot be written.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    handle = client.run(run_id)
    run = handle.details()
    folder = destination / safe_name(run.run_id) if per_run else destination
    _make(folder)
    done: dict[str, Downloaded] = {}
    while True:
        ended = has_ended(run)
        items = list(handle.results())
        folders = result_folders(items)
        ready = [item for item in items if item.output == "FULL" and item.item_id not in done]
        for item in ready:
            progress.report(len(done), len(items), stem_of(item.external_id))
            own = folder / folders[item.item_id] if per_item else folder
            start = "" if per_item else f"{folders[item.item_id]}_"
            done[item.item_id] = _item(client, run_id, item, own, start, progress, len(done), len(items))
            if on_item is not None:
                on_item(done[item.item_id])
        if ended or not wait:
            break
        progress.report(len(done), len(items), "waiting for the platform")
        progress.sleep(poll_seconds)
        run = handle.details()
    _write_readme(client, run, items, folder)
    progress.report(len(done), len(done), "done")
    return list(done.values())


def _item(
    client: Client,
    run_id: str,
    item: ItemResultReadResponse,
    folder: Path,
    start: str,
    progress: Progress,
    number: int,
    total: int,
) -> Downloaded:
    files: list[Path] = []
    errors: list[LaunchpadError] = []
    taken: set[str] = set()
    try:
        _make(folder)
    except LaunchpadError as error:
        return Downloaded(item, folder, (), (error,))
    for artifact in item.output_artifacts:
        if artifact.output != "AVAILABLE":
            continue
        name = start + file_name(artifact)
        if name.casefold() in taken:
            name = f"{Path(name).stem}~{artifact.output_artifact_id[:8]}{Path(name).suffix}"
        taken.add(name.casefold())
        metadata = artifact.metadata or {}
        checksum = metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c")
        if not checksum:
            errors.append(
                TransferError(
                    "The result cannot be verified",
                    detail="The platform gave no checksum for it.",
                    advice="Tell those who run the platform.",
                    subject=artifact.name,
                )
            )
            continue
        try:
            files.append(
                download(
                    lambda artifact=artifact: client.run(run_id).get_artifact_download_url(artifact.output_artifact_id),  # type: ignore[misc]
                    folder / name,
                    crc32c=str(checksum),
                    progress=_Inner(progress, number, total, f"{stem_of(item.external_id)}: {name}"),
                )
            )
        except LaunchpadError as error:
            errors.append(error)
    return Downloaded(item, folder, tuple(files), tuple(errors))


class _Inner(Progress):
    """Bytes of one file do not move the count of items; they show which file, and pass on cancellation."""

    def __init__(self, whole: Progress, number: int, total: int, what: str) -> None:
        super().__init__()
        self._whole, self._number, self._total, self._what = whole, number, total, what

    def report(self, done: int, total: int, what: str = "") -> None:
        self._whole.report(self._number, self._total, self._what)

    def check(self) -> None:
        self._whole.check()

    def sleep(self, seconds: float) -> None:
        self._whole.sleep(seconds)


def _write_readme(client: Client, run: RunReadResponse, items: Sequence[ItemResultReadResponse], folder: Path) -> None:
    """Say in the folder where its results come from."""
    engine = _engine(folder)
    lines = [
        "Results of a Launchpad run. For research use only, not a diagnostic device.",
        "",
        f"Platform:    {client.profile.title} ({client.profile.api_root})",
        f"Application: {run.application_id}",
        f"Version:     {run.version_number}",
        f"Engine:      {engine or 'not said by the results'}",
        f"Run:         {run.run_id}",
        f"Submitted:   {run.submitted_at.isoformat(timespec='seconds')}",
        "",
        "Slides:",
    ]
    names = result_folders(items)
    for item in items:
        state = str(item.termination_reason or item.state)
        lines.append(f"- {names[item.item_id]}: {state}{f', {item.error_message}' if item.error_message else ''}")
        lines.append(f"  {item.external_id}")
    try:
        paths.write_atomic(folder / "README.txt", ("\n".join(lines) + "\n").encode("utf-8"))
    except OSError as error:
        raise _unwritable(folder / "README.txt", error) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> LaunchpadError:
    return LaunchpadError(
        "The results cannot be written",
        detail=f"{error.strerror or error}.",
        advice="Choose another folder, or check the disk's free space and your rights.",
        subject=str(path),
    )


def _engine(folder: Path) -> str:
    """The engine, as the readouts that were downloaded name it."""
    for file in sorted(folder.rglob("*json_summary.json")):
        try:
            return str(json.loads(file.read_text(encoding="utf-8"))["provenance"]["engine"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""
