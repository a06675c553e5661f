"""One table of states for all faces; icons and colours exist."""

from __future__ import annotations

import json
import uuid

import pytest

from launchpad import paths
from launchpad.application.states import STATES, has_ended, run_state
from launchpad.platform.models import RunReadResponse


def run(state: str, reason: str | None = None, **changes: object) -> RunReadResponse:
    counts = dict.fromkeys(("pending", "processing", "skipped", "succeeded", "user_error", "system_error"), 0)
    given = changes.pop("counts", {"succeeded": 2})
    assert isinstance(given, dict)
    counts |= given
    return RunReadResponse.model_validate(
        {
            "run_id": str(uuid.uuid4()),
            "application_id": "he-tme",
            "version_number": "0.1.0",
            "state": state,
            "output": "NONE",
            "termination_reason": reason,
            "error_code": None,
            "error_message": None,
            "statistics": {
                "item_count": sum(counts.values()),
                **{f"item_{name}_count": value for name, value in counts.items()},
            },
            "submitted_at": "2026-01-01T00:00:00Z",
            "submitted_by": "user",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("given", "key"),
    [
        (run("PENDING"), "received"),
        (run("PENDING", num_preceding_items_platform=3), "scheduled"),
        (run("PROCESSING"), "running"),
        (run("SOMETHING_NEW"), "running"),
        (run("TERMINATED", "ALL_ITEMS_PROCESSED"), "completed"),
        (run("TERMINATED", "ALL_ITEMS_PROCESSED", counts={"succeeded": 1, "user_error": 1}), "completed_with_errors"),
        (run("TERMINATED", "CANCELED_BY_USER"), "cancelled_by_user"),
        (run("TERMINATED", "CANCELED_BY_SYSTEM"), "cancelled_by_system"),
        (run("TERMINATED", "CANCELED_BY_SYSTEM", counts={"skipped": 2}), "rejected"),
    ],
)
def test_state_of_a_run(given: RunReadResponse, key: str) -> None:
    assert run_state(given).key == key
    assert has_ended(given) == (given.state == "TERMINATED")


def test_every_state_has_its_colours() -> None:
    tokens = json.loads(paths.resource("tokens.json").read_text(encoding="utf-8"))
    text = json.dumps(tokens)
    for view in STATES.values():
        assert f'"{view.token}"' in text, view
        assert paths.resource("icons", f"{view.icon}.svg").is_file()
