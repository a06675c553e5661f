"""Writes the project while results still come: each slide as soon as it is there, in one thread of its own."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from launchpad.application.run_folder import ItemFacts, RunFacts
from launchpad.errors import LaunchpadError
from launchpad.progress import Cancelled, Progress
from launchpad.qupath.from_run import FOLDER, How, Report, add_item
from launchpad.qupath.moved import path_of, server_builders
from launchpad.qupath.processes import that_have_open
from launchpad.qupath.project import PROJECT_FILE, open_project

if TYPE_CHECKING:
    from launchpad.wsi.isolation import SlideService


class ProjectBuilder:
    """A context manager; give `on_ready` to `download_results`. Its thread ends with it.

    What goes wrong with the project is a problem of the `report`: results are downloaded all the same.
    """

    def __init__(self, how: How | None = None, slides: SlideService | None = None) -> None:
        self._how = how or How()
        self._slides, self._own = slides, slides is None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="qupath-project")
        self._stop = Progress()
        self._waiting: list[Future[None]] = []
        self._lock = threading.Lock()
        self._done: set[str] = set()
        self.report = Report(Path(FOLDER))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stop.cancel()
        self._threads.shutdown(wait=True, cancel_futures=kind is not None)
        if self._own and self._slides is not None:
            self._slides.close()
        if kind is None:
            for call in self._waiting:
                call.result()

    def on_ready(self, folder: Path, facts: RunFacts, item: ItemFacts) -> None:
        """Begin to write an item; returns at once."""
        with self._lock:
            if item.item_id not in self._done:
                self._done.add(item.item_id)
                self._waiting.append(self._threads.submit(self._write, folder, facts, item))

    def _write(self, folder: Path, facts: RunFacts, item: ItemFacts) -> None:
        from launchpad.wsi.isolation import SlideService

        self.report.project = folder / FOLDER
        try:
            if is_open(folder / FOLDER):
                self.report.problems.append(
                    f"{item.name}: the project is open in QuPath. Its results are added when it is opened next."
                )
                return
            if self._slides is None:
                self._slides = SlideService(workers=1)
            add_item(folder, facts, item, slides=self._slides, progress=self._stop, how=self._how, report=self.report)
        except Cancelled:
            return  # the download was stopped, which its caller sees
        except LaunchpadError as error:
            self.report.problems.append(f"{item.name}: {error}")


def is_open(project: Path) -> bool:
    """Whether a QuPath has the project open, as far as that can be seen."""
    file = project / PROJECT_FILE
    if not file.is_file():
        return False
    entries = open_project(project).entries
    places = [
        path_of(builder["uri"]) for entry in entries for builder in server_builders(entry.get("serverBuilder", {}))
    ]
    return bool(that_have_open(file, [path for path in places if path is not None]))
