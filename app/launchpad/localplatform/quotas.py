"""What somebody may still submit: slides a month, runs at once, slides of a run.

Slides count in the calendar month (UTC) in which their run was submitted; those that were skipped do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from launchpad.localplatform.api.problems import Problem
from launchpad.localplatform.database.engine import stamp
from launchpad.localplatform.database.tables import ItemRow, RunRow
from launchpad.localplatform.identity.tokens import Caller
from launchpad.localplatform.settings import PlatformSettings

_WORDS = {
    "items_per_run": "A run may have {limit} slides on this platform, not {asked}.",
    "parallel_runs": "{used} of your runs have not ended, {limit} may be under way at once.",
    "slides_per_month_user": "You submitted {used} of {limit} slides of this month; {asked} more are too many.",
    "slides_per_month_organization": (
        "Your organization submitted {used} of {limit} slides of this month; {asked} more are too many."
    ),
}


@dataclass(frozen=True)
class Quota:
    """One limit and what is used of it; `limit` None is without one, `renews_at` None is never by itself."""

    quota: str
    used: int
    limit: int | None
    renews_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """As answers have it."""
        renews = self.renews_at.isoformat() if self.renews_at is not None else None
        return {"quota": self.quota, "used": self.used, "limit": self.limit, "renews_at": renews}


def of_caller(session: Session, user: Caller, settings: PlatformSettings, at: datetime | None = None) -> list[Quota]:
    """The caller's own limits and use."""
    begin, end = month(at or datetime.now(UTC))
    parallel = (
        select(func.count())
        .select_from(RunRow)
        .where(RunRow.submitted_by == user.user_id, RunRow.state.in_(("PENDING", "PROCESSING")))
    )
    own = _slides(session, RunRow.submitted_by == user.user_id, begin)
    all_of_them = _slides(session, RunRow.organization_id == user.organization_id, begin)
    return [
        Quota("items_per_run", 0, settings.items_per_run, None),
        Quota("parallel_runs", session.scalar(parallel) or 0, settings.parallel_runs, None),
        Quota("slides_per_month_user", own, settings.slides_per_month_user, end),
        Quota("slides_per_month_organization", all_of_them, settings.slides_per_month_organization, end),
    ]


def require(session: Session, user: Caller, settings: PlatformSettings, items: int) -> None:
    """See that somebody may submit a run of so many slides; in the transaction that makes it.

    Raises:
        Problem: 403 that says which quota, used, limit and renewal.
    """
    limits = (
        settings.items_per_run,
        settings.parallel_runs,
        settings.slides_per_month_user,
        settings.slides_per_month_organization,
    )
    if all(limit is None for limit in limits):
        return
    for quota in of_caller(session, user, settings):
        asked = 1 if quota.quota == "parallel_runs" else items
        if quota.limit is not None and quota.used + asked > quota.limit:
            words = _WORDS[quota.quota].format(used=quota.used, limit=quota.limit, asked=asked)
            if quota.renews_at is not None:
                words += f" It is renewed on {quota.renews_at:%Y-%m-%d}."
            raise Problem(403, words, **quota.as_json(), requested=asked)


def month(at: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the calendar month of a time, UTC."""
    begin = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin, end


def _slides(session: Session, whose: ColumnElement[bool], since: datetime) -> int:
    counts = or_(ItemRow.termination_reason.is_(None), ItemRow.termination_reason != "SKIPPED")
    query = (
        select(func.count())
        .select_from(ItemRow)
        .join(RunRow, ItemRow.run_id == RunRow.id)
        .where(whose, RunRow.submitted_at >= stamp(since), counts)
    )
    return session.scalar(query) or 0
