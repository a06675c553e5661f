"""Limits and use: one's own, and for administrators those of the whole platform. Outside the contract document."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select

from launchpad.localplatform import policy, quotas, retention
from launchpad.localplatform.api.context import Platform, User
from launchpad.localplatform.database.engine import stamp
from launchpad.localplatform.database.tables import ItemRow, RunRow

router = APIRouter(prefix="/admin/v1", include_in_schema=False)


@router.get("/quota/me")
def quota_me(user: User, platform: Platform) -> dict[str, Any]:
    """The caller's own use and limits."""
    with platform.database.reading() as session:
        found = quotas.of_caller(session, user, platform.settings)
    return {
        "user_id": user.user_id,
        "organization_id": user.organization_id,
        "quotas": [quota.as_json() for quota in found],
    }


@router.get("/usage")
def usage(user: User, platform: Platform) -> dict[str, Any]:
    """What was analysed and what of the disk is used; succeeded items count. For administrators."""
    policy.require_role("usage", user)
    begin, end = quotas.month(datetime.now(UTC))
    group = (RunRow.organization_id, RunRow.submitted_by, RunRow.application_id)
    succeeded = (
        select(*group, func.count())
        .select_from(ItemRow)
        .join(RunRow, RunRow.id == ItemRow.run_id)
        .where(ItemRow.termination_reason == "SUCCEEDED")
        .group_by(*group)
        .order_by(*group)
    )
    with platform.database.reading() as session:
        ever = {(org, who, app): count for org, who, app, count in session.execute(succeeded)}
        this_month = {
            (org, who, app): count
            for org, who, app, count in session.execute(succeeded.where(ItemRow.terminated_at >= stamp(begin)))
        }
        states = dict(session.execute(select(RunRow.state, func.count()).group_by(RunRow.state)).tuples().all())
        disk = retention.disk_use(session)
    return {
        "month": {"from": begin.isoformat(), "to": end.isoformat()},
        "runs": {"total": sum(states.values()), "ended": states.get("TERMINATED", 0)},
        "succeeded_items": {"total": sum(ever.values()), "this_month": sum(this_month.values())},
        "by_user": [
            {
                "organization_id": org,
                "user_id": who,
                "application_id": app,
                "succeeded_items": count,
                "succeeded_items_this_month": this_month.get((org, who, app), 0),
            }
            for (org, who, app), count in ever.items()
        ],
        "disk_bytes": {**asdict(disk), "free": shutil.disk_usage(platform.storage.folder).free},
        "retention_days": platform.settings.retention_days,
    }
