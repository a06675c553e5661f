"""Public slides that are on this computer already."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launchpad.wsi.origin import FILE, read_origins

_DEEPEST = 8  # folders below the root
_MOST = 10_000  # folders that are looked into


@dataclass(frozen=True)
class Downloaded:
    """A folder with slides, and what they are."""

    folder: Path
    collection_id: str
    patient_id: str
    description: str


def downloaded(root: Path, limit: int = 20) -> list[Downloaded]:
    """Folders below `root` that slides were downloaded to and that still have some, the newest first."""
    found = []
    for folder in _folders(root):
        try:
            stamp = (folder / FILE).stat().st_mtime
        except OSError:
            continue
        found.append((stamp, folder))
    shown = []
    for _, folder in sorted(found, key=lambda item: item[0], reverse=True):
        facts = next((facts for name, facts in read_origins(folder).items() if (folder / name).is_file()), None)
        if facts is not None:
            shown.append(
                Downloaded(
                    folder,
                    facts.get("collection_id", ""),
                    facts.get("PatientID", ""),
                    facts.get("SeriesDescription", ""),
                )
            )
        if len(shown) == limit:
            break
    return shown


def _folders(root: Path) -> Iterator[Path]:
    for place, names, files in itertools.islice(os.walk(root), _MOST):
        if len(Path(place).relative_to(root).parts) >= _DEEPEST:
            names.clear()
        if FILE in files:
            yield Path(place)
