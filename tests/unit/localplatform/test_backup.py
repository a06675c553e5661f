"""Backup and restore: consistent while objects come and go, verified, and never over what is there by accident."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.localplatform.backup import backup, restore
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.layout import Layout, PlatformLock
from launchpad.localplatform.objectstore.storage import Keys, Storage, load_keys
from launchpad.localplatform.objectstore.uploads import Uploads
from launchpad.progress import Cancelled, Progress


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Storage, Keys, Database]]:
    layout = Layout(folder)
    layout.prepare()
    database = Database(layout.database)
    yield Storage(layout.objects, database), load_keys(database), database
    database.close()


def put(storage: Storage, keys: Keys, key: str, data: bytes) -> None:
    file = storage.temporary()
    file.write_bytes(data)
    crc32c = crc32c_file(file)
    storage.commit(file, keys.bucket, key, size=len(data), crc32c=crc32c, content_type="text/plain")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with two objects, a reference and an open upload."""
    folder = tmp_path / "data ä"
    with opened(folder) as (storage, keys, database):
        put(storage, keys, "results/one", b"one" * 1000)
        put(storage, keys, "results/zwei ä", b"two")
        slide = tmp_path / "slide.svs"
        slide.write_bytes(b"a slide")
        status = slide.stat()
        storage.refer(
            keys.bucket,
            "slides/one",
            path=slide,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            inode=status.st_ino,
            crc32c=crc32c_file(slide),
        )
        uploads = Uploads(storage, database)
        upload_id = uploads.begin(keys.bucket, "open", "text/plain")
        part = storage.temporary()
        part.write_bytes(b"part")
        uploads.put(upload_id, keys.bucket, "open", 1, part, 4, "AAAAAA==")
    (folder / "keys" / "signing.pem").write_text("a key")
    (folder / "platform.toml").write_text("port = 0\n")
    return folder


def read(storage: Storage, keys: Keys, key: str) -> bytes:
    row = storage.find(keys.bucket, key)
    assert row is not None
    return storage.open_path(row).read_bytes()


def test_a_restored_platform_is_the_one_that_was(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    made = backup(data, file)
    assert (made.objects, made.references) == (3, 1)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [path for path in data.iterdir() if path.name.startswith("backup-")]
    with opened(data) as (_, keys, _):
        old_keys = keys
    target = tmp_path / "restored"
    assert restore(target, file) == made
    with opened(target) as (storage, keys, database):
        assert keys == old_keys
        assert read(storage, keys, "results/one") == b"one" * 1000
        assert read(storage, keys, "results/zwei ä") == b"two"
        row = storage.find(keys.bucket, "slides/one")
        assert row is not None
        assert row.reference == str(tmp_path / "slide.svs")  # still where it is, not a copy
        assert [upload.key for upload in Uploads(storage, database).open(keys.bucket, "", ("", ""), 10)] == ["open"]
    assert (target / "keys" / "signing.pem").read_text() == "a key"
    assert (target / "platform.toml").read_text() == "port = 0\n"


def test_it_is_consistent_while_objects_come_and_go(data: Path, tmp_path: Path) -> None:
    stop, going = threading.Event(), threading.Event()
    done = 0
    with opened(data) as (storage, keys, _):

        def churn() -> None:
            nonlocal done
            while not stop.is_set():
                put(storage, keys, f"churn/{done}", os.urandom(3000))
                if done >= 5:
                    storage.remove(keys.bucket, f"churn/{done - 5}")
                done += 1
                going.set()

        thread = threading.Thread(target=churn)
        thread.start()
        try:
            assert going.wait(20)
            for number in range(3):
                backup(data, tmp_path / f"{number}.tar")
        finally:
            stop.set()
            thread.join()
    assert done > 10
    for number in range(3):
        target = tmp_path / f"restored {number}"
        restore(target, tmp_path / f"{number}.tar")
        with opened(target) as (storage, keys, _):
            rows = storage.page(keys.bucket, "churn/", "", 1000)
            assert rows
            for row in rows:
                assert crc32c_file(storage.open_path(row)) == row.crc32c


def test_a_platform_that_is_there_is_replaced_only_when_asked(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    backup(data, file)
    with opened(data) as (storage, keys, _):
        storage.remove(keys.bucket, "results/one")
        put(storage, keys, "results/later", b"later")
    with pytest.raises(BadInput, match="--force"):
        restore(data, file)
    restore(data, file, force=True)
    with opened(data) as (storage, keys, _):
        assert read(storage, keys, "results/one") == b"one" * 1000
        assert storage.find(keys.bucket, "results/later") is None
    assert {path.name.split("-")[0] for path in data.iterdir()} & {"replaced", "restore"} == set()


def test_never_under_a_running_platform(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "backup.tar")
    with PlatformLock(Layout(data)), pytest.raises(LaunchpadError, match="runs on this data folder"):
        restore(data, tmp_path / "backup.tar", force=True)


def test_a_file_that_exists_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BadInput, match="exists"):
        backup(data, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"
    with pytest.raises(NotFound):
        backup(tmp_path / "nothing", tmp_path / "other")


def test_damage_is_found_before_anything_is_replaced(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    backup(data, file)
    whole = file.read_bytes()
    place = whole.index(b"oneoneone")
    cases = {
        "flipped": whole[:place] + b"X" + whole[place + 1 :],
        "cut": whole[: place + 100],
        "no tar": b"nothing",
        "empty": b"",
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=r"damaged|no backup"):
            restore(data, tmp_path / name, force=True)
    with opened(data) as (storage, keys, _):
        assert read(storage, keys, "results/one") == b"one" * 1000


def test_files_outside_the_folder_are_refused(data: Path, tmp_path: Path) -> None:
    backup(data, tmp_path / "backup.tar")
    with tarfile.open(tmp_path / "backup.tar") as archive:
        entry = archive.next()
        assert entry is not None
        source = archive.extractfile(entry)
        assert source is not None
        manifest = json.loads(source.read())
    manifest["files"]["../../evil"] = {"size": 1, "crc32c": "AAAAAA=="}
    text = json.dumps(manifest).encode()
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        for name, content in (("manifest.json", text), ("../../evil", b"x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    with pytest.raises(BadInput, match="malformed"):
        restore(tmp_path / "target", tmp_path / "evil.tar")


def test_cancelled_it_leaves_nothing(data: Path, tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        backup(data, tmp_path / "backup.tar", progress)
    assert not list(tmp_path.glob("*backup*"))
    assert not [path for path in data.iterdir() if path.name.startswith("backup-")]
