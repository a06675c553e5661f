"""Several files into a bucket at once; one that fails never stops the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from launchpad.bucket.base import Bucket, Receipt
from launchpad.bucket.board import FileBoard
from launchpad.errors import LaunchpadError
from launchpad.progress import Cancelled, Progress

_THREADS = 8  # files under way; the bucket bounds the requests


@dataclass(frozen=True)
class Source:
    """A file to send: where to, and the checksum that it had when it was prepared."""

    path: Path
    key: str
    crc32c: str | None = None


class _Share(Progress):
    """One file's part of the progress of all."""

    def __init__(self, whole: _Whole, number: int) -> None:
        super().__init__()
        self._whole = whole
        self._number = number

    def report(self, done: int, total: int, what: str = "") -> None:
        if self._whole.board is not None:
            self._whole.board.moved(str(self._number), done, total)
        self._whole.add(self._number, done, what)

    def check(self) -> None:
        self._whole.check()

    def sleep(self, seconds: float) -> None:
        self._whole.sleep(seconds)

    @property
    def cancelled(self) -> bool:
        return self._whole.stopped.is_set() or self._whole.progress.cancelled


class _Whole:
    def __init__(self, progress: Progress, sizes: Sequence[int], board: FileBoard | None) -> None:
        self.progress = progress
        self.board = board
        self._done = [0] * len(sizes)
        self._total = sum(sizes)
        self._lock = threading.Lock()
        self.stopped = threading.Event()  # the caller was interrupted, by Ctrl-C for example

    def check(self) -> None:
        if self.stopped.is_set():
            raise Cancelled
        self.progress.check()

    def sleep(self, seconds: float) -> None:
        self.check()
        self.progress.sleep(seconds)
        self.check()

    def add(self, number: int, done: int, what: str) -> None:
        with self._lock:
            self._done[number] = max(self._done[number], done)
            together = sum(self._done)
        self.check()
        self.progress.report(together, self._total, what)


def upload_files(
    bucket: Bucket,
    files: Sequence[Source],
    progress: Progress | None = None,
    on_file: Callable[[int, Receipt | LaunchpadError], None] | None = None,
    board: FileBoard | None = None,
) -> list[Receipt | LaunchpadError]:
    """Send files; the result has a receipt or an error for each, in their order. Progress is bytes of all together.

    `on_file` is called with a file's number as soon as it is through, from a worker thread. On the `board` a file's
    key is its number.

    Raises:
        Cancelled: the progress was cancelled; what was confirmed stays in the bucket.
    """
    sizes = [_size(file.path) for file in files]
    if board is not None:
        for number, file in enumerate(files):
            board.expect(str(number), file.path.name, sizes[number])
    whole = _Whole(progress or Progress(), sizes, board)

    def send(number: int) -> Receipt | LaunchpadError:
        file = files[number]
        result: Receipt | LaunchpadError
        try:
            result = bucket.put(file.path, file.key, _Share(whole, number), expected=file.crc32c)
            if board is not None:
                board.done(str(number), result.size, result.attempts)
        except LaunchpadError as error:
            result = error
            if board is not None:
                board.failed(str(number), error)
        if on_file is not None:
            on_file(number, result)
        return result

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="upload") as threads:
        calls = [threads.submit(send, number) for number in range(len(files))]
        try:
            return [call.result() for call in calls]
        except BaseException:
            whole.stopped.set()  # the others end at their next block
            threads.shutdown(wait=True, cancel_futures=True)
            raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # told of when it is sent
