"""Backup of a platform into one file, also while it runs, and restoring from it.

The file is a tar archive: `manifest.json` first, then the database, the keys, the settings and the bytes of all objects
and open uploads. References to slides stay references. A backup is consistent: the database is copied by SQLite as of
one moment, and what it refers to is held by hard links until it is in the archive.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from launchpad import __version__, paths
from launchpad.bucket.crc32c import Crc32c
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.localplatform.layout import Layout, PlatformLock
from launchpad.progress import Progress

_FORMAT = 1
_BLOCK = 1 << 20
_TRIES = 3  # snapshots while the platform writes on; after them it waits for one
_MANIFEST = "manifest.json"
_DATABASE = "platform.sqlite"
_NAME = re.compile(r"platform\.sqlite|platform\.toml|keys/[\w.-]+|objects/[0-9a-f]{2}/[0-9a-f]{32}")


@dataclass(frozen=True)
class Summary:
    """What a backup holds: objects and their bytes, slides that are referred to, and when it was made (ISO, UTC)."""

    objects: int
    size: int
    references: int
    made: str


def backup(data: Path, file: Path, progress: Progress | None = None) -> Summary:
    """Write a backup of the platform of a data folder; it may run meanwhile. The file is for this account only.

    Raises:
        NotFound: there is no platform in the folder.
        BadInput: the file exists.
        LaunchpadError: it cannot be written, or what was written does not read back.
        Cancelled: the progress was cancelled; nothing is left.
    """
    progress = progress or Progress()
    layout = Layout(data.absolute())
    file = file.expanduser().absolute()
    if not layout.database.is_file():
        raise NotFound("There is no platform in this folder", advice="Name its folder by --data.", subject=str(data))
    if file.exists():
        raise BadInput("The file exists", advice="Choose another name, or delete it first.", subject=str(file))
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    staging = layout.root / f"backup-{secrets.token_hex(4)}"
    with _told("The backup cannot be written", file):
        paths.ensure_private(staging)
        try:
            names, references = _hold(layout, staging, progress)
            summary = _write(staging, temporary, names, references, progress)
            _check(temporary, progress)
            if file.exists():
                raise BadInput("The file exists", advice="Choose another name, or delete it first.", subject=str(file))
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
            shutil.rmtree(staging, ignore_errors=True)
    return summary


def restore(data: Path, file: Path, *, force: bool = False, progress: Progress | None = None) -> Summary:
    """Make the data folder what it was when the backup was made.

    Everything is unpacked beside the old data and verified before anything is replaced. With `force` a platform that is
    there is replaced, otherwise only an empty folder is filled.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no backup, is damaged, or the folder holds a platform already.
        LaunchpadError: a platform runs on the folder; or it cannot be written.
        Cancelled: the progress was cancelled; the old data are still there.
    """
    progress = progress or Progress()
    file = file.expanduser().absolute()
    if not file.is_file():
        raise NotFound("There is no such backup", advice="Look at its name and place.", subject=str(file))
    layout = Layout(data.absolute())
    with _told("The backup cannot be restored", layout.root):
        paths.ensure_private(layout.root)
        with PlatformLock(layout):
            if layout.database.exists() and not force:
                raise BadInput(
                    "There is a platform in this folder already",
                    advice="Use --force to replace it with the backup, or restore into another folder by --data.",
                    subject=str(layout.root),
                )
            fresh = layout.root / f"restore-{secrets.token_hex(4)}"
            paths.ensure_private(fresh)
            try:
                summary = _unpack(file, fresh, progress)
                _exchange(layout, fresh)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    return summary


# --- making ---------------------------------------------------------------------------------------------------------
def _hold(layout: Layout, staging: Path, progress: Progress) -> tuple[list[str], int]:
    """Copy the database and link what it refers to below `staging`; names of all files, number of references."""
    for number in range(_TRIES + 1):
        progress.check()
        with _unchanged(layout.database) if number == _TRIES else nullcontext():
            references, objects, complete = _snapshot(layout, staging, progress)
        if complete:
            break
    else:
        raise LaunchpadError(
            "The database names files that are not there",
            advice="Restore an earlier backup into another folder, and compare what each of them holds.",
            subject=str(layout.root),
        )
    names = [_DATABASE]
    for path in (layout.root / "platform.toml", *sorted(layout.keys.iterdir())):
        if path.is_file() and not path.name.startswith("."):
            name = path.relative_to(layout.root).as_posix()
            (staging / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, staging / name)
            names.append(name)
    return names + [f"objects/{name}" for name in sorted(objects)], references


def _snapshot(layout: Layout, staging: Path, progress: Progress) -> tuple[int, set[str], bool]:
    """Copy the database and link its files; number of references, names of the files, whether all were still there."""
    copy = staging / _DATABASE
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(layout.database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        objects, references = _referred(target)
    complete = True
    for name in objects:
        progress.check()
        try:
            _link(layout.objects / name, staging / "objects" / name)
        except FileNotFoundError:
            complete = False  # deleted since the copy was made
    return references, objects, complete


@contextmanager
def _unchanged(database: Path) -> Iterator[None]:
    """Nobody else writes to the database meanwhile, so that no file that it names is deleted."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def _referred(database: sqlite3.Connection) -> tuple[set[str], int]:
    """Files of objects and open uploads that a database names, and how many slides it refers to."""
    (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise LaunchpadError("The database is damaged", detail=f"{state}.", advice="Restore an earlier backup.")
    names = {str(file) for (file,) in database.execute("SELECT file FROM object WHERE file IS NOT NULL")}
    names |= {str(file) for (file,) in database.execute("SELECT file FROM upload_part")}
    for (pieces,) in database.execute("SELECT pieces FROM object WHERE pieces IS NOT NULL"):
        names |= {str(file) for file, _ in json.loads(pieces)}
    (references,) = database.execute("SELECT count(*) FROM object WHERE reference IS NOT NULL").fetchone()
    return names, int(references)


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _write(staging: Path, target: Path, names: list[str], references: int, progress: Progress) -> Summary:
    sizes = {name: (staging / name).stat().st_size for name in names}
    total = sum(sizes.values())
    free = shutil.disk_usage(target.parent).free
    if total > free:
        raise LaunchpadError(
            "The backup does not fit",
            detail=f"{total / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free.",
            advice="Choose another disk.",
            subject=str(target.parent),
        )
    summary = Summary(
        objects=sum(name.startswith("objects/") for name in names),
        size=sum(size for name, size in sizes.items() if name.startswith("objects/")),
        references=references,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    manifest = {
        "format": _FORMAT,
        "launchpad": __version__,
        "schema": _schema(staging / _DATABASE),
        "summary": vars(summary),
        "files": {name: {"size": sizes[name], "crc32c": _crc32c(staging / name, progress)} for name in names},
    }
    text = json.dumps(manifest, indent=1).encode()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(_entry(_MANIFEST, len(text)), io.BytesIO(text))
            done = 0
            for name in names:
                progress.report(done, total, "Writing")
                with (staging / name).open("rb") as source:
                    archive.addfile(_entry(name, sizes[name]), source)
                done += sizes[name]
        raw.flush()
        os.fsync(raw.fileno())
    return summary


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
    return entry


def _check(file: Path, progress: Progress) -> None:
    """Read a backup as restoring would."""
    for _ in _verified(file, progress):
        pass


# --- reading --------------------------------------------------------------------------------------------------------
def _unpack(file: Path, fresh: Path, progress: Progress) -> Summary:
    manifest = _manifest(file)
    needed = sum(int(entry["size"]) for entry in manifest["files"].values())
    free = shutil.disk_usage(fresh).free
    if needed > free:
        raise LaunchpadError(
            "The backup does not fit",
            detail=f"{needed / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free.",
            advice="Make room, or restore into a folder of another disk by --data.",
            subject=str(fresh.parent),
        )
    for _ in _verified(file, progress, fresh):
        pass
    from launchpad.localplatform.database.engine import HEAD

    if manifest["schema"] > HEAD:
        raise BadInput(
            "The backup was made by a newer Launchpad",
            detail=f"By version {manifest['launchpad']}; this is {__version__}.",
            advice="Update Launchpad, then restore it.",
            subject=str(file),
        )
    with closing(sqlite3.connect(fresh / _DATABASE)) as database:
        named, _ = _referred(database)
    missing = {f"objects/{name}" for name in named} - set(manifest["files"])
    if missing:
        raise _damaged(file, f"{len(missing)} objects are missing")
    return Summary(**manifest["summary"])


def _verified(file: Path, progress: Progress, target: Path | None = None) -> Iterator[str]:
    """Go through the files of a backup, compare size and checksum, write them below `target` where it is given."""
    manifest = _manifest(file)
    left = dict(manifest["files"])
    total, done = sum(int(entry["size"]) for entry in left.values()), 0
    try:
        with tarfile.open(file, "r:") as archive:
            for entry in archive:
                if entry.name == _MANIFEST:
                    continue
                wanted = left.pop(entry.name, None)
                source = archive.extractfile(entry) if entry.isreg() else None
                if wanted is None or source is None or not _NAME.fullmatch(entry.name):
                    raise _damaged(file, "it holds a file that does not belong there")
                progress.report(done, total, "Verifying" if target is None else "Restoring")
                found = _copied(source, target / entry.name if target is not None else None, progress)
                if found != wanted["crc32c"] or entry.size != wanted["size"]:
                    raise _damaged(file, f"the checksum of {entry.name} is another")
                done += entry.size
                yield entry.name
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(file, str(error)) from error
    if left:
        raise _damaged(file, f"{len(left)} files are missing")


def _manifest(file: Path) -> dict[str, Any]:
    try:
        with tarfile.open(file, "r:") as archive:
            entry = archive.next()
            source = archive.extractfile(entry) if entry is not None and entry.name == _MANIFEST else None
            if source is None:
                raise ValueError("it has no manifest")
            manifest: dict[str, Any] = json.loads(source.read())
        if manifest["format"] != _FORMAT:
            raise ValueError(f"its format is {manifest['format']}")
        Summary(**manifest["summary"])
        if any(not _NAME.fullmatch(name) for name in manifest["files"]) or _DATABASE not in manifest["files"]:
            raise ValueError("its manifest is malformed")
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "This is no backup of a platform",
            detail=f"{str(error).rstrip('.')}.",
            advice="Choose a file that `launchpad platform backup` made.",
            subject=str(file),
        ) from error
    return manifest


def _exchange(layout: Layout, fresh: Path) -> None:
    """Put the unpacked files in the place of the old ones; when that fails the old ones come back."""
    old = layout.root / f"replaced-{secrets.token_hex(4)}"
    paths.ensure_private(old)
    for name in ("objects", "keys"):
        (fresh / name).mkdir(exist_ok=True, mode=0o700)
    # The write-ahead log belongs to the old database and must not be applied to the new one.
    names = [f"{_DATABASE}-wal", f"{_DATABASE}-shm", _DATABASE, "objects", "keys", "platform.toml"]
    moved: list[str] = []
    placed: list[str] = []
    try:
        for name in names:
            if (layout.root / name).exists():
                (layout.root / name).rename(old / name)
                moved.append(name)
        for name in names:
            if (fresh / name).exists():
                (fresh / name).rename(layout.root / name)
                placed.append(name)
    except OSError:
        for name in placed:
            (layout.root / name).rename(fresh / name)
        for name in moved:
            (old / name).rename(layout.root / name)
        raise
    finally:
        if len(placed) >= 3 or not any(old.iterdir()):
            shutil.rmtree(old, ignore_errors=True)


def _copied(source: IO[bytes], target: Path | None, progress: Progress) -> str:
    checksum = Crc32c()
    if target is None:
        while block := source.read(_BLOCK):
            progress.check()
            checksum.update(block)
        return checksum.base64()
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while block := source.read(_BLOCK):
            progress.check()
            checksum.update(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return checksum.base64()


def _crc32c(file: Path, progress: Progress) -> str:
    with file.open("rb") as source:
        return _copied(source, None, progress)


def _schema(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection, suppress(sqlite3.Error):
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row is not None:
            return str(row[0])
    raise LaunchpadError("The database has no version", advice="Start the platform once, then try again.")


def _damaged(file: Path, why: str) -> BadInput:
    return BadInput(
        "The backup is damaged", detail=f"{why[0].upper()}{why[1:]}.", advice="Use another backup.", subject=str(file)
    )


@contextmanager
def _told(title: str, subject: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise LaunchpadError(
            title,
            detail=f"{words.rstrip('.')}.",
            advice="See that the folder is yours and the disk has room.",
            subject=str(getattr(error, "filename", None) or subject),
        ) from error
