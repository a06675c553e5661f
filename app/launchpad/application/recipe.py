"""A draft or a run as commands and as Python, for whoever wants to do the same again without the window."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from launchpad.application.draft import SubmissionDraft
    from launchpad.platform.models import RunReadResponse

CSV = "slides.csv"


def draft_as_commands(draft: SubmissionDraft, csv: str = CSV) -> str:
    """Upload and submit as two commands; `csv` is the metadata file that `write_manifest` made of the draft."""
    version = ["--application-version", draft.version]
    upload = ["launchpad", "application", "run", "upload", draft.application_id, csv, *version]
    submit = ["launchpad", "application", "run", "submit", draft.application_id, csv, *version]
    if draft.note:
        submit += ["--note", draft.note]
    if draft.tags:
        submit += ["--tags", ",".join(draft.tags)]
    if draft.due_date is not None:
        submit += ["--due-date", draft.due_date.isoformat()]
    if draft.deadline is not None:
        submit += ["--deadline", draft.deadline.isoformat()]
    return "\n".join((_command(upload), _command(submit)))


def draft_as_python(draft: SubmissionDraft) -> str:
    """The same run by the library: finds and reads the slides itself, so it needs no metadata file."""
    slides = draft.included()
    lines = [
        "from dataclasses import replace",
        "from datetime import datetime",
        "from pathlib import Path",
        "",
        "from launchpad.application import Service",
        "from launchpad.application.columns import columns, input_artifact",
        "from launchpad.application.draft import SubmissionDraft",
        "",
        "# What is said about each slide: its values, and its MPP where the file does not tell.",
        "said = {",
        *(
            f"    {slide.external_id!r}: "
            f"({dict(slide.values)!r}, {slide.mpp if slide.mpp_origin == 'user' else None!r}),"
            for slide in slides
        ),
        "}",
        "",
        'if __name__ == "__main__":  # slides are read by processes of their own',
        "    with Service() as service:",
        f"        version = service.application_version({draft.application_id!r}, {draft.version!r})",
        "        prepared = service.prepare([Path(path) for path in said], version)",
        "        slides = [",
        "            replace(slide, values=said[slide.external_id][0], mpp=said[slide.external_id][1] or slide.mpp)",
        "            for slide in prepared.slides",
        "        ]",
        f"        slides = service.upload(slides, {draft.application_id!r}, {draft.version!r})",
        "        draft = SubmissionDraft(",
        f"            {draft.application_id!r},",
        f"            version={draft.version!r},",
        "            columns=columns(input_artifact(version).metadata_schema),",
        "            slides=slides,",
        f"            note={draft.note!r},",
        f"            tags={list(draft.tags)!r},",
        *_moment("due_date", draft.due_date.isoformat() if draft.due_date is not None else ""),
        *_moment("deadline", draft.deadline.isoformat() if draft.deadline is not None else ""),
        "        )",
        "        print(service.submit(draft, version))",
    ]
    if draft.due_date is None and draft.deadline is None:
        lines.remove("from datetime import datetime")
    return "\n".join(lines) + "\n"


def run_as_commands(run: RunReadResponse, folder: str) -> str:
    """Look at a run, wait for it, and fetch its results."""
    base = ["launchpad", "application", "run"]
    return "\n".join(
        (
            _command([*base, "describe", run.run_id]),
            _command([*base, "watch", run.run_id]),
            _command([*base, "result", "download", run.run_id, folder]),
        )
    )


def run_as_python(run: RunReadResponse, folder: str) -> str:
    """The same by the library."""
    return "\n".join(
        (
            "from pathlib import Path",
            "",
            "from launchpad.application import Service",
            "",
            "with Service() as service:",
            f"    run = service.application_run({run.run_id!r})",
            "    print(run)",
            f"    print(service.application_run_download({run.run_id!r}, Path({folder!r})))",
            "",
        )
    )


def _moment(name: str, text: str) -> list[str]:
    return [f"            {name}=datetime.fromisoformat({text!r}),"] if text else []


def _command(words: Sequence[str]) -> str:
    return shlex.join(words)
