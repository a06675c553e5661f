"""Which uploads and downloads of the desktop are under way or left over, so that a restart finds them again.

Only what and how far: the bytes themselves are in the journals of `bucket`, and go on from there.
"""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

from launchpad import state

Kind = Literal["upload", "download"]
Standing = Literal["running", "paused", "interrupted", "failed"]


@dataclass(frozen=True)
class TransferRecord:
    """A transfer: `subject` is the draft's id of an upload, the run's of a download; `done` and `total` in bytes."""

    kind: Kind
    subject: str
    profile: str
    title: str
    state: Standing = "running"
    done: int = 0
    total: int = 0
    error: str = ""
    updated: float = field(default_factory=time.time)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


def remember_transfer(record: TransferRecord) -> None:
    """Write a transfer down, as it is now, as one of this process; an older one of the same subject is replaced.

    Raises:
        LaunchpadError: the state cannot be written.
    """
    import psutil

    with closing(state.connect()) as database, database:
        database.execute(
            "DELETE FROM transfer WHERE kind = ? AND subject = ? AND id != ?", (record.kind, record.subject, record.id)
        )
        database.execute(
            "INSERT OR REPLACE INTO transfer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.id,
                record.kind,
                record.subject,
                record.profile,
                record.title,
                record.state,
                record.done,
                record.total,
                record.error,
                os.getpid(),
                psutil.Process().create_time(),
                time.time(),
            ),
        )


def forget_transfer(record_id: str) -> None:
    """The transfer is through or given up. Raises LaunchpadError."""
    with closing(state.connect()) as database, database:
        database.execute("DELETE FROM transfer WHERE id = ?", (record_id,))


def left_over() -> list[TransferRecord]:
    """What other windows, or earlier ones, did not end; a running one whose process is gone was interrupted.

    What a living window of somebody else's is at is not ours to show.
    """
    with closing(state.connect()) as database:
        rows = database.execute("SELECT * FROM transfer ORDER BY updated").fetchall()
    found = []
    for row in rows:
        if state.lives(row["pid"], row["started"]):
            continue
        record = _record(row)
        found.append(replace(record, state="interrupted") if record.state == "running" else record)
    return found


def _record(row: sqlite3.Row) -> TransferRecord:
    return TransferRecord(
        row["kind"],
        row["subject"],
        row["profile"],
        row["title"],
        row["state"],
        row["done"],
        row["total"],
        row["error"],
        row["updated"],
        row["id"],
    )
