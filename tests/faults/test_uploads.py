"""Uploads through a store that misbehaves on purpose: at most what was in flight is sent again, every byte is right."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import store_that_misbehaves
from launchpad import state
from launchpad.bucket import xml_requests
from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.journal import Journal
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import BadInput, LaunchpadError, NotFound, TransferError, Unreachable
from launchpad.progress import Cancelled, Progress
from store_that_misbehaves import Request, for_seconds, times

MIB = 1 << 20
KEYS = store_that_misbehaves.Line.keys
PARTS = 5
SIZE = 8 * MIB * (PARTS - 1) + 12345
KEY = "user/1/he-tme/0.1.0/abcdef01/a slide ä.svs"


class Line(store_that_misbehaves.Line):
    """A slide, a real store behind a proxy, and a bucket that goes through it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.slide = folder / "a slide ä.svs"
        self.slide.write_bytes(os.urandom(SIZE))
        self.crc32c = crc32c_file(self.slide)
        self.bucket = self.open()

    def open(self, *, near: bool = True, **more: Any) -> XmlBucket:
        """A bucket by the proxy; a `near` one stays so, also while the machine is busy."""
        bucket = XmlBucket(self.proxy.endpoint, KEYS.bucket, KEYS.access_key, KEYS.secret_key, patience=20, **more)
        if near:
            bucket._requests.round_trip = 0.001
        return bucket

    def put(self, progress: Progress | None = None) -> Any:
        return self.bucket.put(self.slide, KEY, progress, expected=self.crc32c)

    def is_right(self) -> bool:
        row = self.storage.find(KEYS.bucket, KEY)
        return row is not None and self.storage.open_path(row).read_bytes() == self.slide.read_bytes()

    def open_uploads(self) -> int:
        with Journal() as journal:
            return len(self.uploads.open(KEYS.bucket, "", ("", ""), 100)) + len(journal.open_uploads())

    def close(self) -> None:
        self.bucket.close()
        super().close()


