"""The notebooks that ship with Launchpad, and their copies, which belong to the person.

A copy is never overwritten once somebody changed it: a newer template then becomes a second file beside it.
`.templates.json` of the folder keeps what was written, as SHA-256, so that a change is noticed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from launchpad import paths
from launchpad.errors import LaunchpadError

RUN_RESULTS, SIGN_IN_TO_DOWNLOAD = "run_results.py", "from_sign_in_to_download.py"
FOLDER = "notebook"  # inside the folder of a run
_RECORD = ".templates.json"


@dataclass(frozen=True)
class Placed:
    """A copy of a template.

    Attributes:
        path: the copy to open.
        newer: a newer template that was put beside a copy that somebody changed; None where there is none.
    """

    path: Path
    newer: Path | None = None


def own_folder() -> Path:
    """Where notebooks lie that belong to no run."""
    return paths.data_dir() / "notebooks"


def template(name: str) -> Path:
    """A notebook as it ships."""
    return paths.resource("notebooks", name)


def place(name: str, folder: Path, *, override: bool = False) -> Placed:
    """Copy a template into a folder, or find the copy that is there.

    A copy that nobody changed follows the template. With `override` a changed one is replaced as well, and what it was
    is kept beside it (`…_before.py`).

    Raises:
        LaunchpadError: the folder cannot be written.
    """
    return place_file(template(name).read_bytes(), folder / name, override=override)


def place_file(data: bytes, path: Path, *, override: bool = False) -> Placed:
    """As `place`, for any file that belongs to the person once it is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        record = _Record(path.parent)
        digest = _digest(data)
        now = _digest(path.read_bytes()) if path.is_file() else ""
        if now == digest:
            record.note(path, digest)
            return Placed(path)
        if not now or record.written(path) == now:
            return _write(record, path, data)
        if override:
            path.rename(_free(path, "before"))
            return _write(record, path, data)
        if record.written(path) == digest:  # changed by the person, and made from this very template
            return Placed(path)
        known = next((item for item in _numbered(path) if record.written(item) == digest), None)
        if known is not None:
            return Placed(path, known)
        return Placed(path, _write(record, _free(path), data).path)
    except OSError as error:
        raise LaunchpadError(
            "The notebook cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights in this folder.",
            subject=str(path),
        ) from error


def _write(record: _Record, path: Path, data: bytes) -> Placed:
    paths.write_atomic(path, data)
    record.note(path, _digest(data))
    return Placed(path)


def _numbered(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}_[0-9]*{path.suffix}"))


def _free(path: Path, word: str = "") -> Path:
    """A name beside this one that is not taken."""
    number = 1 if word else 2
    while True:
        tail = f"{word}{number if number > 1 else ''}" if word else str(number)
        found = path.with_name(f"{path.stem}_{tail}{path.suffix}")
        if not found.exists():
            return found
        number += 1


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Record:
    """What was written into a folder by us."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _RECORD
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # without it every copy counts as changed: nothing is lost
            found = {}
        self._digests: dict[str, str] = found if isinstance(found, dict) else {}

    def written(self, path: Path) -> str:
        return self._digests.get(path.name, "")

    def note(self, path: Path, digest: str) -> None:
        if self._digests.get(path.name) != digest:
            self._digests[path.name] = digest
            paths.write_atomic(self._file, json.dumps(self._digests, indent=1).encode())
