"""Taking items from the queue: the database itself, with leases, so that a crash loses nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from launchpad.localplatform.database.engine import Database, now
from launchpad.localplatform.database.tables import InputRow, ItemRow, RunRow
from launchpad.localplatform.scheduling import states

LEASE = 30.0  # seconds that an item belongs to a worker without a heartbeat
ATTEMPTS = 2  # times that an item may take its worker with it


@dataclass(frozen=True)
class Claimed:
    """An item that is ours until its lease ends."""

    item_id: str
    run_id: str
    external_id: str
    application_id: str
    version_number: str
    download_url: str
    metadata: dict[str, Any]
    attempts: int


def recover(database: Database) -> int:
    """Put back what the last process of this platform left under way; how many items that were."""
    with database.writing() as session:
        result = session.execute(
            update(ItemRow).where(ItemRow.state == "PROCESSING").values(state="PENDING", lease_until=None)
        )
        return int(getattr(result, "rowcount", 0))


def claim(database: Database) -> Claimed | None:
    """The next item: the earliest due date first, then the order of submission."""
    with database.writing() as session:
        row = session.execute(
            select(ItemRow, RunRow)
            .join(RunRow)
            .where(ItemRow.state == "PENDING", RunRow.state != "TERMINATED")
            .order_by(func.coalesce(RunRow.due_date, "9999"), RunRow.submitted_at, ItemRow.position)
            .limit(1)
        ).first()
        if row is None:
            return None
        item, run = row
        artifact = session.scalars(select(InputRow).where(InputRow.item_id == item.id)).one()
        item.state, item.lease_until, item.attempts = "PROCESSING", time.time() + LEASE, item.attempts + 1
        run.state = "PROCESSING"
        return Claimed(
            item.id,
            run.id,
            item.external_id,
            run.application_id,
            run.version_number,
            artifact.download_url,
            artifact.meta,
            item.attempts,
        )


def heartbeat(database: Database, item_id: str) -> bool:
    """Keep an item; False when it is no longer ours (cancelled)."""
    with database.writing() as session:
        item = session.get(ItemRow, item_id)
        if item is None or item.state != "PROCESSING":
            return False
        item.lease_until = time.time() + LEASE
        return True


def sweep(database: Database) -> None:
    """Put items back whose lease ended, and cancel runs whose deadline has passed."""
    with database.writing() as session:
        session.execute(
            update(ItemRow)
            .where(ItemRow.state == "PROCESSING", ItemRow.lease_until < time.time())
            .values(state="PENDING", lease_until=None)
        )
        late = select(RunRow).where(RunRow.state != "TERMINATED", RunRow.deadline < now())
        for run in session.scalars(late):
            states.cancel_run(session, run, "CANCELED_BY_SYSTEM", "DEADLINE", "The deadline of the run has passed.")


def is_idle(database: Database) -> bool:
    """Whether every run has ended."""
    with database.reading() as session:
        return session.scalars(select(RunRow.id).where(RunRow.state != "TERMINATED").limit(1)).first() is None
