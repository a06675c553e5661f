"""Taking items from the queue: the database itself, with leases, so that a crash loses nothing."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from launchpad.localplatform.applications.registry import APPLICATIONS
from launchpad.localplatform.database.engine import Database, now
from launchpad.localplatform.database.tables import FairShareRow, InputRow, ItemRow, OutputRow, RunRow
from launchpad.localplatform.scheduling import states

LEASE = 30.0  # seconds that an item belongs to a worker without a heartbeat
KILLS = 2  # worker processes that an item may take with it; then it is an error
_LONGEST_WAIT = 3600.0  # seconds
ATTEMPTS = 10  # times that an item is begun and the whole platform ends before the item does; then it is an error


@dataclass(frozen=True)
class Claimed:
    """An item that is ours until its lease ends; `claim` proves it."""

    item_id: str
    run_id: str
    external_id: str
    application_id: str
    version_number: str
    download_url: str
    metadata: dict[str, Any]
    attempts: int
    claim: str


def recover(database: Database) -> int:
    """Put back what the last process of this platform left under way; how many items that were.

    An item that was under way at ten crashes of the platform is an error, so that it cannot crash it for ever.
    """
    with database.writing() as session:
        left = session.scalars(select(ItemRow).where(ItemRow.state == "PROCESSING")).all()
        for item in left:
            claim = item.claim or ""
            if item.attempts >= ATTEMPTS:
                message = f"The platform ended {item.attempts} times while it worked on this slide."
                states.fail(session, item.id, claim, "SYSTEM_ERROR", "TOO_MANY_ATTEMPTS", message)
            else:
                states.release(session, item.id, claim)
        return len(left)


def claim(database: Database) -> Claimed | None:
    """The next item, or None.

    Users take turns: first who has the fewest items running, then who waits longest since the last item that was
    handed out. Within a user's runs the earliest due date goes first, then the order of submission.
    """
    with database.writing() as session:
        for run_id in _turns(session):
            run = session.get_one(RunRow, run_id)
            application = APPLICATIONS.get(run.application_id)
            if application is None or application.number != run.version_number:
                words = f"{run.application_id} {run.version_number} is not on this platform any more."
                states.cancel_run(session, run, "CANCELED_BY_SYSTEM", "VERSION_NOT_AVAILABLE", words)
                continue
            item = session.scalars(
                select(ItemRow)
                .where(ItemRow.run_id == run.id, ItemRow.state == "PENDING", _is_due())
                .order_by(ItemRow.position)
                .limit(1)
            ).first()
            if item is not None:
                return _hand_out(session, run, item)
    return None


def _turns(session: Session) -> list[str]:
    """Ids of runs with something to do, in the order in which they are served. Only ids: the rows are wide to sort."""
    running = (
        select(RunRow.submitted_by.label("user"), func.count().label("count"))
        .join(ItemRow, ItemRow.run_id == RunRow.id)
        .where(ItemRow.state == "PROCESSING")
        .group_by(RunRow.submitted_by)
        .subquery()
    )
    waiting = (
        select(ItemRow.id).where(ItemRow.run_id == RunRow.id, ItemRow.state == "PENDING", _is_due()).limit(1).exists()
    )
    return list(
        session.scalars(
            select(RunRow.id)
            .outerjoin(running, running.c.user == RunRow.submitted_by)
            .outerjoin(FairShareRow, FairShareRow.user_id == RunRow.submitted_by)
            .where(RunRow.state.in_(("PENDING", "PROCESSING")), waiting)
            .order_by(
                func.coalesce(running.c.count, 0),
                func.coalesce(FairShareRow.served, 0),
                func.coalesce(RunRow.due_date, "9999"),
                RunRow.submitted_at,
                RunRow.id,
            )
            .limit(20)  # all but the first serve only where runs turn out to be ended here
        )
    )


def _is_due() -> ColumnElement[bool]:
    """Not waiting for its next try; one that would wait very long had its clock set back meanwhile."""
    at = time.time()
    return or_(ItemRow.not_before.is_(None), ItemRow.not_before <= at, ItemRow.not_before > at + _LONGEST_WAIT)


def _hand_out(session: Session, run: RunRow, item: ItemRow) -> Claimed:
    artifact = session.scalars(select(InputRow).where(InputRow.item_id == item.id)).one()
    item.state, item.lease_until, item.attempts = "PROCESSING", time.time() + LEASE, item.attempts + 1
    item.claim, item.not_before = str(uuid.uuid4()), None
    session.execute(update(OutputRow).where(OutputRow.item_id == item.id).values(state="PROCESSING"))
    if run.state == "PENDING":
        run.state = "PROCESSING"
        states.tell_run(session, run, "run.started")
    states.tell_item(session, run, item, "item.started")
    served = (session.scalar(select(func.max(FairShareRow.served))) or 0) + 1
    share = session.get(FairShareRow, run.submitted_by)
    if share is None:
        session.add(FairShareRow(user_id=run.submitted_by, served=served))
    else:
        share.served = served
    return Claimed(
        item.id,
        run.id,
        item.external_id,
        run.application_id,
        run.version_number,
        artifact.download_url,
        artifact.meta,
        item.attempts,
        item.claim,
    )


def heartbeat(database: Database, item_id: str, claim: str) -> bool:
    """Keep an item; False when it is no longer ours (cancelled, or handed to somebody else)."""
    with database.writing() as session:
        result = session.execute(
            update(ItemRow)
            .where(ItemRow.id == item_id, ItemRow.state == "PROCESSING", ItemRow.claim == claim)
            .values(lease_until=time.time() + LEASE)
        )
        return bool(getattr(result, "rowcount", 0))


def sweep(database: Database) -> None:
    """Put items back whose lease ended, and cancel runs whose deadline has passed.

    Whoever has items must renew their leases right before: after a sleep of the computer all have ended.
    """
    with database.reading() as session:
        ended = select(ItemRow.id).where(ItemRow.state == "PROCESSING", ItemRow.lease_until < time.time()).limit(1)
        late = select(RunRow).where(RunRow.state.in_(("PENDING", "PROCESSING")), RunRow.deadline < now())
        if session.scalars(ended).first() is None and session.scalars(late.limit(1)).first() is None:
            return  # no write lock every other second
    with database.writing() as session:
        lost = select(ItemRow).where(ItemRow.state == "PROCESSING", ItemRow.lease_until < time.time())
        for item in session.scalars(lost).all():
            states.release(session, item.id, item.claim or "")
        for run in session.scalars(late).all():
            states.cancel_run(session, run, "CANCELED_BY_SYSTEM", "DEADLINE", "The deadline of the run has passed.")


def unfinished(database: Database, item_ids: Iterable[str]) -> set[str]:
    """Those of some items that have not ended."""
    with database.reading() as session:
        rows = (session.get(ItemRow, item_id) for item_id in item_ids)
        return {row.id for row in rows if row is not None and row.state != "TERMINATED"}


def is_idle(database: Database) -> bool:
    """Whether every run has ended."""
    with database.reading() as session:
        query = select(RunRow.id).where(RunRow.state.in_(("PENDING", "PROCESSING"))).limit(1)
        return session.scalars(query).first() is None
