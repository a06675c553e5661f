"""How much waits in the queue before a run or an item: by due date, then by submission, as workers take them.

Between users the queue is shared fairly, so these are the most that can be ahead, not a promise.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launchpad.localplatform.database.tables import ItemRow, RunRow


def before_runs(session: Session, rows: Sequence[RunRow]) -> dict[str, tuple[int, int]]:
    """For runs with items that wait: how many of other runs come before them, of the organization and of all."""
    asked = {row.id for row in rows if row.state != "TERMINATED"}
    if not asked:
        return {}
    query = (
        select(RunRow.id, RunRow.organization_id, func.count())
        .join(ItemRow, ItemRow.run_id == RunRow.id)
        .where(ItemRow.state == "PENDING")
        .group_by(RunRow.id)
        .order_by(func.coalesce(RunRow.due_date, "9999"), RunRow.submitted_at, RunRow.id)
    )
    found: dict[str, tuple[int, int]] = {}
    everybody = 0
    of_organization: dict[str, int] = {}
    for run_id, organization, count in session.execute(query):
        ours = of_organization.get(organization, 0)
        if run_id in asked:
            found[run_id] = (ours, everybody)
        everybody += count
        of_organization[organization] = ours + count
    return found


def of_items(session: Session, run: RunRow, rows: Sequence[ItemRow]) -> dict[str, tuple[int, int]]:
    """For items that wait: their places in the queue of the organization and of all; 1 is the next."""
    if all(row.state != "PENDING" for row in rows):
        return {}
    ours, everybody = before_runs(session, [run]).get(run.id, (0, 0))
    waiting = session.scalars(
        select(ItemRow.id).where(ItemRow.run_id == run.id, ItemRow.state == "PENDING").order_by(ItemRow.position)
    )
    asked = {row.id for row in rows}
    return {
        item_id: (ours + place, everybody + place) for place, item_id in enumerate(waiting, start=1) if item_id in asked
    }
