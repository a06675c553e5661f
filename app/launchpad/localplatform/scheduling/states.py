"""Transitions of items and runs, each in one transaction with the callbacks that tell of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from launchpad.localplatform.callbacks import outbox
from launchpad.localplatform.database.engine import now
from launchpad.localplatform.database.tables import ItemRow, OutputRow, RunRow
from launchpad.localplatform.settings import PlatformSettings


@dataclass(frozen=True)
class Stored:
    """An output whose bytes are in the store."""

    name: str
    key: str
    metadata: dict[str, Any]


def held(session: Session, item_id: str, claim: str) -> ItemRow | None:
    """The item while this claim holds it; None once it was cancelled or handed to somebody else."""
    item = session.get(ItemRow, item_id)
    return item if item is not None and item.state == "PROCESSING" and (item.claim or "") == claim else None


def succeed(session: Session, item_id: str, claim: str, outputs: Sequence[Stored]) -> bool:
    """End an item with its outputs; False when it is not ours any more, then nothing changes."""
    item = held(session, item_id, claim)
    if item is None:
        return False
    by_name = {row.name: row for row in session.scalars(select(OutputRow).where(OutputRow.item_id == item_id))}
    for output in outputs:
        row = by_name.get(output.name)
        if row is None:
            row = OutputRow(id=str(uuid.uuid4()), item_id=item_id, name=output.name, state="PENDING", output="NONE")
            session.add(row)
        row.state, row.termination_reason, row.output = "TERMINATED", "SUCCEEDED", "AVAILABLE"
        row.meta, row.object_key = output.metadata, output.key
    _end(item, "SUCCEEDED")
    _after_item(session, item, None)
    return True


def fail(
    session: Session,
    item_id: str,
    claim: str,
    reason: str,
    code: str,
    message: str,
    rules: PlatformSettings | None = None,
) -> bool:
    """End an item with an error; `reason` is USER_ERROR or SYSTEM_ERROR. False when it is not ours any more.

    With `rules` a run ends here that has more errors than they allow.
    """
    item = held(session, item_id, claim)
    if item is None:
        return False
    item.error_code, item.error_message = code, message
    _end(item, reason)
    session.execute(
        update(OutputRow)
        .where(OutputRow.item_id == item_id)
        .values(state="TERMINATED", termination_reason=reason, error_code=code, error_message=message)
    )
    _after_item(session, item, rules)
    return True


def release(
    session: Session, item_id: str, claim: str, *, wait: float | None = None, is_attempt: bool = True
) -> ItemRow | None:
    """Put an item back into the queue, to be taken in `wait` seconds at the earliest; None when it is not ours.

    Unless it `is_attempt`, having begun it does not count.
    """
    item = held(session, item_id, claim)
    if item is None:
        return None
    item.state, item.lease_until, item.claim = "PENDING", None, None
    item.not_before = None if wait is None else time.time() + wait
    if not is_attempt:
        item.attempts = max(0, item.attempts - 1)
    session.execute(update(OutputRow).where(OutputRow.item_id == item_id).values(state="PENDING"))
    return item


def cancel_run(session: Session, run: RunRow, reason: str, code: str | None = None, message: str | None = None) -> None:
    """End a run before its items are done; what has results keeps them."""
    for item in session.scalars(select(ItemRow).where(ItemRow.run_id == run.id, ItemRow.state != "TERMINATED")).all():
        _end(item, "SKIPPED")
        session.execute(
            update(OutputRow)
            .where(OutputRow.item_id == item.id)
            .values(state="TERMINATED", termination_reason="SKIPPED")
        )
        tell_item(session, run, item, "item.ended")
    _end_run(session, run, reason, code, message)


def tell_run(session: Session, run: RunRow, event: str) -> None:
    """Write a callback of a run's transition into the outbox."""
    outbox.write(session, run, event, None)


def tell_item(session: Session, run: RunRow, item: ItemRow, event: str) -> None:
    """Write a callback of an item's transition into the outbox."""
    outbox.write(session, run, event, item)


def _after_item(session: Session, item: ItemRow, rules: PlatformSettings | None) -> None:
    """End a run whose items have all ended, or that has more errors than `rules` allow."""
    session.flush()
    run = session.get(RunRow, item.run_id)
    if run is None or run.state == "TERMINATED":
        return
    tell_item(session, run, item, "item.ended")
    counts: dict[str | None, int] = {}
    query = select(ItemRow.termination_reason, func.count()).where(ItemRow.run_id == run.id)
    for reason, count in session.execute(query.group_by(ItemRow.termination_reason)):
        counts[reason] = count
    if not counts.get(None):
        _end_run(session, run, "ALL_ITEMS_PROCESSED", None, None)
        return
    errors = counts.get("USER_ERROR", 0) + counts.get("SYSTEM_ERROR", 0)
    if rules is not None and too_many(errors, sum(counts.values()), rules):
        words = f"{errors} of {sum(counts.values())} slides failed, more than this platform lets pass."
        cancel_run(session, run, "CANCELED_BY_SYSTEM", "TOO_MANY_ERRORS", words)


def too_many(errors: int, items: int, rules: PlatformSettings) -> bool:
    """Whether so many errors end a run: above a number of them, or above a share of its items and the minimum."""
    limit = rules.error_threshold
    if limit is None:
        return False
    if limit >= 1:
        return errors > limit
    return errors >= rules.error_minimum and errors > limit * items


def _end(item: ItemRow, reason: str) -> None:
    item.state, item.termination_reason, item.terminated_at = "TERMINATED", reason, now()
    item.lease_until = item.claim = item.not_before = None


def _end_run(session: Session, run: RunRow, reason: str, code: str | None, message: str | None) -> None:
    run.state, run.termination_reason, run.terminated_at = "TERMINATED", reason, now()
    run.error_code, run.error_message = code, message
    session.flush()
    tell_run(session, run, "run.ended")
