"""What preparation found out about a file, kept until the file changes: a large slide is hashed once."""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from launchpad import __version__, state


@dataclass(frozen=True)
class Description:
    """What a slide's header says, and its checksum; units as in `Slide`."""

    format: str
    width: int
    height: int
    mpp: float | None
    mpp_problem: str
    crc32c: str


def recall(path: Path, status: os.stat_result) -> Description | None:
    """What was kept of a file that is still as `status` says. Raises LaunchpadError when the state cannot be read."""
    with closing(state.connect()) as database:
        row = database.execute(
            "SELECT data FROM prepared WHERE path = ? AND size = ? AND mtime_ns = ?",
            (str(path), status.st_size, status.st_mtime_ns),
        ).fetchone()
    document = json.loads(row["data"]) if row is not None else {}
    # Another version may read headers differently.
    if document.pop("version", None) != __version__:
        return None
    return Description(**document)


def keep(path: Path, status: os.stat_result, description: Description) -> None:
    """Keep what was found out of a file that was as `status` says; what was kept of it before is forgotten."""
    data = json.dumps({**asdict(description), "version": __version__})
    with closing(state.connect()) as database, database:
        database.execute("DELETE FROM prepared WHERE path = ?", (str(path),))
        database.execute(
            "INSERT INTO prepared VALUES (?, ?, ?, ?)", (str(path), status.st_size, status.st_mtime_ns, data)
        )
