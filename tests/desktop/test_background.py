"""Background work: order of signals, cancellation, errors, ending; and that emitting costs no references."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QThread, Slot
from pytestqt.qtbot import QtBot

from launchpad.desktop.background import Collector, Job, Jobs
from launchpad.progress import Progress


class Listener(QObject):
    """Writes down what arrives, and in which thread."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.seen: list[tuple[str, object]] = []
        self.threads: set[QThread] = set()
        job.progress.connect(self.on_progress)
        job.finished.connect(self.on_finished)
        job.failed.connect(self.on_failed)
        job.cancelled.connect(self.on_cancelled)

    def note(self, name: str, value: object) -> None:
        self.seen.append((name, value))
        self.threads.add(QThread.currentThread())

    @Slot("qlonglong", "qlonglong", float)
    def on_progress(self, done: int, total: int, rate: float) -> None:
        self.note("progress", (done, total))

    @Slot(object)
    def on_finished(self, result: object) -> None:
        self.note("finished", result)

    @Slot(object)
    def on_failed(self, error: object) -> None:
        self.note("failed", error)

    @Slot()
    def on_cancelled(self) -> None:
        self.note("cancelled", None)


@pytest.fixture
def jobs(qapp: object) -> Iterator[Jobs]:
    jobs = Jobs()
    yield jobs
    assert jobs.shutdown(5) == []
    jobs.deleteLater()


def test_progress_then_the_result(qtbot: object, jobs: Jobs) -> None:
    def work(progress: Progress) -> str:
        progress.report(5_000_000_000, 10_000_000_000, "half")  # more than 32 bits: a slide is larger than 2 GiB
        progress.report(10_000_000_000, 10_000_000_000, "all")
        return "result"

    job = Job("work", work)
    listener = Listener(job)
    with qtbot.waitSignal(jobs.idle):  # type: ignore[attr-defined]
        jobs.start(job)
    assert listener.seen[-2:] == [("progress", (10_000_000_000, 10_000_000_000)), ("finished", "result")]
    assert listener.threads == {jobs.thread()}


def test_an_error_is_delivered(qtbot: object, jobs: Jobs) -> None:
    error = ValueError("no")

    def work(progress: Progress) -> None:
        raise error

    job = Job("work", work)
    listener = Listener(job)
    with qtbot.waitSignal(jobs.idle):  # type: ignore[attr-defined]
        jobs.start(job)
    assert listener.seen == [("failed", error)]


def test_cancel(qtbot: object, jobs: Jobs) -> None:
    job = Job("work", lambda progress: progress.sleep(60))
    listener = Listener(job)
    with qtbot.waitSignal(jobs.idle, timeout=5000):  # type: ignore[attr-defined]
        jobs.start(job)
        job.cancel()
    assert listener.seen == [("cancelled", None)]


def test_a_job_that_does_not_stop_is_named(qapp: object) -> None:
    jobs = Jobs()
    release = threading.Event()
    job = Job("stubborn", lambda progress: release.wait(30))
    jobs.start(job)
    started = time.monotonic()
    assert jobs.shutdown(0.2) == ["stubborn"]
    assert time.monotonic() - started < 5
    release.set()
    assert jobs.shutdown(10) == []
    with pytest.raises(RuntimeError):
        jobs.start(Job("late", lambda progress: None))
    jobs.deleteLater()


def test_many_jobs_leave_nothing(qtbot: object, jobs: Jobs) -> None:
    listeners = []
    with qtbot.waitSignal(jobs.idle, timeout=20_000):  # type: ignore[attr-defined]
        for number in range(50):
            job = Job(str(number), lambda progress: progress.report(1, 1))
            listeners.append(Listener(job))
            jobs.start(job)
    assert len(jobs) == 0
    assert all(listener.seen[-1] == ("finished", None) for listener in listeners)
    assert not jobs.findChildren(QThread) or all(thread.isFinished() for thread in jobs.findChildren(QThread))


def test_emitting_costs_no_references() -> None:
    """PySide6 6.12.0 loses references on Python 3.11 and aborts after some hundred emits."""
    code = (
        "from PySide6.QtCore import QObject, Signal\n"
        "class Emitter(QObject):\n    signal = Signal(int)\n"
        "emitter = Emitter()\n"
        "for number in range(5000): emitter.signal.emit(number)\n"
        "for number in range(50000): emitter.setObjectName(str(number))\n"
        "print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "alive")


def test_garbage_is_collected_in_the_thread_of_the_window(qtbot: QtBot) -> None:
    died: list[int] = []

    class Cycle:
        def __init__(self) -> None:
            self.own = self

        def __del__(self) -> None:
            died.append(threading.get_ident())

    collector = Collector()
    worker = threading.Thread(target=lambda: [Cycle() for _ in range(5000)])
    worker.start()
    worker.join()
    assert died == []
    qtbot.waitUntil(lambda: len(died) == 5000, timeout=10_000)
    collector.end()
    assert set(died) == {threading.get_ident()}
    assert gc.isenabled()
