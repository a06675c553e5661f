"""Slides from the public buckets to this computer: listed, fetched several files at once, verified, cited."""

from __future__ import annotations

import itertools
import re
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from launchpad.bucket.address import use_network
from launchpad.bucket.base import ObjectInfo
from launchpad.bucket.download import download
from launchpad.bucket.public_bucket import PublicBucket
from launchpad.dataset import layout as layouts
from launchpad.dataset.citation import write_citations
from launchpad.dataset.collections import proposals_of
from launchpad.dataset.index import Series, SlideIndex
from launchpad.dataset.selection import Selection
from launchpad.errors import DiskFull, LaunchpadError, TransferError
from launchpad.paths import safe_name
from launchpad.progress import Cancelled, Progress
from launchpad.settings import load_settings
from launchpad.wsi.origin import write_origins

_AT_ONCE = 4  # files
_LISTS = 8  # at once
_MD5 = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
# Google keeps the same folders in buckets of other names.
_GOOGLE = {
    "idc-open-data": "public-datasets-idc",
    "idc-open-data-two": "idc-open-idc1",
    "idc-open-data-cr": "idc-open-cr",
}


@dataclass(frozen=True)
class Fetched:
    """What came of one slide: its folder, the files that are there, what went wrong."""

    series: Series
    folder: Path
    files: tuple[Path, ...]
    errors: tuple[LaunchpadError, ...]


@dataclass(frozen=True)
class _File:
    series: Series
    info: ObjectInfo
    path: Path


def address_of(bucket: str) -> str:
    """Where a public bucket is, by the setting `idc_mirror`."""
    mirror = load_settings().idc_mirror
    if mirror == "google":
        return f"https://storage.googleapis.com/{_GOOGLE.get(bucket, bucket)}"
    root = "https://s3.amazonaws.com" if mirror == "aws" else mirror.rstrip("/")
    return f"{root}/{bucket}"


def download_selection(
    index: SlideIndex,
    selection: Selection,
    target: Path,
    *,
    layout: str = layouts.DEFAULT,
    progress: Progress | None = None,
) -> list[Fetched]:
    """Fetch slides below `target`, which is made; called again it goes on after an interruption.

    Every file is compared with the checksum that the store names (CRC32C, or MD5 where the object was sent in one
    part), otherwise with its size. One file that fails does not stop the others. CITATION.txt and where the files
    come from are written beside them. Progress in bytes.

    Raises:
        BadInput: the layout cannot be used.
        DiskFull: there is no room for all of it; nothing was fetched.
        Unreachable, TransferError: the bucket cannot be listed.
        Cancelled: the progress was cancelled. What was fetched stays, and is used the next time.
    """
    progress = progress or Progress()
    layouts.check(layout)
    use_network(load_settings().proxy)
    if selection.size > (disk := shutil.disk_usage(_existing(target)).total):  # before a list of thousands is asked for
        raise _no_room(target, selection.size, disk)
    with ExitStack() as stack:
        buckets = {
            name: stack.enter_context(PublicBucket(address_of(name)))
            for name in dict.fromkeys(item.bucket for item in selection.series)
        }
        files, errors = _plan(buckets, selection, target, layout, progress)
        _require_room(target, files)
        for folder, group in _by_folder(files).items():
            _write_facts(index, folder, group)
        got = _Fetch(buckets, files, progress).run()
    paths: dict[str, list[Path]] = {item.series_uid: [] for item in selection.series}
    for file, result in got.items():
        if isinstance(result, LaunchpadError):
            errors[file.series.series_uid].append(result)
        else:
            paths[file.series.series_uid].append(result)
    return [
        Fetched(
            item,
            layouts.folder_of(target, layout, item),
            tuple(sorted(paths[item.series_uid])),
            tuple(errors[item.series_uid]),
        )
        for item in selection.series
    ]


def _plan(
    buckets: Mapping[str, PublicBucket], selection: Selection, target: Path, layout: str, progress: Progress
) -> tuple[list[_File], dict[str, list[LaunchpadError]]]:
    """The files to fetch, and what keeps slides from it."""
    errors: dict[str, list[LaunchpadError]] = {item.series_uid: [] for item in selection.series}
    files = []
    taken: set[str] = set()
    counted = itertools.count(1)

    def listed(series: Series) -> list[ObjectInfo]:
        found = buckets[series.bucket].list(f"{series.folder}/", progress)
        progress.report(0, selection.size, f"Listing the files of slide {next(counted)} of {len(selection.series)}")
        return found

    with ThreadPoolExecutor(_LISTS, thread_name_prefix="list") as threads:
        try:
            answers = list(threads.map(listed, selection.series))
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    for series, found in zip(selection.series, answers, strict=True):
        wanted = selection.instances.get(series.folder)
        named = [(info, info.key.rpartition("/")[2]) for info in found]
        chosen = [(info, name) for info, name in named if name and (wanted is None or name in wanted)]
        missing = len(wanted) - len(chosen) if wanted is not None else (0 if chosen else series.instances)
        if missing > 0:
            errors[series.series_uid].append(
                TransferError(
                    "The public bucket does not have these files",
                    detail=f"{missing} of them are missing in {buckets[series.bucket].url(series.folder)}/.",
                    advice="Set another mirror, or update Launchpad: its index may be older than the bucket.",
                    subject=series.series_uid,
                )
            )
        folder = layouts.folder_of(target, layout, series)
        for info, name in chosen:
            path = folder / safe_name(name)
            if str(path).casefold() in taken:  # of another slide in the same folder
                path = folder / safe_name(f"{series.folder}-{name}")
            taken.add(str(path).casefold())
            files.append(_File(series, info, path))
    return files, errors


