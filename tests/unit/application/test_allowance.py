"""Limits in words, and drafts that become several runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from launchpad.application.allowance import Allowance, common_tag, split
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.errors import LaunchpadError
from launchpad.platform.quota import Quota


def draft(count: int) -> SubmissionDraft:
    slides = [
        Slide(Path(f"/{number}.svs"), (), f"/{number}.svs", "svs", 1, 1, 1, 0.5, included=number != 1)
        for number in range(count)
    ]
    return SubmissionDraft("test-app", version="1.0.0", slides=slides, tags=["own"])


def test_a_draft_that_fits_is_left_as_it_is() -> None:
    one = draft(6)
    assert split(one, None) == split(one, 5) == [one]
    assert Allowance(items_per_run=5).split_words(one) == ""


def test_parts_hold_the_included_slides_in_order_with_a_common_tag() -> None:
    whole = draft(6)
    parts = split(whole, 2)
    assert [[slide.external_id for slide in part.slides] for part in parts] == [
        ["/0.svs", "/2.svs"],
        ["/3.svs", "/4.svs"],
        ["/5.svs"],
    ]
    assert {tuple(part.tags) for part in parts} == {("own", common_tag(whole))}
    assert "5 slides are sent as 3 runs" in Allowance(items_per_run=2).split_words(whole)


def test_the_same_slides_are_the_same_parts_and_others_are_not() -> None:
    whole = draft(6)
    ids = [part.submission_id for part in split(whole, 2)]
    assert ids == [part.submission_id for part in split(whole, 2)]
    assert len({*ids, whole.submission_id}) == 4
    fewer = SubmissionDraft("test-app", slides=whole.slides[2:], submission_id=whole.submission_id)
    assert not {part.submission_id for part in split(fewer, 2)} & set(ids[:2])


@pytest.mark.parametrize(
    ("quota", "slides", "is_problem"),
    [
        (Quota(quota="slides_per_month_user", used=90, limit=100), 10, False),
        (Quota(quota="slides_per_month_user", used=90, limit=100), 11, True),
        (Quota(quota="slides_per_month_user", used=90), 1_000, False),
        (Quota(quota="slides_per_month_organization", used=100, limit=100), 1, True),
        (Quota(quota="parallel_runs", used=1, limit=3), 1_000, False),  # as two runs
        (Quota(quota="parallel_runs", used=1, limit=3), 1_001, True),
        (Quota(quota="of a newer platform", used=9, limit=1), 1, False),
    ],
)
def test_what_does_not_suffice(quota: Quota, slides: int, is_problem: bool) -> None:
    allowance = Allowance((quota,), 500)
    assert bool(allowance.problem(slides)) is is_problem
    if is_problem:
        with pytest.raises(LaunchpadError, match="does not suffice"):
            allowance.require(slides)
    else:
        allowance.require(slides)


def test_lines_name_use_limit_and_renewal() -> None:
    at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    allowance = Allowance(
        (
            Quota(quota="slides_per_month_user", used=1, limit=2, renews_at=at),
            Quota(quota="parallel_runs", used=1, limit=None),
            Quota(quota="items_per_run", used=0, limit=5),
        )
    )
    assert allowance.lines() == ["1 of your 2 slides this month are used; it is renewed on 2026-12-01."]
