"""Work in a process of its own, with a time and a memory limit; a process that dies is replaced.

Serves the decoding of slide files (a malformed file may kill its worker, never the application) and the platform's
workers. Processes are spawned, so they share nothing but the messages on a pipe; a worker whose parent dies ends by
itself.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import multiprocessing
import os
import pickle
import queue
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TypeVar

from launchpad import crashes
from launchpad.errors import LaunchpadError, WorkerDied
from launchpad.progress import Cancelled, Progress

T = TypeVar("T")

_POLL = 0.1  # seconds between looks at cancellation, time and memory
_STRIDE = 5.0  # seconds between two looks that count at most: the computer slept meanwhile
_REPORT = 0.05  # seconds between progress messages of a worker
_BELOW_NORMAL = 0x4000  # Windows' priority class


class Worker:
    """One supervised process. It starts at the first call and is replaced after it died. One call at a time.

    `preload` names modules that the process imports as it starts, before it is asked for anything.
    """

    def __init__(
        self, name: str, *, memory_limit: int | None = None, niceness: int = 0, preload: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self._niceness = niceness
        self._preload = preload
        self._memory_limit = memory_limit
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._fault_file: Path | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id while a process runs."""
        process = self._process
        return process.pid if process is not None else None

    def start(self) -> None:
        """Start the process now, so that the first call need not wait for it."""
        with self._lock:
            self._start()

    def call(
        self,
        target: Callable[..., T],
        *args: object,
        time_limit: float | None = None,
        progress: Progress | None = None,
    ) -> T:
        """Run `target(*args)` in the process and return what it returns.

        `target` is a function at module level; one that has a parameter `progress` is handed a Progress whose
        reports arrive in `progress` here. `time_limit` is in seconds.

        Raises:
            WorkerDied: the process died, or was ended for its time or memory.
            Cancelled: `progress` was cancelled; the process was ended.
            Exception: whatever `target` raised.
        """
        with self._lock:
            connection = self._start()
            try:
                connection.send((target.__module__, target.__qualname__, args))
                return self._wait(connection, time_limit, progress)
            except (EOFError, BrokenPipeError, ConnectionError) as error:
                code = self._end()
                raise WorkerDied(
                    "A worker process ended unexpectedly",
                    detail=f"Exit code {code} of process “{self.name}”.",
                    advice="The file may be damaged. Try again; if it happens again, leave this slide out.",
                ) from error
            except (Cancelled, WorkerDied):
                self._end()
                raise

    def _wait(self, connection: Connection, time_limit: float | None, progress: Progress | None) -> T:  # type: ignore[type-var]
        spent, before = 0.0, time.monotonic()
        while True:
            if progress is not None:
                progress.check()
            if connection.poll(_POLL):
                kind, value = connection.recv()
                if kind == "progress":
                    if progress is not None:
                        progress.report(*value)
                elif kind == "done":
                    return value  # type: ignore[no-any-return]
                else:
                    raise value
            now = time.monotonic()
            spent += min(now - before, _STRIDE)
            before = now
            if time_limit is not None and spent > time_limit:
                raise WorkerDied(
                    "A worker process took too long",
                    detail=f"It was ended after {time_limit:g} s.",
                    advice="The file may be damaged. Leave this slide out, or try again.",
                )
            self._check_memory()

    def _check_memory(self) -> None:
        if self._memory_limit is None or self._process is None or self._process.pid is None:
            return
        import psutil

        try:
            used = psutil.Process(self._process.pid).memory_info().rss
        except psutil.NoSuchProcess:
            return  # the pipe says so next
        if used > self._memory_limit:
            raise WorkerDied(
                "A worker process needed too much memory",
                detail=f"It was ended at {used // 2**20} MiB, the limit is {self._memory_limit // 2**20} MiB.",
                advice="The file may be damaged. Leave this slide out.",
            )

    def _start(self) -> Connection:
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        self._end()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        with contextlib.suppress(OSError, LaunchpadError):  # nothing can be written there: it works all the same
            self._fault_file = crashes.new_file(self.name)
        arguments = (theirs, self._niceness, self._preload, self.name, self._fault_file)
        process = context.Process(target=_serve, args=arguments, name=self.name, daemon=True)
        with _without_main():
            process.start()
        theirs.close()
        self._process, self._connection = process, ours
        return ours

    def _end(self) -> int | None:
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        process.kill()
        process.join()
        code = process.exitcode
        process.close()
        if self._fault_file is not None and crashes.settle(self._fault_file):  # it stays, but not all for ever
            crashes.left()
        self._fault_file = None
        return code

    def close(self) -> None:
        """End the process. A call that is under way in another thread ends with WorkerDied."""
        while not self._lock.acquire(timeout=_POLL):
            process = self._process
            if process is not None:
                with contextlib.suppress(ValueError):  # the other thread put it away meanwhile
                    process.kill()
        try:
            self._end()
        finally:
            self._lock.release()


