"""What the old SDK's callables and queues get while QuPath is installed, and images are added and annotated."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, computed_field

from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.application.download_progress import Queue


class InstallProgressState(StrEnum):
    """What an installation is at."""

    CHECKING = "checking"
    DOWNLOADING = "downloading"
    EXTRACTING = "extracting"


class InstallProgress(BaseModel):
    """One moment of an installation; sizes in bytes."""

    status: InstallProgressState = InstallProgressState.CHECKING
    archive_version: str | None = None
    archive_path: Path | None = None
    archive_size: int | None = None
    archive_downloaded_size: int = 0
    archive_download_chunk_size: int | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def archive_download_progress_normalized(self) -> float:
        """What of the archive is there, 0 to 1."""
        return min(1.0, self.archive_downloaded_size / self.archive_size) if self.archive_size else 0.0


class AddProgressState(StrEnum):
    """What the adding of images is at."""

    INITIALIZING = "initializing"
    ADDING_IMAGES = "adding_images"
    COMPLETED = "completed"


class AddProgress(BaseModel):
    """One moment of adding images; `image_index` counts those that are through."""

    status: AddProgressState = AddProgressState.INITIALIZING
    image_count: int | None = None
    image_index: int = 0
    image_path: Path | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def progress_normalized(self) -> float:
        """Images that are through, 0 to 1."""
        return min(1.0, self.image_index / self.image_count) if self.image_count else 0.0


class AnnotateProgressState(StrEnum):
    """What the annotating of an image is at."""

    INITIALIZING = "initializing"
    COUNTING = "counting"
    ANNOTATING = "annotating"
    COMPLETED = "completed"


class AnnotateProgress(BaseModel):
    """One moment of annotating an image; how many objects a file holds is known at its end only."""

    status: AnnotateProgressState = AnnotateProgressState.INITIALIZING
    image_path: Path | None = None
    annotation_count: int | None = None
    annotation_index: int = 0
    annotation_path: Path | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def progress_normalized(self) -> float:
        """Objects that are through, 0 to 1."""
        return min(1.0, self.annotation_index / self.annotation_count) if self.annotation_count else 0.0


class Told(Progress):
    """A progress that passes on what it is told, to a function and to another progress."""

    def __init__(self, tell: Callable[[int, int, str], None], inner: Progress | None = None) -> None:
        super().__init__()
        self._tell, self._inner = tell, inner or Progress()

    def report(self, done: int, total: int, what: str = "") -> None:
        self._inner.report(done, total, what)
        self._tell(done, total, what)

    def check(self) -> None:
        self._inner.check()

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class Installing:
    """Tells the callables and the queue of an installation how far it is; the archive comes first, then its members."""

    def __init__(
        self, version: str, archive: Path, downloaded: Callable[..., None] | None, queue: Queue | None
    ) -> None:
        self._version, self._archive = version, archive
        self._downloaded, self._queue = downloaded, queue
        self._so_far = 0
        self.put(InstallProgress(archive_version=version))

    def tell(self, done: int, total: int, what: str) -> None:
        """As a progress reports it."""
        moment = InstallProgress(archive_version=self._version, archive_path=self._archive, archive_size=total or None)
        moment.archive_downloaded_size = done
        if what != self._archive.name:  # a member of the archive, which is whole then
            moment.status = InstallProgressState.EXTRACTING
        else:
            moment.status = InstallProgressState.DOWNLOADING
            chunk = moment.archive_download_chunk_size = max(0, done - self._so_far)
            self._so_far = done
            if self._downloaded is not None:
                self._downloaded(self._archive, total, chunk)
        self.put(moment)

    def put(self, moment: InstallProgress) -> None:
        """Into the queue, where there is one."""
        if self._queue is not None:
            self._queue.put_nowait(moment)
