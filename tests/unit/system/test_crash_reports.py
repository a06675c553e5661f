"""Crash reports: written by real crashes, found by the next start, without what may name somebody."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from launchpad import crashes
from launchpad.errors import LaunchpadError, NotFound, WorkerDied
from launchpad.platform import embedded
from launchpad.supervised import Worker
from launchpad.system import crash_reports

from unit.ground import work_for_workers as work

ARMED = "import sys; from launchpad import crashes as c; armed = c.arm('desktop'); "


def child(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ARMED + code], capture_output=True, text=True, timeout=60)


def test_a_crash_of_native_code_is_found_by_the_next_start(data_dir: Path) -> None:
    assert child("import faulthandler; faulthandler._sigsegv()").returncode != 0
    (found,) = crash_reports.waiting()
    text = found.text()
    assert "native code failed" in text
    assert "Segmentation fault" in text
    assert "most recent call first" in text
    assert str(Path.home()) not in text
    assert found.process == "desktop"
    crash_reports.put_away(found)
    assert crash_reports.waiting() == []
    assert list(crashes.folder().iterdir()) == []


@pytest.mark.parametrize("end", ["c.disarm(armed)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_an_end_without_a_crash_leaves_no_report(end: str, data_dir: Path) -> None:
    child(end)
    assert crash_reports.waiting() == []
    assert list(crashes.folder().iterdir()) == []


def test_a_process_that_still_runs_has_not_crashed(data_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ARMED + "print('armed', flush=True); sys.stdin.read(); c.disarm(armed)"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stdout.readline() == "armed\n"
        assert crash_reports.waiting() == []
        assert len(list(crashes.folder().iterdir())) == 1, "its file stays"
        running.stdin.close()
        running.wait(30)
    assert list(crashes.folder().iterdir()) == []


def test_a_worker_that_fails_leaves_a_report_and_one_that_ends_or_is_ended_none(data_dir: Path) -> None:
    worker = Worker("slide-reader-0")
    assert worker.call(work.double, 2) == 4
    assert len(list(crashes.folder().iterdir())) == 1, "it is armed"
    with pytest.raises(WorkerDied):
        worker.call(work.fault)
    (found,) = crash_reports.waiting()
    assert found.process == "slide-reader-0"
    assert "Segmentation fault" in found.text()
    assert "work_for_workers.py" in found.text()
    assert worker.call(work.double, 3) == 6, "it is replaced, and armed again"
    with pytest.raises(WorkerDied):
        worker.call(work.hang, str(data_dir / "marker"), time_limit=0.5)
    assert worker.call(work.double, 4) == 8
    worker.close()
    assert list(crashes.folder().iterdir()) == [found.file]


def test_a_worker_works_where_no_report_can_be_written(data_dir: Path) -> None:
    (data_dir / "log").write_text("a file where the folder should be")
    worker = Worker("slide-reader-0")
    assert worker.call(work.double, 2) == 4
    worker.close()


def test_a_worker_whose_parent_was_killed_leaves_nothing(data_dir: Path) -> None:
    code = (
        "import os, signal; from launchpad.supervised import Worker; worker = Worker('analysis-0'); worker.start(); "
        "worker.call(os.getpid); os.kill(os.getpid(), signal.SIGKILL)"
    )
    child(code)
    end = time.monotonic() + 20
    while list(crashes.folder().glob("*-analysis-0-*")):
        assert time.monotonic() < end, "its file stays"
        time.sleep(0.02)
    assert crash_reports.waiting() == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_platform_whose_native_code_fails_leaves_a_report_and_one_that_stops_none(data_dir: Path) -> None:
    endpoint = embedded.ensure_running()
    assert crash_reports.waiting() == []
    os.kill(endpoint.pid, signal.SIGSEGV)
    (process,) = embedded._started
    assert process.wait(20) == -signal.SIGSEGV
    (found,) = crash_reports.waiting()
    assert found.process == "platform"
    text = found.text()
    assert "Segmentation fault" in text
    assert "serve.py" in text
    crash_reports.put_away(found)
    embedded.ensure_running()
    assert embedded.stop()
    embedded.release()
    assert crash_reports.waiting() == []


def test_a_thread_of_the_platform_that_fails_is_told_of_without_the_words(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from launchpad.localplatform.logs import log_to
    from launchpad.localplatform.serve import _thread_failed

    log = data_dir / "platform.log"
    log_to(log)
    logger = logging.getLogger("launchpad")
    handler = logger.handlers[-1]
    before, threading.excepthook = threading.excepthook, _thread_failed
    try:
        failing = threading.Thread(target=int, args=("Smith.svs",))
        failing.start()
        failing.join()
    finally:
        threading.excepthook = before
        logger.removeHandler(handler)
        logging.getLogger("uvicorn").removeHandler(handler)
        handler.close()
    (found,) = crash_reports.waiting()
    assert found.process == "platform"
    for text in (found.text(), log.read_text()):
        assert "ValueError" in text
        assert "Smith" not in text


def test_an_unexpected_error_is_kept_without_its_text(data_dir: Path) -> None:
    names = ["Smith", "Jones"]
    try:
        try:
            raise KeyError(", ".join(names))
        except KeyError as cause:
            raise RuntimeError(names[1]) from cause
    except RuntimeError as error:
        crashes.record(error, "desktop")
    (found,) = crash_reports.waiting()
    text = found.text()
    assert "unexpected RuntimeError" in text
    assert "KeyError" in text
    assert "test_crash_reports.py" in text
    assert "Smith" not in text
    assert "Jones" not in text
    if sys.platform != "win32":
        assert found.file.stat().st_mode & 0o077 == 0


def test_old_reports_go(data_dir: Path) -> None:
    for _ in range(crashes.KEPT + 5):
        crashes.record(RuntimeError(), "command-line")
    assert len(crash_reports.waiting()) == crashes.KEPT
    assert len(list(crashes.folder().iterdir())) == crashes.KEPT


def test_the_commands_list_show_save_and_delete(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from launchpad.cli.app import app
    from launchpad.cli.errors import guarded

    def launchpad(*arguments: str) -> tuple[int, str]:
        code = guarded(lambda: app(["system", *arguments], standalone_mode=False))
        return code, capsys.readouterr().out

    assert launchpad("crash-reports") == (0, "There are no crash reports.\n")
    report = crashes.record(RuntimeError(), "desktop")
    assert report.stem in launchpad("crash-reports")[1]
    saved = tmp_path / "report.txt"
    code, text = launchpad("crash-report", report.stem, "--output", str(saved), "--delete")
    assert code == 0
    assert saved.read_text().strip() == text.strip()
    assert not report.exists()
    assert launchpad("crash-report", "none")[0] == 2
    with pytest.raises(NotFound):
        crash_reports.find("none")
    with pytest.raises(LaunchpadError, match="cannot be saved"):
        crash_reports.save("text", tmp_path / "missing" / "file")