_main_lock = threading.Lock()


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that does not run the caller's main module once more.

    A notebook or a script without a main guard could not use workers otherwise, and ours need nothing from it.
    """
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


class Pool:
    """Several workers; a call takes a free one and waits while there is none. Thread-safe."""

    def __init__(
        self,
        name: str,
        size: int,
        *,
        memory_limit: int | None = None,
        niceness: int = 0,
        preload: tuple[str, ...] = (),
    ) -> None:
        self._workers = [
            Worker(f"{name}-{number}", memory_limit=memory_limit, niceness=niceness, preload=preload)
            for number in range(size)
        ]
        self._free: queue.LifoQueue[Worker] = queue.LifoQueue()
        self._closed = False
        for worker in reversed(self._workers):
            self._free.put(worker)

    def call(
        self,
        target: Callable[..., T],
        *args: object,
        time_limit: float | None = None,
        progress: Progress | None = None,
    ) -> T:
        """As Worker.call, on whichever worker is free."""
        worker = self._take(progress)
        try:
            return worker.call(target, *args, time_limit=time_limit, progress=progress)
        finally:
            self._free.put(worker)

    def start(self) -> None:
        """Start all processes now, so that the first calls need not wait for them."""
        for worker in self._workers:
            worker.start()

    def _take(self, progress: Progress | None) -> Worker:
        while True:
            if self._closed:
                raise WorkerDied("The worker processes were closed")
            if progress is not None:
                progress.check()
            try:
                return self._free.get(timeout=_POLL)
            except queue.Empty:
                continue

    def close(self) -> None:
        """End all workers; later calls fail."""
        self._closed = True
        for worker in self._workers:
            worker.close()


class _Sender(Progress):
    """The worker's side of a Progress: sends a report now and then, the last one of a hundred percent always."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._next = 0.0

    def report(self, done: int, total: int, what: str = "") -> None:
        now = time.monotonic()
        if now >= self._next or done >= total:
            self._next = now + _REPORT
            self._connection.send(("progress", (done, total, what)))


def _be_nice(niceness: int) -> None:
    if sys.platform == "win32":
        import psutil

        with contextlib.suppress(psutil.Error):  # a system that refuses runs the worker as it is
            psutil.Process().nice(_BELOW_NORMAL)
    else:
        with contextlib.suppress(OSError):
            os.nice(niceness)


def _serve(connection: Connection, niceness: int, preload: tuple[str, ...], name: str, fault_file: Path | None) -> None:
    """Main of the worker process. A thread reads the requests, so that the parent's end is noticed in mid work."""
    import signal

    # Ctrl-C in a terminal goes to the whole group; the parent decides what happens to its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if niceness:
        _be_nice(niceness)
    if fault_file is not None:
        with contextlib.suppress(OSError):  # a full disk: it works all the same
            crashes.arm(name, fault_file)
    requests: queue.SimpleQueue[tuple[str, str, tuple[object, ...]]] = queue.SimpleQueue()

    def read() -> None:
        while True:
            try:
                requests.put(connection.recv())
            except (EOFError, OSError):
                crashes.disarm_all()
                os._exit(0)

    threading.Thread(target=read, name="requests", daemon=True).start()
    for needed in preload:
        importlib.import_module(needed)
    while True:
        module, qualified, args = requests.get()
        try:
            target = importlib.import_module(module)
            for part in qualified.split("."):
                target = getattr(target, part)
            call: Callable[..., object] = target  # type: ignore[assignment]
            keywords = {"progress": _Sender(connection)} if "progress" in inspect.signature(call).parameters else {}
            answer = ("done", call(*args, **keywords))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller shall see it
            answer = ("failed", _portable(error))
        connection.send(answer)


def _portable(error: Exception) -> Exception:
    """The error itself where it survives the pipe, otherwise what it said."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        return error
    except Exception:  # noqa: BLE001 - any class may refuse
        return LaunchpadError("A worker process failed", detail=f"{type(error).__name__}: {error}.")
