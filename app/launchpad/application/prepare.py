"""From files and folders to described slides: headers in worker processes, checksums, several at once.

What was found out of a file is kept until the file changes.

One bad slide never stops the others, and none is skipped in silence.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import paths
from launchpad.application import mapping as rules
from launchpad.application.columns import Column, columns, input_artifact
from launchpad.application.draft import Slide
from launchpad.application.prepared import Description, Memory
from launchpad.application.proposals import other_stain, propose
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress
from launchpad.wsi.discovery import FoundSlide, Rejected, find
from launchpad.wsi.isolation import SlideService
from launchpad.wsi.origin import read_origins
from launchpad.wsi.privacy import compile_patterns, own_patterns

if TYPE_CHECKING:
    from launchpad.platform.models import VersionReadResponse
    from launchpad.wsi.description import SlideDescription

_AHEAD = 1  # a thread beyond the workers: it hashes while all workers read headers


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
    name_patterns: Sequence[str] | None = None,
) -> Prepared:
    """Find and describe slides. `on_slide` is called, from worker threads, for each as it is ready.

    `name_patterns` are regular expressions for names of files and folders that identify somebody; None takes those
    of the settings.

    Raises:
        BadInput: a pattern is malformed.
        LaunchpadError: a mapping sets an unknown field.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    fields = columns(input_artifact(version).metadata_schema)
    for mapping in mappings:
        rules.check(mapping, fields)
    patterns = own_patterns() if name_patterns is None else tuple(name_patterns)
    compile_patterns(patterns)
    counted = _Count(progress)

    def describe(found: FoundSlide) -> Slide | Rejected:
        progress.check()
        result = _describe(found, fields, mappings, read, memory)
        if on_slide is not None:
            on_slide(result)
        counted.one_done(found.path.name)
        return result

    def read(found: FoundSlide) -> Description:
        return _read(service.describe(found.path, patterns), progress)

    results: list[Future[Slide | Rejected] | Rejected] = []
    with (
        Memory(patterns) as memory,
        ThreadPoolExecutor(service.workers + _AHEAD, thread_name_prefix="prepare") as threads,
    ):
        try:
            for found in find(map(_whole, paths), progress):
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


def _whole(path: Path) -> Path:
    """An absolute path; links stay as they are called, but one slide has one path whatever leads back on the way."""
    path = path.expanduser().absolute()
    return path.resolve() if ".." in path.parts else path


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
    read: Callable[[FoundSlide], Description],
    memory: Memory,
) -> Slide | Rejected:
    if not paths.is_unicode(found.path):
        return Rejected(found.path, "The name of the file or its folder is not Unicode.", "Rename it.")
    if len(found.files) > 1 and found.format != "DICOM":
        return Rejected(
            found.path,
            f"This slide consists of {len(found.files)} files; of each slide one file is sent.",
            "Convert it to a pyramid TIFF or DICOM.",
        )
    try:
        status = found.path.stat()
        description = memory.recall(found.path, status)
        if description is None:
            description = read(found)
            after = found.path.stat()
            if (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
                return Rejected(found.path, "The file changed while it was read.", "Wait until it is complete.")
            memory.keep(found.path, status, description)
    except OSError as error:
        return Rejected(found.path, f"The file cannot be read: {error.strerror or error}.", "Check its permissions.")
    except LaunchpadError as error:
        return Rejected(found.path, " ".join(part for part in (f"{error.title}.", error.detail) if part), error.advice)
    stain = other_stain(fields, description.stains)
    slide = Slide(
        path=found.path,
        files=found.files,
        external_id=str(found.path),
        format=description.format,
        size=status.st_size,
        width=description.width,
        height=description.height,
        mpp=description.mpp,
        mpp_origin="file" if description.mpp is not None else "",
        mpp_problem=description.mpp_problem,
        crc32c=description.crc32c,
        values={column.key: column.default for column in fields if column.default is not None},
        scanner=description.scanner,
        notes=(*description.notes, stain) if stain else description.notes,
        identifying=description.identifying,
        proposals=propose(
            fields, description.stains, description.anatomy, read_origins(found.path.parent).get(found.path.name)
        ),
    )
    return rules.apply(mappings, [slide], fields)[0]


def _read(described: SlideDescription, progress: Progress) -> Description:
    header, specimen = described.metadata, described.specimen
    return Description(
        format=header.format,
        width=header.width,
        height=header.height,
        mpp=header.mpp_x,
        mpp_problem=header.mpp_problem,
        crc32c=crc32c_file(header.path, _Quiet(progress)),
        scanner=header.scanner,
        notes=(header.mpp_note,) if header.mpp_note else (),
        identifying=tuple(item.words() for item in described.identifying),
        stains=tuple((code.value, code.meaning) for code in specimen.stains),
        anatomy=tuple((code.value, code.meaning) for code in specimen.anatomy),
    )


class _Quiet(Progress):
    """Passes on cancellation, not the bytes: the progress counts slides."""

    def __init__(self, whole: Progress) -> None:
        super().__init__()
        self._whole = whole

    def report(self, done: int, total: int, what: str = "") -> None:
        self._whole.check()
