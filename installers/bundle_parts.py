"""What goes into the frozen bundle, for build.spec: the packages that ship, Qt's plug-ins, and no library that none of
them loads. PyInstaller's lists hold (place in the bundle, file, kind); these functions take and return such lists.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from launchpad.system.licences import distributions

Entry = tuple[str, str, str]

# Of Qt's plug-ins these, by kind; without "lib" and suffix. Everything else would only bring libraries along.
PLUGINS = {
    "platforms": ("qxcb", "qwayland", "qoffscreen", "qwindows", "qcocoa"),
    "platforminputcontexts": ("composeplatforminputcontextplugin", "ibusplatforminputcontextplugin"),
    "platformthemes": ("qxdgdesktopportal",),
    "xcbglintegrations": ("qxcb-egl-integration", "qxcb-glx-integration"),
    "wayland-shell-integration": ("xdg-shell",),
    "wayland-decoration-client": ("adwaita", "bradient"),
    "wayland-graphics-integration-client": ("qt-plugin-wayland-egl",),
    "imageformats": ("qgif", "qico", "qjpeg", "qsvg"),
    "iconengines": ("qsvgicon",),
}
TRANSLATIONS = ("qtbase_de", "qtbase_es", "qtbase_fr", "qtbase_it")
# Modules of packages that ship, for which Launchpad has no use: AVIF and text in Pillow's pictures, parts of Qt.
UNUSED = [
    "PIL._avif", "PIL._imagingft", "PySide6.QtDBus", "PySide6.QtDesigner", "PySide6.QtQml", "PySide6.QtQuick",
    "PySide6.QtSql", "PySide6.QtWebEngineCore", "PySide6.QtWebEngineWidgets", "numpy.f2py", "tkinter",
    "readline",  # its library is under the GPL, and nobody types at a prompt of Python
]  # fmt: skip
_LISTED = ("METADATA", "entry_points.txt", "top_level.txt", "WHEEL")
_SYSTEM = ("/usr/lib/", "/lib/")
_LICENCES = ("LICEN", "COPYING", "NOTICE", "AUTHORS")


def excluded_modules() -> list[str]:
    """What must stay out: the modules of installed packages that do not ship, and parts that nobody uses."""
    shipped = {_key(name) for name in distributions()}
    owners = metadata.packages_distributions()
    others = [name for name, packages in owners.items() if not shipped & {_key(package) for package in packages}]
    return sorted(others) + UNUSED


def lists_of_packages(folder: Path) -> list[tuple[str, str]]:
    """Name, version, licences and entry points of each package that ships, written into `folder`; PyInstaller's datas.

    A copy of the installed lists would name files that do not ship, and where this machine keeps its sources.
    """
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    for name, found in sorted(distributions().items()):
        title = f"{re.sub(r'[-.]+', '_', name)}-{found.version}.dist-info"
        kept = []
        for file in found.files or ():
            below = _below_dist_info(file)
            if below is not None and (
                str(below) in _LISTED or below.parts[0] == "licenses" or below.name.upper().startswith(_LICENCES)
            ):
                target = folder / title / below
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
                kept.append(f"{title}/{below}")
        with (folder / title / "RECORD").open("w", encoding="utf-8", newline="") as record:
            csv.writer(record, lineterminator="\n").writerows([path, "", ""] for path in sorted(set(kept)))
        made.append((str(folder / title), title))
    return made


def licences_of_libraries(binaries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The licences of Python and, on Debian and its relatives, of the system's packages whose libraries ship.

    Raises:
        ValueError: nobody knows whose a library is.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {}
    for place in (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix)):  # Debian's has it in its package
        if (place / "LICENSE.txt").is_file():
            texts["python"] = place / "LICENSE.txt"
    if sys.platform.startswith("linux") and shutil.which("dpkg-query") is not None:
        libraries = {source for _, source, kind in binaries if kind == "BINARY"}
        for source in sorted(source for source in libraries if source.startswith(_SYSTEM)):
            owner = _owner(Path(source))
            if owner is None:
                raise ValueError(f"{source} belongs to no package: its licence is not known")
            texts[owner] = Path("/usr/share/doc") / owner / "copyright"
    said = "".join(text.read_text(encoding="utf-8", errors="replace") for text in texts.values())
    for common in map(Path, re.findall(r"/usr/share/common-licenses/[\w.-]*\w", said)):  # other systems have them not
        texts[common.resolve().name] = common.resolve()
    made = []
    for name, text in sorted(texts.items()):
        target = folder / f"{name}.txt"
        shutil.copyfile(text, target)
        made.append((f"launchpad/resources/libraries/{target.name}", str(target), "DATA"))
    return made


def _owner(library: Path) -> str | None:
    """The Debian package of a library. Its own record has the path without the link /lib, or with it."""
    for path in dict.fromkeys((library, library.resolve(), Path(f"/usr{library}"), Path(str(library.resolve())[4:]))):
        said = subprocess.run(["dpkg-query", "--search", str(path)], capture_output=True, text=True, check=False)
        if said.returncode == 0:
            return said.stdout.partition(":")[0]
    return None


def version_of_windows() -> Any:
    """What the properties of the executables show on Windows, for EXE's `version`. On Windows only."""
    from PyInstaller.utils.win32 import versioninfo as info

    from launchpad import __version__

    digits = [int(number) for number in re.findall(r"\d+", __version__)[:3]]
    numbers = tuple([*digits, 0, 0, 0, 0][:4])
    words = {
        "CompanyName": "The Launchpad authors", "FileDescription": "Launchpad", "FileVersion": __version__,
        "LegalCopyright": "MIT licence. For research use only.", "ProductName": "Launchpad",
        "ProductVersion": __version__,
    }  # fmt: skip
    table = info.StringTable("040904B0", [info.StringStruct(name, text) for name, text in words.items()])
    kids = [info.StringFileInfo([table]), info.VarFileInfo([info.VarStruct("Translation", [1033, 1200])])]
    return info.VSVersionInfo(ffi=info.FixedFileInfo(filevers=numbers, prodvers=numbers), kids=kids)


