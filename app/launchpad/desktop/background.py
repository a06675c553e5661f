"""Background work of the desktop: the only module that starts threads.

A short call is `await in_thread(service.call, …)` on the event loop; long work is a `Job`, whose function runs in a
QThread while the Job itself stays in the GUI thread. Progress is pulled at 10 Hz, so a worker can never flood the
interface. Only `@Slot` methods of QObjects receive what another thread emits: anything else crashes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot
from shiboken6 import isValid

from launchpad.progress import Cancelled, Pace, Progress

if TYPE_CHECKING:
    # Imported where they are used: the first window does not wait for them.
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")
_POLL = 100  # milliseconds
_WINDOW = 3.0  # seconds over which the rate is taken
_THREADS = 8
_COLLECT = 500  # ms between looks at the garbage
_WHOLE = 10.0  # s at least between collections of all that there is


class Job(QObject):
    """Long work. Connect before it is started; ends with exactly one of finished, failed, cancelled."""

    progress = Signal("qlonglong", "qlonglong", float)  # type: ignore[arg-type]
    """Done, total, and units a second over the last three seconds; `progress_text` says what."""
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, label: str, work: Callable[[Progress], object]) -> None:
        super().__init__()
        self.label = label
        self.report = Progress()
        self.progress_text = ""
        self._work: Callable[[Progress], object] | None = work
        self._seen: tuple[int, int, str] | None = None
        self._pace = Pace(_WINDOW)
        self._outcome: tuple[str, tuple[object, ...]] = ("failed", (RuntimeError("the work did not end"),))

    def cancel(self) -> None:
        """Ask it to stop; it does at its next report."""
        self.report.cancel()

    def _run(self) -> None:  # in the worker thread: emits nothing
        work, self._work = self._work, None
        try:
            self._outcome = ("finished", (work(self.report) if work is not None else None,))
        except Cancelled:
            self._outcome = ("cancelled", ())
        except Exception as error:  # noqa: BLE001 - delivered to whoever started it
            self._outcome = ("failed", (error,))

    def _poll(self) -> None:
        latest = self.report.latest
        if latest is None or latest is self._seen:
            return
        self._seen = latest
        done, total, self.progress_text = latest
        self.progress.emit(done, total, self._pace.add(done))

    def _deliver(self) -> None:
        self._poll()
        name, arguments = self._outcome
        self._outcome = ("failed", ())
        getattr(self, name).emit(*arguments)


class _Thread(QThread):
    def __init__(self, job: Job, parent: QObject) -> None:
        super().__init__(parent)
        self.job: Job | None = job
        self.setObjectName(f"job:{job.label}")

    def run(self) -> None:
        if self.job is not None:
            self.job._run()


class Jobs(QObject):
    """Owner of every running job: its strong reference, and the only user of QThread."""

    idle = Signal()
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live: dict[_Thread, Job] = {}
        self._closing = False
        self._timer = QTimer(self)
        self._timer.setObjectName("jobs")
        self._timer.setInterval(_POLL)
        self._timer.timeout.connect(self._poll)

    def start(self, job: Job) -> Job:
        """Run a job. Raises RuntimeError while the application is closing."""
        if self._closing:
            raise RuntimeError("the application is closing")
        thread = _Thread(job, self)
        if not self._live:
            gc.freeze()  # going through all that there was before takes a tenth of a second of the window's time
        self._live[thread] = job
        thread.finished.connect(self._ended)  # a @Slot of a QObject, never a lambda or partial
        thread.start()
        self._timer.start()
        self.changed.emit()
        return job

    def labels(self) -> list[str]:
        """What is under way."""
        return [job.label for job in self._live.values()]

    def __len__(self) -> int:
        return len(self._live)

    @Slot()
    def _poll(self) -> None:
        for job in list(self._live.values()):
            job._poll()

    @Slot()
    def _ended(self) -> None:
        for thread, job in list(self._live.items()):
            if thread.isFinished():
                self._reap(thread, job)

    def _reap(self, thread: _Thread, job: Job) -> None:
        thread.wait()  # finished is emitted just before the system's thread ends
        del self._live[thread]
        thread.job = None
        thread.deleteLater()
        try:
            job._deliver()  # a slot that raises must not keep the job alive
        finally:
            job.deleteLater()
            self.changed.emit()
            if not self._live:
                gc.unfreeze()
                self._timer.stop()
                self.idle.emit()

    def shutdown(self, seconds: float = 5.0) -> list[str]:
        """Cancel all and wait together at most `seconds`; the labels of jobs that did not stop."""
        self._closing = True
        end = time.monotonic() + seconds
        stuck = []
        for job in self._live.values():
            job.cancel()
        for thread, job in list(self._live.items()):
            if thread.wait(max(0, int((end - time.monotonic()) * 1000))):
                self._reap(thread, job)
            else:
                stuck.append(job.label)
        return stuck


class Collector(QObject):
    """Collects garbage in the thread of the window alone, until `end`.

    By itself Python collects in whatever thread makes objects; a worker would destroy objects of Qt there, and crash.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._last = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setObjectName("garbage")
        self._timer.setInterval(_COLLECT)
        self._timer.timeout.connect(self._collect)
        gc.disable()
        self._timer.start()

    @Slot()
    def _collect(self) -> None:
        counts, limits = gc.get_count(), gc.get_threshold()
        due = [number for number in range(3) if counts[number] > limits[number]]
        if 2 in due and time.monotonic() < self._last + _WHOLE:
            due.remove(2)
        if due:
            if due[-1] == 2:
                self._last = time.monotonic()
            gc.collect(due[-1])

    def end(self) -> None:
        """No thread is left that must not collect."""
        self._timer.stop()
        gc.enable()


class Pool:
    """The threads for short calls; made at the first one."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def get(self) -> ThreadPoolExecutor:
        """The executor."""
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="call")
        return self._threads

    def close(self) -> None:
        """End the threads; calls that wait are dropped."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=True, cancel_futures=True)


pool = Pool()


async def in_thread(call: Callable[..., T], *arguments: Any) -> T:
    """Run a short call in a thread and await its result."""
    import asyncio

    return await asyncio.get_running_loop().run_in_executor(pool.get(), lambda: call(*arguments))


class Tasks:
    """Coroutines under way: strong references, errors reported at once, cancelled by owner."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._live: dict[asyncio.Task[Any], object] = {}

    def spawn(self, coroutine: Coroutine[Any, Any, Any], owner: object = None) -> None:
        """Run a coroutine on the event loop."""
        import asyncio

        task = asyncio.get_event_loop().create_task(coroutine)
        self._live[task] = owner
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._live.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    def cancel(self, owner: object = None) -> None:
        """Cancel the coroutines of an owner, or all."""
        for task, own in list(self._live.items()):
            if owner is None or own is owner:
                task.cancel()

    def let_go(self, page: QObject) -> None:
        """Cancel the coroutines of a page, and of all inside it, before it is deleted."""
        for task, own in list(self._live.items()):
            while isinstance(own, QObject) and isValid(own):
                if own is page:
                    task.cancel()
                    break
                own = own.parent()

    async def settled(self) -> None:
        """Wait until all have ended."""
        import asyncio

        while self._live:
            await asyncio.wait(list(self._live))
