"""Crash reports: written by real crashes, found by the next start, without what may name somebody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from launchpad.errors import LaunchpadError, NotFound
from launchpad.system import crash_reports

ARMED = "import sys; from launchpad.system import crash_reports as c; armed = c.arm('desktop'); "


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
    crash_reports.put_away(found)
    assert crash_reports.waiting() == []
    assert list(crash_reports.folder().iterdir()) == []


@pytest.mark.parametrize("end", ["c.disarm(armed)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_an_end_without_a_crash_leaves_no_report(end: str, data_dir: Path) -> None:
    child(end)
    assert crash_reports.waiting() == []
    assert list(crash_reports.folder().iterdir()) == []


def test_a_process_that_still_runs_has_not_crashed(data_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ARMED + "print('armed', flush=True); sys.stdin.read(); c.disarm(armed)"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert running.stdin is not None
        assert running.stdout.readline() == "armed\n"
        assert crash_reports.waiting() == []
        assert len(list(crash_reports.folder().iterdir())) == 1, "its file stays"
        running.stdin.close()
        running.wait(30)
    assert list(crash_reports.folder().iterdir()) == []


def test_an_unexpected_error_is_kept_without_its_text(data_dir: Path) -> None:
    names = ["Smith", "Jones"]
    try:
        try:
            raise KeyError(", ".join(names))
        except KeyError as cause:
            raise RuntimeError(names[1]) from cause
    except RuntimeError as error:
        crash_reports.record(error, "desktop")
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
    for _ in range(crash_reports.KEPT + 5):
        crash_reports.record(RuntimeError(), "command-line")
    assert len(crash_reports.waiting()) == crash_reports.KEPT
    assert len(list(crash_reports.folder().iterdir())) == crash_reports.KEPT


def test_the_commands_list_show_save_and_delete(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from launchpad.cli.app import app
    from launchpad.cli.errors import guarded

    def launchpad(*arguments: str) -> tuple[int, str]:
        code = guarded(lambda: app(["system", *arguments], standalone_mode=False))
        return code, capsys.readouterr().out

    assert launchpad("crash-reports") == (0, "There are no crash reports.\n")
    report = crash_reports.record(RuntimeError(), "desktop")
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
