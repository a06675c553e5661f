"""Deleting what is old enough, and what a crash left behind; and how much of the disk is used.

Results go so many days after the end of their run, uploads so many days after they came, unless a run that has not
ended needs them. The bytes are gone; the artifacts stay and say DELETED_BY_SYSTEM.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launchpad.localplatform.database.engine import Database, stamp
from launchpad.localplatform.database.tables import InputRow, ItemRow, ObjectRow, OutputRow, RunRow, UploadPartRow
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.scheduling.inputs import own_object
from launchpad.localplatform.settings import PlatformSettings

RESULTS = "results/"  # what keys of results begin with; all others are uploads
_EVERY = 3600.0  # seconds
_AT_ONCE = 500  # objects of one transaction

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Swept:
    """What one sweep deleted."""

    results: int
    uploads: int


@dataclass(frozen=True)
class DiskUse:
    """Bytes of a platform's store; referenced files are the user's own and cost nothing."""

    results: int
    uploads: int
    unfinished_uploads: int
    references: int


def sweep(
    database: Database, storage: Storage, keys: Keys, settings: PlatformSettings, at: datetime | None = None
) -> Swept:
    """Delete what is older than the settings say."""
    if settings.retention_days is None:
        return Swept(0, 0)
    limit = stamp((at or datetime.now(UTC)) - timedelta(days=settings.retention_days))
    results = uploads = 0
    while count := _some_results(database, storage, keys, limit):
        results += count
    while count := _some_uploads(database, storage, keys, limit):
        uploads += count
    return Swept(results, uploads)


def _some_results(database: Database, storage: Storage, keys: Keys, limit: str) -> int:
    left: list[str] = []
    with database.writing() as session:
        rows = session.scalars(
            select(OutputRow)
            .join(ItemRow, ItemRow.id == OutputRow.item_id)
            .join(RunRow, RunRow.id == ItemRow.run_id)
            .where(RunRow.state == "TERMINATED", RunRow.terminated_at < limit, OutputRow.output == "AVAILABLE")
            .limit(_AT_ONCE)
        ).all()
        for row in rows:
            if row.object_key is not None:
                left += storage.remove_row(session, keys.bucket, row.object_key) or []
            row.output, row.object_key = "DELETED_BY_SYSTEM", None
    storage.discard(left)
    return len(rows)


def _some_uploads(database: Database, storage: Storage, keys: Keys, limit: str) -> int:
    left: list[str] = []
    with database.writing() as session:
        needed = _needed(session, keys)
        old = session.scalars(
            select(ObjectRow).where(
                ObjectRow.bucket == keys.bucket,
                ObjectRow.created < limit,
                ObjectRow.key.not_like(f"{RESULTS}%"),
            )
        )
        gone = [row.key for row in old if row.key not in needed][:_AT_ONCE]
        for key in gone:
            left += storage.remove_row(session, keys.bucket, key) or []
    storage.discard(left)
    return len(gone)


def _needed(session: Session, keys: Keys) -> set[str]:
    """Keys of uploads that runs need which have not ended."""
    urls = session.scalars(
        select(InputRow.download_url)
        .join(ItemRow, ItemRow.id == InputRow.item_id)
        .join(RunRow, RunRow.id == ItemRow.run_id)
        .where(RunRow.state.in_(("PENDING", "PROCESSING")))
    )
    found = (own_object(urlsplit(url)) for url in urls)
    return {key for bucket, key in found if bucket == keys.bucket}


def disk_use(session: Session) -> DiskUse:
    """What the store holds."""

    def total(*conditions: object) -> int:
        return int(session.scalar(select(func.sum(ObjectRow.size)).where(*conditions)) or 0)  # type: ignore[arg-type]

    own, result = ObjectRow.reference.is_(None), ObjectRow.key.like(f"{RESULTS}%")
    parts = session.scalar(select(func.sum(UploadPartRow.size))) or 0
    return DiskUse(total(own, result), total(own, ~result), int(parts), total(~own))


class Housekeeper:
    """A thread that sweeps at the start and every hour until it is stopped."""

    def __init__(self, database: Database, storage: Storage, keys: Keys, settings: PlatformSettings) -> None:
        self._parts = (database, storage, keys, settings)
        self._storage = storage
        self._started = time.time()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the sweep that is under way."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=30)

    def _serve(self) -> None:
        try:
            left = self._storage.sweep(self._started - 2)  # file systems keep times of two seconds
            if left:
                _log.info("deleted %d files that a crash left behind", left)
        except Exception:  # noqa: BLE001 - the next start tries again
            _log.exception("files that a crash left behind could not be deleted")
        while not self._stop.is_set():
            try:
                swept = sweep(*self._parts)
                if swept.results or swept.uploads:
                    _log.info("deleted %d results and %d uploads by their age", swept.results, swept.uploads)
            except Exception:  # noqa: BLE001 - the next hour may go better
                _log.exception("what is old could not be deleted; trying again")
            self._stop.wait(_EVERY)
