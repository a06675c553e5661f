"""Objects of a bucket by key or pattern: found, and where they go when they are fetched or sent."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from launchpad import paths
from launchpad.bucket.base import Bucket, ObjectInfo
from launchpad.bucket.upload import Source
from launchpad.errors import BadInput, NotFound


def find(bucket: Bucket, what: Sequence[str], *, what_is_key: bool = False) -> list[ObjectInfo]:
    """Objects by key, in order.

    Args:
        bucket: where to look.
        what: regular expressions that are searched in the keys, or whole keys; nothing finds all.
        what_is_key: whether these are keys.

    Raises:
        BadInput: an expression is malformed.
        Unreachable, TransferError: the store does not answer, or refuses.
    """
    if what_is_key:
        found = {info.key: info for key in what if (info := bucket.head(key)) is not None}
        return [found[key] for key in sorted(found)]
    patterns = []
    for text in what:
        try:
            patterns.append(re.compile(text))
        except re.error as error:
            raise BadInput(
                "The regular expression is malformed",
                detail=f"{error}.",
                advice="Correct it, or say --what-is-key.",
                subject=text,
            ) from error
    return [info for info in bucket.list() if not patterns or any(pattern.search(info.key) for pattern in patterns)]


def sources(path: Path, prefix: str, now: datetime | None = None) -> list[Source]:
    """A file, or all files below a folder (hidden ones left out), with the keys that they get.

    `{username}` and `{timestamp}` (UTC) in the prefix are replaced.

    Raises:
        NotFound: there is no such file or folder.
        BadInput: the folder holds no files, or a name is not Unicode, as keys are.
    """
    place = prefix.replace("{username}", getpass.getuser()).replace(
        "{timestamp}", (now or datetime.now(UTC)).strftime("%Y%m%d_%H%M%S")
    )
    place = f"{place.strip('/')}/" if place.strip("/") else ""
    if not path.is_dir() and not path.is_file():
        raise NotFound("There is no such file or folder", advice="Check the path.", subject=str(path))
    files = (
        [path]
        if path.is_file()
        else [
            file
            for file in sorted(path.rglob("*"))
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
        ]
    )
    if not files:
        raise BadInput("The folder holds no files", advice="Choose another one.", subject=str(path))
    for file in files:
        if not paths.is_unicode(file):
            raise BadInput("The name of the file or its folder is not Unicode", advice="Rename it.", subject=str(file))
    return [Source(file, place + file.relative_to(path.parent).as_posix()) for file in files]


def older_than(objects: Iterable[ObjectInfo], at: datetime) -> list[ObjectInfo]:
    """Those that were written before a time."""
    return [
        info for info in objects if info.last_modified is not None and info.last_modified.timestamp() < at.timestamp()
    ]
