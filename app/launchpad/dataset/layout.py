"""Where the files of a slide go: a pattern of columns, as `%collection_id/%PatientID/`."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from launchpad.dataset.index import ID_COLUMNS, Series
from launchpad.errors import BadInput
from launchpad.paths import safe_name

DEFAULT = "%collection_id/%PatientID/%StudyInstanceUID/%Modality_%SeriesInstanceUID/"
COLUMNS = (*ID_COLUMNS, "Modality")
_NAMED = re.compile(rf"%({'|'.join(COLUMNS)})")


def check(layout: str) -> None:
    """Whether a layout can be used.

    Raises:
        BadInput: it names an unknown column, or leads out of the folder.
    """
    rest = _NAMED.sub("", layout)
    if "%" in rest:
        raise BadInput(
            "The layout names an unknown column",
            advice=f"A layout may name {', '.join(f'%{name}' for name in COLUMNS)}.",
            subject=layout,
        )
    parts = re.split(r"[/\\]", layout)
    if layout.startswith(("/", "\\")) or ".." in parts or ":" in rest:
        raise BadInput(
            "The layout leads out of the folder", advice="Write it without a drive, a first slash and “..”.",
            subject=layout,
        )  # fmt: skip


def folder_of(target: Path, layout: str, series: Series) -> Path:
    """The folder of a slide's files."""
    parts = [part for part in PurePosixPath(layout.replace("\\", "/")).parts if part not in ("", ".")]
    named = [safe_name(_NAMED.sub(lambda match: series.value(match[1]), part)) for part in parts]
    return target.joinpath(*named)
