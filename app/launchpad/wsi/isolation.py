"""Decoding in processes of its own: a malformed slide may kill its worker, never the application."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from launchpad import paths
from launchpad.errors import LaunchpadError, SlideError, WorkerDied
from launchpad.progress import Cancelled
from launchpad.supervised import Pool
from launchpad.wsi.description import SlideDescription, describe
from launchpad.wsi.thumbnails import thumbnail_png

T = TypeVar("T")

_MEMORY_LIMIT = 2 << 30
_METADATA_SECONDS = 120.0  # a slide on a sleeping network drive takes its time
_THUMBNAIL_SECONDS = 300.0
_MOST_WORKERS = 4
_PRELOAD = ("openslide", "launchpad.wsi.description")  # what reading the first header would wait for
_NICENESS = 5  # the window comes first
_CACHE_LIMIT = 256 << 20  # bytes of kept thumbnails
_CACHE_LOOK = 64  # thumbnails written between looks at their size


class SlideService:
    """Headers and thumbnails of slides, read by worker processes. Thread-safe; close it at the end.

    Attributes:
        workers: how many slides are read at once.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or max(2, min(_MOST_WORKERS, (os.cpu_count() or 2) - 1))
        self._pool = Pool(
            "slide-reader", self.workers, memory_limit=_MEMORY_LIMIT, niceness=_NICENESS, preload=_PRELOAD
        )
        self._closed = False
        self._written = itertools.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the worker processes now; otherwise they start when they are needed."""
        self._pool.start()

    def describe(self, path: Path, patterns: Sequence[str]) -> SlideDescription:
        """As `description.describe`, in a worker process.

        Raises:
            SlideError: the slide cannot be read; also when its worker died of it.
            BadInput: a pattern is malformed.
        """
        return self._call(path, _METADATA_SECONDS, describe, path, tuple(patterns))

    def thumbnail(self, path: Path, size: int = 256, content: str = "") -> bytes:
        """As `thumbnail_png`, in a worker process, kept on disk until the file changes.

        `content` names the slide's content (its checksum): by it the picture is found also when the file itself is not
        on this computer any more.

        Raises:
            SlideError: the slide cannot be read; also when its worker died of it.
        """
        if not content:
            return self._picture(path, size)
        digest = hashlib.sha256(f"{content}\0{size}".encode()).hexdigest()
        kept = paths.cache_dir() / "thumbnails" / f"content-{digest}.png"
        try:
            png = self._picture(path, size)
        except SlideError:
            with contextlib.suppress(FileNotFoundError):
                return kept.read_bytes()
            raise
        if not kept.exists():
            paths.write_private(kept, png)
        return png

    def call(self, path: Path, target: Callable[..., T], *args: object) -> T:
        """Run a function that decodes a file, in a worker process. Raises SlideError as `describe`."""
        return self._call(path, _THUMBNAIL_SECONDS, target, path, *args)

    def _picture(self, path: Path, size: int) -> bytes:
        kept = _cache_file(path, size)
        with contextlib.suppress(FileNotFoundError):
            png = kept.read_bytes()
            os.utime(kept)  # what is looked at stays longest
            return png
        png = self._call(path, _THUMBNAIL_SECONDS, thumbnail_png, path, size)
        # Pictures of slides are as private as the slides.
        paths.ensure_private(kept.parent)
        paths.write_private(kept, png)
        if next(self._written) % _CACHE_LOOK == 0:
            prune(kept.parent, _CACHE_LIMIT)
        return png

    def close(self) -> None:
        """End the worker processes; later calls fail."""
        self._closed = True
        self._pool.close()

    def _call(self, path: Path, seconds: float, target: Callable[..., T], *args: object) -> T:
        try:
            return self._pool.call(target, *args, time_limit=seconds)
        except WorkerDied as error:
            if self._closed:
                raise
            raise SlideError(
                "The slide cannot be read",
                detail=f"{error.title}. {error.detail}",
                advice=error.advice,
                subject=str(path),
            ) from error
        except (LaunchpadError, Cancelled):
            raise
        except Exception as error:  # damaged bytes lead libraries to any exception, MemoryError too
            raise SlideError(
                "The slide cannot be read",
                detail=f"Its content is damaged: {str(error).rstrip('.') or type(error).__name__}.",
                advice="Copy it again from where it was made, or leave it out.",
                subject=str(path),
            ) from error


def prune(folder: Path, limit: int) -> None:
    """Remove the files that were not used for longest until the folder holds `limit` bytes or less."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process of ours tidies too
            status = path.stat()
            files.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size


def _cache_file(path: Path, size: int) -> Path:
    try:
        status = path.stat()
    except OSError as error:
        raise SlideError(
            "The slide cannot be opened",
            detail=f"{error.strerror or error}.",
            advice="Check that the file exists and that you may read it.",
            subject=str(path),
        ) from error
    key = f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0{size}"
    return paths.cache_dir() / "thumbnails" / f"{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}.png"
