"""Objects of the bucket to this computer: names that every system takes, one failure that does not stop the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.bucket.download import download
from launchpad.errors import LaunchpadError
from launchpad.paths import safe_name
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket, ObjectInfo

_URL_SECONDS = 3600


@dataclass(frozen=True)
class Fetched:
    """What came of one object."""

    info: ObjectInfo
    path: Path
    error: LaunchpadError | None = None


def file_names(found: Sequence[ObjectInfo]) -> list[str]:
    """The last part of each key as a name that every system takes; keys that would share one get a mark."""
    names = [safe_name(info.key.rpartition("/")[2] or info.key) for info in found]
    folded = [name.casefold() for name in names]
    return [
        name
        if folded.count(name.casefold()) == 1
        else f"{Path(name).stem}~{hashlib.sha256(info.key.encode()).hexdigest()[:8]}{Path(name).suffix}"
        for info, name in zip(found, names, strict=True)
    ]


def download_objects(
    bucket: Bucket, found: Sequence[ObjectInfo], folder: Path, progress: Progress | None = None
) -> list[Fetched]:
    """Download objects into one folder, verified; called again it goes on after an interruption.

    Raises:
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    done: list[Fetched] = []
    for info, name in zip(found, file_names(found), strict=True):
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            known = bucket.head(info.key)
            download(
                partial(bucket.signed_url, info.key, _URL_SECONDS),
                path,
                crc32c=known.crc32c if known else None,
                progress=progress,
                name=name,
            )
        except OSError as error:
            done.append(
                Fetched(info, path, LaunchpadError("The file cannot be written", f"{error}.", subject=str(path)))
            )
        except LaunchpadError as error:
            done.append(Fetched(info, path, error))
        else:
            done.append(Fetched(info, path))
    return done
