"""`application.DownloadProgress` of the old SDK: how far a download is, for a callable or a queue."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, computed_field

from launchpad.platform.models import (
    ItemResultReadResponse,
    OutputArtifactResultReadResponse,
    RunReadResponse,
)
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.application.results import Moved


class Queue(Protocol):
    """What `queue.Queue` and `multiprocessing.Queue` have in common."""

    def put_nowait(self, item: Any, /) -> None:
        """Add an item at once."""


class DownloadProgressState(StrEnum):
    """What a download is at."""

    INITIALIZING = "initializing"
    DOWNLOADING_INPUT = "downloading_input"
    QUPATH_ADD_INPUT = "qupath_add_input"
    CHECKING = "checking"
    WAITING = "waiting"
    DOWNLOADING = "downloading"
    QUPATH_ADD_RESULTS = "qupath_add_results"
    QUPATH_ANNOTATE_INPUT_WITH_RESULTS = "qupath_annotate_input_with_results"
    COMPLETED = "completed"


class DownloadProgress(BaseModel):
    """One moment of a download; sizes are bytes, indices count from 0."""

    status: DownloadProgressState = DownloadProgressState.INITIALIZING
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

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_artifact_count(self) -> int | None:
        """Artifacts of all items, where all have as many as this one."""
        if self.item_count is None or self.artifact_count is None:
            return None
        return self.item_count * self.artifact_count

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_artifact_index(self) -> int | None:
        """Artifacts that are through."""
        if self.item_index is None or self.artifact_count is None or self.artifact_index is None:
            return None
        return self.item_index * self.artifact_count + self.artifact_index

    @computed_field  # type: ignore[prop-decorator]
    @property
    def item_progress_normalized(self) -> float:
        """Items that are through, 0 to 1."""
        if not self.item_count:
            return 0.0
        return min(1.0, (self.item_index or 0) / self.item_count)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def artifact_progress_normalized(self) -> float:
        """Bytes of the artifact, or of the slide, that are through, 0 to 1."""
        if self.status is DownloadProgressState.DOWNLOADING_INPUT:
            size, done = self.input_slide_size, self.input_slide_downloaded_size
        else:
            size, done = self.artifact_size, self.artifact_downloaded_size
        return min(1.0, done / size) if size else 0.0


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
        self._so_far: dict[Path, int] = {}

    def report(self, done: int, total: int, what: str = "") -> None:
        super().report(done, total, what)
        if self._inner is not None:
            self._inner.report(done, total, what)
        waits = what.startswith("waiting")
        status = DownloadProgressState.WAITING if waits else DownloadProgressState.DOWNLOADING
        self.tell(DownloadProgress(status=status, item_count=total, item_index=done))

    def moved(self, file: Moved) -> None:
        """Bytes of an artifact or of a slide came."""
        chunk = max(0, file.done - self._so_far.get(file.path, 0))
        self._so_far[file.path] = file.done
        moment = DownloadProgress(
            status=DownloadProgressState.DOWNLOADING,
            run=file.run,
            item=file.item,
            item_count=file.items_total,
            item_index=file.items_done,
            item_external_id=file.item.external_id,
        )
        if file.artifact is None:
            moment.status = DownloadProgressState.DOWNLOADING_INPUT
            moment.input_slide_path, moment.input_slide_url = file.path, file.url
            moment.input_slide_size = file.size or None
            moment.input_slide_downloaded_chunk_size, moment.input_slide_downloaded_size = chunk, file.done
        else:
            moment.artifact, moment.artifact_index = file.artifact, file.index
            moment.artifact_count = sum(one.output == "AVAILABLE" for one in file.item.output_artifacts)
            moment.artifact_path, moment.artifact_download_url = file.path, file.url or None
            moment.artifact_size = file.size or None
            moment.artifact_downloaded_chunk_size, moment.artifact_downloaded_size = chunk, file.done
        self.tell(moment)

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
