"""The states that people see, from the API's state, termination reason and counts: one table for all faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse, RunReadResponse


@dataclass(frozen=True)
class StateView:
    """A state in words, with its icon (a Lucide name) and the token of its colours."""

    key: str
    words: str
    icon: str
    token: str


STATES = {
    view.key: view
    for view in (
        StateView("draft", "Draft", "file-text", "info"),
        StateView("uploading", "Uploading", "cloud-upload", "uploading"),
        StateView("received", "Received", "clock", "pending"),
        StateView("scheduled", "Scheduled", "clock", "pending"),
        StateView("running", "Running", "circle-play", "processing"),
        StateView("completed", "Completed", "circle-check", "done"),
        StateView("completed_with_errors", "Completed with errors", "circle-alert", "partial"),
        StateView("rejected", "Rejected", "circle-x", "failed"),
        StateView("cancelled_by_system", "Cancelled by the system", "circle-x", "failed"),
        StateView("cancelled_by_user", "Cancelled", "ban", "cancelled"),
        StateView("succeeded", "Succeeded", "circle-check", "done"),
        StateView("failed", "Failed", "circle-x", "failed"),
        StateView("skipped", "Skipped", "ban", "cancelled"),
        StateView("queued", "Queued", "clock", "pending"),
    )
}


def run_state(run: RunReadResponse) -> StateView:
    """How a run is."""
    counts = run.statistics
    if run.state == "PENDING":
        return STATES["scheduled" if run.num_preceding_items_platform is not None else "received"]
    if run.state != "TERMINATED":
        return STATES["running"]
    if run.termination_reason == "CANCELED_BY_USER":
        return STATES["cancelled_by_user"]
    if run.termination_reason == "CANCELED_BY_SYSTEM":
        began = counts.item_count > counts.item_skipped_count
        return STATES["cancelled_by_system" if began or run.error_code == "DEADLINE" else "rejected"]
    if counts.item_succeeded_count == counts.item_count:
        return STATES["completed"]
    return STATES["completed_with_errors"]


def item_state(item: ItemResultReadResponse) -> StateView:
    """How an item is."""
    if item.state == "PENDING":
        return STATES["queued"]
    if item.state != "TERMINATED":
        return STATES["running"]
    reasons = {"SUCCEEDED": "succeeded", "SKIPPED": "skipped"}
    return STATES[reasons.get(str(item.termination_reason), "failed")]


def has_ended(run: RunReadResponse) -> bool:
    """Whether nothing changes any more."""
    return run.state == "TERMINATED"
