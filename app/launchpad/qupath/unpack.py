"""Unpacks an archive from the internet into a folder: no path leaves it, no link is made, no bomb goes off."""

from __future__ import annotations

import platform
import posixpath
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO

from launchpad.errors import LaunchpadError
from launchpad.progress import Progress

_BLOCK = 1 << 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """What an archive may come to: bytes and files when unpacked."""

    size: int = 4 << 30
    files: int = 100_000


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str  # file, folder, link
    size: int
    executable: bool
    target: str
    source: tarfile.TarInfo | zipfile.ZipInfo


def unpack(archive: Path, folder: Path, *, progress: Progress | None = None, limits: Limits = Limits()) -> None:
    """Unpack a .zip, .tar.xz, .tar.gz or (on macOS) .pkg into an existing empty folder. Progress in bytes.

    A link to a file of the archive becomes a copy of it; every other link, every name that leaves the folder, devices
    and the like, two names of one file, and more than the limits allow are refused.

    Raises:
        LaunchpadError: it is refused, damaged, or cannot be written. The folder may then hold a part of it.
        Cancelled: the progress was cancelled.
    """
    watch = progress or Progress()
    try:
        if archive.suffix.lower() == ".pkg":
            _expand_package(archive, folder)
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _all(archive, folder, list(_zip_members(opened)), opened, watch, limits)
        else:
            with tarfile.open(archive) as opened_tar:
                _all(archive, folder, _tar_members(archive, opened_tar, limits), opened_tar, watch, limits)
    except LaunchpadError:
        raise
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, LZMAError, RuntimeError) as error:
        raise _refused(archive, f"It is damaged: {error}.") from error
    except OSError as error:
        raise LaunchpadError(
            "The archive cannot be unpacked",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights to the folder.",
            subject=str(archive),
        ) from error


def _tar_members(archive: Path, opened: tarfile.TarFile, limits: Limits) -> list[_Member]:
    found: list[_Member] = []
    total = 0
    for item in opened:  # one by one: a bomb is noticed before it is read to its end
        if not (item.isfile() or item.isdir() or item.issym() or item.islnk()):
            raise _refused(archive, f"{item.name} is no file, folder or link.")
        kind = "folder" if item.isdir() else "file" if item.isfile() else "link"
        # The target of a symbolic link is relative to its folder, that of a hard link to the archive.
        target = posixpath.join(posixpath.dirname(item.name), item.linkname) if item.issym() else item.linkname
        target = item.linkname if item.linkname.startswith("/") else target
        found.append(
            _Member(item.name, kind, item.size if kind == "file" else 0, bool(item.mode & 0o100), target, item)
        )
        total += item.size
        if len(found) > limits.files or total > limits.size:
            raise _too_large(archive, limits)
    return found


def _zip_members(opened: zipfile.ZipFile) -> Iterator[_Member]:
    for item in opened.infolist():
        mode = item.external_attr >> 16
        if mode & 0o170000 == 0o120000:
            where = posixpath.dirname(item.filename)
            yield _Member(item.filename, "link", 0, False, posixpath.join(where, opened.read(item).decode()), item)
        else:
            kind = "folder" if item.is_dir() else "file"
            yield _Member(item.filename, kind, item.file_size, bool(mode & 0o100), "", item)


