"""Finding slides in files and folders, by their names; only DICOM headers are read here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from launchpad.errors import SlideError
from launchpad.progress import Progress
from launchpad.wsi import dicom
from launchpad.wsi.formats import NAMES, format_name, is_dicom_file

_FETCH = "Let the cloud folder keep it on this computer, then add it again."
_RECALL_ON_DATA_ACCESS = 0x0040_0000  # Windows' file attribute
_DATALESS = 0x4000_0000  # macOS' file flag
_INDEX_LIMIT = 1 << 20  # characters of a text that lists a slide's files


@dataclass(frozen=True)
class FoundSlide:
    """One slide: `path` is the file that is sent, `files` are all files that form it."""

    path: Path
    files: tuple[Path, ...]
    format: str


@dataclass(frozen=True)
class Rejected:
    """A file or folder that cannot be taken, and what to do about it."""

    path: Path
    reason: str
    advice: str


def find(paths: Iterable[Path], progress: Progress | None = None) -> Iterator[FoundSlide | Rejected]:
    """Look for slides in files and folders (recursively, in sorted order); each slide comes once.

    In a folder, files that are no slides by their suffix are passed over, annotations of DICOM slides likewise; a file
    that is named itself and is no slide is Rejected. The files of a DICOM pyramid are one slide, whichever of them is
    named.

    Raises:
        Cancelled: the progress was cancelled.
    """
    watch = progress or Progress()
    seen: set[Path] = set()
    for path in paths:
        path = path.expanduser().absolute()
        entries = _find_in_folder(path, watch) if path.is_dir() else _find_file(path)
        for entry in entries:
            if entry.path in seen:
                continue
            seen.add(entry.path)
            if isinstance(entry, FoundSlide) and _is_placeholder(entry.path):
                entry = Rejected(entry.path, "The file is still in the cloud, not on this computer", _FETCH)
            watch.report(len(seen), 0, entry.path.name)
            yield entry


def _find_file(path: Path) -> Iterator[FoundSlide | Rejected]:
    if not path.is_file():
        yield Rejected(path, "There is no such file or folder", "Check the path.")
    elif path.suffix.lower() == ".dcm" or is_dicom_file(path):
        try:
            yield _dicom_slide(dicom.pyramid_of(path))
        except SlideError as error:
            yield _rejected(path, error)
    elif name := format_name(path):
        yield FoundSlide(path, (path, *companions(path)), name)
    else:
        yield Rejected(path, "This is no slide by its name", f"Slides end in {', '.join(sorted(NAMES))}.")


def _find_in_folder(folder: Path, progress: Progress) -> Iterator[FoundSlide | Rejected]:
    problems: list[OSError] = []
    visited: set[str] = set()
    for name, folders, files in os.walk(folder, followlinks=True, onerror=problems.append):
        real = os.path.realpath(name)
        if real in visited:  # a link that leads back
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(item for item in folders if not item.startswith("."))
        progress.check()
        yield from _files_of_one_folder(Path(name), sorted(files), progress)
    for error in problems:
        where = Path(error.filename or folder)
        yield Rejected(where, f"The folder cannot be read: {error.strerror}", "Check its permissions.")


def _files_of_one_folder(folder: Path, names: list[str], progress: Progress) -> Iterator[FoundSlide | Rejected]:
    """The slides of one folder, in order; those whose name tells all come at once, DICOM's after their headers."""
    instances: list[dicom.Instance] = []
    later: list[FoundSlide | Rejected] = []
    headers: list[Path] = []
    for name in names:
        path = folder / name
        kind = format_name(path)
        if name.startswith(".") and name.endswith(".icloud") and format_name(Path(name[1:-7])):
            yield Rejected(path, "The file is still in the cloud, not on this computer", _FETCH)
        elif not kind or name.startswith("."):  # hidden files are other programs' notes, such as macOS' "._x.svs"
            continue
        elif kind == "DICOM":
            headers.append(path)
        elif path.is_symlink() and not path.exists():
            yield Rejected(path, "The link leads to a file that is not there", "Remove the link, or bring its file.")
        else:
            yield FoundSlide(path, (path, *companions(path)), kind)
    for path in headers:
        progress.check()
        if _is_placeholder(path):
            later.append(Rejected(path, "The file is still in the cloud, not on this computer", _FETCH))
            continue
        try:
            instance = dicom.read_instance(path)
            if instance.sop_class in dicom.BESIDE_SLIDES:
                continue
            dicom.require_slide(instance)
        except SlideError as error:
            later.append(_rejected(path, error))
        else:
            instances.append(instance)
    for pyramid in dicom.group(instances):
        try:
            later.append(_dicom_slide(pyramid))
        except SlideError as error:
            later.append(_rejected(pyramid.files[0], error))
    yield from sorted(later, key=lambda entry: entry.path)


def companions(path: Path) -> tuple[Path, ...]:
    """The other files of a slide in a format of several files: MIRAX' folder, Hamamatsu's images beside its index."""
    kind = path.suffix.lower()
    if kind == ".mrxs":
        folder = path.with_suffix("")
        return tuple(sorted(item for item in folder.iterdir() if item.is_file())) if folder.is_dir() else ()
    if kind in (".vms", ".vmu"):
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(_INDEX_LIMIT)
        except OSError:
            return ()  # the reader says what is wrong with it
        names = re.findall(r"(?im)^(?:ImageFile|MapFile|OptimisationFile|MacroImage)[^=\n]*=\s*(\S.*?)\s*$", text)
        return tuple(sorted(path.parent / name for name in set(names) if (path.parent / name).is_file()))
    return ()


def _is_placeholder(path: Path) -> bool:
    """Whether reading the file would fetch it from a cloud (OneDrive and its like on Windows, iCloud on macOS)."""
    try:
        status = path.stat()
    except OSError:
        return False  # the reader says what is wrong with it
    attributes: int = getattr(status, "st_file_attributes", 0)
    flags: int = getattr(status, "st_flags", 0)
    return bool(attributes & _RECALL_ON_DATA_ACCESS or flags & _DATALESS)


def _dicom_slide(pyramid: dicom.Pyramid) -> FoundSlide:
    return FoundSlide(pyramid.base().path, pyramid.files, "DICOM")


def _rejected(path: Path, error: SlideError) -> Rejected:
    return Rejected(path, f"{error.title}. {error.detail}".strip(), error.advice)
