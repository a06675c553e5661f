"""Checksums, downloads that meet trouble, uploads of several files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from launchpad.bucket import crc32c
from launchpad.bucket.board import FileBoard
from launchpad.bucket.download import download
from launchpad.errors import NotFound, TransferError, Unreachable
from launchpad.progress import Cancelled, Progress

BODY = bytes(range(256)) * 8000


def checksum(data: bytes) -> str:
    running = crc32c.Crc32c()
    running.update(data)
    return running.base64()


class Store(ThreadingHTTPServer):
    """Answers downloads as it is told: each request takes the next word of `script`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[str] = []
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/x"


class Handler(BaseHTTPRequestHandler):
    server: Store

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked += 1
        word = self.server.script.pop(0) if self.server.script else "good"
        if word.isdigit():
            self.send_response(int(word))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = BODY if word != "flipped" else b"!" + BODY[1:]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if word == "cut" else body)


@pytest.fixture
def store() -> Iterator[Store]:
    server = Store()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_checksum_as_the_cloud_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"123456789")  # the check value of CRC-32C is e3069283
    assert crc32c.crc32c_file(path) == "4waSgw=="
    assert crc32c.decode("4waSgw==") == 0xE3069283
    assert crc32c.encode(0xE3069283) == "4waSgw=="
    with pytest.raises(ValueError, match="not a CRC32C"):
        crc32c.decode("AAAA")
    with pytest.raises(NotFound, match="missing"):
        crc32c.crc32c_file(tmp_path / "missing")


@pytest.mark.parametrize("script", [[], ["cut"], ["403"], ["503", "cut"], ["flipped"]])
def test_a_download_ends_whole(store: Store, tmp_path: Path, script: list[str]) -> None:
    store.script = list(script)
    destination = tmp_path / "folder ä" / "file.bin"
    progress = Progress()
    assert download(lambda: store.url, destination, crc32c=checksum(BODY), progress=progress) == destination
    assert destination.read_bytes() == BODY
    assert progress.latest == (len(BODY), len(BODY), "file.bin")
    assert [file.name for file in destination.parent.iterdir()] == ["file.bin"]
    assert store.asked == len(script) + 1


def test_what_is_complete_is_not_fetched_again(store: Store, tmp_path: Path) -> None:
    destination = tmp_path / "file.bin"
    destination.write_bytes(BODY)
    download(lambda: store.url, destination, crc32c=checksum(BODY))
    assert store.asked == 0


def test_a_wrong_file_never_stands_at_its_name(store: Store, tmp_path: Path) -> None:
    store.script = ["flipped"] * 10
    with pytest.raises(TransferError, match="damaged"):
        download(lambda: store.url, tmp_path / "file.bin", crc32c=checksum(BODY))
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_final(store: Store, tmp_path: Path) -> None:
    store.script = ["404"]
    with pytest.raises(TransferError, match="HTTP 404"):
        download(lambda: store.url, tmp_path / "file.bin", crc32c=None)
    assert store.asked == 1


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        download(lambda: "http://127.0.0.1:9/x", tmp_path / "file.bin", crc32c=None)


def test_cancel(store: Store, tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        download(lambda: store.url, tmp_path / "file.bin", crc32c=checksum(BODY), progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_a_board_tells_how_far_each_file_is() -> None:
    board = FileBoard()
    for key in "ab":
        board.expect(key, f"{key}.svs", 100)
    seen = board.changes
    board.moved("a", 40)
    assert board.changes > seen
    board.stopped()
    assert [(file.state, file.done) for file in board.files()] == [("waiting", 40), ("waiting", 0)]
    board.done("b", 100, attempts=2)
    board.failed("a", TransferError("No", detail="Because.", advice="Try again."))
    first, second = board.files()
    assert (first.state, first.done, first.error, first.advice) == ("failed", 40, "No. Because.", "Try again.")
    assert (second.state, second.done, second.attempts) == ("done", 100, 2)
    board.expect("a", "a.svs", 100)
    assert board.files()[0].state == "waiting"
