"""Results to disk: verified, under a temporary name, then renamed; each slide in a folder of its own."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from launchpad.application import run_folder
from launchpad.application.result_slides import download_slide, slide_file
from launchpad.application.run_folder import FileFacts, ItemFacts, RunFacts, wrong_content
from launchpad.application.states import has_ended, item_state, run_state
from launchpad.bucket.board import FileBoard
from launchpad.bucket.download import download
from launchpad.errors import LaunchpadError, TransferError
from launchpad.paths import safe_name
from launchpad.progress import Cancelled, Progress

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import (
        ItemResultReadResponse,
        OutputArtifactResultReadResponse,
        RunReadResponse,
    )
    from launchpad.platform.runs import Run

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
_AT_ONCE = 4  # files
_log = logging.getLogger(__name__)
_FIRST_POLL = 0.5  # seconds


@dataclass(frozen=True)
class Downloaded:
    """What came of one item."""

    item: ItemResultReadResponse
    folder: Path
    files: tuple[Path, ...]
    errors: tuple[LaunchpadError, ...]


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
    return safe_name(artifact.name.replace(":", "_")) + EXTENSIONS.get(_media_type(artifact), ".bin")


def _media_type(artifact: OutputArtifactResultReadResponse) -> str:
    metadata = artifact.metadata or {}
    return str(metadata.get("media_type") or metadata.get("mime_type") or "").split(";")[0].strip().lower()


@dataclass(frozen=True)
class Moved:
    """Bytes of one file that came: an artifact of an item, or (without one) its slide. Sizes in bytes, 0: not known."""

    run: RunReadResponse
    item: ItemResultReadResponse
    artifact: OutputArtifactResultReadResponse | None
    index: int
    path: Path
    url: str
    done: int
    size: int
    items_done: int
    items_total: int


def download_results(
    client: Client,
    run_id: str,
    destination: Path,
    *,
    wait: bool = True,
    item_ids: Collection[str] | None = None,
    per_run: bool = True,
    per_item: bool = True,
    progress: Progress | None = None,
    on_item: Callable[[Downloaded], None] | None = None,
    poll_seconds: float = 5.0,
    board: FileBoard | None = None,
    on_ready: Callable[[Path, RunFacts, ItemFacts], None] | None = None,
    with_slides: bool = False,
    share_token: str | None = None,
    on_moved: Callable[[Moved], None] | None = None,
) -> list[Downloaded]:
    """Download the results of a run, items as they finish when `wait`; files that are complete are left alone.

    Into `<destination>/<run id>/<slide>/<artifact>`; `per_run` and `per_item` leave out a level (then file names begin
    with the slide's); `item_ids` names the only items that are wanted. An artifact that fails is an error of its item,
    and the others go on. The `board` shows files. What is missing or wrong is said in README.txt, summary.csv and
    run.json of the folder, which are written at the end, also when the download is stopped. `on_ready` gets the folder
    and the facts of each item when its files are there. `with_slides` also fetches slides whose external id is an
    address, into `input`. The platform is asked soon at first and after each item, then less often, up to every
    `poll_seconds`. `share_token` opens a run that somebody shared. `on_moved` is told of each file's bytes, from
    worker threads.

    Raises:
        Unreachable, ApiException: the platform does not answer or does not know the run.
        LaunchpadError: the destination cannot be written.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    handle = client.runs(run_id, share_token)
    run = handle.details()
    folder = destination / safe_name(run.run_id) if per_run else destination
    _make(folder)
    fetch = _Fetch(handle, run, progress, board or FileBoard(), on_item, on_moved)
    items: list[ItemResultReadResponse] = []
    pause = _FIRST_POLL
    try:
        while True:
            ended = has_ended(run)
            items = list(handle.results())
            folders = result_folders(items)
            fetch.ready = partial(on_ready, folder, _facts(client, run)) if on_ready is not None else None
            wanted = [item for item in items if item_ids is None or item.item_id in item_ids]
            ready = [item for item in wanted if item.output == "FULL" and item.item_id not in fetch.done]
            fetch.items(
                [
                    (
                        item,
                        folder / folders[item.item_id] if per_item else folder,
                        "" if per_item else folders[item.item_id],
                    )
                    for item in ready
                ],
                len(wanted),
                folder,
                with_slides=with_slides,
            )
            if ended or not wait:
                break
            progress.report(len(fetch.done), len(wanted), "waiting for the platform")
            pause = min(_FIRST_POLL if ready else pause * 1.5, poll_seconds)
            progress.sleep(pause)
            run = fetch.run = handle.details()
    finally:
        if items:
            facts = _facts(client, run)
            names = result_folders(items)
            known = {**_earlier(folder), **fetch.facts}  # others may have been fetched before
            facts.items = [known.get(item.item_id) or _item_facts(item, names[item.item_id]) for item in items]
            run_folder.save(folder, facts)
    progress.report(len(fetch.done), len(fetch.done), "done")
    return list(fetch.done.values())


def _facts(client: Client, run: RunReadResponse) -> RunFacts:
    return RunFacts(
        run_id=run.run_id,
        platform=client.profile.title,
        api_root=client.profile.api_root,
        application=run.application_id,
        version=run.version_number,
        submitted_at=run.submitted_at.isoformat(timespec="seconds"),
        state=run_state(run).words,
    )


def _earlier(folder: Path) -> dict[str, ItemFacts]:
    """Slides whose files an earlier download brought, as it wrote them down."""
    if not (folder / run_folder.RUN_FILE).is_file():
        return {}
    try:
        return {item.item_id: item for item in run_folder.load(folder).items if item.files}
    except LaunchpadError as error:
        _log.warning("%s is written anew: %s", run_folder.RUN_FILE, error.detail)
        return {}


def _item_facts(item: ItemResultReadResponse, name: str) -> ItemFacts:
    """A slide as the platform describes it, without files."""
    words, reason = item_state(item).words, str(item.termination_reason or item.state)
    if words.casefold() != reason.casefold():
        words = f"{words} ({reason})"
    metadata = next((dict(artifact.metadata) for artifact in item.input_artifacts if artifact.metadata), {})
    return ItemFacts(item.item_id, item.external_id, name, words, item.error_message or "", metadata)


def _not_available(artifact: OutputArtifactResultReadResponse) -> str:
    """Why an artifact has no bytes."""
    words = {
        "DELETED_BY_USER": "it was deleted on the platform",
        "DELETED_BY_SYSTEM": "the platform deleted it, its time was over",
    }.get(str(artifact.output))
    reason = artifact.error_message or artifact.termination_reason
    return words or f"the platform has not made it{f' ({reason})' if reason else ''}"


@dataclass(frozen=True)
class _File:
    """An artifact on its way to `path`."""

    item: ItemResultReadResponse
    artifact: OutputArtifactResultReadResponse
    path: Path
    name: str
    number: int
    facts: FileFacts

    @property
    def key(self) -> str:
        return f"{self.item.item_id}/{self.artifact.output_artifact_id}"


class _Fetch:
    """Fetches the artifacts of items, several at once; an item is done when its last one is."""

    def __init__(
        self,
        handle: Run,
        run: RunReadResponse,
        progress: Progress,
        board: FileBoard,
        on_item: Callable[[Downloaded], None] | None,
        on_moved: Callable[[Moved], None] | None,
    ) -> None:
        self._handle, self._progress, self._board = handle, progress, board
        self._on_item, self._on_moved = on_item, on_moved
        self.run = run
        self._urls: dict[str, str] = {}
        self.ready: Callable[[ItemFacts], None] | None = None
        self.facts: dict[str, ItemFacts] = {}
        self._total = 0
        self._slides_to: Path | None = None
        self._stopped = threading.Event()
        self.done: dict[str, Downloaded] = {}

    def items(
        self, items: Sequence[tuple[ItemResultReadResponse, Path, str]], total: int, root: Path, *, with_slides: bool
    ) -> None:
        """Fetch these, each into its folder below `root`, with a start of its file names. Raises Cancelled."""
        self._total = total
        self._slides_to = root if with_slides else None
        waiting: dict[str, list[_File]] = {}
        errors: dict[str, list[LaunchpadError]] = {}
        folders = {item.item_id: folder for item, folder, _ in items}
        for item, folder, start in items:
            waiting[item.item_id], errors[item.item_id] = self._plan(item, folder, start, root)
            for file in waiting[item.item_id]:
                self._board.expect(file.key, f"{stem_of(item.external_id)}: {file.name}", _size_of(file.artifact))
        got: dict[str, dict[int, Path]] = {item.item_id: {} for item, _, _ in items}
        left = {item_id: len(files) for item_id, files in waiting.items()}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="result") as threads:
            calls = {threads.submit(self._one, file): file for files in waiting.values() for file in files}
            try:
                for item, _, _ in items:
                    if not left[item.item_id]:
                        self._end(item, folders, got, errors)
                for call in as_completed(calls):
                    file = calls[call]
                    result = call.result()
                    if isinstance(result, Path):
                        got[file.item.item_id][file.number] = result
                    else:
                        errors[file.item.item_id].append(result)
                    left[file.item.item_id] -= 1
                    if not left[file.item.item_id]:
                        self._end(file.item, folders, got, errors)
            except BaseException:
                self._stopped.set()  # the others end at their next block
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _end(
        self,
        item: ItemResultReadResponse,
        folders: Mapping[str, Path],
        got: Mapping[str, Mapping[int, Path]],
        errors: Mapping[str, list[LaunchpadError]],
    ) -> None:
        files = tuple(path for _, path in sorted(got[item.item_id].items()))
        if self._slides_to is not None:
            try:
                download_slide(item, self._slides_to, _SlideProgress(self, item, self._slides_to))
            except LaunchpadError as error:
                errors[item.item_id].append(error)
        self.done[item.item_id] = Downloaded(item, folders[item.item_id], files, tuple(errors[item.item_id]))
        self._progress.report(len(self.done), self._total, stem_of(item.external_id))
        if self._on_item is not None:
            self._on_item(self.done[item.item_id])
        if self.ready is not None:
            self.ready(self.facts[item.item_id])

    def _plan(
        self, item: ItemResultReadResponse, folder: Path, start: str, root: Path
    ) -> tuple[list[_File], list[LaunchpadError]]:
        """What is to be fetched, and what cannot be."""
        facts = self.facts[item.item_id] = _item_facts(item, start or folder.name)
        files: list[_File] = []
        errors: list[LaunchpadError] = []
        taken: set[str] = set()
        try:
            _make(folder)
        except LaunchpadError as error:
            return [], [error]
        for artifact in item.output_artifacts:
            media_type = _media_type(artifact)
            if artifact.output != "AVAILABLE":
                name = f"{start}_{file_name(artifact)}" if start else file_name(artifact)
                file = (folder / name).relative_to(root).as_posix()
                facts.files.append(FileFacts(artifact.name, file, media_type, problem=_not_available(artifact)))
                continue
            name = f"{start}_{file_name(artifact)}" if start else file_name(artifact)
            if name.casefold() in taken:
                name = f"{Path(name).stem}~{artifact.output_artifact_id[:8]}{Path(name).suffix}"
            taken.add(name.casefold())
            known = FileFacts(
                artifact.name,
                (folder / name).relative_to(root).as_posix(),
                media_type,
                _size_of(artifact),
                _checksum(artifact),
                problem="it was not downloaded",
            )
            facts.files.append(known)
            if known.crc32c:
                files.append(_File(item, artifact, folder / name, name, len(files), known))
            else:
                known.problem = "the platform gave no checksum, so it was not downloaded"
                errors.append(
                    TransferError(
                        "The result cannot be verified",
                        detail="The platform gave no checksum for it.",
                        advice="Tell those who run the platform.",
                        subject=artifact.name,
                    )
                )
        return files, errors

    def _one(self, file: _File) -> Path | LaunchpadError:
        try:
            path = download(
                lambda: self._url(file),
                file.path,
                crc32c=_checksum(file.artifact),
                progress=_Inner(self, file),
            )
        except LaunchpadError as error:
            self._board.failed(file.key, error)
            file.facts.problem = f"it was not downloaded: {error.title}. {error.detail}".rstrip(". ")
            return error
        file.facts.size = path.stat().st_size
        self._board.done(file.key, file.facts.size)
        self.tell(file.item, file.artifact, file.number, path, file.facts.size, file.facts.size)
        file.facts.problem = wrong_content(path, file.facts.media_type)
        return path

    def _url(self, file: _File) -> str:
        self._urls[file.key] = self._handle.get_artifact_download_url(file.artifact.output_artifact_id)
        return self._urls[file.key]

    def tell(
        self,
        item: ItemResultReadResponse,
        artifact: OutputArtifactResultReadResponse | None,
        number: int,
        path: Path,
        done: int,
        size: int,
    ) -> None:
        """Say how far a file is."""
        if self._on_moved is None:
            return
        url = item.external_id if artifact is None else f"{item.item_id}/{artifact.output_artifact_id}"
        url = self._urls.get(url, url if artifact is None else "")
        counts = (len(self.done), self._total)
        self._on_moved(Moved(self.run, item, artifact, number, path, url, done, size, *counts))

    def check(self) -> None:
        """Raise Cancelled when asked to stop, or when another file's failure ends all."""
        if self._stopped.is_set():
            raise Cancelled
        self._progress.check()

    def moved(self, file: _File, done: int, size: int) -> None:
        """Bytes of one file do not move the count of items; they show which file."""
        self.check()
        self._board.moved(file.key, done, size)
        self.tell(file.item, file.artifact, file.number, file.path, done, size)
        self._progress.report(len(self.done), self._total, f"{stem_of(file.item.external_id)}: {file.name}")


