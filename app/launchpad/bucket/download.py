"""One file from a signed URL, verified, under a temporary name until it is whole.

A large file comes in ranges, several at once; finished ranges are written down, so that a download goes on after a
crash. The checksum is made while the bytes come, and combined from those of the ranges.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from launchpad.bucket import crc32c as checksums
from launchpad.bucket.http_get import Answer, get
from launchpad.bucket.range_journal import RangeJournal, Target
from launchpad.errors import ChecksumError, DiskFull, LaunchpadError, TooLarge, TransferError, Unreachable
from launchpad.progress import Cancelled, Progress

RANGE, LARGE_RANGE = 4 << 20, 16 << 20  # bytes
_BLOCK = 1 << 20
_THREADS = 4  # and twice as many on a long line
_LONG = 0.05  # seconds from asking to the first byte, the opening of a connection among them
_TRIES = 4  # without a single byte
_PATIENCE = 120.0  # seconds without a byte, once there were some
_LONGEST_WAIT = 16.0
_T = TypeVar("_T")
_EXPIRED = (400, 401, 403, 410)

Getter = Callable[[str, Mapping[str, str]], AbstractContextManager[Answer]]
"""Asks for a URL with headers, as `http_get.get` does."""


def download(
    fetch_url: Callable[[], str],
    destination: Path,
    *,
    crc32c: str | None,
    progress: Progress | None = None,
    name: str = "",
    getter: Getter = get,
    max_bytes: int | None = None,
    md5: str | None = None,
) -> Path:
    """Fetch a file to `destination`; its folder is made. A file with that checksum that is there is left alone.

    `fetch_url` gives a signed URL, asked again when one has expired; `crc32c` is base64, None takes the store's own.
    Progress in bytes. What was fetched of a large file stays beside it as `.part` and is used the next time.
    `getter` asks for the URL where the usual way does not do. `md5` (hex) is checked besides, for stores that name no
    CRC32C.

    Raises:
        TransferError: what came is not what was promised; nothing stands at `destination`. ChecksumError where it is
            other bytes, TooLarge where it is more than `max_bytes`.
        Unreachable: the store does not answer.
        LaunchpadError: the file cannot be written; DiskFull where there is no room for it.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    name = name or destination.name
    if destination.is_file() and _is_there(destination, crc32c, md5, progress):
        size = destination.stat().st_size
        progress.report(size, size, name)
        return destination
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        return _Download(fetch_url, destination, crc32c, progress, name, getter, max_bytes, md5).run()
    except OSError as error:
        raise (DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else LaunchpadError)(
            "The file cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights to the folder.",
            subject=str(destination),
        ) from error


