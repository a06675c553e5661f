"""Transitions of items and runs, each in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from launchpad.localplatform.database.engine import now
from launchpad.localplatform.database.tables import ItemRow, OutputRow, RunRow


@dataclass(frozen=True)
class Stored:
    """An output whose bytes are in the store."""

    name: str
    key: str
    metadata: dict[str, Any]


def succeed(session: Session, item_id: str, outputs: Sequence[Stored]) -> bool:
    """End an item with its outputs; False when it was ended meanwhile (cancelled), then nothing changes."""
    item = session.get(ItemRow, item_id)
    if item is None or item.state != "PROCESSING":
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
    session.flush()
    finish_run(session, item.run_id)
    return True


def fail(session: Session, item_id: str, reason: str, code: str, message: str) -> None:
    """End an item with an error; `reason` is USER_ERROR or SYSTEM_ERROR."""
    item = session.get(ItemRow, item_id)
    if item is None or item.state == "TERMINATED":
        return
    item.error_code, item.error_message = code, message
    _end(item, reason)
    session.execute(
        update(OutputRow)
        .where(OutputRow.item_id == item_id)
        .values(state="TERMINATED", termination_reason=reason, error_code=code, error_message=message)
    )
    session.flush()
    finish_run(session, item.run_id)


def release(session: Session, item_id: str) -> None:
    """Put an item back into the queue."""
    item = session.get(ItemRow, item_id)
    if item is not None and item.state == "PROCESSING":
        item.state, item.lease_until = "PENDING", None


def cancel_run(session: Session, run: RunRow, reason: str, code: str | None = None, message: str | None = None) -> None:
    """End a run before its items are done; what has results keeps them."""
    for item in session.scalars(select(ItemRow).where(ItemRow.run_id == run.id, ItemRow.state != "TERMINATED")):
        _end(item, "SKIPPED")
        session.execute(
            update(OutputRow)
            .where(OutputRow.item_id == item.id)
            .values(state="TERMINATED", termination_reason="SKIPPED")
        )
    run.state, run.termination_reason, run.terminated_at = "TERMINATED", reason, now()
    run.error_code, run.error_message = code, message


def finish_run(session: Session, run_id: str) -> None:
    """End a run whose items have all ended."""
    left = session.scalar(
        select(func.count()).select_from(ItemRow).where(ItemRow.run_id == run_id, ItemRow.state != "TERMINATED")
    )
    run = session.get(RunRow, run_id)
    if run is not None and left == 0 and run.state != "TERMINATED":
        run.state, run.termination_reason, run.terminated_at = "TERMINATED", "ALL_ITEMS_PROCESSED", now()


def _end(item: ItemRow, reason: str) -> None:
    item.state, item.termination_reason, item.terminated_at, item.lease_until = "TERMINATED", reason, now(), None
