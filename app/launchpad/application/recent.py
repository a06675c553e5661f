"""Things used lately, for example folders with slides, tags, ids of runs: the one used last comes first."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from typing import Literal

from launchpad import state

Kind = Literal["folder", "tag", "application", "run"]
_KEPT = 50  # of a kind


def remember(kind: Kind, values: Iterable[str]) -> None:
    """These were used just now. Raises LaunchpadError when the state cannot be written."""
    now = time.time()
    with closing(state.connect()) as database, database:
        for number, value in enumerate(values):
            database.execute("INSERT OR REPLACE INTO recent VALUES (?, ?, ?)", (kind, value, now + number / 1e6))
        database.execute(
            "DELETE FROM recent WHERE kind = ? AND value NOT IN "
            "(SELECT value FROM recent WHERE kind = ? ORDER BY used DESC LIMIT ?)",
            (kind, kind, _KEPT),
        )


def recent(kind: Kind, limit: int = 8) -> list[str]:
    """The values used last. Raises LaunchpadError when the state cannot be read."""
    with closing(state.connect()) as database:
        rows = database.execute(
            "SELECT value FROM recent WHERE kind = ? ORDER BY used DESC LIMIT ?", (kind, limit)
        ).fetchall()
    return [str(row["value"]) for row in rows]
