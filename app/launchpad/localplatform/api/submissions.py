"""A run that is posted twice, because its answer was lost on the way, is one run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launchpad.localplatform.database.engine import stamp
from launchpad.localplatform.database.tables import ItemRow, RunRow
from launchpad.platform.models import RunCreationRequest

_WITHIN = timedelta(days=7)  # what is posted again later is meant


def earlier_run(session: Session, request: RunCreationRequest, version: str, user_id: str) -> str | None:
    """The run that the caller made of the same submission of the same slides already, or None.

    `session` holds the write lock, so that of two requests at once the second finds the first.
    """
    own = (request.custom_metadata or {}).get("launchpad")
    submission_id = own.get("submission_id") if isinstance(own, dict) else None
    if not isinstance(submission_id, str) or not submission_id:
        return None
    query = select(RunRow.id).where(
        RunRow.submitted_by == user_id,
        RunRow.submitted_at > stamp(datetime.now(UTC) - _WITHIN),
        RunRow.application_id == request.application_id,
        RunRow.version_number == version,
        func.json_extract(RunRow.custom_metadata, "$.launchpad.submission_id") == submission_id,
    )
    wanted = [item.external_id for item in request.items]
    for run_id in session.scalars(query):
        own_ids = select(ItemRow.external_id).where(ItemRow.run_id == run_id).order_by(ItemRow.position)
        if list(session.scalars(own_ids)) == wanted:
            return run_id
    return None
