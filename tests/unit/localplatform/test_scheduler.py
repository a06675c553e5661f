"""The workers on real slides: what is tried again and what is not, slides from URLs, cancelling, a full disk."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.range_journal import RangeJournal
from launchpad.localplatform.database.tables import RunRow
from launchpad.localplatform.scheduling import scheduler as module
from launchpad.localplatform.scheduling import states
from launchpad.localplatform.scheduling.scheduler import Scheduler
from launchpad.localplatform.settings import PlatformSettings
from store_that_misbehaves import Line, Request

Start = Callable[..., Scheduler]


@pytest.fixture
def start(parts: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts the workers, with short waits between tries."""
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.05)
    monkeypatch.setattr(module, "_WAIT_FOR_ROOM", 0.05)
    monkeypatch.setattr(module, "_LOOK", 0.1)
    made: list[Scheduler] = []

    def begin(**settings: Any) -> Scheduler:
        rules = PlatformSettings(**{"workers": 1, **settings})
        made.append(Scheduler(parts.database, parts.storage, parts.keys, parts.layout, rules))
        made[-1].start()
        return made[-1]

    yield begin
    for one in made:
        one.stop()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """Another store, behind a proxy that does harm when it is told to."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    made = Line(folder)
    yield made
    made.close()


def put(line: Line, file: Path, key: str = "slide.tiff") -> str:
    """A signed URL of a copy of the file in the other store."""
    from launchpad.bucket import signing

    copy = line.storage.temporary()
    copy.write_bytes(file.read_bytes())
    size = copy.stat().st_size
    crc32c = crc32c_file(copy)
    line.storage.commit(copy, line.keys.bucket, key, size=size, crc32c=crc32c, content_type="image/tiff")
    url = f"{line.proxy.endpoint}/{line.keys.bucket}/{key}"
    return signing.presign("GET", url, line.keys.access_key, line.keys.secret_key, expires=3600)


def until(what: str, condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


def ended(parts: Any, run_id: str) -> RunRow:
    until("the end of the run", lambda: parts.get_run(run_id).state == "TERMINATED")
    return parts.get_run(run_id)  # type: ignore[no-any-return]


def only(parts: Any, run_id: str) -> Any:
    (item,) = parts.items(run_id)
    return item


def test_a_slide_by_reference_and_one_from_elsewhere(parts: Any, start: Start, line: Line, small_tiff: Path) -> None:
    crc32c = crc32c_file(small_tiff)
    run_id = parts.run([parts.reference(small_tiff), put(line, small_tiff)], crc32c=crc32c)
    start(input_private_hosts=("localhost",), workers=2)
    assert ended(parts, run_id).termination_reason == "ALL_ITEMS_PROCESSED"
    for item in parts.items(run_id):
        assert (item.termination_reason, item.error_message, item.claim) == ("SUCCEEDED", None, None)
        for output in parts.outputs(item.id):
            row = parts.storage.find(parts.keys.bucket, output.object_key)
            assert crc32c_file(parts.storage.open_path(row)) == row.crc32c
    until("the fetched slide to be deleted", lambda: not list(parts.layout.inputs.iterdir()))
    until("the scratch space to be empty", lambda: not list(parts.layout.work.iterdir()))


def test_a_slide_at_an_address_of_this_computer_is_refused_at_once(
    parts: Any, start: Start, line: Line, small_tiff: Path
) -> None:
    run_id = parts.run([put(line, small_tiff)], crc32c=crc32c_file(small_tiff))
    start()
    assert ended(parts, run_id).state == "TERMINATED"
    item = only(parts, run_id)
    assert (item.termination_reason, item.attempts, item.failures) == ("USER_ERROR", 1, 0)
    assert "may not be reached" in item.error_message
    assert line.proxy.log == []


@pytest.mark.parametrize(
    ("crc32c", "limit", "words"),
    [("AAAAAA==", 1 << 30, "not the one that was described"), (None, 1000, "too large")],
)
def test_other_bytes_or_too_many_are_the_users_error_and_not_tried_again(
    parts: Any, start: Start, line: Line, small_tiff: Path, crc32c: str | None, limit: int, words: str
) -> None:
    run_id = parts.run([put(line, small_tiff)], crc32c=crc32c or crc32c_file(small_tiff))
    start(input_private_hosts=("localhost",), input_max_bytes=limit)
    ended(parts, run_id)
    item = only(parts, run_id)
    assert (item.termination_reason, item.attempts) == ("USER_ERROR", 1)
    assert words in item.error_message
    assert not list(parts.layout.inputs.iterdir())


def test_a_url_that_has_expired_is_the_users_error(parts: Any, start: Start, line: Line, small_tiff: Path) -> None:
    run_id = parts.run([put(line, small_tiff) + "0"], crc32c=crc32c_file(small_tiff))
    start(input_private_hosts=("localhost",))
    ended(parts, run_id)
    item = only(parts, run_id)
    assert (item.termination_reason, item.attempts) == ("USER_ERROR", 1)
    assert "HTTP 403" in item.error_message


def test_a_host_that_does_not_answer_is_asked_again_and_then_an_error_of_the_system(
    parts: Any, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launchpad.bucket.download._TRIES", 1)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        run_id = parts.run([f"http://127.0.0.1:{closed.getsockname()[1]}/x.svs"])
        start(input_private_hosts=("127.0.0.1",), system_attempts=2)
        ended(parts, run_id)
    item = only(parts, run_id)
    assert (item.termination_reason, item.error_code, item.failures) == ("SYSTEM_ERROR", "UNREACHABLE", 2)
    assert item.attempts == 2


def test_what_was_fetched_before_a_stop_is_not_fetched_again(
    parts: Any, start: Start, line: Line, small_tiff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slide of several ranges whose store stops in the middle; after a new start only the rest is asked for."""
    monkeypatch.setattr("launchpad.bucket.download._PATIENCE", 0.1)
    monkeypatch.setattr("launchpad.bucket.download._THREADS", 1)
    monkeypatch.setattr("launchpad.bucket.download.RANGE", 256 << 10)
    monkeypatch.setattr("launchpad.bucket.download.LARGE_RANGE", 512 << 10)
    run_id = parts.run([put(line, small_tiff)], crc32c=crc32c_file(small_tiff))
    ranges: list[str] = []
    broken = threading.Event()

    def harm(request: Request) -> bool:
        span = {name.lower(): value for name, value in request.headers.items()}.get("range", "")
        if len(ranges) >= 3 and not broken.is_set():
            return request.error(503, "ServiceUnavailable")
        ranges.append(span)
        return False

    line.proxy.script.append(harm)
    monkeypatch.setattr(module, "_FIRST_WAIT", 60.0)
    first = start(input_private_hosts=("localhost",))
    until("the failure", lambda: only(parts, run_id).failures == 1)
    first.stop()
    assert [path.name for path in parts.layout.inputs.iterdir()] == [only(parts, run_id).id]
    broken.set()
    with parts.database.writing() as session:
        session.get(type(only(parts, run_id)), only(parts, run_id).id).not_before = None
    start(input_private_hosts=("localhost",))
    ended(parts, run_id)
    assert only(parts, run_id).termination_reason == "SUCCEEDED"
    assert len(ranges) == len(set(ranges)) > 3
    until("the fetched slide to be deleted", lambda: not list(parts.layout.inputs.iterdir()))
    with RangeJournal() as journal:
        assert journal.database.execute("SELECT count(*) FROM download").fetchone()[0] == 0