class _Stopped(Progress):
    """A progress that is stopped with the fetch of all."""

    def __init__(self, fetch: _Fetch) -> None:
        super().__init__()
        self._fetch = fetch

    def check(self) -> None:
        self._fetch.check()

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._fetch.check()
            time.sleep(min(left, 0.1))


class _Inner(_Stopped):
    """One file's progress: told to the fetch of all."""

    def __init__(self, fetch: _Fetch, file: _File) -> None:
        super().__init__(fetch)
        self._file = file

    def report(self, done: int, total: int, what: str = "") -> None:
        self._fetch.moved(self._file, done, total)


class _SlideProgress(_Stopped):
    """That of a slide."""

    def __init__(self, fetch: _Fetch, item: ItemResultReadResponse, root: Path) -> None:
        super().__init__(fetch)
        self._item, self._path = item, slide_file(root, item.external_id)

    def report(self, done: int, total: int, what: str = "") -> None:
        self.check()
        self._fetch.tell(self._item, None, 0, self._path, done, total)


def _checksum(artifact: OutputArtifactResultReadResponse) -> str:
    metadata = artifact.metadata or {}
    return str(metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c") or "")


def _size_of(artifact: OutputArtifactResultReadResponse) -> int:
    """Bytes, 0 where the platform does not say."""
    size = (artifact.metadata or {}).get("size_bytes")
    return size if isinstance(size, int) else 0


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
