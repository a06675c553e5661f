"""A draft says what is missing, survives a restart, and forgets nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from launchpad.application.columns import Column
from launchpad.application.draft import Slide, SubmissionDraft, delete_draft, load_drafts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TISSUE = Column(
    key="tissue", pointer=("specimen", "tissue"), title="Tissue", required=True, choices=("LUNG", "SKIN"), default=None
)


def slide(name: str, **changes: object) -> Slide:
    path = Path("/slides") / name
    base = Slide(
        path=path,
        files=(path,),
        external_id=str(path),
        format="SVS",
        size=10,
        width=100,
        height=50,
        mpp=0.5,
        mpp_origin="file",
        crc32c="AAAAAA==",
        values={"tissue": "LUNG"},
    )
    return replace(base, **changes)


def draft(*slides: Slide) -> SubmissionDraft:
    return SubmissionDraft("he-tme", version="0.1.0", columns=(TISSUE,), slides=list(slides))


def test_a_complete_draft_has_no_problems() -> None:
    assert draft(slide("a.svs"), slide("b.svs")).problems(NOW) == []


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"mpp": None, "mpp_problem": "The header has none."}, "mpp", "set the MPP. The header has none."),
        ({"values": {}}, "tissue", "Tissue is missing"),
        ({"values": {"tissue": "MOON"}}, "tissue", "“MOON”"),
        ({"error": "The slide cannot be read"}, None, "cannot be read"),
        ({"external_id": "x" * 256}, None, "longer than 255"),
    ],
)
def test_a_slide_says_what_is_missing(changes: dict[str, object], column: str | None, words: str) -> None:
    bad = slide("bad.svs", **changes)
    (problem,) = draft(slide("a.svs"), bad).problems(NOW)
    assert (problem.step, problem.slide_id, problem.column) == (3, bad.id, column)
    assert words in problem.message
    assert problem.message.startswith("bad.svs")


def test_an_excluded_slide_is_no_problem() -> None:
    assert draft(slide("a.svs"), slide("bad.svs", mpp=None, included=False)).problems(NOW) == []


def test_nothing_chosen() -> None:
    assert [problem.step for problem in SubmissionDraft("he-tme").problems(NOW)] == [1, 2]
    assert [problem.step for problem in draft(slide("a.svs", included=False)).problems(NOW)] == [3]


def test_the_same_slide_twice() -> None:
    (problem,) = draft(slide("a.svs"), slide("a.svs")).problems(NOW)
    assert "twice" in problem.message


def test_schedule() -> None:
    item = draft(slide("a.svs"))
    item.due_date, item.deadline = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    assert ["before the deadline" in problem.message for problem in item.problems(NOW)] == [True]
    item.due_date, item.deadline = NOW - timedelta(hours=1), None
    assert [(problem.step, "past" in problem.message) for problem in item.problems(NOW)] == [(5, True)]


def test_a_draft_survives_a_restart(data_dir: Path) -> None:
    first = draft(slide("ä b.svs", included=False), slide("b.svs", bucket_url="gs://b/k"))
    first.note, first.tags, first.sources = "note", ["a", "b"], [Path("/slides")]
    first.due_date = datetime.now(UTC)
    first.save()
    second = SubmissionDraft("test-app")
    second.save()
    first.note = "changed"
    first.save()
    assert load_drafts() == [first, second]
    assert load_drafts("test-app") == [second]
    delete_draft(first.id)
    assert load_drafts() == [second]
