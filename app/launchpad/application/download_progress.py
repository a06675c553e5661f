"""`application.DownloadProgress` of the old SDK: how far a download is, for a callable or a queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from launchpad.platform.models import (
    ItemResultReadResponse,
    OutputArtifactResultReadResponse,
    RunReadResponse,
)
from launchpad.progress import Progress


class Queue(Protocol):
    """What `queue.Queue` and `multiprocessing.Queue` have in common."""

    def put_nowait(self, item: Any, /) -> None:
        """Add an item at once."""


class DownloadProgress(BaseModel):
    """One moment of a download; sizes are bytes, indices count from 0."""

    status: Literal["initializing", "waiting", "downloading", "completed"] = "initializing"
    run: RunReadResponse | None = None
    item: ItemResultReadResponse | None = None
    item_count: int | None = None
    item_index: int | None = None
    item_external_id: str | None = None
    artifact: OutputArtifactResultReadResponse | None = None
    artifact_count: int | None = None
    artifact_index: int | None = None
    artifact_path: Path | None = None
    artifact_download_url: str | None = None
    artifact_size: int | None = None
    artifact_downloaded_chunk_size: int = 0
    artifact_downloaded_size: int = 0
    input_slide_path: Path | None = None
    input_slide_url: str | None = None
    input_slide_size: int | None = None
    input_slide_downloaded_chunk_size: int = 0
    input_slide_downloaded_size: int = 0

    @property
    def total_artifact_count(self) -> int | None:
        """Artifacts of all items, where all have as many as this one."""
        if self.item_count is None or self.artifact_count is None:
            return None
        return self.item_count * self.artifact_count

    @property
    def total_artifact_index(self) -> int | None:
        """Artifacts that are through."""
        if self.item_index is None or self.artifact_count is None or self.artifact_index is None:
            return None
        return self.item_index * self.artifact_count + self.artifact_index

    @property
    def item_progress_normalized(self) -> float:
        """Items that are through, 0 to 1."""
        if not self.item_count:
            return 0.0
        return min(1.0, (self.item_index or 0) / self.item_count)

    @property
    def artifact_progress_normalized(self) -> float:
        """Bytes of the artifact that are through, 0 to 1."""
        if not self.artifact_size:
            return 0.0
        return min(1.0, self.artifact_downloaded_size / self.artifact_size)


class Telling(Progress):
    """A progress that tells a callable and a queue what it is told."""

    def __init__(
        self,
        callback: Callable[[DownloadProgress], None] | None,
        queue: Queue | None,
        inner: Progress | None = None,
    ) -> None:
        super().__init__()
        self._callback, self._queue, self._inner = callback, queue, inner

    def report(self, done: int, total: int, what: str = "") -> None:
        super().report(done, total, what)
        if self._inner is not None:
            self._inner.report(done, total, what)
        status: Literal["waiting", "downloading"] = "waiting" if what.startswith("waiting") else "downloading"
        self.tell(DownloadProgress(status=status, item_count=total, item_index=done))

    def check(self) -> None:
        super().check()
        if self._inner is not None:
            self._inner.check()

    def tell(self, moment: DownloadProgress) -> None:
        """Pass it on."""
        if self._callback is not None:
            self._callback(moment)
        if self._queue is not None:
            self._queue.put_nowait(moment)