def test_an_error_of_the_system_is_tried_again_with_a_bound(
    parts: Any, start: Start, small_tiff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's folder cannot be written for a while, then it can."""
    adopt, failures = parts.storage.adopt, []

    def broken(file: Path) -> str:
        if len(failures) < limit:
            failures.append(file)
            raise OSError(errno.EIO, "on purpose")
        return str(adopt(file))

    monkeypatch.setattr(parts.storage, "adopt", broken)
    url, crc32c = parts.reference(small_tiff), crc32c_file(small_tiff)
    limit = 1
    passing = parts.run([url], crc32c=crc32c)
    start(system_attempts=2)
    ended(parts, passing)
    assert (only(parts, passing).termination_reason, only(parts, passing).attempts) == ("SUCCEEDED", 2)
    failures.clear()
    limit = 10
    failing = parts.run([url], crc32c=crc32c)
    ended(parts, failing)
    item = only(parts, failing)
    assert (item.termination_reason, item.error_code, item.attempts) == ("SYSTEM_ERROR", "INTERNAL", 2)


def test_a_full_disk_ends_nothing(parts: Any, start: Start, small_tiff: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopt, tries = parts.storage.adopt, []
    is_full = True

    def full(file: Path) -> str:
        tries.append(file)
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return str(adopt(file))

    monkeypatch.setattr(parts.storage, "adopt", full)
    run_id = parts.run([parts.reference(small_tiff)], crc32c=crc32c_file(small_tiff))
    start(system_attempts=1)
    until("several tries", lambda: len(tries) >= 2)
    item = only(parts, run_id)
    assert (item.termination_reason, item.failures) == (None, 0)
    is_full = False
    ended(parts, run_id)
    assert only(parts, run_id).termination_reason == "SUCCEEDED"
    assert only(parts, run_id).attempts == 1


def test_with_hardly_any_room_nothing_is_begun(
    parts: Any, start: Start, small_tiff: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    room = False
    monkeypatch.setattr(parts.storage, "has_room", lambda: room)
    run_id = parts.run([parts.reference(small_tiff)], crc32c=crc32c_file(small_tiff))
    start()
    until("the log to say so", lambda: "items wait until there is room" in caplog.text)
    assert only(parts, run_id).attempts == 0
    room = True
    ended(parts, run_id)
    assert only(parts, run_id).termination_reason == "SUCCEEDED"


def test_an_end_that_cannot_be_written_down_is_done_again_once(
    parts: Any, start: Start, small_tiff: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the database has no room at that moment: nothing is lost, and nothing is there twice."""
    succeed, broken = states.succeed, []

    def once(*arguments: Any) -> bool:
        if len(broken) < 2:  # also when the item shall be put back
            broken.append(1)
            raise OSError(errno.EIO, "database or disk is full")
        return succeed(*arguments)

    monkeypatch.setattr(module.states, "succeed", once)
    run_id = parts.run([parts.reference(small_tiff)], crc32c=crc32c_file(small_tiff))
    start(system_attempts=5)
    ended(parts, run_id)
    item = only(parts, run_id)
    assert item.termination_reason == "SUCCEEDED"
    files = list(parts.layout.objects.glob("??/*"))
    assert len(files) == len(parts.outputs(item.id)) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
def test_a_killed_worker_gets_one_more_chance_and_no_third(parts: Any, start: Start, small_tiff: Path) -> None:
    run_id = parts.run([parts.reference(small_tiff)], crc32c=crc32c_file(small_tiff))
    made = start()
    killed: set[int] = set()

    def kill() -> bool:
        pid = made._workers[0].pid
        if pid is not None and pid not in killed and only(parts, run_id).state == "PROCESSING":
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return parts.get_run(run_id).state == "TERMINATED"  # type: ignore[no-any-return]

    until("the end", kill)
    item = only(parts, run_id)
    assert (item.termination_reason, item.error_code, item.kills) == ("SYSTEM_ERROR", "WORKER_DIED", 2)
    assert len(killed) == 2


def test_cancelling_reaches_a_running_item_in_seconds(parts: Any, start: Start, small_tiff: Path) -> None:
    run_id = parts.run([parts.reference(small_tiff)], crc32c=crc32c_file(small_tiff))
    made = start()
    pid = until("the worker", lambda: made._workers[0].pid)
    at = time.monotonic()
    with parts.database.writing() as session:
        states.cancel_run(session, session.get(RunRow, run_id), "CANCELED_BY_USER")
    made.wake()
    until("the worker to end", lambda: not psutil.pid_exists(pid), 5)
    until("the scratch space to be empty", lambda: not list(parts.layout.work.iterdir()), 5)
    assert time.monotonic() - at < 5
    assert only(parts, run_id).termination_reason == "SKIPPED"
