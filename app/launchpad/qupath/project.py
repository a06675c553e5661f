"""A QuPath project on disk, made and changed without QuPath.

`project.qpproj` lists images; `data/<id>/` holds each image's objects, thumbnail and copies; `classifiers/classes.json`
the classes. What Launchpad wrote is noted in `launchpad.json`, so that it knows what a person has changed since.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launchpad import paths
from launchpad.errors import LaunchpadError, NotFound
from launchpad.qupath.qpdata import QUPATH_VERSION, argb

PROJECT_FILE = "project.qpproj"
_NOTES = "launchpad.json"
_LOCK_SECONDS = 60.0
_BLOCK = 1 << 20
OPENSLIDE = "qupath.lib.images.servers.openslide.OpenslideServerBuilder"


@dataclass
class Note:
    """What Launchpad knows of an entry: whose it is, what it was made from, and the hash of what was written.

    `source` is the fingerprint of the results; `written` the SHA-256 of data.qpdata as it left Launchpad.
    """

    key: str
    kind: str
    source: str = ""
    written: str = ""
    file: str = ""
    objects: int = 0


@dataclass
class Project:
    """A project in a folder. Change it within `edit`, which reads, locks and writes."""

    folder: Path
    document: dict[str, Any] = field(default_factory=dict)
    notes: dict[int, Note] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The project file, which QuPath opens."""
        return self.folder / PROJECT_FILE

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The images, as the project file has them."""
        found: list[dict[str, Any]] = self.document["images"]
        return found

    def data_folder(self, entry_id: int) -> Path:
        """Folder of an image's data."""
        return self.folder / "data" / str(entry_id)

    def entry(self, entry_id: int) -> dict[str, Any] | None:
        """The image of this id."""
        return next((item for item in self.entries if item.get("entryID") == entry_id), None)

    def named(self, name: str) -> dict[str, Any] | None:
        """The image of this name."""
        return next((item for item in self.entries if item.get("imageName") == name), None)

    def of(self, key: str, kind: str) -> list[int]:
        """Ids of the entries that are noted for a slide, oldest first; entries that a person removed do not count."""
        present = {item.get("entryID") for item in self.entries}
        return sorted(
            number for number, note in self.notes.items() if note.key == key and note.kind == kind and number in present
        )

    def free_name(self, name: str) -> str:
        """The name, or one with a number behind it where an image has it already."""
        taken = {str(item.get("imageName")) for item in self.entries}
        number, free = 2, name
        while free in taken:
            free, number = f"{name} ({number})", number + 1
        return free

    def add(
        self, name: str, server: Mapping[str, object], metadata: Mapping[str, str], note: Note, description: str = ""
    ) -> int:
        """Add an image under a name that is still free; its id."""
        last = max([int(self.document.get("lastID", 0)), *(int(item.get("entryID", 0)) for item in self.entries)])
        entry_id = last + 1
        self.document["lastID"] = entry_id
        self.entries.append(
            {
                "serverBuilder": dict(server),
                "entryID": entry_id,
                "randomizedName": str(uuid.uuid4()),
                "imageName": self.free_name(name),
                "description": description,
                "metadata": dict(metadata),
                "tags": [],
            }
        )
        self.notes[entry_id] = note
        return entry_id

    def is_untouched(self, entry_id: int) -> bool:
        """Whether an entry's data.qpdata is as Launchpad wrote it, or is not there yet."""
        path = self.data_folder(entry_id) / "data.qpdata"
        note = self.notes.get(entry_id)
        return not path.is_file() or (note is not None and bool(note.written) and sha256(path) == note.written)

    def add_classes(self, classes: Mapping[str, tuple[int, int, int]]) -> None:
        """Add classes to the project's list; those that are there keep their colours and their order."""
        path = self.folder / "classifiers" / "classes.json"
        try:
            known = json.loads(path.read_text(encoding="utf-8"))["pathClasses"] if path.is_file() else []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from error
        names = {item.get("name") for item in known}
        new = [{"name": name, "color": argb(colour)} for name, colour in classes.items() if name not in names]
        if new or not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            paths.write_atomic(path, _json({"pathClasses": [*known, *new]}))

    def save(self, *, backup: bool = False) -> None:
        """Write project file and notes; `backup` keeps the project file as it was beside it."""
        self.document["modifyTimestamp"] = int(time.time() * 1000)
        # The folder with its slash: what QuPath 0.6 and later go by when images have moved with the project.
        self.document["uri"] = self.folder.absolute().as_uri() + "/"
        self.document.setdefault("version", QUPATH_VERSION)
        try:
            if backup and self.file.is_file():
                shutil.copyfile(self.file, self.file.with_name(f"{PROJECT_FILE}.backup"))
            paths.write_atomic(self.file, _json(self.document))
            notes = {str(number): vars(note) for number, note in self.notes.items()}
            paths.write_atomic(self.folder / _NOTES, _json({"launchpad": 1, "entries": notes}))
        except OSError as error:
            raise unwritable(self.folder, error) from error