def _by_folder(files: Iterable[_File]) -> dict[Path, list[_File]]:
    groups: dict[Path, list[_File]] = {}
    for file in files:
        groups.setdefault(file.path.parent, []).append(file)
    return groups


def _write_facts(index: SlideIndex, folder: Path, files: Sequence[_File]) -> None:
    """Citation and origin, before the first byte: what is there may be used as soon as it is there."""
    series = list({file.series.series_uid: file.series for file in files}.values())
    told = {item.series_uid: proposals_of(item.collection_id, item.description) for item in series}
    origins = {
        file.path.name: {
            "collection_id": file.series.collection_id,
            "PatientID": file.series.patient_id,
            "SeriesInstanceUID": file.series.series_uid,
            "SeriesDescription": file.series.description,
            "source_DOI": file.series.doi,
            "license": file.series.licence,
            **told[file.series.series_uid],
        }
        for file in files
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_citations(folder, index.sources(series), series, index.version())
        write_origins(folder, origins)
    except OSError as error:
        raise LaunchpadError(
            "The folder cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose another folder, or check the disk's free space and your rights.",
            subject=str(folder),
        ) from error


def _require_room(target: Path, files: Sequence[_File]) -> None:
    need = sum(file.info.size for file in files if not file.path.exists())
    # A file that is under way has its whole length already where it comes in ranges.
    need -= sum(part.stat().st_size for file in files if (part := _part(file)).exists() and not file.path.exists())
    free = shutil.disk_usage(_existing(target)).free
    if need > free:
        raise _no_room(target, need, free)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    folder = folder.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _no_room(target: Path, need: int, there: int) -> DiskFull:
    return DiskFull(
        "There is no room for these slides",
        detail=f"They need {need / 1e9:,.1f} GB, the disk has {there / 1e9:,.1f} GB.",
        advice="Choose fewer slides or another folder, or free space on the disk.",
        subject=str(target),
    )


def _part(file: _File) -> Path:
    return file.path.with_name(f"{file.path.name}.part")


class _Fetch:
    """Fetches files, several at once; their bytes together are the progress."""

    def __init__(self, buckets: Mapping[str, PublicBucket], files: Sequence[_File], progress: Progress) -> None:
        self._buckets, self._files, self._progress = buckets, files, progress
        self._total = sum(file.info.size for file in files)
        self._lock = threading.Lock()
        self._done: dict[Path, int] = {}
        self._stopped = threading.Event()

    def run(self) -> dict[_File, Path | LaunchpadError]:
        """What came of each file. Raises Cancelled."""
        got: dict[_File, Path | LaunchpadError] = {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="slide") as threads:
            calls = {threads.submit(self._one, file): file for file in self._files}
            try:
                for call in as_completed(calls):
                    got[calls[call]] = call.result()
            except BaseException:
                self._stopped.set()
                threads.shutdown(wait=True, cancel_futures=True)
                raise
        return got

    def _one(self, file: _File) -> Path | LaunchpadError:
        self.check()
        bucket, info = self._buckets[file.series.bucket], file.info
        etag = info.etag or ""
        try:
            path = download(
                partial(bucket.url, info.key),
                file.path,
                crc32c=None,
                md5=etag.lower() if _MD5.fullmatch(etag) else None,
                progress=_Inner(self, file),
                name=file.path.name,
                max_bytes=info.size,
            )
            if path.stat().st_size != info.size:
                raise TransferError(
                    "The file did not come whole",
                    detail=f"{path.stat().st_size:,} of {info.size:,} bytes came.",
                    advice="Download it again.",
                    subject=str(path),
                )
        except LaunchpadError as error:
            return error
        self.moved(file, info.size)
        return path

    def check(self) -> None:
        """Raise Cancelled when asked to stop, or when another file's failure ends all."""
        if self._stopped.is_set():
            raise Cancelled
        self._progress.check()

    def moved(self, file: _File, done: int) -> None:
        """So many bytes of a file are there."""
        self.check()
        with self._lock:
            self._done[file.path] = done
            together = sum(self._done.values())
        self._progress.report(together, self._total, file.path.name)


class _Inner(Progress):
    """One file's progress: told to the fetch of all, stopped with it."""

    def __init__(self, fetch: _Fetch, file: _File) -> None:
        super().__init__()
        self._fetch, self._file = fetch, file

    def report(self, done: int, total: int, what: str = "") -> None:
        self._fetch.moved(self._file, done)

    def check(self) -> None:
        self._fetch.check()

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._fetch.check()
            time.sleep(min(left, 0.1))
