"""The platform on a disk that becomes full while a run is under way: items wait, nothing is lost or there twice."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from launchpad.bucket.crc32c import crc32c_file
from launchpad.platform import embedded

SLIDES = 3


@pytest.fixture
def folder(small_disk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("LAUNCHPAD_DATA_DIR", str(small_disk))
    monkeypatch.chdir(tmp_path)
    yield small_disk / "platform"
    embedded.release()
    assert embedded.stop()
    for process in embedded._started:
        process.wait(timeout=20)
    embedded._started.clear()
    until("its processes to leave the disk", lambda: not on_disk(small_disk), 20)


def on_disk(place: Path) -> list[psutil.Process]:
    """Processes whose working folder is on it, such as the resource tracker of one that has just ended."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(place):
                found.append(process)
    return found


def until(what: str, condition: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen in {seconds:.0f} s")


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{folder / 'platform.sqlite'}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(query).fetchall()


def fill(file: Path, leave: int) -> None:
    """Take the disk's room but for so many bytes."""
    with file.open("wb") as target:
        try:
            while (free := os.statvfs(file.parent).f_bavail * os.statvfs(file.parent).f_frsize) > leave:
                target.write(b"0" * min(1 << 20, free - leave))
                target.flush()
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 - any other is a fault of the test


def submit(slide: Path) -> str:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft
    from launchpad.application.service import Service

    with Service() as service:
        version = service.application_version("test-app")
        prepared = service.prepare([slide], version)
        slides = [
            replace(prepared.slides[0], external_id=f"{number}/{slide.name}", id=str(number))
            for number in range(SLIDES)
        ]
        slides = service.upload(slides, "test-app", version.version_number)
        fields = columns(input_artifact(version).metadata_schema)
        draft = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=slides)
        return service.submit(draft, version)


@pytest.mark.long
def test_a_run_waits_for_room_and_then_ends_right(folder: Path, small_disk: Path, small_tiff: Path) -> None:
    embedded.ensure_running()
    log, filler = folder / "platform.log", small_disk / "filler"
    fill(filler, 100 << 20)
    submit(small_tiff)
    until("the wait", lambda: "items wait until there is room" in log.read_text())
    assert ask(folder, "SELECT state, attempts FROM item") == [("PENDING", 0)] * SLIDES

    filler.unlink()
    until("a slide under way", lambda: ask(folder, "SELECT 1 FROM item WHERE state = 'PROCESSING'"))
    fill(filler, 0)  # the database cannot be written either
    end = time.monotonic() + 8
    while time.monotonic() < end and ask(folder, "SELECT 1 FROM item WHERE state != 'TERMINATED'"):
        time.sleep(0.1)
    assert ask(folder, "SELECT 1 FROM item WHERE termination_reason != 'SUCCEEDED'") == []
    filler.unlink()

    until("the end", lambda: ask(folder, "SELECT 1 FROM run WHERE state = 'TERMINATED'"), 120)
    assert ask(folder, "SELECT termination_reason FROM item") == [("SUCCEEDED",)] * SLIDES
    stored = ask(folder, "SELECT file, crc32c FROM object WHERE key LIKE 'results/%'")
    assert len({file for file, _ in stored}) == 5 * SLIDES
    for file, crc32c in stored:
        assert crc32c_file(folder / "objects" / file) == crc32c
