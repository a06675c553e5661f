"""Which files this profile has uploaded, so that a slide is not sent twice; the bucket has the last word."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from launchpad import state
from launchpad.platform.auth.profiles import Profile

_LIVES = 7 * 24 * 3600.0  # seconds; how much longer a bucket keeps an object is not known


def earlier_key(profile: Profile, bucket: str, path: Path, crc32c: str | None) -> str | None:
    """The key under which a file was uploaded lately that is still the same, or None."""
    try:
        status = path.stat()
    except OSError:
        return None  # told of when it is sent
    with closing(state.connect()) as database:
        row = database.execute(
            "SELECT key FROM uploaded WHERE profile = ? AND path = ? AND bucket = ? AND size = ? AND mtime_ns = ? "
            "AND crc32c = ? AND uploaded_at > ?",
            (profile_key(profile), str(path), bucket, status.st_size, status.st_mtime_ns, crc32c, time.time() - _LIVES),
        ).fetchone()
    return None if row is None else str(row["key"])


def remember(profile: Profile, bucket: str, path: Path, crc32c: str, key: str) -> None:
    """Note a file that is in the bucket."""
    try:
        status = path.stat()
    except OSError:
        return  # gone meanwhile: there is nothing to find again
    with closing(state.connect()) as database, database:
        database.execute(
            "INSERT OR REPLACE INTO uploaded VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (profile_key(profile), str(path), status.st_size, status.st_mtime_ns, crc32c, bucket, key, time.time()),
        )


def profile_key(profile: Profile) -> str:
    """What a profile is called in the state."""
    # The platform on this computer has another port at each start.
    return profile.name if profile.kind == "embedded" else f"{profile.name} {profile.api_root}"
