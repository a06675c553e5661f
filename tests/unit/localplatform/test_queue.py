"""The queue: who is served next, leases, claims, cancelling, and runs that end before their items."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from launchpad.localplatform.database.engine import stamp
from launchpad.localplatform.database.tables import ItemRow, RunRow
from launchpad.localplatform.scheduling import queue, states
from launchpad.localplatform.settings import PlatformSettings

HOUR = timedelta(hours=1)


def claim(parts: Any) -> queue.Claimed:
    item = queue.claim(parts.database)
    assert item is not None
    return item


def change(parts: Any, item_id: str, **values: Any) -> None:
    with parts.database.writing() as session:
        session.execute(update(ItemRow).where(ItemRow.id == item_id).values(**values))


def fail(parts: Any, item: queue.Claimed, rules: PlatformSettings | None = None, reason: str = "USER_ERROR") -> bool:
    with parts.database.writing() as session:
        return states.fail(session, item.item_id, item.claim, reason, "CODE", "words", rules)


def succeed(parts: Any, item: queue.Claimed) -> bool:
    with parts.database.writing() as session:
        return states.succeed(session, item.item_id, item.claim, [states.Stored("x", "key", {})])


def test_users_take_turns_however_many_slides_one_has(parts: Any) -> None:
    many = parts.run(["http://x/"] * 6, user="many")
    parts.run(["http://x/"] * 2, user="few")
    parts.run(["http://x/"] * 2, user="other")
    served = [claim(parts) for _ in range(10)]
    with parts.database.reading() as session:
        names = {row.id: row.submitted_by for row in session.query(RunRow)}
    assert [names[item.run_id] for item in served[:6]] == ["many", "few", "other"] * 2
    assert {item.run_id for item in served[6:]} == {many}
    assert queue.claim(parts.database) is None


def test_with_one_worker_users_take_turns_as_well(parts: Any) -> None:
    parts.run(["http://x/"] * 3, user="many")
    parts.run(["http://x/"] * 2, user="few")
    order = []
    for _ in range(5):
        item = claim(parts)
        order.append(parts.get_run(item.run_id).submitted_by)
        assert succeed(parts, item)
    assert order == ["many", "few", "many", "few", "many"]


def test_of_one_user_the_earliest_due_date_goes_first_then_the_order_of_submission(parts: Any) -> None:
    first = parts.run(["http://x/"])
    later = parts.run(["http://x/"], due_date=stamp(datetime.now(UTC) + 2 * HOUR))
    soon = parts.run(["http://x/"], due_date=stamp(datetime.now(UTC) + HOUR))
    last = parts.run(["http://x/"])
    assert [claim(parts).run_id for _ in range(4)] == [soon, later, first, last]


def test_a_due_date_does_not_push_others_aside(parts: Any) -> None:
    pushing = parts.run(["http://x/"] * 3, user="a", due_date=stamp(datetime.now(UTC) + HOUR))
    patient = parts.run(["http://x/"], user="b")
    assert [claim(parts).run_id for _ in range(2)] == [pushing, patient]


def test_artifacts_and_runs_show_that_an_item_is_under_way(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    item = claim(parts)
    assert parts.get_run(run_id).state == "PROCESSING"
    assert {row.state for row in parts.outputs(item.item_id)} == {"PROCESSING"}
    with parts.database.writing() as session:
        assert states.release(session, item.item_id, item.claim) is not None
    assert {row.state for row in parts.outputs(item.item_id)} == {"PENDING"}


def test_a_lease_that_ended_puts_the_item_back_and_the_old_holder_changes_nothing(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    old = claim(parts)
    change(parts, old.item_id, lease_until=time.time() - 1)
    queue.sweep(parts.database)
    new = claim(parts)
    assert (new.item_id, new.claim != old.claim) == (old.item_id, True)
    assert not queue.heartbeat(parts.database, old.item_id, old.claim)
    assert not succeed(parts, old)
    assert not fail(parts, old)
    with parts.database.writing() as session:
        assert states.release(session, old.item_id, old.claim) is None
    assert queue.heartbeat(parts.database, new.item_id, new.claim)
    assert succeed(parts, new)
    assert not succeed(parts, new)
    assert parts.get_run(run_id).termination_reason == "ALL_ITEMS_PROCESSED"


def test_after_a_sleep_of_the_computer_the_holder_keeps_its_item(parts: Any) -> None:
    parts.run(["http://x/"])
    item = claim(parts)
    change(parts, item.item_id, lease_until=time.time() - 8 * 3600)  # as eight hours later
    assert queue.heartbeat(parts.database, item.item_id, item.claim)  # what the watch does first
    queue.sweep(parts.database)
    assert queue.claim(parts.database) is None
    assert succeed(parts, item)


def test_a_clock_that_was_set_back_does_not_keep_an_item_waiting(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    (item,) = parts.items(run_id)
    change(parts, item.id, not_before=time.time() + 60)
    assert queue.claim(parts.database) is None
    change(parts, item.id, not_before=time.time() + 30 * 24 * 3600)
    assert claim(parts).item_id == item.id


def test_the_hard_deadline_cancels_and_keeps_what_is_done(parts: Any) -> None:
    run_id = parts.run(["http://x/"] * 3, deadline=stamp(datetime.now(UTC) - HOUR))
    assert succeed(parts, claim(parts))
    running = claim(parts)
    queue.sweep(parts.database)
    run = parts.get_run(run_id)
    assert (run.state, run.termination_reason, run.error_code) == ("TERMINATED", "CANCELED_BY_SYSTEM", "DEADLINE")
    assert [item.termination_reason for item in parts.items(run_id)] == ["SUCCEEDED", "SKIPPED", "SKIPPED"]
    assert not queue.heartbeat(parts.database, running.item_id, running.claim)  # so its worker is stopped
    assert not succeed(parts, running)


@pytest.mark.parametrize(
    ("rules", "errors", "items", "ends"),
    [
        (PlatformSettings(error_threshold=2), 2, 10, False),
        (PlatformSettings(error_threshold=2), 3, 10, True),
        (PlatformSettings(error_threshold=0.5, error_minimum=1), 5, 10, False),
        (PlatformSettings(error_threshold=0.5, error_minimum=1), 6, 10, True),
        (PlatformSettings(), 9, 10, False),  # by itself a small run shows all that is wrong
        (PlatformSettings(), 10, 19, True),
        (PlatformSettings(error_threshold=None), 99, 100, False),
    ],
)
def test_more_errors_than_the_threshold(rules: PlatformSettings, errors: int, items: int, ends: bool) -> None:
    assert states.too_many(errors, items, rules) is ends


def test_too_many_errors_end_a_run_and_the_rest_is_skipped(parts: Any) -> None:
    rules = PlatformSettings(error_threshold=1)
    run_id = parts.run(["http://x/"] * 5)
    assert succeed(parts, claim(parts))
    assert fail(parts, claim(parts), rules)
    assert parts.get_run(run_id).state == "PROCESSING"
    assert fail(parts, claim(parts), rules, "SYSTEM_ERROR")
    run = parts.get_run(run_id)
    assert (run.termination_reason, run.error_code) == ("CANCELED_BY_SYSTEM", "TOO_MANY_ERRORS")
    assert "2 of 5" in str(run.error_message)
    reasons = [item.termination_reason for item in parts.items(run_id)]
    assert reasons == ["SUCCEEDED", "USER_ERROR", "SYSTEM_ERROR", "SKIPPED", "SKIPPED"]
    assert queue.claim(parts.database) is None


def test_the_last_item_ends_a_run_as_processed_whatever_the_threshold(parts: Any) -> None:
    run_id = parts.run(["http://x/"] * 2)
    for _ in range(2):
        assert fail(parts, claim(parts), PlatformSettings(error_threshold=1))
    assert parts.get_run(run_id).termination_reason == "ALL_ITEMS_PROCESSED"


def test_a_run_of_a_version_that_is_gone_is_rejected(parts: Any) -> None:
    gone = parts.run(["http://x/"], version_number="0.0.9")
    fine = parts.run(["http://x/"])
    assert claim(parts).run_id == fine
    run = parts.get_run(gone)
    assert (run.termination_reason, run.error_code) == ("CANCELED_BY_SYSTEM", "VERSION_NOT_AVAILABLE")
    assert [item.termination_reason for item in parts.items(gone)] == ["SKIPPED"]


def test_what_a_crash_left_under_way_goes_back_but_not_for_ever(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    for attempt in range(1, queue.ATTEMPTS):
        assert claim(parts).attempts == attempt
        assert queue.recover(parts.database) == 1
    claim(parts)
    assert queue.recover(parts.database) == 1
    (item,) = parts.items(run_id)
    assert (item.termination_reason, item.error_code) == ("SYSTEM_ERROR", "TOO_MANY_ATTEMPTS")
    assert parts.get_run(run_id).state == "TERMINATED"


def test_stopping_in_order_is_not_counted(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    item = claim(parts)
    with parts.database.writing() as session:
        states.release(session, item.item_id, item.claim, is_attempt=False)
    assert parts.items(run_id)[0].attempts == 0
