"""Uploads in parts: begun, filled in any order, completed to an object or aborted.

A part is its own file until the end; completing makes the list of files the object and copies nothing. Limits and
error codes are those of Google Cloud Storage's XML API.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import delete, select

from launchpad.bucket import crc32c as checksums
from launchpad.localplatform.database.engine import Database, now, stamp
from launchpad.localplatform.database.tables import ObjectRow, UploadPartRow, UploadRow
from launchpad.localplatform.objectstore.errors import StoreError
from launchpad.localplatform.objectstore.storage import Storage

MOST_PARTS = 10_000
SMALLEST_PART, LARGEST_PART = 5 << 20, 5 << 30  # bytes; the last part may be smaller
LARGEST_OBJECT = 5 << 40
KEPT = timedelta(days=7)  # an upload that nobody ends


class Uploads:
    """The open uploads of one store. Thread-safe."""

    def __init__(self, storage: Storage, database: Database) -> None:
        self._storage = storage
        self._database = database

    def begin(self, bucket: str, key: str, content_type: str) -> str:
        """Open an upload; its id. Those that nobody ended for seven days are thrown away on the way."""
        self.sweep()
        upload_id = str(uuid.uuid4())
        with self._database.writing() as session:
            session.add(UploadRow(id=upload_id, bucket=bucket, key=key, content_type=content_type, created=now()))
        return upload_id

    def put(
        self, upload_id: str, bucket: str, key: str, number: int, file: Path, size: int, crc32c: str, md5: str = ""
    ) -> str:
        """Keep a part whose bytes were written to `file`; its ETag. A part of this number is replaced."""
        place = self._storage.adopt(file)
        etag = md5 or f"{hashlib.md5(f'{crc32c}{size}'.encode(), usedforsecurity=False).hexdigest()}-p"
        old: str | None = None
        try:
            with self._database.writing() as session:
                self._upload(session.get(UploadRow, upload_id), bucket, key)
                row = session.get(UploadPartRow, (upload_id, number))
                if row is not None:
                    old = row.file
                    session.delete(row)
                    session.flush()
                session.add(
                    UploadPartRow(
                        upload_id=upload_id,
                        number=number,
                        size=size,
                        crc32c=crc32c,
                        etag=etag,
                        file=place,
                        created=now(),
                    )
                )
        except BaseException:
            self._storage.discard([place])
            raise
        if old is not None:
            self._storage.discard([old])
        return etag

    def check(self, upload_id: str, bucket: str, key: str) -> UploadRow:
        """The upload. Raises StoreError NoSuchUpload."""
        with self._database.reading() as session:
            return self._upload(session.get(UploadRow, upload_id), bucket, key)

    def parts(self, upload_id: str, bucket: str, key: str, after: int, count: int) -> list[UploadPartRow]:
        """Parts with numbers above `after`, one more than `count` where there are more."""
        with self._database.reading() as session:
            self._upload(session.get(UploadRow, upload_id), bucket, key)
            found = select(UploadPartRow).where(UploadPartRow.upload_id == upload_id, UploadPartRow.number > after)
            return list(session.scalars(found.order_by(UploadPartRow.number).limit(count + 1)))

    def open(self, bucket: str, prefix: str, after: tuple[str, str], count: int) -> list[UploadRow]:
        """Open uploads by key and id, one more than `count` where there are more."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(UploadRow)
                .where(UploadRow.bucket == bucket, UploadRow.key.startswith(prefix, autoescape=True))
                .order_by(UploadRow.key, UploadRow.id)
            )
            return [row for row in rows if (row.key, row.id) > after][: count + 1]

    def complete(self, upload_id: str, bucket: str, key: str, wanted: Sequence[tuple[int, str]]) -> ObjectRow:
        """Make the named parts, (number, ETag), the object; other parts are thrown away.

        Raises:
            StoreError: as the cloud's store refuses it.
        """
        if not wanted:
            raise StoreError("MalformedXML", "No part is named.")
        if any(second[0] <= first[0] for first, second in pairwise(wanted)):
            raise StoreError("InvalidPartOrder", "The parts are not in ascending order.")
        with self._database.writing() as session:
            upload = self._upload(session.get(UploadRow, upload_id), bucket, key)
            parts = {
                row.number: row
                for row in session.scalars(select(UploadPartRow).where(UploadPartRow.upload_id == upload_id))
            }
            for number, etag in wanted:
                if number not in parts or parts[number].etag != etag:
                    raise StoreError("InvalidPart", f"Part {number} is not there, or has another ETag.")
            chosen = [parts[number] for number, _ in wanted]
            if any(part.size < SMALLEST_PART for part in chosen[:-1]):
                raise StoreError("EntityTooSmall", "A part but the last is smaller than 5 MiB.")
            size = sum(part.size for part in chosen)
            if size > LARGEST_OBJECT:
                raise StoreError("EntityTooLarge", "The object is larger than 5 TiB.")
            whole = 0
            for part in chosen:
                whole = checksums.combine(whole, checksums.decode(part.crc32c), part.size)
            row = ObjectRow(
                bucket=bucket,
                key=key,
                size=size,
                crc32c=checksums.encode(whole),
                etag=f"{secrets.token_hex(16)}-{len(chosen)}",
                content_type=upload.content_type,
                created=now(),
                pieces=[[part.file, part.size] for part in chosen],
            )
            used = {part.file for part in chosen}
            left = [part.file for part in parts.values() if part.file not in used]
            left += self._storage.put_row(session, row)
            session.execute(delete(UploadPartRow).where(UploadPartRow.upload_id == upload_id))
            session.delete(upload)
        self._storage.discard(left)
        return row

    def abort(self, upload_id: str, bucket: str, key: str) -> None:
        """Throw an upload away. Raises StoreError NoSuchUpload."""
        with self._database.writing() as session:
            upload = self._upload(session.get(UploadRow, upload_id), bucket, key)
            files = list(session.scalars(select(UploadPartRow.file).where(UploadPartRow.upload_id == upload_id)))
            session.execute(delete(UploadPartRow).where(UploadPartRow.upload_id == upload_id))
            session.delete(upload)
        self._storage.discard(files)

    def sweep(self, at: datetime | None = None) -> int:
        """Throw away uploads that are older than seven days; how many."""
        limit = stamp((at or datetime.now(UTC)) - KEPT)
        with self._database.reading() as session:
            old = list(session.scalars(select(UploadRow).where(UploadRow.created < limit)))
        for upload in old:
            self.abort(upload.id, upload.bucket, upload.key)
        return len(old)

    @staticmethod
    def _upload(row: UploadRow | None, bucket: str, key: str) -> UploadRow:
        if row is None or (row.bucket, row.key) != (bucket, key):
            raise StoreError("NoSuchUpload", "The upload does not exist; it was completed or aborted.")
        return row
