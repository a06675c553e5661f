"""From files and folders to described slides: headers in worker processes, checksums, several at once.

One bad slide never stops the others, and none is skipped in silence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.application import mapping as rules
from launchpad.application.columns import Column, columns, input_artifact
from launchpad.application.draft import Slide
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress
from launchpad.wsi.discovery import FoundSlide, Rejected, find
from launchpad.wsi.isolation import SlideService

if TYPE_CHECKING:
    from launchpad.platform.models import VersionReadResponse

_THREADS = 4


@dataclass(frozen=True)
class Prepared:
    """What was found, in the order of discovery."""

    slides: tuple[Slide, ...]
    rejected: tuple[Rejected, ...]


def prepare(
    paths: Iterable[Path],
    version: VersionReadResponse,
    *,
    service: SlideService,
    mappings: Sequence[rules.Mapping] = (),
    progress: Progress | None = None,
    on_slide: Callable[[Slide | Rejected], None] | None = None,
) -> Prepared:
    """Find and describe slides. `on_slide` is called, from worker threads, for each as it is ready.

    Raises:
        LaunchpadError: a mapping sets an unknown field.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    fields = columns(input_artifact(version).metadata_schema)
    for mapping in mappings:
        rules.check(mapping, fields)
    counted = _Count(progress)

    def describe(found: FoundSlide) -> Slide | Rejected:
        progress.check()
        result = _describe(found, fields, mappings, service, progress)
        if on_slide is not None:
            on_slide(result)
        counted.one_done(found.path.name)
        return result

    results: list[Future[Slide | Rejected] | Rejected] = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="prepare") as threads:
        try:
            for found in find(paths, progress):
                if isinstance(found, Rejected):
                    results.append(found)
                    if on_slide is not None:
                        on_slide(found)
                else:
                    counted.one_more()
                    results.append(threads.submit(describe, found))
            done = [item.result() if isinstance(item, Future) else item for item in results]
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    return Prepared(
        tuple(item for item in done if isinstance(item, Slide)),
        tuple(item for item in done if isinstance(item, Rejected)),
    )


class _Count:
    """Slides done of slides found, from several threads."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._done = self._total = 0

    def one_more(self) -> None:
        with self._lock:
            self._total += 1

    def one_done(self, name: str) -> None:
        with self._lock:
            self._done += 1
            done, total = self._done, self._total
        self._progress.report(done, total, name)


def _describe(
    found: FoundSlide,
    fields: Sequence[Column],
    mappings: Sequence[rules.Mapping],
    service: SlideService,
    progress: Progress,
) -> Slide | Rejected:
    try:
        header = service.metadata(found.path)
        checksum = crc32c_file(header.path, _Quiet(progress))
    except LaunchpadError as error:
        return Rejected(found.path, " ".join(part for part in (f"{error.title}.", error.detail) if part), error.advice)
    slide = Slide(
        path=header.path,
        files=header.files,
        external_id=str(header.path),
        format=header.format,
        size=header.size,
        width=header.width,
        height=header.height,
        mpp=header.mpp_x,
        mpp_origin="file" if header.mpp_x is not None else "",
        mpp_problem=header.mpp_problem,
        crc32c=checksum,
        values={column.key: column.default for column in fields if column.default is not None},
    )
    return rules.apply(mappings, [slide], fields)[0]


class _Quiet(Progress):
    """Passes on cancellation, not the bytes: the progress counts slides."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def report(self, done: int, total: int, what: str = "") -> None:
        self._whole.check()
