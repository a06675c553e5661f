"""Downloads from a store that misbehaves on purpose: what is complete is not fetched again, every byte is right."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import store_that_misbehaves
from launchpad.bucket import signing
from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.download import RANGE, download
from launchpad.bucket.range_journal import RangeJournal
from launchpad.errors import LaunchpadError, TransferError
from launchpad.progress import Cancelled, Progress
from store_that_misbehaves import Request, times

KEYS = store_that_misbehaves.Line.keys
RANGES = 5
SIZE = RANGE * (RANGES - 1) + 54321


class Line(store_that_misbehaves.Line):
    """An object in a real store behind a proxy."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.destination = folder / "results ä" / "map.tiff"
        self.put(os.urandom(SIZE))
        self.urls = 0

    def put(self, content: bytes) -> None:
        self.content = content
        file = self.storage.temporary()
        file.write_bytes(content)
        self.crc32c = crc32c_file(file)
        self.storage.commit(file, KEYS.bucket, "o", size=len(content), crc32c=self.crc32c, content_type="image/tiff")

    def url(self) -> str:
        self.urls += 1
        address = f"{self.proxy.endpoint}/{KEYS.bucket}/o"
        return signing.presign("GET", address, KEYS.access_key, KEYS.secret_key, expires=600)

    def get(self, progress: Progress | None = None, crc32c: str | None = "") -> Path:
        return download(self.url, self.destination, crc32c=self.crc32c if crc32c == "" else crc32c, progress=progress)

    def asked(self) -> int:
        return sum(1 for method, _, _ in self.proxy.log if method == "GET")

    def is_right(self) -> bool:
        return self.destination.read_bytes() == self.content and [
            path.name for path in self.destination.parent.iterdir()
        ] == ["map.tiff"]


