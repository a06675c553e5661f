"""Values of HTTP headers, read and written."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def http_date(stamp: str) -> str:
    """A time of the tables as Last-Modified has it."""
    return format_datetime(datetime.fromisoformat(stamp).astimezone(UTC), usegmt=True)


def etags(header: str) -> list[str]:
    """The ETags that If-Match or If-None-Match names."""
    return [part.strip().removeprefix("W/").strip('"') for part in header.split(",")]


def hash_of(header: str, wanted: str) -> str | None:
    """One of the hashes of x-goog-hash, base64."""
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value
    return None
