"""`application run watch` says each change of a run, and its exit code says how it ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from commands_here import here
from platform_that_says import Says, serve, uuid

MOVING = uuid(1, 4)


class Ending(Says):
    """A platform whose run ends after it was seen twice."""

    def __init__(self, *, failed: bool) -> None:
        super().__init__("normal", 3)
        self.failed = failed
        self.seen = 0

    def run(self, number: int) -> dict[str, Any]:
        answer = super().run(number)
        if answer["run_id"] == MOVING:
            self.seen += 1
            if self.seen == 2:
                self.ended.add(MOVING)
        counts = answer["statistics"]
        if not self.failed:
            counts["item_succeeded_count"] += counts["item_user_error_count"] if MOVING in self.ended else 0
            counts["item_user_error_count"] = 0
        return answer


@pytest.mark.usefixtures("data_dir")
@pytest.mark.parametrize(("failed", "code"), [(True, 1), (False, 0)])
def test_each_change_is_a_document_on_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, *, failed: bool, code: int
) -> None:
    says = Ending(failed=failed)
    monkeypatch.setattr("launchpad.application.monitor.FAST", 0.01)
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
    with serve(says) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        ended, out, err = here(["application", "run", "watch", MOVING, "--format", "json"])
    assert (ended, err) == (code, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert told[0]["state"] == "PROCESSING"
    assert told[-1]["state"] == "TERMINATED"
    assert {run["run_id"] for run in told} == {MOVING}


@pytest.mark.usefixtures("data_dir")
def test_a_person_reads_a_line_for_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    says = Ending(failed=True)
    monkeypatch.setattr("launchpad.application.monitor.FAST", 0.01)
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "told")
    with serve(says) as address:
        monkeypatch.setenv("LAUNCHPAD_API_ROOT", address)
        ended, out, _ = here(["application", "run", "watch", MOVING])
    first, *_, last = out.splitlines()
    assert ended == 1
    assert "0 of 3 slide(s)" in first or "1 of 3 slide(s)" in first
    assert "3 of 3 slide(s), 1 failed" in last