def open_project(path: Path) -> Project:
    """Read a project; `path` is its folder or its file.

    Raises:
        NotFound: there is none.
        LaunchpadError: it is damaged.
    """
    folder = path.parent if path.suffix == ".qpproj" else path
    file = path if path.suffix == ".qpproj" else folder / PROJECT_FILE
    if not file.is_file():
        raise NotFound("There is no QuPath project here", advice="Check the path.", subject=str(path))
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        document["images"] = document.get("images") or []
        notes_file = folder / _NOTES
        noted = json.loads(notes_file.read_text(encoding="utf-8"))["entries"] if notes_file.is_file() else {}
        notes = {int(number): Note(**note) for number, note in noted.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(file, error) from error
    return Project(folder.absolute(), document, notes)


def new_project(folder: Path) -> Project:
    """An empty project; nothing is written before `save`."""
    now = int(time.time() * 1000)
    document = {"version": QUPATH_VERSION, "createTimestamp": now, "modifyTimestamp": now, "lastID": 0, "images": []}
    return Project(folder.absolute(), document)


@contextmanager
def edit(folder: Path) -> Iterator[Project]:
    """Open or make the project for a change; one process of ours at a time. The caller saves.

    Raises:
        LaunchpadError: the folder cannot be written, the project is damaged, or another process keeps it for too long.
    """
    import portalocker

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = portalocker.Lock(str(folder / ".launchpad.lock"), "w", timeout=_LOCK_SECONDS)
        lock.acquire()
    except portalocker.LockException as error:
        raise LaunchpadError(
            "The QuPath project is being written by another Launchpad",
            advice="Wait until it is done, then try again.",
            subject=str(folder),
        ) from error
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        yield open_project(folder) if (folder / PROJECT_FILE).is_file() else new_project(folder)
    finally:
        lock.release()


def server_of(path: Path, metadata: Mapping[str, object] | None = None, *, whole: bool = False) -> dict[str, object]:
    """The `serverBuilder` of a file. QuPath chooses its reader, unless metadata or `whole` need OpenSlide's.

    `whole` keeps QuPath from cutting the slide to its scanned part, which would move the origin of all coordinates.
    """
    builder: dict[str, object] = {"builderType": "uri", "uri": path.absolute().as_uri(), "args": []}
    if metadata is not None or whole:
        builder["providerClassName"] = OPENSLIDE
    if whole:
        builder["args"] = ["--no-crop"]
    if metadata is not None:
        builder["metadata"] = dict(metadata)
    return builder


def server_metadata(
    name: str, size: tuple[int, int], mpp: float, levels: list[tuple[float, int, int]]
) -> dict[str, object]:
    """What QuPath is told about a slide whose file does not say how large a pixel is (`mpp` in µm).

    `levels` are (downsample, width, height), the base level first.
    """
    channels = (("Red", (255, 0, 0)), ("Green", (0, 255, 0)), ("Blue", (0, 0, 255)))
    return {
        "name": name,
        "width": size[0],
        "height": size[1],
        "sizeZ": 1,
        "sizeT": 1,
        "channelType": "DEFAULT",
        "isRGB": True,
        "pixelType": "UINT8",
        "levels": [
            {"downsample": downsample, "width": width, "height": height} for downsample, width, height in levels
        ],
        "channels": [{"name": channel, "color": argb(colour)} for channel, colour in channels],
        "pixelCalibration": {
            "pixelWidth": {"value": mpp, "unit": "µm"},
            "pixelHeight": {"value": mpp, "unit": "µm"},
            "zSpacing": {"value": 1.0, "unit": "z-slice"},
            "timeUnit": "SECONDS",
            "timepoints": [],
        },
        "preferredTileWidth": 256,
        "preferredTileHeight": 256,
    }


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def unwritable(folder: Path, error: OSError) -> LaunchpadError:
    """What a person is told when a project cannot be written."""
    return LaunchpadError(
        "The QuPath project cannot be written",
        detail=f"{error.strerror or error}.",
        advice="Check the disk's free space and your rights to the folder.",
        subject=str(folder),
    )


def _damaged(file: Path, error: Exception) -> LaunchpadError:
    return LaunchpadError(
        "The QuPath project cannot be read",
        detail=f"{error}.",
        advice="Open it in QuPath to see whether it is whole. QuPath and Launchpad keep an older one as .backup beside "
        "it.",
        subject=str(file),
    )


def _json(document: object) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
