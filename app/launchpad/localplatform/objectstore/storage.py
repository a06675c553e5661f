"""Objects on disk: own bytes, or references to files that stay where they are.

Bytes are written under a temporary name, synced and renamed, and only then known to the database: a half object is
never visible. Deleting a reference never touches the file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launchpad.errors import SlideError
from launchpad.localplatform.database.engine import Database, now
from launchpad.localplatform.database.tables import InstallationRow, ObjectRow, UploadPartRow
from launchpad.localplatform.objectstore.errors import StoreError

_BLOCK = 1 << 20
_RESERVE = 256 << 20  # bytes of the disk that stay free for the database and the system


@dataclass(frozen=True)
class Keys:
    """The bucket and its HMAC keys, random for each installation."""

    bucket: str
    access_key: str
    secret_key: str


def load_keys(database: Database) -> Keys:
    """The keys of this installation, made at its first start."""
    with database.writing() as session:
        row = session.get(InstallationRow, "hmac")
        if row is None:
            value = f"LAUNCHPAD{secrets.token_hex(8).upper()} {secrets.token_urlsafe(30)}"
            row = InstallationRow(name="hmac", value=value)
            session.add(row)
        access_key, secret_key = row.value.split(" ")
    return Keys("launchpad-local", access_key, secret_key)


class Room:
    """What one request was promised of the store's room; it may take more while its bytes come."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._size = 0

    def take(self, size: int) -> None:
        """Take so much more. Raises StoreError InsufficientStorage."""
        self._storage._take(size)
        self._size += size

    def give_back(self) -> None:
        """All of it: the bytes are on the disk now, or nowhere."""
        self._storage._give_back(self._size)
        self._size = 0


