"""The one look before a run is submitted: what stands in the way of each slide, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from launchpad.application.draft import Slide, SubmissionDraft, same_content

Fix = Literal["show", "leave_out", "schedule", "notes", "find", ""]

_SPARE = 200 << 20  # bytes that a disk should have left


@dataclass(frozen=True)
class Finding:
    """Something about some slides. `blocks`: it stands in the way; `fix` is what mends it in place."""

    key: str
    blocks: bool
    message: str
    slides: tuple[Slide, ...] = ()
    column: str = ""
    fix: Fix = ""


def preflight(
    draft: SubmissionDraft,
    *,
    by_reference: bool,
    free_disk: int | None = None,
    bytes_per_second: float | None = None,
    over_quota: str = "",
) -> list[Finding]:
    """All findings of a draft, those that block first; an empty list: nothing to say.

    `by_reference`: slides are read where they are, nothing is sent. `free_disk` in bytes, where results go;
    `bytes_per_second` of a usual upload. `over_quota`: which quota the slides exceed, in words (`Allowance.problem`).
    """
    slides = draft.included()
    found = [*_blocking(draft, slides), *_worth_knowing(draft, slides)]
    if over_quota:
        found.append(Finding("quota", True, f"The quota does not suffice. {over_quota}", fix="show"))
    size = sum(slide.size for slide in slides)
    if free_disk is not None and free_disk < _SPARE + _results(slides):
        words = f"Little room on this computer's disk ({_gigabytes(free_disk)} free): results may not fit."
        found.append(Finding("disk", False, words))
    if not by_reference and size and bytes_per_second:
        minutes = size / bytes_per_second / 60
        if minutes >= 1:
            long = f"about {round(minutes)} minute(s)" if minutes < 90 else f"about {round(minutes / 60)} hour(s)"
            words = f"{_gigabytes(size)} are uploaded, which takes {long} at the usual speed."
            deadline = draft.deadline
            found.append(Finding("time", False, words, fix="schedule" if deadline is not None else ""))
    return sorted(found, key=lambda finding: not finding.blocks)


def _blocking(draft: SubmissionDraft, slides: Sequence[Slide]) -> list[Finding]:
    found: list[Finding] = []
    unreadable = tuple(slide for slide in slides if slide.error)
    if unreadable:
        found.append(Finding("unreadable", True, f"Cannot be read: {_names(unreadable)}", unreadable, "", "leave_out"))
    fine = [slide for slide in slides if not slide.error]
    missing = tuple(slide for slide in fine if slide.mpp is None)
    if missing:
        words = f"The resolution (MPP) is not known: {_names(missing)}"
        found.append(Finding("mpp", True, words, missing, "mpp", "show"))
    for column in draft.columns:
        empty = tuple(slide for slide in fine if column.required and not slide.values.get(column.key))
        if empty:
            words = f"{column.title} is missing: {_names(empty)}"
            found.append(Finding(f"missing {column.key}", True, words, empty, column.key, "show"))
        values = {slide.values[column.key] for slide in fine if column.refuses(slide.values.get(column.key, ""))}
        if values:
            wrong = tuple(slide for slide in fine if slide.values.get(column.key) in values)
            words = f"{column.title} {', '.join(sorted(values))} is not taken by this application: {_names(wrong)}"
            found.append(Finding(f"not taken {column.key}", True, words, wrong, column.key, "show"))
    told = {slide.id for finding in found for slide in finding.slides}
    for problem in draft.problems():
        if problem.slide_id not in told:
            own = tuple(slide for slide in slides if slide.id == problem.slide_id)
            fix: Fix = "show" if own else {2: "find", 3: "show", 5: "schedule"}.get(problem.step, "")  # type: ignore[assignment]
            found.append(Finding("other", True, problem.message, own, problem.column or "", fix))
    return found


def _worth_knowing(draft: SubmissionDraft, slides: Sequence[Slide]) -> list[Finding]:
    found: list[Finding] = []

    def add(key: str, wanted: Callable[[Slide], bool], words: str, fix: Fix, column: str = "") -> None:
        those = tuple(slide for slide in slides if wanted(slide) and not slide.error)
        if those:
            found.append(Finding(key, False, f"{words}: {_names(those)}", those, column, fix))

    add("identifying", lambda slide: bool(slide.identifying), "Hold what may identify somebody", "show")
    add("proposals", lambda slide: any(
        key in slide.proposals and slide.values.get(key) and slide.values[key] != slide.proposals[key]
        for key in (column.key for column in draft.columns)
    ), "The file says something else about stain or tissue", "show")  # fmt: skip
    add("typed mpp", lambda slide: slide.mpp_origin == "user", "The MPP was typed by hand", "show", "mpp")
    add("files", lambda slide: len(slide.files) > 1, "Consist of several files that belong together", "")
    groups = same_content(slides)
    twins = tuple(slide for group in groups for slide in group[1:])
    if twins:
        words = f"The same content is there more than once, and each would be analysed: {_names(twins)}"
        found.append(Finding("twins", False, words, twins, "", "leave_out"))
    add("notes", lambda slide: bool(slide.notes), "Worth knowing about the file", "show")
    if not draft.note and not draft.tags:
        found.append(
            Finding("notes and tags", False, "No note and no tags: the run is harder to find again.", fix="notes")
        )
    return found


def _results(slides: Sequence[Slide]) -> int:
    """Bytes that results may take, roughly: a hundredth of the pixels."""
    return sum(slide.width * slide.height // 100 for slide in slides)


def _names(slides: Sequence[Slide], most: int = 3) -> str:
    names = ", ".join(slide.path.name for slide in slides[:most])
    return names if len(slides) <= most else f"{names} and {len(slides) - most} more"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