def _all(
    archive: Path,
    folder: Path,
    members: list[_Member],
    opened: tarfile.TarFile | zipfile.ZipFile,
    progress: Progress,
    limits: Limits,
) -> None:
    total = sum(member.size for member in members)
    if len(members) > limits.files or total > limits.size:
        raise _too_large(archive, limits)
    free = shutil.disk_usage(folder).free
    if total > free:
        raise LaunchpadError(
            "There is not enough room to unpack the archive",
            detail=f"{total / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free.",
            advice="Make room, or choose another folder.",
            subject=str(folder),
        )
    written: dict[str, Path] = {}
    done = 0
    for member in members:
        progress.check()
        parts = _safe_parts(archive, member.name)
        if not parts:
            continue
        path = folder.joinpath(*parts)
        if member.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
            continue
        key = "/".join(parts)
        if path.exists():  # also by a name that only differs in case, where the system does not tell them apart
            raise _refused(archive, f"{member.name} is in it twice.")
        if member.kind == "link":
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        source: IO[bytes] | None
        if isinstance(opened, zipfile.ZipFile):
            source = opened.open(member.source)  # type: ignore[arg-type]
        else:
            source = opened.extractfile(member.source)  # type: ignore[arg-type]
        if source is None:
            raise _refused(archive, f"{member.name} cannot be read.")
        with source, path.open("xb") as out:
            left = member.size
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise _refused(archive, f"{member.name} is larger than it says.")
                out.write(block)
                done += len(block)
                progress.report(done, total, parts[-1])
        path.chmod(0o755 if member.executable else 0o644)
        written[key] = path
    _copy_links(archive, folder, [member for member in members if member.kind == "link"], written, limits, done)


def _copy_links(
    archive: Path, folder: Path, links: list[_Member], written: dict[str, Path], limits: Limits, done: int
) -> None:
    """Copies in place of links; a link to a link is followed as long as that comes to an end."""
    targets = {"/".join(_safe_parts(archive, link.name)): link for link in links}
    for name, link in targets.items():
        aim, steps = link, 0
        while True:
            key = "/".join(_safe_parts(archive, posixpath.normpath(aim.target)))
            steps += 1
            if key in written:
                break
            if key not in targets or steps > len(targets):
                raise _refused(archive, f"{link.name} is a link to {link.target}, which is no file of the archive.")
            aim = targets[key]
        done += written[key].stat().st_size
        if done > limits.size:
            raise _too_large(archive, limits)
        path = folder.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(written[key], path)
        shutil.copymode(written[key], path)


def _safe_parts(archive: Path, name: str) -> list[str]:
    """The parts of a member's path, refused where it would not stay in its folder on every system."""
    if name.startswith(("/", "\\")) or "\\" in name or "\0" in name:
        raise _refused(archive, f"{name!r} does not stay in its folder.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    for part in parts:
        windows = sys.platform == "win32" and (_RESERVED.fullmatch(part) or part.endswith((" ", ".")))
        if part == ".." or re.match(r"[A-Za-z]:", part) or (sys.platform == "win32" and ":" in part) or windows:
            raise _refused(archive, f"{name!r} does not stay in its folder.")
    return parts


def _expand_package(archive: Path, folder: Path) -> None:
    """A macOS installer package, by the system's own tool; nothing in it is run and no rights are needed."""
    if platform.system() != "Darwin":
        raise _refused(archive, "A .pkg can be unpacked on macOS only.")
    expanded = folder / "expanded"
    result = subprocess.run(
        ["/usr/sbin/pkgutil", "--expand-full", str(archive), str(expanded)], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise _refused(archive, f"pkgutil: {result.stderr.strip()}")
    apps = sorted(expanded.glob("**/*.app"), key=lambda path: len(path.parts))
    if not apps:
        raise _refused(archive, "There is no application in it.")
    root = apps[0].resolve()
    for path in root.rglob("*"):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise _refused(archive, f"{path.name} is a link that leads out of it.")
    apps[0].rename(folder / apps[0].name)
    shutil.rmtree(expanded)


def _refused(archive: Path, detail: str) -> LaunchpadError:
    return LaunchpadError(
        "The archive is not unpacked",
        detail=detail,
        advice="Download it again; if that does not help, tell those who made it.",
        subject=archive.name,
    )


def _too_large(archive: Path, limits: Limits) -> LaunchpadError:
    return _refused(archive, f"It comes to more than {limits.size / 1e9:.1f} GB or {limits.files:,} files.")