@pytest.fixture
def line(data_dir: Path, tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.close()


def every(_: Request) -> bool:
    return True


def _changed_answer(change: Any) -> Any:
    def act(request: Request) -> bool:
        status, headers, body = request.pass_on()
        status, headers, body = change(status, dict(headers), body)
        request.handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("server", "date", "connection"):
                request.handler.send_header(name, value)
        request.handler.end_headers()
        request.handler.wfile.write(body)
        return True

    return act


cut = _changed_answer(lambda status, headers, body: (status, headers, body[: len(body) // 3]))
flipped = _changed_answer(lambda status, headers, body: (status, headers, body[:-1] + bytes([body[-1] ^ 1])))


def short(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Less than was asked for, and honest about it."""
    half = body[: len(body) // 2]
    return status, {**headers, "Content-Length": str(len(half))}, half


FAULTS: dict[str, tuple[Any, int]] = {
    # what is done, and how many requests are made beyond the undisturbed number at most
    "truncated answers": (times(3, every, cut), 3),
    "short answers": (times(2, every, _changed_answer(short)), 2),
    "resets": (times(3, every, Request.reset), 3),
    "503 at the first request": (times(1, every, lambda request: request.error(503, "SlowDown")), 1),
    "429 with Retry-After": (times(1, every, lambda request: request.error(429, "SlowDown", Retry_After="1")), 1),
    "an expired URL at the first request": (times(1, every, lambda request: request.error(400, "ExpiredToken")), 1),
    "an expired URL in between": (
        times(1, lambda request: "0-" not in request.headers["Range"], lambda request: request.error(403, "x")),
        RANGES,
    ),
    "a flipped bit on the way down": (times(1, every, flipped), RANGES * 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_file_arrives_whole(line: Line, fault: str) -> None:
    act, more = FAULTS[fault]
    line.proxy.script = [act]
    progress = Progress()
    assert line.get(progress) == line.destination
    assert line.is_right()
    assert progress.latest == (SIZE, SIZE, "map.tiff")
    assert line.asked() <= RANGES + more
    before = line.asked()
    line.get()
    assert line.asked() == before
    with RangeJournal() as journal:
        assert journal.find(line.destination) is None


def test_ranges_that_are_ignored(line: Line) -> None:
    def whole(request: Request) -> bool:
        request.headers.pop("Range", None)
        return False

    line.proxy.script = [whole]
    line.get()
    assert line.is_right()
    assert line.asked() == 1


def test_a_file_that_changes_while_it_is_fetched_is_fetched_anew(line: Line) -> None:
    def replace(request: Request) -> bool:
        line.put(os.urandom(SIZE))
        return False

    line.proxy.script = [times(1, lambda request: line.asked() == 3, replace)]
    line.get(crc32c=None)  # the platform's checksum is the old file's
    assert line.is_right()


def test_damage_that_stays_never_stands_at_its_name(line: Line) -> None:
    line.proxy.script = [flipped]
    with pytest.raises(TransferError, match="damaged"):
        line.get()
    assert list(line.destination.parent.iterdir()) == []


def test_a_cancelled_download_goes_on_where_it_was(line: Line) -> None:
    progress = Progress()

    def stop(request: Request) -> bool:
        if line.asked() == 4:
            progress.cancel()
        time.sleep(0.2)
        return False

    line.proxy.script = [stop]
    with pytest.raises(Cancelled):
        line.get(progress)
    assert not line.destination.exists()
    with RangeJournal() as journal:
        have = len(journal.ranges(line.destination))
    assert have > 0
    line.proxy.script = []
    before = line.asked()
    line.get()
    assert line.is_right()
    assert line.asked() - before == RANGES - have


def test_a_part_that_was_changed_on_disk_is_fetched_again(line: Line) -> None:
    progress = Progress()
    line.proxy.script = [lambda request: (line.asked() == 4 and progress.cancel()) or time.sleep(0.2) or False]
    with pytest.raises(Cancelled):
        line.get(progress)
    line.proxy.script = []
    part = line.destination.with_name("map.tiff.part")
    with part.open("r+b") as file:
        file.write(b"other bytes")
    line.get()
    assert line.is_right()


def test_small_and_empty_files(line: Line, tmp_path: Path) -> None:
    for content in (b"", b"x", os.urandom(1000)):
        line.put(content)
        line.destination = tmp_path / "small" / "map.tiff"
        line.destination.unlink(missing_ok=True)
        line.get()
        assert line.is_right()


def test_a_disk_that_fills_up_on_the_way_is_said(line: Line, small_disk: Path) -> None:
    """The room is there at first, and another program takes it."""
    other = small_disk / "another program's"
    line.destination = small_disk / "results ä" / "map.tiff"

    def fill(request: Request) -> bool:
        if not other.exists():
            other.write_bytes(bytes(272 << 20))
        return False

    asked = [0]

    def after_the_first(request: Request) -> bool:
        asked[0] += 1
        return asked[0] > 1 and fill(request)

    line.proxy.script = [after_the_first]
    with pytest.raises(LaunchpadError, match=r"cannot be written|no room") as caught:
        line.get()
    assert str(line.destination) in str(caught.value.subject)
    assert not line.destination.exists()
    other.unlink()
    line.proxy.script = []
    line.get()
    assert line.is_right()


def test_a_full_disk_is_said_before(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = shutil.disk_usage(line.destination.parent.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(LaunchpadError, match="no room") as caught:
        line.get()
    assert f"{SIZE:,} bytes" in caught.value.detail
    assert list(line.destination.parent.iterdir()) == []


FETCHER = """
import sys
from pathlib import Path
from launchpad.bucket.download import download
print("fetching", flush=True)
download(lambda: sys.argv[1], Path(sys.argv[2]), crc32c=sys.argv[3])
"""


def _killed(line: Line, kills: int, seed: int) -> None:
    generator = random.Random(seed)
    arguments = [sys.executable, "-c", FETCHER, line.url(), str(line.destination), line.crc32c]
    for _ in range(kills):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(generator.uniform(0.0, 0.6))
            process.kill()
        assert not line.destination.exists() or line.is_right()
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert line.is_right()
    assert line.asked() <= RANGES + 4 * kills


def test_killed_at_random_moments(line: Line) -> None:
    line.proxy.script = [lambda request: time.sleep(0.1) or False]
    _killed(line, 4, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_killed_a_hundred_times(line: Line, seed: int) -> None:
    line.proxy.script = [lambda request: time.sleep(0.1) or False]
    _killed(line, 5, seed)