@pytest.fixture
def line(data_dir: Path, tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.close()


def is_part(request: Request) -> bool:
    return request.is_part


def lost(request: Request) -> bool:
    """The store did it, and the answer never came."""
    request.pass_on()
    return request.reset()


def flipped(request: Request) -> bool:
    request.body = request.body[:-1] + bytes([request.body[-1] ^ 1])
    return False


def wrong_hash(request: Request) -> bool:
    request.pass_on()
    return request.answer(200, ETag='"x"', x_goog_hash="crc32c=AAAAAA==")


def forget_first_part(request: Request) -> bool:
    request.body = request.body.replace(b"<PartNumber>1<", b"<PartNumber>9999<")
    return request.error(400, "InvalidPart")


FAULTS: dict[str, tuple[Any, int]] = {
    # what is done, and how many requests with parts are sent beyond the undisturbed number at most
    "resets in mid part": (times(3, is_part, Request.reset), 3),
    "a burst of 503": (times(6, is_part, lambda request: request.error(503, "SlowDown")), 6),
    "429 with Retry-After": (times(2, is_part, lambda request: request.error(429, "SlowDown", Retry_After="1")), 2),
    "the answer to init is lost": (times(1, lambda request: request.is_init, lost), 0),
    "the answer to a part is lost": (times(2, is_part, lost), 2),
    "the answer to complete is lost": (times(1, lambda request: request.is_complete, lost), 0),
    "200 with an error inside": (
        times(1, lambda request: request.is_complete, lambda request: request.error(200, "InternalError")),
        0,
    ),
    "a flipped bit on the way up": (times(1, is_part, flipped), 1),
    "a checksum in the answer that is another": (times(1, is_part, wrong_hash), 1),
    "parts that complete does not know": (times(1, lambda request: request.is_complete, forget_first_part), 0),
    "the upload is forgotten in between": (
        times(1, lambda request: request.is_complete, lambda request: request.error(404, "NoSuchUpload")),
        PARTS,
    ),
    "500 to head and init": (
        times(3, lambda request: not request.is_part, lambda request: request.error(500, "InternalError")),
        0,
    ),
    "an outage of 3 s": (for_seconds(3, Request.reset), PARTS * 6),
    "a redirect": (times(1, is_part, lambda request: request.answer(503, Location="http://localhost:9/")), 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_slide_arrives_whole(line: Line, fault: str) -> None:
    act, more = FAULTS[fault]
    assert line.bucket.head("other") is None  # the store is reached; one that never was is given up soon
    line.proxy.script = [act]
    progress = Progress()
    receipt = line.put(progress)
    assert line.is_right()
    assert (receipt.size, receipt.crc32c, receipt.already_there) == (SIZE, line.crc32c, receipt.already_there)
    assert progress.latest == (SIZE, SIZE, line.slide.name)
    assert line.proxy.parts_sent() <= PARTS + more
    with Journal() as journal:
        assert journal.open_uploads() == []
    line.proxy.script = []
    before = line.proxy.parts_sent()
    assert line.put().already_there
    assert line.proxy.parts_sent() == before


def test_damage_that_stays_is_named_and_nothing_stands_there(line: Line) -> None:
    line.proxy.script = [times(99, is_part, flipped)]
    with pytest.raises(TransferError, match="damaged on their way") as caught:
        line.put()
    assert caught.value.subject == str(line.slide)
    assert line.storage.find(KEYS.bucket, KEY) is None


def test_a_cancelled_upload_goes_on_where_it_was(line: Line) -> None:
    progress = Progress()
    line.proxy.script = [
        times(99, lambda request: line.proxy.parts_sent() > 3, lambda request: progress.cancel() or False)
    ]
    with pytest.raises(Cancelled):
        line.put(progress)
    with Journal() as journal:
        (upload,) = journal.open_uploads()
        have = len(journal.parts(upload))
    assert 0 < have < PARTS
    line.proxy.script = []
    before = line.proxy.parts_sent()
    line.put()
    assert line.is_right()
    assert line.proxy.parts_sent() - before == PARTS - have
    assert line.open_uploads() == 0


def test_an_upload_that_is_given_up_leaves_nothing_on_the_store(line: Line) -> None:
    progress = Progress()
    line.proxy.script = [
        times(99, lambda request: line.proxy.parts_sent() > 2, lambda request: progress.cancel() or False)
    ]
    with pytest.raises(Cancelled):
        line.put(progress)
    line.proxy.script = []
    assert line.open_uploads() == 2
    assert line.bucket.abandon(KEY)
    assert line.open_uploads() == 0
    assert not line.bucket.abandon(KEY)
    end = time.monotonic() + 10
    while any(path.is_file() for path in line.storage._folder.rglob("*")):
        assert time.monotonic() < end, "the store keeps parts"  # those on their way end a moment later
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["other bytes", "longer", "replaced"])
def test_a_slide_that_changes_half_way_is_refused(line: Line, how: str) -> None:
    def change(request: Request) -> bool:
        if how == "replaced":
            other = line.slide.with_name("other")
            other.write_bytes(os.urandom(SIZE))
            other.replace(line.slide)
        else:
            with line.slide.open("r+b" if how == "other bytes" else "ab") as file:
                file.write(b"changed")
        return False

    line.proxy.script = [times(1, lambda request: line.proxy.parts_sent() == 2, change)]
    with pytest.raises(BadInput, match="changed since it was prepared"):
        line.put()
    line.proxy.script = []
    assert line.storage.find(KEYS.bucket, KEY) is None
    assert line.open_uploads() == 0


def test_a_slide_that_changed_between_two_runs_is_sent_anew(line: Line) -> None:
    progress = Progress()
    line.proxy.script = [
        times(99, lambda request: line.proxy.parts_sent() > 3, lambda request: progress.cancel() or False)
    ]
    with pytest.raises(Cancelled):
        line.put(progress)
    line.proxy.script = []
    line.slide.write_bytes(os.urandom(SIZE))
    line.crc32c = crc32c_file(line.slide)
    line.put()
    assert line.is_right()
    assert line.open_uploads() == 0


def test_a_clock_that_is_an_hour_off_is_corrected_once(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    line.bucket._requests._offset = timedelta(hours=1)  # as if this computer's clock were
    line.put()
    assert line.is_right()
    assert abs(line.bucket._requests._offset) < timedelta(seconds=10)


def test_keys_that_changed_are_asked_for_once(line: Line) -> None:
    asked = []

    def renew() -> tuple[str, str]:
        asked.append(1)
        return KEYS.access_key, KEYS.secret_key

    old = XmlBucket(line.proxy.endpoint, KEYS.bucket, KEYS.access_key, "old secret", renew_keys=renew)
    old.put(line.slide, KEY, expected=line.crc32c)
    old.close()
    assert line.is_right()
    assert asked == [1]
    wrong = XmlBucket(line.proxy.endpoint, KEYS.bucket, "GONE", "x", renew_keys=lambda: ("GONE", "x"))
    with pytest.raises(TransferError, match="keys of the organization were changed"):
        wrong.put(line.slide, KEY + "2", expected=line.crc32c)
    wrong.close()


def test_two_processes_do_not_send_the_same_slide(line: Line) -> None:
    line.proxy.script = [times(99, is_part, lambda request: time.sleep(0.2) or False)]
    other = line.open()
    receipts: list[Any] = []
    thread = threading.Thread(target=lambda: receipts.append(other.put(line.slide, KEY, expected=line.crc32c)))
    thread.start()
    receipts.append(line.put())
    thread.join()
    other.close()
    assert line.is_right()
    assert sorted(receipt.already_there for receipt in receipts) == [False, True]
    assert line.proxy.parts_sent() == PARTS


def test_what_cannot_be_read_or_reached_is_named(line: Line, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.svs"):
        line.bucket.put(tmp_path / "gone.svs", KEY)
    line.proxy.script = [lambda request: request.error(403, "AccessDenied")]
    with pytest.raises(TransferError, match="AccessDenied"):
        line.put()
    line.proxy.script = [lambda request: request.error(507, "InsufficientStorage") if request.is_part else False]
    with pytest.raises(TransferError, match="Free space"):
        line.put()
    line.proxy.script = [lambda request: request.reset()]
    with pytest.raises(Unreachable):
        line.open().put(line.slide, KEY, expected=line.crc32c)


@pytest.mark.long
def test_an_outage_of_20_seconds_in_the_middle(line: Line) -> None:
    assert line.bucket.head("other") is None
    seen = [0]

    def after_two_parts(request: Request) -> bool:
        seen[0] += request.is_part
        return seen[0] > 2 and outage(request)

    outage = for_seconds(20, Request.reset)
    line.proxy.script = [after_two_parts]
    line.bucket._requests._patience = 120
    started = time.monotonic()
    line.put()
    assert 20 < time.monotonic() - started < 60
    assert line.is_right()
    assert line.open_uploads() == 0


def stalled(seconds: float, over: threading.Event) -> Any:
    """A store that takes a part and then says nothing."""

    def act(request: Request) -> bool:
        over.wait(seconds)
        return request.reset()

    return act


@pytest.mark.parametrize("seconds", [20, pytest.param(300, marks=pytest.mark.long)])
def test_a_part_that_stalls_is_sent_again(line: Line, monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    if seconds < 60:
        monkeypatch.setattr(xml_requests, "_SECONDS", 1.0)
    bucket = line.open()
    bucket._requests._patience = 120  # longer than one silence
    assert bucket.head("other") is None
    over = threading.Event()
    line.proxy.script = [times(1, is_part, stalled(seconds, over))]
    started = time.monotonic()
    try:
        bucket.put(line.slide, KEY, expected=line.crc32c)
        took = time.monotonic() - started
    finally:
        over.set()
        bucket.close()
    assert line.is_right()
    assert line.proxy.parts_sent() == PARTS + 1
    assert took < max(15, seconds / 3), "it waited for the part that stalled"


def test_a_line_that_is_long_gets_more_connections(line: Line) -> None:
    def far(request: Request) -> bool:
        time.sleep(0.05)
        return False

    assert line.bucket._connections == 4
    line.put()
    assert line.bucket._connections == 4
    line.proxy.script = [far]
    for bucket, wanted in ((line.open(near=False), 8), (line.open(near=False, connections=3), 3)):
        before = line.proxy.parts_sent()
        bucket.put(line.slide, f"{KEY} {wanted}", expected=line.crc32c)
        assert bucket._connections == wanted
        assert line.proxy.parts_sent() - before == 7, "parts of 5 MiB"
        bucket.close()


def test_a_store_whose_disk_is_full_says_so(line: Line, small_disk: Path) -> None:
    """A real file system of 280 MiB, of which the store keeps 256 free."""
    line.storage._folder = small_disk
    line.storage._temporary = small_disk
    with pytest.raises(TransferError, match="Free space") as caught:
        line.put()
    assert caught.value.subject == str(line.slide)
    assert line.storage.find(KEYS.bucket, KEY) is None


AS_NOBODY = """
import os, sys
import platformdirs.unix, psutil
from pathlib import Path
from launchpad import state
from launchpad.bucket.crc32c import Crc32c
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import LaunchpadError
Crc32c()
bucket = XmlBucket(sys.argv[1], "bucket", "KEY", "secret")
bucket.head("none")  # the interpreter may be root's alone: everything is imported before
if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    bucket.put(Path(sys.argv[2]), "user/x.svs")
except LaunchpadError as error:
    print(type(error).__name__, "|", error.title, "|", error.subject)
finally:
    bucket.close()
"""


def as_nobody(line: Line, data: Path) -> str:
    for folder in (line.slide.parent, *line.slide.parent.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, line.proxy.endpoint, str(line.slide)],
        env={**os.environ, "LAUNCHPAD_DATA_DIR": str(data), "HOME": str(data)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_slide_that_may_not_be_read_is_named(line: Line, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    if os.getuid() == 0:
        os.chown(own, 65534, 65534)
    line.slide.chmod(0)
    said = as_nobody(line, own)
    assert said.startswith("NotFound | The slide cannot be read")
    assert str(line.slide) in said
    assert line.proxy.parts_sent() == 0


def test_a_journal_that_may_not_be_written_is_named(line: Line, tmp_path: Path) -> None:
    own = Path("/usr")  # of root; a folder of one's own would be made writable
    if os.getuid() == 0:
        own = tmp_path / "own"
        own.mkdir(mode=0o555)
    line.slide.chmod(0o644)
    said = as_nobody(line, own)
    assert "Launchpad's own database cannot be opened" in said
    assert str(own) in said
    assert line.proxy.parts_sent() == 0


def test_a_bandwidth_limit_holds(line: Line) -> None:
    slow = line.open(bytes_per_second=20 * MIB)
    started = time.monotonic()
    slow.put(line.slide, KEY, expected=line.crc32c)
    slow.close()
    assert 1.2 < time.monotonic() - started < 8
    assert line.is_right()


def test_a_journal_that_cannot_be_used_is_named(line: Line, data_dir: Path) -> None:
    from launchpad import paths

    file = paths.state_file()
    file.parent.mkdir(exist_ok=True, parents=True)
    for part in file.parent.glob(f"{file.name}*"):
        part.unlink()
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(LaunchpadError, match="database") as caught:
        line.put()
    assert caught.value.subject == str(file)
    file.unlink()
    with state.connect():
        line.put()
    assert line.is_right()


SENDER = """
import sys
from pathlib import Path
from launchpad.bucket.xml_bucket import XmlBucket
bucket = XmlBucket(sys.argv[1], "bucket", "KEY", "secret", patience=20)
print("sending", flush=True)
bucket.put(Path(sys.argv[2]), sys.argv[3], expected=sys.argv[4])
"""


def _killed(line: Line, kills: int, seed: int) -> None:
    import random

    generator = random.Random(seed)
    arguments = [sys.executable, "-c", SENDER, line.proxy.endpoint, str(line.slide), KEY, line.crc32c]
    for _ in range(kills):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(generator.uniform(0.0, 0.9))
            process.kill()
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert line.is_right()
    assert line.proxy.parts_sent() <= PARTS + 4 * kills  # four parts are in flight at once
    with Journal() as journal:
        assert journal.open_uploads() == []


def test_killed_at_random_moments(line: Line) -> None:
    line.proxy.script = [times(10_000, is_part, lambda request: time.sleep(0.1) or False)]
    _killed(line, 5, 1)


def test_one_that_was_killed_when_all_was_sent_leaves_nothing_in_the_journal(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "forget", lambda *_: None)  # as if it had ended just before
        line.put()
    with Journal() as journal:
        assert len(journal.open_uploads()) == 1
    line.put()
    with Journal() as journal:
        assert journal.open_uploads() == []
    assert line.proxy.parts_sent() == PARTS


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_killed_a_hundred_times(line: Line, seed: int) -> None:
    line.proxy.script = [times(10_000, is_part, lambda request: time.sleep(0.1) or False)]
    _killed(line, 5, seed)