def wanted(entries: Iterable[Entry]) -> list[Entry]:
    """Without the plug-ins and translations of Qt that no page uses, caches, and lists of packages that hooks add."""
    return [entry for entry in entries if _is_wanted(PurePosixPath(entry[0].replace("\\", "/")))]


def _is_wanted(place: PurePosixPath) -> bool:
    parts = place.parts
    if "__pycache__" in parts:
        return False
    if parts[0] == "PySide6":
        if "plugins" in parts:
            kind, name = parts[parts.index("plugins") + 1], place.name.partition(".")[0].removeprefix("lib")
            return name in PLUGINS.get(kind, ())
        if "translations" in parts:
            return place.stem in TRANSLATIONS
        return "qml" not in parts
    return True


def loaded(entries: Iterable[Entry]) -> list[Entry]:
    """Without libraries that no extension module, plug-in or other kept library loads. On Linux only.

    What is in a package's own folder without being an extension (OpenSlide, Qt's plug-ins) is loaded by name: it stays.
    """
    entries = list(entries)
    if not sys.platform.startswith("linux"):
        return entries
    libraries: dict[str, list[tuple[str, str]]] = {}  # two wheels may bring one of the same name: both stay
    for place, source, kind in entries:
        if kind == "BINARY" and _is_library(PurePosixPath(place)):
            libraries.setdefault(PurePosixPath(place).name, []).append((place, source))
    links = {place: source for place, source, kind in entries if kind == "SYMLINK"}
    kept = {place for place, _, kind in entries if kind != "SYMLINK" and PurePosixPath(place).name not in libraries}
    queue = [source for place, source, kind in entries if place in kept and kind in ("EXTENSION", "BINARY")]
    names = [name for name in libraries if name.startswith("libpython")]
    while names or queue:
        if not names:
            names = needed(Path(queue.pop()))
            continue
        for place, source in libraries.get(names.pop(), ()):
            if place not in kept:
                kept.add(place)
                queue.append(source)
    here = {PurePosixPath(place).name for place in kept}
    return [
        entry for entry in entries
        if entry[0] in kept or (entry[0] in links and PurePosixPath(links[entry[0]]).name in here)
    ]  # fmt: skip


def _is_library(place: PurePosixPath) -> bool:
    """A library that others load: beside the packages, or in the folder of libraries that a package brings."""
    return len(place.parts) == 1 or place.parts[0].endswith(".libs") or place.parts[:3] == ("PySide6", "Qt", "lib") \
        or place.name.startswith(("libpyside6", "libshiboken6"))  # fmt: skip


def needed(file: Path) -> list[str]:
    """The names of the libraries that an ELF file wants to be loaded with it.

    Raises:
        subprocess.CalledProcessError: it is none.
    """
    told = subprocess.run(["objdump", "-p", str(file)], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s+NEEDED\s+(\S+)$", told, re.MULTILINE)


def stripped(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """With copies, in `folder`, without symbols of Python's library and of extension modules. On Linux only.

    Not those of wheels that bring libraries along (auditwheel has moved their parts: OpenBLAS would not load any more),
    nor Qt's, which come without.
    """
    entries = list(entries)
    if not sys.platform.startswith("linux"):
        return entries
    shutil.rmtree(folder, ignore_errors=True)
    with_libraries = {PurePosixPath(place).parts[0] for place, _, _ in entries if ".libs" in place}
    moved = {name.removesuffix(".libs") for name in with_libraries} | {"PIL", "cv2", "PySide6", "shiboken6"}
    made = []
    for place, source, kind in entries:
        first = PurePosixPath(place).parts[0]
        if (kind == "EXTENSION" and first not in moved) or first.startswith("libpython"):
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            subprocess.run(["strip", "--strip-unneeded", str(target)], check=True)
            source = str(target)
        made.append((place, source, kind))
    return made


def put_in_order(archive: Path) -> None:
    """Write a ZIP archive anew with its files in the order of their names.

    PyInstaller writes Python's first modules in the order in which it came to them, which is not the same every time.
    """
    with zipfile.ZipFile(archive) as old:
        files = [(info, old.read(info)) for info in sorted(old.infolist(), key=lambda info: info.filename)]
    with zipfile.ZipFile(archive, "w") as new:
        for info, content in files:
            new.writestr(zipfile.ZipInfo(info.filename, info.date_time), content)


def _below_dist_info(file: PurePosixPath) -> PurePosixPath | None:
    """The rest of a path below its package's list; None for other files."""
    for number, part in enumerate(file.parts):
        if part.endswith(".dist-info"):
            return PurePosixPath(*file.parts[number + 1 :])
    return None


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
