"""A run before it is submitted: which application, which slides with which metadata, notes, tags and schedule.

Drafts are plain data, saved in the state as they change, so that closing the application loses nothing.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from launchpad import state
from launchpad.application.columns import Column, outside

EXTERNAL_ID_LIMIT = 255  # characters, from the platform's contract

MppOrigin = Literal["file", "user", ""]


@dataclass(frozen=True)
class Slide:
    """One row of the slide table. `size` in bytes, `width` and `height` in pixels, `mpp` in micrometres per pixel.

    `identifying` names what in the file may identify somebody, `notes` what else is worth knowing; `proposals` are
    values that the file itself suggests for columns, not taken before a person does.
    """

    path: Path
    files: tuple[Path, ...]
    external_id: str
    format: str
    size: int
    width: int
    height: int
    mpp: float | None
    mpp_origin: MppOrigin = ""
    mpp_problem: str = ""
    crc32c: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    included: bool = True
    bucket_url: str = ""
    error: str = ""
    advice: str = ""
    scanner: str = ""
    notes: tuple[str, ...] = ()
    identifying: tuple[str, ...] = ()
    proposals: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Problem:
    """What stands in the way of submission; `step` is the step of the wizard that mends it (1 to 6)."""

    message: str
    step: int
    slide_id: str | None = None
    column: str | None = None


@dataclass
class SubmissionDraft:
    """All that a person decides before a run exists."""

    application_id: str
    version: str = ""
    columns: tuple[Column, ...] = ()
    mpp_limits: dict[str, float] = field(default_factory=dict)
    slides: list[Slide] = field(default_factory=list)
    note: str = ""
    tags: list[str] = field(default_factory=list)
    due_date: datetime | None = None
    deadline: datetime | None = None
    sources: list[Path] = field(default_factory=list)
    created: float = field(default_factory=time.time)
    submission_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def included(self) -> list[Slide]:
        """The slides that will be sent."""
        return [slide for slide in self.slides if slide.included]

    def open_proposals(self) -> dict[tuple[str, str], str]:
        """Values that slides' own files have for empty columns, by slide id and column key."""
        return {
            (slide.id, column.key): slide.proposals[column.key]
            for slide in self.slides
            for column in self.columns
            if column.key in slide.proposals and not slide.values.get(column.key) and not slide.error
        }

    def problems(self, now: datetime | None = None) -> list[Problem]:
        """What is missing or wrong, in the order of the steps; empty when the draft can be submitted."""
        found: list[Problem] = []
        if not self.version:
            found.append(Problem("Choose a version of the application.", 1))
        if not self.slides:
            found.append(Problem("Add at least one slide.", 2))
        elif not self.included():
            found.append(Problem("Include at least one slide.", 3))
        for slide in self.included():
            found.extend(self.slide_problems(slide))
        found.extend(self._duplicates())
        found.extend(self._schedule_problems(now or datetime.now(UTC)))
        return found

    def slide_problems(self, slide: Slide) -> list[Problem]:
        """What stands in the way of one slide."""
        name = slide.path.name
        if slide.error:
            return [Problem(f"{name}: {slide.error}", 3, slide.id)]
        found = []
        if slide.mpp is None:
            reason = slide.mpp_problem or "The file does not say its resolution."
            found.append(Problem(f"{name}: set the MPP. {reason}", 3, slide.id, "mpp"))
        elif words := outside(self.mpp_limits, slide.mpp):
            found.append(Problem(f"{name}: the application does not take this MPP: {words}.", 3, slide.id, "mpp"))
        if len(slide.external_id) > EXTERNAL_ID_LIMIT:
            found.append(
                Problem(
                    f"{name}: its path is longer than {EXTERNAL_ID_LIMIT} characters; "
                    "move it to a folder with a shorter path.",
                    3,
                    slide.id,
                )
            )
        for column in self.columns:
            value = slide.values.get(column.key, "")
            if not value and column.required:
                found.append(Problem(f"{name}: {column.title} is missing.", 3, slide.id, column.key))
            elif column.refuses(value):
                found.append(
                    Problem(
                        f"{name}: {column.title} “{value}” is not one that the application takes.",
                        3,
                        slide.id,
                        column.key,
                    )
                )
        return found

    def _duplicates(self) -> list[Problem]:
        seen: set[str] = set()
        found = []
        for slide in self.included():
            if slide.external_id in seen:
                found.append(Problem(f"{slide.path.name}: this slide is in the list twice.", 3, slide.id))
            seen.add(slide.external_id)
        return found

    def _schedule_problems(self, now: datetime) -> list[Problem]:
        found = []
        for value, words in ((self.due_date, "due date"), (self.deadline, "deadline")):
            if value is not None and value <= now:
                found.append(Problem(f"The {words} lies in the past.", 5))
        if self.due_date is not None and self.deadline is not None and self.due_date >= self.deadline:
            found.append(Problem("The due date must lie before the deadline.", 5))
        return found

    def to_json(self) -> str:
        """The draft as JSON text."""
        return json.dumps(asdict(self), default=_plain, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> SubmissionDraft:
        """The draft that `to_json` wrote."""
        data = json.loads(text)
        data["columns"] = tuple(
            Column(**{**item, "pointer": tuple(item["pointer"]), "choices": tuple(item["choices"])})
            for item in data["columns"]
        )
        data["slides"] = [
            Slide(
                **{
                    **item,
                    "path": Path(item["path"]),
                    "files": tuple(Path(file) for file in item["files"]),
                    "notes": tuple(item.get("notes", ())),
                    "identifying": tuple(item.get("identifying", ())),
                }
            )
            for item in data["slides"]
        ]
        data["sources"] = [Path(item) for item in data["sources"]]
        for name in ("due_date", "deadline"):
            data[name] = datetime.fromisoformat(data[name]) if data[name] else None
        return cls(**data)

    def save(self) -> None:
        """Store the draft (disk work: not on the GUI thread)."""
        with closing(state.connect()) as database, database:
            database.execute(
                "INSERT INTO draft VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET data=excluded.data, "
                "updated=excluded.updated",
                (self.id, self.to_json(), time.time()),
            )


def same_content(slides: Iterable[Slide]) -> list[tuple[Slide, ...]]:
    """Slides that hold the same bytes (size and CRC32C), together; each group has two or more."""
    groups: dict[tuple[int, str], list[Slide]] = {}
    for slide in slides:
        if slide.crc32c is not None:
            groups.setdefault((slide.size, slide.crc32c), []).append(slide)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a draft")


def load_drafts(application_id: str | None = None) -> list[SubmissionDraft]:
    """Stored drafts, the one that changed last first."""
    with closing(state.connect()) as database:
        rows = database.execute("SELECT data FROM draft ORDER BY updated DESC").fetchall()
    drafts = [SubmissionDraft.from_json(row["data"]) for row in rows]
    return [draft for draft in drafts if application_id is None or draft.application_id == application_id]


def delete_draft(draft_id: str) -> None:
    """Forget a draft, for example after its run was submitted."""
    with closing(state.connect()) as database, database:
        database.execute("DELETE FROM draft WHERE id = ?", (draft_id,))
