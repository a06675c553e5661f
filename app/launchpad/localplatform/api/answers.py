"""From the tables to the contract's models."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from launchpad.localplatform.database.tables import ItemRow, OutputRow, RunRow
from launchpad.platform.models import ItemResultReadResponse, RunReadResponse


def checksum(document: Mapping[str, Any] | None) -> str | None:
    """Of custom metadata, whatever the order of their keys."""
    if document is None:
        return None
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def runs(session: Session, rows: list[RunRow]) -> list[RunReadResponse]:
    """Runs with their statistics, counted in one query."""
    counted: dict[str, Counter[tuple[str, str | None]]] = {row.id: Counter() for row in rows}
    query = (
        select(ItemRow.run_id, ItemRow.state, ItemRow.termination_reason, func.count())
        .where(ItemRow.run_id.in_(counted))
        .group_by(ItemRow.run_id, ItemRow.state, ItemRow.termination_reason)
    )
    for run_id, state, reason, count in session.execute(query):
        counted[run_id][state, reason] += count
    return [_run(session, row, counted[row.id]) for row in rows]


def _run(session: Session, row: RunRow, counts: Counter[tuple[str, str | None]]) -> RunReadResponse:
    total = sum(counts.values())
    succeeded = counts["TERMINATED", "SUCCEEDED"]
    ahead = None
    if row.state != "TERMINATED":
        earlier = (
            select(func.count())
            .select_from(ItemRow)
            .join(RunRow)
            .where(ItemRow.state == "PENDING", RunRow.submitted_at < row.submitted_at)
        )
        ahead = session.execute(earlier).scalar_one()
    return RunReadResponse.model_validate(
        {
            "run_id": row.id,
            "application_id": row.application_id,
            "version_number": row.version_number,
            "state": row.state,
            "output": "NONE" if not succeeded else "FULL" if succeeded == total else "PARTIAL",
            "termination_reason": row.termination_reason,
            "error_code": row.error_code,
            "error_message": row.error_message,
            "statistics": {
                "item_count": total,
                "item_pending_count": counts["PENDING", None],
                "item_processing_count": counts["PROCESSING", None],
                "item_user_error_count": counts["TERMINATED", "USER_ERROR"],
                "item_system_error_count": counts["TERMINATED", "SYSTEM_ERROR"],
                "item_skipped_count": counts["TERMINATED", "SKIPPED"],
                "item_succeeded_count": succeeded,
            },
            "custom_metadata": row.custom_metadata,
            "custom_metadata_checksum": checksum(row.custom_metadata),
            "submitted_at": row.submitted_at,
            "submitted_by": row.submitted_by,
            "organization_id": row.organization_id,
            "terminated_at": row.terminated_at,
            "num_preceding_items_org": ahead,
            "num_preceding_items_platform": ahead,
            "scheduling": {"due_date": row.due_date, "deadline": row.deadline}
            if row.due_date or row.deadline
            else None,
        }
    )


def item(row: ItemRow, *, owner: bool) -> ItemResultReadResponse:
    """An item with its artifacts; only the owner sees where its inputs are."""
    return ItemResultReadResponse.model_validate(
        {
            "item_id": row.id,
            "external_id": row.external_id,
            "custom_metadata": row.custom_metadata,
            "custom_metadata_checksum": checksum(row.custom_metadata),
            "state": row.state,
            "output": "FULL" if row.termination_reason == "SUCCEEDED" else "NONE",
            "termination_reason": row.termination_reason,
            "error_code": row.error_code,
            "error_message": row.error_message,
            "terminated_at": row.terminated_at,
            "input_artifacts": [
                {
                    "input_artifact_id": artifact.id,
                    "name": artifact.name,
                    "metadata": artifact.meta,
                    "download_url": artifact.download_url if owner else None,
                }
                for artifact in row.inputs
            ],
            "output_artifacts": [_output(artifact) for artifact in row.outputs],
        }
    )


def _output(row: OutputRow) -> dict[str, Any]:
    return {
        "output_artifact_id": row.id,
        "name": row.name,
        "metadata": row.meta,
        "state": row.state,
        "termination_reason": row.termination_reason,
        "output": row.output,
        "error_code": row.error_code,
        "error_message": row.error_message,
    }
