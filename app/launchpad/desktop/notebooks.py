"""The notebooks that are open, and the environment they run in, for the pages that show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from launchpad import paths
from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.session import Session
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.notebook.environment import State
    from launchpad.notebook.service import Prepared, Service
    from launchpad.progress import Progress
    from launchpad.wsi.isolation import SlideService

_WATCH = 1000  # milliseconds between looks at the servers
CLOSED, OPENING, RUNNING, EXPORTING = "closed", "opening", "running", "exporting"


@dataclass(frozen=True)
class View:
    """A notebook as a page shows it. `url` has the token; `path` is the file."""

    state: str = CLOSED
    words: str = ""
    url: str = ""
    path: Path | None = None
    notes: tuple[str, ...] = ()


class Notebooks(QObject):
    """Notebooks by run ("" is the one from sign-in to download). Close it at the end: the servers end with it.

    Signals:
        changed: the notebook of a run is in another state.
        opened: the notebook of a run runs now.
        exported: the notebook of a run was written for Jupyter (run, path).
        failed: a run, and the exception that ended what was asked for.
        environment_changed: it was looked at, moved, made or removed.
    """

    changed = Signal(str)
    opened = Signal(str)
    exported = Signal(str, object)
    failed = Signal(str, object)
    environment_changed = Signal()

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._service: Service | None = None
        self._views: dict[str, View] = {}
        self._folders: dict[str, Path] = {}
        self._live: dict[str, Job] = {}
        self._making: Job | None = None
        self._wanted = ""
        self._waits = False
        self._looks = 0
        self._timer = QTimer(self)
        self._timer.setObjectName("notebooks")
        self._timer.setInterval(_WATCH)
        self._timer.timeout.connect(self._watch)
        self.environment: State | None = None
        self.done, self.total = 0, 0

    # --- notebooks --------------------------------------------------------------------------------------------------
    def view(self, run_id: str) -> View:
        """What to show."""
        return self._views.get(run_id, View())

    @Slot()
    def _watch(self) -> None:
        """A server that ended by itself counts as closed."""
        running = [run_id for run_id, view in self._views.items() if view.state == RUNNING]
        for run_id in running:
            view = self._views[run_id]
            if view.path is None or self._servers().server(view.path) is None:
                self._show(run_id, replace(view, state=CLOSED, url=""))
        if not running:
            self._timer.stop()

    def folder(self, run_id: str) -> Path:
        """Where the results of a run are."""
        return self._folders.get(run_id, paths.results_dir() / run_id)

    def open(self, run_id: str, folder: Path | None = None) -> None:
        """Open a notebook. Without an environment it is opened as soon as one was made."""
        if folder is not None:
            self._folders[run_id] = folder
        if run_id in self._live:
            return
        self._watch()
        if self.view(run_id).state == RUNNING:
            self.opened.emit(run_id)
            return
        self._session.spawn(self._open(run_id), self)

    async def _open(self, run_id: str) -> None:
        if (await self._look()).interpreter is None:
            self._wanted, self._waits = run_id, True
            self.changed.emit(run_id)
            return
        self._waits = False
        self._show(run_id, View(OPENING, self.tr("Preparing the notebook …")))
        folder = self.folder(run_id) if run_id else None
        work = partial(_open_notebook, self._servers(), folder, self._session.slides if run_id else None)
        self._start(run_id, self.tr("Open the notebook"), work, self._ready)

    def _start(self, run_id: str, label: str, work: Callable[[Progress], object], then: Callable[[Any], None]) -> None:
        if run_id in self._live:
            return
        job = Job(label, work)
        job.setObjectName(f"notebook:{run_id}")
        job.progress.connect(self._moved)
        job.finished.connect(then)
        job.failed.connect(self._broke)
        job.cancelled.connect(self._stopped)
        self._live[run_id] = job
        self._jobs.start(job)

    def cancel(self, run_id: str) -> None:
        """Stop opening or exporting."""
        if run_id in self._live:
            self._live[run_id].cancel()

    def stop(self, run_id: str) -> None:
        """End the server of a notebook; what was saved stays."""
        self._session.spawn(self._stop(run_id), self)

    async def _stop(self, run_id: str) -> None:
        found = self.view(run_id)
        if found.path is not None:
            await in_thread(self._servers().stop, found.path)
        self._show(run_id, replace(found, state=CLOSED, url=""))

    def export(self, run_id: str) -> None:
        """Write the notebook of a run for Jupyter, with outputs."""
        found = self.view(run_id)
        if found.path is None or run_id in self._live:
            return
        self._show(run_id, replace(found, state=EXPORTING, words=self.tr("Running all cells for Jupyter …")))
        self._start(run_id, self.tr("Export the notebook"), partial(_export, found.path), self._exported)

    # --- what jobs say ----------------------------------------------------------------------------------------------
    def _run_of(self) -> str:
        job = self.sender()
        return job.objectName().removeprefix("notebook:") if isinstance(job, Job) else ""

    @Slot("qlonglong", "qlonglong", float)
    def _moved(self, done: int, total: int, rate: float) -> None:
        run_id = self._run_of()
        if total > 1 and self._views.get(run_id, View()).state == OPENING:
            words = self.tr("Picture {0} of {1} …").format(min(done + 1, total), total)
            self._show(run_id, View(OPENING, words))

    @Slot(object)
    def _ready(self, made: tuple[Prepared, str]) -> None:
        run_id, (prepared, url) = self._run_of(), made
        self._live.pop(run_id, None)
        self._show(run_id, View(RUNNING, "", url, prepared.path, prepared.notes))
        self.opened.emit(run_id)

    @Slot(object)
    def _exported(self, path: Path) -> None:
        run_id = self._run_of()
        self._ended(run_id)
        self.exported.emit(run_id, path)

    @Slot(object)
    def _broke(self, error: BaseException) -> None:
        run_id = self._run_of()
        self._ended(run_id)
        self.failed.emit(run_id, error)

    @Slot()
    def _stopped(self) -> None:
        self._ended(self._run_of())

    def _ended(self, run_id: str) -> None:
        self._live.pop(run_id, None)
        found = self._views.get(run_id, View())
        runs = found.path is not None and self._servers().server(found.path) is not None
        self._show(run_id, replace(found, state=RUNNING if runs else CLOSED, words=""))

    def _show(self, run_id: str, view: View) -> None:
        self._views[run_id] = view
        if view.state == RUNNING:
            self._timer.start()
        self.changed.emit(run_id)

    # --- the environment --------------------------------------------------------------------------------------------
    @property
    def making(self) -> bool:
        """Whether the environment is being made."""
        return self._making is not None

    def look(self) -> None:
        """See what there is to run notebooks with."""
        self._session.spawn(self._look(), self)

    async def _look(self) -> State:
        from launchpad.notebook import environment

        self._looks += 1
        mine = self._looks
        found = await in_thread(environment.state)
        if mine == self._looks:  # a later look knows better
            self.environment = found
            self.environment_changed.emit()
        return found

    def make(self) -> None:
        """Make the environment, then open what waits for it."""
        if self._making is not None:
            return
        job = Job(self.tr("Make the environment for notebooks"), _make)
        job.progress.connect(self._made_some)
        job.finished.connect(self._made)
        job.failed.connect(self._not_made)
        job.cancelled.connect(self._not_wanted)
        self._making = job
        self._jobs.start(job)
        self.environment_changed.emit()

    def cancel_making(self) -> None:
        """Stop making it; nothing is left behind."""
        if self._making is not None:
            self._making.cancel()

    def remove(self) -> None:
        """Remove the environment, after its servers have ended."""
        self._session.spawn(self._remove(), self)

    async def _remove(self) -> None:
        from launchpad.notebook import environment

        try:
            await in_thread(self._servers().stop)
            await in_thread(environment.remove)
        except LaunchpadError as error:
            self.failed.emit("", error)
        self._watch()
        await self._look()

    @Slot("qlonglong", "qlonglong", float)
    def _made_some(self, done: int, total: int, rate: float) -> None:
        self.done, self.total = done, total
        self.environment_changed.emit()

    @Slot(object)
    def _made(self, _interpreter: object) -> None:
        self._not_wanted()
        if self._waits:
            self.open(self._wanted)

    @Slot(object)
    def _not_made(self, error: BaseException) -> None:
        self._not_wanted()
        self.failed.emit(self._wanted, error)

    @Slot()
    def _not_wanted(self) -> None:
        self._making = None
        self.done = self.total = 0
        self.look()

    # --- the end ----------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """End all servers. Blocks up to a few seconds: in a worker thread."""
        if self._service is not None:
            self._service.stop()

    def _servers(self) -> Service:
        if self._service is None:
            from launchpad.notebook.service import Service

            self._service = Service()
        return self._service


def _open_notebook(
    servers: Service, folder: Path | None, slides: SlideService | None, progress: Progress
) -> tuple[Prepared, str]:
    from launchpad.notebook import service

    prepared = (
        service.prepare_own() if folder is None else service.prepare_run(folder, slides=slides, progress=progress)
    )
    return prepared, servers.start(prepared.path, progress=progress)


def _export(path: Path, progress: Progress) -> Path:
    from launchpad.notebook.service import export_jupyter

    return export_jupyter(path, progress=progress).path


def _make(progress: Progress) -> Path:
    from launchpad.notebook import environment

    return environment.make(progress=progress)
