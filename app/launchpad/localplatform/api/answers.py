"""From the tables to the contract's models."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from launchpad.localplatform.api import positions
from launchpad.localplatform.database.tables import ItemRow, OutputRow, RunRow
from launchpad.localplatform.identity.tokens import Caller
from launchpad.platform.models import ItemResultReadResponse, RunReadResponse

# Made once: putting a statement together takes longer than asking the database.
_COUNTS = (
    select(ItemRow.run_id, ItemRow.state, ItemRow.termination_reason, func.count())
    .where(ItemRow.run_id.in_(bindparam("runs", expanding=True)))
    .group_by(ItemRow.run_id, ItemRow.state, ItemRow.termination_reason)
)


def checksum(document: Mapping[str, Any] | None) -> str | None:
    """Of custom metadata, whatever the order of their keys."""
    if document is None:
        return None
    try:
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # whole numbers of more than 64 bits
        text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest()


def runs(session: Session, rows: list[RunRow]) -> list[RunReadResponse]:
    """Runs with their statistics, counted in one query."""
    counted: dict[str, Counter[tuple[str, str | None]]] = {row.id: Counter() for row in rows}
    for run_id, state, reason, count in session.execute(_COUNTS, {"runs": list(counted)}):
        counted[run_id][state, reason] += count
    ahead = positions.before_runs(session, rows)
    return [_run(row, counted[row.id], ahead.get(row.id, (None, None))) for row in rows]


def _run(row: RunRow, counts: Counter[tuple[str, str | None]], ahead: tuple[int | None, int | None]) -> RunReadResponse:
    total = sum(counts.values())
    succeeded = counts["TERMINATED", "SUCCEEDED"]
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
            "num_preceding_items_org": ahead[0],
            "num_preceding_items_platform": ahead[1],
            "scheduling": {"due_date": row.due_date, "deadline": row.deadline}
            if row.due_date or row.deadline
            else None,
        }
    )


def items(session: Session, run: RunRow, rows: list[ItemRow], user: Caller) -> list[ItemResultReadResponse]:
    """Items of a run with their artifacts. Where the inputs are is shown to who submitted them, and nobody else."""
    places = positions.of_items(session, run, rows)
    return [_item(row, run.submitted_by == user.user_id, places.get(row.id, (None, None))) for row in rows]


def _item(row: ItemRow, owner: bool, place: tuple[int | None, int | None]) -> ItemResultReadResponse:
    return ItemResultReadResponse.model_validate(
        {
            "item_id": row.id,
            "external_id": row.external_id,
            "custom_metadata": row.custom_metadata,
            "custom_metadata_checksum": checksum(row.custom_metadata),
            "queue_position_org": place[0],
            "queue_position_platform": place[1],
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
