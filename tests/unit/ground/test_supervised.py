"""A process that dies, hangs or grows costs one call an error and is replaced."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from launchpad.errors import LaunchpadError, SlideError, WorkerDied
from launchpad.progress import Cancelled, Progress
from launchpad.supervised import Pool, Worker

from unit.ground import work_for_workers as work


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test", memory_limit=400 << 20)
    yield worker
    worker.close()


def wait_for(path: Path) -> int:
    end = time.monotonic() + 20
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.01)
    return int(path.read_text())


def test_returns_and_keeps_its_process(worker: Worker) -> None:
    assert worker.call(work.double, 21) == 42
    first = worker.call(work.where)
    assert worker.call(work.where) == first == worker.pid


def test_reports_arrive(worker: Worker) -> None:
    progress = Progress()
    assert worker.call(work.report, 500, progress=progress) == 500
    assert progress.latest == (500, 500, "step 500")


def test_an_error_keeps_its_parts(worker: Worker) -> None:
    with pytest.raises(SlideError) as caught:
        worker.call(work.refuse, "a.svs")
    assert (caught.value.title, caught.value.detail, caught.value.subject) == (
        "The slide cannot be read",
        "It is a text file.",
        "a.svs",
    )


def test_an_error_that_cannot_be_sent_says_what_it_was(worker: Worker) -> None:
    with pytest.raises(LaunchpadError, match="Awkward: only one"):
        worker.call(work.awkward)
    assert worker.call(work.double, 1) == 2


def test_a_dead_process_is_replaced(worker: Worker) -> None:
    first = worker.call(work.where)
    with pytest.raises(WorkerDied, match="-9"):
        worker.call(work.die)
    assert worker.call(work.where) != first


def test_a_late_process_is_ended_and_replaced(worker: Worker, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with pytest.raises(WorkerDied, match="too long"):
        worker.call(work.hang, str(marker), time_limit=1.5)
    assert not psutil.pid_exists(wait_for(marker))
    assert worker.call(work.double, 2) == 4


def test_a_process_that_grows_is_ended(worker: Worker) -> None:
    with pytest.raises(WorkerDied, match="too much memory"):
        worker.call(work.allocate, 700 << 20, time_limit=60)


def test_cancel_ends_the_process(worker: Worker, tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    progress = Progress()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(worker.call, work.hang, str(marker), progress=progress)
        pid = wait_for(marker)
        progress.cancel()
        with pytest.raises(Cancelled):
            call.result(timeout=10)
    assert not psutil.pid_exists(pid)


def test_close_ends_a_call_under_way(tmp_path: Path) -> None:
    worker = Worker("closing")
    marker = tmp_path / "pid"
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(worker.call, work.hang, str(marker))
        wait_for(marker)
        worker.close()
        with pytest.raises(WorkerDied):
            call.result(timeout=10)


def test_a_pool_uses_all_its_processes() -> None:
    pool = Pool("pool", 2)
    try:
        meet = threading.Barrier(2)

        def call() -> int:
            meet.wait()
            return pool.call(work.where)

        with ThreadPoolExecutor(2) as threads:
            calls = [threads.submit(call) for _ in range(2)]
            assert len({item.result(timeout=30) for item in calls}) in (1, 2)
        assert pool.call(work.double, 4) == 8
    finally:
        pool.close()
    with pytest.raises(WorkerDied):
        pool.call(work.double, 1)


def test_a_script_without_a_main_guard_can_use_workers() -> None:
    code = (
        "from unit.ground import work_for_workers as work\n"
        "from launchpad.supervised import Worker\n"
        "worker = Worker('script'); print(worker.call(work.double, 3)); worker.close()\n"
    )
    tests = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-"],
        input=code,
        env={**_environment(), "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("6\n", "")


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    script = tmp_path / "parent.py"
    script.write_text(
        "import sys\n"
        "from unit.ground import work_for_workers as work\n"
        "from launchpad.supervised import Worker\n"
        "if __name__ == '__main__':\n"
        f"    Worker('orphan').call(work.hang, {str(marker)!r})\n"
    )
    tests = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, str(script)], env={**_environment(), "PYTHONPATH": str(tests)})
    try:
        child = psutil.Process(wait_for(marker))
        parent.kill()
        child.wait(timeout=10)
    finally:
        parent.kill()
        parent.wait()


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)