class _TryAgain(Exception):
    def __init__(self, error: LaunchpadError, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class _Changed(Exception):
    """The object is another one now: nothing that came is of use."""


@dataclass
class _Url:
    """The signed URL that all threads use; one of them asks for a fresh one, the others take it."""

    fetch: Callable[[], str]

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._value: str | None = None

    def get(self, expired: str | None = None) -> str:
        with self._lock:
            if self._value is None or self._value == expired:
                self._value = self.fetch()
            return self._value


class _Download:
    def __init__(
        self,
        fetch_url: Callable[[], str],
        destination: Path,
        crc32c: str | None,
        progress: Progress,
        name: str,
        getter: Getter,
        max_bytes: int | None,
        md5: str | None,
    ) -> None:
        self._url = _Url(fetch_url)
        self._get = getter
        self._max_bytes = max_bytes
        self._destination = destination
        self._part = destination.with_name(f"{destination.name}.part")
        self._wanted = crc32c
        self._md5 = md5
        self._progress = progress
        self._name = name
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._done: dict[int, int] = {}
        self._total = 0
        self._is_long = False
        self._last_byte = 0.0  # on the monotonic clock; 0 before the first

    def run(self) -> Path:
        with RangeJournal() as journal:
            for last_round in (False, False, True):
                try:
                    found = self._once(journal)
                except _Changed:
                    self._drop(journal)
                    if last_round:
                        raise TransferError(
                            "The file changes on the store while it is fetched",
                            advice="Download it again later.",
                            subject=self._name,
                        ) from None
                    continue
                except BaseException:
                    if not journal.find(self._destination):  # of no use the next time
                        self._drop(journal)
                    raise
                wanted = self._wanted or found[1]
                if wanted is None or found[0] == wanted:
                    found, wanted = (_md5(self._part, self._progress) if self._md5 else "", None), self._md5 or ""
                if found[0] == wanted:
                    self._finish(journal)
                    return self._destination
                if last_round or not self._keep_good_ranges(journal):
                    self._drop(journal)
                if last_round:
                    raise ChecksumError(
                        "The file arrived damaged",
                        detail=f"Its checksum is {found[0]}, it should be {wanted}.",
                        advice="Download it again.",
                        subject=str(self._destination),
                    )
        raise AssertionError("unreachable")

    def _finish(self, journal: RangeJournal) -> None:
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        self._part.replace(self._destination)
        if os.name == "posix":
            descriptor = os.open(self._destination.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        journal.forget(self._destination)

    def _drop(self, journal: RangeJournal) -> None:
        journal.forget(self._destination)
        self._done.clear()
        with contextlib.suppress(OSError):  # must not hide what went wrong before
            self._part.unlink(missing_ok=True)

    def _keep_good_ranges(self, journal: RangeJournal) -> bool:
        """Hash what is on disk again; ranges that are not as they came are fetched anew. False: none was found."""
        target = journal.find(self._destination)
        if target is None:
            return False
        bad = 0
        for number, crc32c in journal.ranges(self._destination).items():
            start = number * target.range_size
            if _hash(self._part, start, min(target.range_size, target.size - start)) != crc32c:
                journal.remove(self._destination, number)
                self._done.pop(number, None)
                bad += 1
        return bad > 0

    # --- one round --------------------------------------------------------------------------------------------------
    def _once(self, journal: RangeJournal) -> tuple[str, str | None]:
        """Fetch what is missing; the checksum of the whole, and the one that the store names."""
        self._stopped.clear()
        known = journal.find(self._destination)
        if known is not None and not self._part.is_file():
            self._drop(journal)
            known = None
        if known is None:
            return self._first(journal)
        self._keep_good_ranges(journal)  # the file lay there for a while; who knows what happened to it
        return self._ranges(journal, known)

    def _first(self, journal: RangeJournal) -> tuple[str, str | None]:
        """The first range of a file of unknown size; all of a small one, or of one that comes in no ranges."""

        def read(answer: Answer) -> tuple[str, str | None, Target | None]:
            size = _size(answer)
            whole = answer.status == 200 or size is None or size <= (RANGE if self._is_long else LARGE_RANGE)
            self._total = size or 0
            self._require_allowed(size or 0)
            self._require_room(size or 0)
            step = LARGE_RANGE if size is None or size >= 16 * LARGE_RANGE else RANGE
            with self._part.open("wb") as file:
                if size is not None and not whole:
                    file.truncate(size)
                # Of a file in ranges no more than the first is read here: the rest comes by several connections.
                crc32c = self._read(answer, file.fileno(), 0, 0, size if whole else step, to_its_end=whole)
            promised = _promised(answer)
            if whole or size is None:
                return crc32c, promised, None
            return crc32c, promised, Target(self._destination, size, answer.headers.get("etag", ""), step, promised)

        crc32c, promised, target = self._persist(f"bytes=0-{LARGE_RANGE - 1}", None, read)
        if target is None:
            return crc32c, promised
        journal.begin(target)
        journal.add(self._destination, 0, crc32c)
        return self._ranges(journal, target)

    def _ranges(self, journal: RangeJournal, target: Target) -> tuple[str, str | None]:
        count = -(-target.size // target.range_size)
        have = {number: crc32c for number, crc32c in journal.ranges(self._destination).items() if number < count}
        self._total = target.size
        self._require_allowed(target.size)
        spans = {
            number: (number * target.range_size, min(target.range_size, target.size - number * target.range_size))
            for number in range(count)
        }
        for number in have:
            self._report(number, spans[number][1])
        missing = [number for number in spans if number not in have]
        if missing:
            self._require_room(0 if self._part.stat().st_size >= target.size else target.size)
            descriptor = os.open(self._part, os.O_RDWR | getattr(os, "O_BINARY", 0))
            try:
                with ThreadPoolExecutor(
                    min(_THREADS * (2 if self._is_long else 1), len(missing)), thread_name_prefix="range"
                ) as threads:
                    calls = {
                        threads.submit(self._one_range, descriptor, target, number, *spans[number]): number
                        for number in missing
                    }
                    try:
                        for call in as_completed(calls):
                            have[calls[call]] = call.result()
                            journal.add(self._destination, calls[call], have[calls[call]])
                    except BaseException:
                        self._stopped.set()
                        threads.shutdown(wait=True, cancel_futures=True)
                        raise
            finally:
                os.close(descriptor)
        whole = 0
        for number in range(count):
            whole = checksums.combine(whole, checksums.decode(have[number]), spans[number][1])
        return checksums.encode(whole), target.crc32c

    def _one_range(self, descriptor: int, target: Target, number: int, start: int, size: int) -> str:
        def read(answer: Answer) -> str:
            etag = answer.headers.get("etag", "")
            if answer.status == 200 or etag != target.etag or _size(answer) != target.size:
                raise _Changed
            return self._read(answer, descriptor, number, start, size)

        return self._persist(f"bytes={start}-{start + size - 1}", target.etag, read)

    def _read(
        self,
        answer: Answer,
        descriptor: int,
        number: int,
        start: int,
        expected: int | None,
        *,
        to_its_end: bool = True,
    ) -> str:
        """Write a body at its place; its checksum. Bytes beyond what was expected are an error like missing ones.

        Unless it is read `to_its_end`, more may follow what is expected.
        """
        checksum = checksums.Crc32c()
        buffer = memoryview(bytearray(_BLOCK))
        done = 0
        while count := answer.read_into(buffer if to_its_end else buffer[: (expected or 0) - done]):
            try:
                _write_at(descriptor, buffer[:count], start + done)
            except OSError as error:  # named, so that it is not taken for one of the line
                raise OSError(error.errno, error.strerror, str(self._part)) from error
            checksum.update(bytes(buffer[:count]))
            done += count
            self._require_allowed(start + done)
            self._last_byte = time.monotonic()
            self._report(number, done)
        if expected is not None and done != expected:
            raise _TryAgain(
                TransferError(
                    "The file did not come whole",
                    detail=f"{done:,} of {expected:,} bytes came.",
                    advice="Try again: what is complete is not fetched again.",
                    subject=self._name,
                )
            )
        return checksum.base64()

    def _report(self, number: int, done: int) -> None:
        if self._stopped.is_set():
            raise Cancelled
        with self._lock:
            self._done[number] = done
            together = sum(self._done.values())
        self._progress.report(together, max(self._total, together), self._name)

    # --- asking -----------------------------------------------------------------------------------------------------
    def _persist(self, span: str, etag: str | None, read: Callable[[Answer], _T]) -> _T:
        """Ask for a range until it is read: with a fresh URL where one has expired, again where a failure may pass."""
        wait, tries, renewals = 0.2, 0, 0
        began = time.monotonic()
        expired: str | None = None
        while True:
            if self._stopped.is_set():
                raise Cancelled
            self._progress.check()
            url = self._url.get(expired)
            headers = {"Range": span, **({"If-Range": etag} if etag else {})}
            asked_at = time.monotonic()
            try:
                with self._get(url, headers) as answer:
                    if answer.status in (200, 206):
                        self._is_long = self._is_long or time.monotonic() - asked_at > _LONG
                        return read(answer)
                    error = self._refused(answer)
                    if answer.status in _EXPIRED and renewals < _TRIES - 1:
                        renewals += 1
                        expired = url
                        raise _TryAgain(error)
                    if answer.status == 416 and etag is None:  # an empty file has no first byte
                        return self._empty(read)
                    if answer.status in (408, 429) or answer.status >= 500:
                        raise _TryAgain(error, _retry_after(answer))
                    raise error
            except Unreachable as problem:
                failed: LaunchpadError = problem
                asked = 0.0
            except _TryAgain as problem:
                failed, asked = problem.error, problem.wait
            tries += 1
            since = self._last_byte or 0.0
            if (time.monotonic() - max(since, began) > _PATIENCE) if since else (tries >= _TRIES):
                raise failed from None
            if expired is None or tries > 1:
                self._progress.sleep(max(asked, random.uniform(wait / 2, wait)))  # noqa: S311 - jitter
                wait = min(2 * wait, _LONGEST_WAIT)

    @staticmethod
    def _empty(read: Callable[[Answer], _T]) -> _T:
        return read(Answer(200, {"content-length": "0"}, lambda buffer: 0))

    def _refused(self, answer: Answer) -> TransferError:
        return TransferError(
            "The store refused the download",
            detail=f"HTTP {answer.status}.",
            advice="Try again. If it stays, the file was deleted there, or may not be read by you.",
            subject=self._name,
        )

    def _require_allowed(self, size: int) -> None:
        if self._max_bytes is not None and size > self._max_bytes:
            raise TooLarge(
                "The file is too large",
                detail=f"It has {size:,} bytes or more, {self._max_bytes:,} are allowed.",
                subject=self._name,
            )

    def _require_room(self, size: int) -> None:
        free = shutil.disk_usage(self._part.parent).free
        if size > free:
            raise DiskFull(
                "There is no room for the file",
                detail=f"It has {size:,} bytes, {free:,} are free.",
                advice="Free space on the disk, or choose another folder.",
                subject=str(self._destination),
            )


def _is_there(file: Path, crc32c: str | None, md5: str | None, progress: Progress) -> bool:
    if crc32c is not None:
        return checksums.crc32c_file(file, progress) == crc32c
    return md5 is not None and _md5(file, progress) == md5


def _md5(file: Path, progress: Progress) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            progress.check()
            digest.update(block)
    return digest.hexdigest()


def _size(answer: Answer) -> int | None:
    """Bytes of the whole file, None where the answer does not say."""
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("content-range", ""))
    if match:
        return int(match.group(1))
    length = answer.headers.get("content-length", "")
    return int(length) if answer.status == 200 and length.isdigit() else None


def _promised(answer: Answer) -> str | None:
    for part in answer.headers.get("x-goog-hash", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "crc32c":
            return value
    return None


def _retry_after(answer: Answer) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), 120.0) if text.isdigit() else 0.0


def _write_at(descriptor: int, data: memoryview, offset: int) -> None:
    if hasattr(os, "pwrite"):
        while data:
            count = os.pwrite(descriptor, data, offset)
            data, offset = data[count:], offset + count
        return
    with _seek_lock:  # Windows has no pwrite
        os.lseek(descriptor, offset, os.SEEK_SET)
        while data:
            data = data[os.write(descriptor, data) :]


_seek_lock = threading.Lock()


def _hash(path: Path, start: int, size: int) -> str:
    checksum = checksums.Crc32c()
    with path.open("rb") as file:
        file.seek(start)
        left = size
        while left and (block := file.read(min(_BLOCK, left))):
            checksum.update(block)
            left -= len(block)
    return checksum.base64()
