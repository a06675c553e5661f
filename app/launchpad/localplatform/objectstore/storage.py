"""Objects on disk: own bytes, or references to files that stay where they are.

Bytes are written under a temporary name, synced and renamed, and only then known to the database: a half object is
never visible. Deleting a reference never touches the file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete

from launchpad.errors import SlideError
from launchpad.localplatform.database.engine import Database, now
from launchpad.localplatform.database.tables import InstallationRow, ObjectRow


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


class Storage:
    """The objects of one platform. Thread-safe."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database
        self._temporary = folder / "tmp"
        self._temporary.mkdir(exist_ok=True)
        for left in self._temporary.iterdir():  # of an upload that a crash cut short
            left.unlink()

    def temporary(self) -> Path:
        """A new name to write bytes under."""
        return self._temporary / secrets.token_hex(16)

    def commit(self, file: Path, bucket: str, key: str, *, size: int, crc32c: str, content_type: str) -> ObjectRow:
        """Make the written bytes the object."""
        name = secrets.token_hex(16)
        place = self._folder / name[:2] / name
        place.parent.mkdir(exist_ok=True)
        file.replace(place)
        _sync(place.parent)
        row = ObjectRow(
            bucket=bucket,
            key=key,
            size=size,
            crc32c=crc32c,
            etag=hashlib.md5(f"{crc32c}{size}{name}".encode(), usedforsecurity=False).hexdigest(),
            content_type=content_type,
            created=now(),
            file=f"{name[:2]}/{name}",
        )
        self._replace(row)
        return row

    def refer(
        self, bucket: str, key: str, *, path: Path, size: int, mtime_ns: int, inode: int, crc32c: str
    ) -> ObjectRow:
        """Make a file of the user the object."""
        row = ObjectRow(
            bucket=bucket,
            key=key,
            size=size,
            crc32c=crc32c,
            etag=hashlib.md5(f"{path}{size}{mtime_ns}".encode(), usedforsecurity=False).hexdigest(),
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
            old = session.get(ObjectRow, (row.bucket, row.key))
            old_file = old.file if old is not None else None
            if old is not None:
                session.delete(old)
                session.flush()
            session.add(row)
        self._discard(old_file)

    def find(self, bucket: str, key: str) -> ObjectRow | None:
        """The object, or None."""
        with self._database.reading() as session:
            return session.get(ObjectRow, (bucket, key))

    def open_path(self, row: ObjectRow) -> Path:
        """Where the bytes are.

        Raises:
            SlideError: a referenced file is gone or changed since it was handed over.
        """
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

    def remove(self, bucket: str, key: str) -> bool:
        """Delete an object; whether there was one."""
        with self._database.writing() as session:
            row = session.get(ObjectRow, (bucket, key))
            if row is None:
                return False
            file = row.file
            session.execute(delete(ObjectRow).where(ObjectRow.bucket == bucket, ObjectRow.key == key))
        self._discard(file)
        return True

    def _discard(self, file: str | None) -> None:
        if file is not None:
            with suppress(FileNotFoundError):
                (self._folder / file).unlink()


def _sync(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