class Storage:
    """The objects of one platform. Thread-safe."""

    def __init__(self, folder: Path, database: Database, quota: int | None = None) -> None:
        """Open the store in a folder; `quota` is in bytes, references do not count."""
        self._folder = self.folder = folder
        self._quota = quota
        self._database = database
        self._lock = threading.Lock()
        self._promised = 0
        self._temporary = folder / "tmp"
        self._temporary.mkdir(exist_ok=True)
        for left in self._temporary.iterdir():  # of an upload that a crash cut short
            left.unlink()

    def temporary(self) -> Path:
        """A new name to write bytes under."""
        return self._temporary / secrets.token_hex(16)

    @contextmanager
    def room(self, size: int) -> Iterator[Room]:
        """Room for this many bytes while they are written and made an object.

        Raises:
            StoreError: InsufficientStorage.
        """
        room = Room(self)
        try:
            room.take(size)
            yield room
        finally:
            room.give_back()

    def _take(self, size: int) -> None:
        with self._lock:  # several are written at once: what they were promised counts
            free = shutil.disk_usage(self._folder).free
            if self._promised + size > free - _RESERVE:
                raise StoreError(
                    "InsufficientStorage",
                    f"{size:,} bytes do not fit: {free:,} are free, {_RESERVE:,} of them reserved.",
                )
            if self._quota is not None and self._used() + self._promised + size > self._quota:
                raise StoreError("InsufficientStorage", f"The store's quota of {self._quota:,} bytes is used up.")
            self._promised += size

    def _give_back(self, size: int) -> None:
        with self._lock:
            self._promised -= size

    def _used(self) -> int:
        with self._database.reading() as session:
            objects = session.scalar(select(func.sum(ObjectRow.size)).where(ObjectRow.reference.is_(None))) or 0
            return int(objects + (session.scalar(select(func.sum(UploadPartRow.size))) or 0))

    def commit(
        self, file: Path, bucket: str, key: str, *, size: int, crc32c: str, content_type: str, md5: str = ""
    ) -> ObjectRow:
        """Make the written bytes the object; `md5` (hexadecimal) becomes its ETag where it is known.

        Clients take an ETag that looks like an MD5 for one, so all others look otherwise.
        """
        name = self.adopt(file)
        row = new_row(name, bucket, key, size=size, crc32c=crc32c, content_type=content_type, md5=md5)
        self._replace(row)
        return row

    def adopt(self, file: Path) -> str:
        """Give written bytes a lasting name, relative to the store's folder; nothing refers to them yet."""
        name = secrets.token_hex(16)
        place = self._folder / name[:2] / name
        place.parent.mkdir(exist_ok=True)
        file.replace(place)
        _sync(place.parent)
        return f"{name[:2]}/{name}"

    def refer(
        self, bucket: str, key: str, *, path: Path, size: int, mtime_ns: int, inode: int, crc32c: str
    ) -> ObjectRow:
        """Make a file of the user the object."""
        row = ObjectRow(
            bucket=bucket,
            key=key,
            size=size,
            crc32c=crc32c,
            etag=f"{hashlib.md5(f'{path}{size}{mtime_ns}'.encode(), usedforsecurity=False).hexdigest()}-1",
            content_type="application/octet-stream",
            created=now(),
            reference=str(path),
            mtime_ns=mtime_ns,
            inode=inode,
        )
        self._replace(row)
        return row

    def _replace(self, row: ObjectRow) -> None:
        with self._database.writing() as session:
            left = self.put_row(session, row)
        self.discard(left)

    def put_row(self, session: Session, row: ObjectRow) -> list[str]:
        """Make this the object of its key; the files of the one before, to be discarded after the commit."""
        old = session.get(ObjectRow, (row.bucket, row.key))
        left = _files(old) if old is not None else []
        if old is not None:
            session.delete(old)
            session.flush()
        session.add(row)
        return left

    def find(self, bucket: str, key: str) -> ObjectRow | None:
        """The object, or None."""
        with self._database.reading() as session:
            return session.get(ObjectRow, (bucket, key))

    def pieces(self, row: ObjectRow) -> list[tuple[Path, int]]:
        """Where the bytes are: files and how many bytes each, in their order. Raises as `open_path`."""
        if row.pieces is not None:
            return [(self._folder / file, int(size)) for file, size in row.pieces]
        return [(self.open_path(row), row.size)]

    def open_path(self, row: ObjectRow) -> Path:
        """Where the bytes are, in one file; pieces are put together first.

        Raises:
            SlideError: a referenced file is gone or changed since it was handed over.
        """
        if row.pieces is not None:
            row = self._merge(row)
        if row.file is not None:
            return self._folder / row.file
        path = Path(row.reference or "")
        try:
            status = path.stat()
        except OSError as error:
            raise SlideError(
                "The slide is not where it was when it was handed over",
                detail=f"{error.strerror or error}.",
                advice="Put it back, or submit it again from its new place.",
                subject=str(path),
            ) from error
        if (status.st_size, status.st_mtime_ns, status.st_ino) != (row.size, row.mtime_ns, row.inode):
            raise SlideError(
                "The slide changed since it was handed over",
                advice="Prepare and submit it again.",
                subject=str(path),
            )
        return path

    def _merge(self, row: ObjectRow) -> ObjectRow:
        temporary = self.temporary()
        try:
            with temporary.open("xb") as target:
                for file, _ in self.pieces(row):
                    with file.open("rb") as source:
                        shutil.copyfileobj(source, target, _BLOCK)
                target.flush()
                os.fsync(target.fileno())
            name = self.adopt(temporary)
        finally:
            temporary.unlink(missing_ok=True)
        with self._database.writing() as session:
            current = session.get(ObjectRow, (row.bucket, row.key))
            if current is None or current.etag != row.etag or current.pieces is None:  # replaced, or merged meanwhile
                left = [name]
            else:
                left = _files(current)
                current.file, current.pieces = name, None
        self.discard(left)
        if current is None:
            raise SlideError("The slide is not in the store any more", subject=row.key)
        return current

    def page(self, bucket: str, prefix: str, after: str, count: int, *, inclusive: bool = False) -> list[ObjectRow]:
        """Objects by key, above `after` (or from it), at most `count`."""
        beyond = ObjectRow.key >= after if inclusive else ObjectRow.key > after
        with self._database.reading() as session:
            found = select(ObjectRow).where(
                ObjectRow.bucket == bucket, ObjectRow.key.startswith(prefix, autoescape=True), beyond
            )
            return list(session.scalars(found.order_by(ObjectRow.key).limit(count)))

    def remove(self, bucket: str, key: str) -> bool:
        """Delete an object; whether there was one."""
        with self._database.writing() as session:
            left = self.remove_row(session, bucket, key)
        self.discard(left or ())
        return left is not None

    def remove_row(self, session: Session, bucket: str, key: str) -> list[str] | None:
        """Delete an object's row; its files, to be discarded after the commit. None where there is none."""
        row = session.get(ObjectRow, (bucket, key))
        if row is None:
            return None
        session.delete(row)
        return _files(row)

    def sweep(self, before: float) -> int:
        """Delete files that nothing refers to, left by a crash; how many.

        `before` is the start of this process as a file's time: what changed since may just be on its way.
        """
        found = {
            f"{place.parent.name}/{place.name}": place
            for place in self._folder.glob("??/*")
            if place.stat().st_mtime < before
        }
        with self._database.reading() as session:
            kept = set(session.scalars(select(ObjectRow.file).where(ObjectRow.file.is_not(None))))
            kept.update(session.scalars(select(UploadPartRow.file)))
            for pieces in session.scalars(select(ObjectRow.pieces).where(ObjectRow.pieces.is_not(None))):
                kept.update(str(file) for file, _ in pieces or ())
        left = [name for name in found if name not in kept]
        self.discard(left)
        return len(left)

    def has_room(self) -> bool:
        """Whether there is more free than stays reserved."""
        return shutil.disk_usage(self._folder).free > _RESERVE

    def discard(self, files: Iterable[str]) -> None:
        """Delete files that nothing refers to any more."""
        for file in files:
            with suppress(FileNotFoundError):
                (self._folder / file).unlink()


def new_row(file: str, bucket: str, key: str, *, size: int, crc32c: str, content_type: str, md5: str = "") -> ObjectRow:
    """An object of adopted bytes, not yet in the database; `md5` as in `Storage.commit`."""
    return ObjectRow(
        bucket=bucket,
        key=key,
        size=size,
        crc32c=crc32c,
        etag=md5 or f"{secrets.token_hex(16)}-1",
        content_type=content_type,
        created=now(),
        file=file,
    )


def _files(row: ObjectRow) -> list[str]:
    if row.pieces is not None:
        return [str(file) for file, _ in row.pieces]
    return [row.file] if row.file is not None else []


def _sync(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
