"""Quotas, retention, use, and the settings that they come from."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from launchpad.errors import SettingsError
from launchpad.localplatform import quotas, retention
from launchpad.localplatform.api.problems import Problem
from launchpad.localplatform.database.engine import stamp
from launchpad.localplatform.database.tables import ObjectRow, RunRow
from launchpad.localplatform.identity.tokens import Caller
from launchpad.localplatform.scheduling import queue, states
from launchpad.localplatform.settings import PlatformSettings

ME = Caller("a", "o", "member")


def refused(parts: Any, items: int, **limits: int) -> dict[str, Any] | None:
    try:
        with parts.database.writing() as session:
            quotas.require(session, ME, PlatformSettings(**limits), items)
    except Problem as problem:
        return {**problem.members, "words": problem.detail, "status": problem.status_code}
    return None


def test_without_limits_nothing_is_refused(parts: Any) -> None:
    assert refused(parts, 1_000_000) is None


def test_items_of_a_run(parts: Any) -> None:
    assert refused(parts, 500, items_per_run=500) is None
    found = refused(parts, 501, items_per_run=500)
    assert found is not None
    assert (found["status"], found["quota"], found["limit"], found["requested"]) == (403, "items_per_run", 500, 501)


def test_runs_at_once_count_until_they_end(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    parts.run(["http://x/"], user="b")
    assert refused(parts, 1, parallel_runs=2) is None
    found = refused(parts, 1, parallel_runs=1)
    assert found is not None
    assert (found["quota"], found["used"], found["renews_at"]) == ("parallel_runs", 1, None)
    with parts.database.writing() as session:
        states.cancel_run(session, session.get(RunRow, run_id), "CANCELED_BY_USER")
    assert refused(parts, 1, parallel_runs=1) is None


def test_slides_of_a_month_by_user_and_by_organization(parts: Any) -> None:
    parts.run(["http://x/"] * 3)
    parts.run(["http://x/"] * 4, user="b")
    parts.run(["http://x/"] * 50, user="c", organization="another")
    parts.run(["http://x/"] * 50, submitted_at=stamp(datetime.now(UTC) - timedelta(days=32)))
    skipped = parts.run(["http://x/"] * 50)
    with parts.database.writing() as session:
        states.cancel_run(session, session.get(RunRow, skipped), "CANCELED_BY_USER")
    assert refused(parts, 7, slides_per_month_user=10, slides_per_month_organization=14) is None
    own = refused(parts, 8, slides_per_month_user=10)
    assert own is not None
    assert (own["quota"], own["used"], own["limit"], own["requested"]) == ("slides_per_month_user", 3, 10, 8)
    renews = datetime.fromisoformat(own["renews_at"])
    assert (renews.day, renews > datetime.now(UTC)) == (1, True)
    assert f"{renews:%Y-%m-%d}" in own["words"]
    all_of_them = refused(parts, 8, slides_per_month_organization=14)
    assert all_of_them is not None
    assert (all_of_them["quota"], all_of_them["used"]) == ("slides_per_month_organization", 7)


def test_a_month_ends_with_the_year() -> None:
    begin, end = quotas.month(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert (begin.isoformat(), end.isoformat()) == ("2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00")


def stored(parts: Any, folder: Path, key: str, words: bytes = b"bytes") -> Path:
    file = folder / "new"
    file.write_bytes(words)
    row = parts.storage.commit(
        file, parts.keys.bucket, key, size=len(words), crc32c="AAAAAA==", content_type="text/plain"
    )
    return Path(parts.storage.open_path(row))


def finished(parts: Any, tmp_path: Path, url: str = "http://x/") -> tuple[str, str, Path]:
    """A run of one item with one result: ids of run and item, and where its bytes are."""
    run_id = parts.run([url])
    item = queue.claim(parts.database)
    assert item is not None
    place = stored(parts, tmp_path, f"results/{run_id}/x")
    with parts.database.writing() as session:
        states.succeed(session, item.item_id, item.claim, [states.Stored("x", f"results/{run_id}/x", {})])
    return run_id, item.item_id, place


def sweep(parts: Any, days: int | None, in_days: float) -> retention.Swept:
    settings = PlatformSettings(retention_days=days)
    at = datetime.now(UTC) + timedelta(days=in_days)
    return retention.sweep(parts.database, parts.storage, parts.keys, settings, at)


def test_on_ones_own_computer_everything_stays(parts: Any, tmp_path: Path) -> None:
    _, _, place = finished(parts, tmp_path)
    assert sweep(parts, None, 10_000) == retention.Swept(0, 0)
    assert place.exists()


def test_old_results_are_gone_for_real_and_say_so(parts: Any, tmp_path: Path) -> None:
    run_id, item_id, place = finished(parts, tmp_path)
    assert sweep(parts, 30, 29.9) == retention.Swept(0, 0)
    assert sweep(parts, 30, 30.1) == retention.Swept(1, 0)
    assert not place.exists()
    assert parts.storage.find(parts.keys.bucket, f"results/{run_id}/x") is None
    outputs = {row.name: (row.output, row.object_key, row.state) for row in parts.outputs(item_id)}
    assert outputs["x"] == ("DELETED_BY_SYSTEM", None, "TERMINATED")
    assert sweep(parts, 30, 30.1) == retention.Swept(0, 0)
    assert parts.get_run(run_id).state == "TERMINATED"


def test_old_uploads_go_unless_a_run_needs_them_and_referenced_files_are_never_touched(
    parts: Any, tmp_path: Path
) -> None:
    needed, left = stored(parts, tmp_path, "u/needed ä"), stored(parts, tmp_path, "u/left")
    own = tmp_path / "own.svs"
    own.write_bytes(b"mine")
    parts.reference(own, "u/own")
    parts.run([f"http://127.0.0.1:1/{parts.keys.bucket}/u/needed%20%C3%A4?X-Amz-Signature=1"])
    assert sweep(parts, 30, 31) == retention.Swept(0, 2)
    assert (needed.exists(), left.exists(), own.read_bytes()) == (True, False, b"mine")
    assert parts.storage.find(parts.keys.bucket, "u/own") is None


def test_more_than_one_transaction_of_results(parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 1)
    for _ in range(3):
        finished(parts, tmp_path)
        stored(parts, tmp_path, f"u/{time.monotonic_ns()}")
    assert sweep(parts, 1, 2) == retention.Swept(3, 3)


def test_files_that_a_crash_left_are_deleted_at_the_next_start(parts: Any, tmp_path: Path) -> None:
    kept = stored(parts, tmp_path, "u/kept")
    file = parts.storage.temporary()
    file.write_bytes(b"written, and then killed")
    orphan = parts.layout.objects / parts.storage.adopt(file)
    assert parts.storage.sweep(time.time() - 60) == 0  # may be of this process, on its way
    assert parts.storage.sweep(time.time() + 60) == 1
    assert (kept.exists(), orphan.exists()) == (True, False)


def test_disk_use(parts: Any, tmp_path: Path) -> None:
    stored(parts, tmp_path, "u/a", b"12345678")
    stored(parts, tmp_path, "results/r/a", b"123")
    own = tmp_path / "own.svs"
    own.write_bytes(b"mine")
    parts.reference(own, "u/own")
    with parts.database.reading() as session:
        assert retention.disk_use(session) == retention.DiskUse(3, 8, 0, 4)
        assert session.query(ObjectRow).count() == 3


@pytest.mark.parametrize(
    "text",
    [
        "items_per_run = 0",
        "no_such_setting = 1",
        "error_threshold = -1",
        "not toml",
        'callback_url = "https://elsewhere.example/x"',
    ],
)
def test_settings_that_are_not_valid_are_refused_with_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "platform.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        PlatformSettings.load(tmp_path)
    assert str(tmp_path) in caught.value.subject


def test_settings_of_a_file_and_of_none(tmp_path: Path) -> None:
    assert PlatformSettings.load(tmp_path) == PlatformSettings()
    assert PlatformSettings().items_per_run is None
    (tmp_path / "platform.toml").write_text(
        'items_per_run = 500\nretention_days = 30\ncallback_hosts = ["a.example"]\n'
    )
    found = PlatformSettings.load(tmp_path)
    assert (found.items_per_run, found.retention_days, found.callback_hosts) == (500, 30, ("a.example",))


def test_rows_of_older_runs_have_no_callbacks(parts: Any) -> None:
    run_id = parts.run(["http://x/"])
    with parts.database.writing() as session:
        session.execute(update(RunRow).where(RunRow.id == run_id).values(callback_url=None))
    assert queue.claim(parts.database) is not None
