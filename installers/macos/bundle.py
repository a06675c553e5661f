"""Makes Launchpad.app of PyInstaller's folder: `bundle.py BUNDLE FOLDER [VERSION]`. Signs nothing; sign.sh does.

The layout is Apple's: code in Contents/MacOS and Contents/Frameworks, everything else in Contents/Resources.
"""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import icons  # noqa: E402

IDENTIFIER = "org.pathology-launchpad.Launchpad"
OLDEST = "13.0"  # what the wheels of PySide6 6.11 were built for


def version_of_project() -> str:
    """The version in pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def slide_suffixes() -> list[str]:
    """The suffixes of slide files, without their dots."""
    text = (ROOT / "app" / "launchpad" / "wsi" / "formats.py").read_text(encoding="utf-8")
    return [suffix[1:] for suffix in re.findall(r'^    "(\.\w+)": "', text, re.MULTILINE)]


def information(version: str) -> dict[str, Any]:
    """Info.plist."""
    numbers = re.match(r"\d+(?:\.\d+){0,2}", version)
    if numbers is None:
        raise ValueError(f"{version} is no version")
    return {
        "CFBundleName": "Launchpad",
        "CFBundleDisplayName": "Launchpad",
        "CFBundleIdentifier": IDENTIFIER,
        "CFBundleExecutable": "launchpad-desktop",
        "CFBundleIconFile": "launchpad.icns",
        "CFBundlePackageType": "APPL",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleDevelopmentRegion": "en",
        "CFBundleShortVersionString": numbers[0],
        "CFBundleVersion": numbers[0],
        "LSMinimumSystemVersion": OLDEST,
        "LSApplicationCategoryType": "public.app-category.medical",
        "NSHighResolutionCapable": True,
        "NSRequiresAquaSystemAppearance": False,  # dark, too
        "NSHumanReadableCopyright": "MIT licence. For research use only.",
        "CFBundleDocumentTypes": [
            {
                "CFBundleTypeName": "Whole slide image",
                "CFBundleTypeRole": "Viewer",
                # What opens slides and pictures now stays; Launchpad is one more choice.
                "LSHandlerRank": "Alternate",
                "CFBundleTypeExtensions": slide_suffixes(),
            },
            {
                "CFBundleTypeName": "Folder of slides",
                "CFBundleTypeRole": "Viewer",
                "LSHandlerRank": "None",
                "LSItemContentTypes": ["public.folder"],
            },
        ],
        "CFBundleURLTypes": [
            {"CFBundleURLName": IDENTIFIER, "CFBundleURLSchemes": ["launchpad"], "CFBundleTypeRole": "Viewer"}
        ],
    }


def entitlements() -> dict[str, bool]:
    """What the hardened runtime must allow.

    Python's ctypes and Qt's QML-free widgets need no just-in-time code; openslide and numpy are loaded from the bundle
    and signed with it, so library validation stays on. cffi makes executable memory for callbacks.
    """
    return {"com.apple.security.cs.allow-unsigned-executable-memory": True}


def make(bundle: Path, folder: Path, version: str) -> Path:
    """Make the app; an earlier one is replaced.

    Raises:
        FileNotFoundError: the bundle lacks one of the two executables.
    """
    app = folder / "Launchpad.app"
    shutil.rmtree(app, ignore_errors=True)
    contents = app / "Contents"
    for name in ("launchpad", "launchpad-desktop"):
        if not (bundle / name).is_file():
            raise FileNotFoundError(f"{bundle / name} is missing")
    (contents / "MacOS").mkdir(parents=True)
    (contents / "Resources").mkdir()
    for entry in sorted(bundle.iterdir()):
        if entry.name == "_internal":
            _divide(entry, contents / "Frameworks", contents / "Resources")
        else:
            shutil.copy2(entry, contents / "MacOS" / entry.name)
    (contents / "Resources" / "launchpad.icns").write_bytes(icons.icns())
    (contents / "PkgInfo").write_text("APPL????", encoding="ascii")
    with (contents / "Info.plist").open("wb") as file:
        plistlib.dump(information(version), file)
    return app


def _divide(source: Path, frameworks: Path, resources: Path) -> None:
    """Copy code to Frameworks and data to Resources, with links in Frameworks, where the frozen program looks for all.

    codesign takes only code in Frameworks, and a folder there whose name holds a dot for a bundle of its own: numpy's
    `.dylibs` gets another name and a link that has its own.
    """
    frameworks.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        place = frameworks / entry.name
        if entry.is_symlink():
            place.symlink_to(entry.readlink())
        elif entry.suffix == ".framework":
            shutil.copytree(entry, place, symlinks=True)
        elif not _holds_code(entry):
            resources.mkdir(parents=True, exist_ok=True)
            if entry.is_dir():
                shutil.copytree(entry, resources / entry.name, symlinks=True)
            else:
                shutil.copy2(entry, resources / entry.name)
            place.symlink_to(os.path.relpath((resources / entry.name).resolve(), frameworks.resolve()))
        elif entry.is_dir():
            if "." in entry.name:
                place = frameworks / entry.name.replace(".", "__dot__")
                (frameworks / entry.name).symlink_to(place.name)
            _divide(entry, place, resources / entry.name)
        else:
            shutil.copy2(entry, place)


def _holds_code(entry: Path) -> bool:
    if entry.is_dir():
        return any(_holds_code(inner) for inner in entry.rglob("*") if inner.is_file() and not inner.is_symlink())
    with entry.open("rb") as file:
        head = file.read(4)
    return head in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")  # Mach-O


def main(arguments: list[str]) -> int:
    """Make what the arguments say."""
    if arguments == ["entitlements"]:
        sys.stdout.buffer.write(plistlib.dumps(entitlements()))
        return 0
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    print(make(Path(arguments[0]), Path(arguments[1]), arguments[2] if len(arguments) == 3 else version_of_project()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
