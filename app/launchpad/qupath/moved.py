"""Images of a project that have moved: found again and written anew, so that QuPath asks nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from launchpad.qupath.project import Project

_DEPTH = 8  # folders
_MOST = 200_000  # files looked at


@dataclass(frozen=True)
class Moved:
    """How many images are found where they were, which were found elsewhere, and which are missing."""

    here: int
    moved: tuple[str, ...]
    missing: tuple[str, ...]


def path_of(uri: str) -> Path | None:
    """The file that a URI names, None where it names no file of this computer."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    text = unquote(parts.path)
    if os.name == "nt":
        text = f"//{parts.netloc}{text}" if parts.netloc else text.removeprefix("/")
    return Path(text)


def server_builders(server: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The builders with a URI: the one of a file, or that inside of a rotated, cropped … one."""
    while isinstance(server, dict):
        if isinstance(server.get("uri"), str):
            yield server
        server = server.get("builder")  # type: ignore[assignment]


def correct(project: Project, folders: Sequence[Path] = ()) -> Moved:
    """Point each image at its file again; the caller saves when `moved` is not empty.

    Looked for at the same place relative to the project, as it was when the project was saved last, and by name in the
    folder of the project, the one above it, and `folders`.
    """
    before = path_of(str(project.document.get("uri", "")))
    here, moved, missing = 0, [], []
    index: dict[str, list[Path]] | None = None
    for entry in project.entries:
        for builder in server_builders(entry.get("serverBuilder", {})):
            path = path_of(builder["uri"])
            if path is None or path.is_file():
                here += 1
                continue
            found = _along(path, before, project.folder)
            if found is None:
                if index is None:
                    index = _by_name([project.folder.parent, *folders])
                same = index.get(path.name.casefold(), [])
                found = same[0] if len(same) == 1 else None
            name = str(entry.get("imageName", path.name))
            if found is None:
                missing.append(name)
            else:
                builder["uri"] = found.absolute().as_uri()
                moved.append(name)
    return Moved(here, tuple(moved), tuple(missing))


def _along(path: Path, before: Path | None, now: Path) -> Path | None:
    """The file at the same place relative to the project's folder, where both have moved together."""
    if before is None or before == now:
        return None
    if before.suffix == ".qpproj":
        before = before.parent
    try:
        candidate = Path(os.path.normpath(now / os.path.relpath(path, before)))
    except ValueError:  # another drive
        return None
    return candidate if candidate.is_file() else None


def _by_name(folders: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    looked, seen = 0, set()
    for top in folders:
        for name, inner, files in os.walk(top):
            folder = Path(name)
            if len(folder.relative_to(top).parts) >= _DEPTH:
                inner.clear()
            inner[:] = [item for item in sorted(inner) if not item.startswith(".")]
            for file in files:
                path = folder / file
                if path not in seen:
                    seen.add(path)
                    found.setdefault(file.casefold(), []).append(path)
            looked += len(files)
            if looked > _MOST:
                return found
    return found
