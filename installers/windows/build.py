"""Compiles the Windows installer: `build.py BUNDLE FOLDER [VERSION]`, the bundle being PyInstaller's folder.

Signed where LAUNCHPAD_WINDOWS_CERTIFICATE (or _SIGN_COMMAND) is set, see sign.sh; otherwise the file's name ends with
`-unsigned`, and the last line says so. The same bundle gives the same bytes (SOURCE_DATE_EPOCH).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
import icons  # noqa: E402

from launchpad.system.release_feed import order  # noqa: E402

# NSIS for Windows has nothing to begin a 64-bit installer with, and wine of 64 bits runs no other. Both do the same.
TARGET = "x86-unicode" if sys.platform == "win32" else "amd64-unicode"


def slide_suffixes() -> list[str]:
    """The suffixes of slide files that are Launchpad's to offer itself for."""
    text = (ROOT / "app" / "launchpad" / "wsi" / "formats.py").read_text(encoding="utf-8")
    return re.findall(r'^    "(\.\w+)": "', text, re.MULTILINE)


def version_of_project() -> str:
    """The version in pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def four_numbers(version: str) -> str:
    """A version as Windows wants it: 1.2.3rc4 is 1.2.3.0."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    parts = (numbers[0] if numbers else "0").split(".")
    return ".".join([*parts, "0", "0", "0"][:4])


def place_in_order(version: str) -> str:
    """A version in numbers that NSIS compares as Launchpad does its own: a trial version comes before its release."""
    *numbers, stage, number, is_released = order(version)
    return ".".join(map(str, (*numbers, stage + 1, number, is_released)))


def quoted(path: str) -> str:
    """A text between NSIS' quotes; a dollar sign is one only when it is doubled."""
    return path.replace("$", "$$").replace('"', '$\\"')


def write_lists(bundle: Path, folder: Path) -> None:
    """The files that are installed and removed, one by one."""
    install, remove, folders = [], [], []
    for place in sorted([bundle, *(path for path in bundle.rglob("*") if path.is_dir())]):
        relative = place.relative_to(bundle).as_posix().replace("/", "\\")
        target = "$INSTDIR" if relative == "." else f"$INSTDIR\\{quoted(relative)}"
        files = sorted(file for file in place.iterdir() if file.is_file())
        install.append(f'SetOutPath "{target}"')
        install += [f'File "{file}"' for file in files]
        remove += [f'Delete "{target}\\{quoted(file.name)}"' for file in files]
        folders.append(target)
    remove += [f'RMDir "{target}"' for target in sorted(folders, key=len, reverse=True) if target != "$INSTDIR"]
    suffixes = slide_suffixes()
    lists = {
        "install": install,
        "uninstall": remove,
        "types": [
            f'WriteRegStr HKCU "${{CLASSES}}\\{suffix}\\OpenWithProgids" "Launchpad.Slide" ""' for suffix in suffixes
        ],
        "no_types": [
            line
            for suffix in suffixes
            for line in (
                f'DeleteRegValue HKCU "${{CLASSES}}\\{suffix}\\OpenWithProgids" "Launchpad.Slide"',
                f'DeleteRegKey /ifempty HKCU "${{CLASSES}}\\{suffix}\\OpenWithProgids"',
                f'DeleteRegKey /ifempty HKCU "${{CLASSES}}\\{suffix}"',
            )
        ],
    }
    for name, lines in lists.items():
        (folder / f"{name}.nsh").write_text("\n".join(lines) + "\n", encoding="utf-8-sig")


def is_signed(environment: Mapping[str, str]) -> bool:
    """Whether there is something to sign with."""
    names = ("LAUNCHPAD_WINDOWS_CERTIFICATE", "LAUNCHPAD_WINDOWS_SIGN_COMMAND")
    return any(environment.get(name) for name in names)


def build(bundle: Path, folder: Path, version: str, environment: Mapping[str, str], target: str = TARGET) -> Path:
    """Compile it; the installer's file.

    Raises:
        subprocess.CalledProcessError: NSIS refuses the script, or a file cannot be signed or verified.
    """
    signed = is_signed(environment)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"launchpad-{version}-windows-x64-setup{'' if signed else '-unsigned'}.exe"
    sign = f'sh "{HERE / "sign.sh"}"'
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        lists = work / "lists"
        lists.mkdir()
        if signed:
            bundle = Path(shutil.copytree(bundle, work / "bundle", symlinks=True))
            ours = [str(file) for file in sorted(bundle.glob("launchpad*.exe"))]
            subprocess.run(["sh", str(HERE / "sign.sh"), *ours], check=True, env=dict(environment))
        write_lists(bundle, lists)
        icon = work / "launchpad.ico"
        icon.write_bytes(icons.ico())
        defined = {
            "TARGET": target, "VERSION": version, "VERSION4": four_numbers(version),
            "ORDER": place_in_order(version), "OUT": str(out), "FILES": str(lists),
            "ICON": str(icon), "LICENSE": str(ROOT / "LICENSE"),
        }  # fmt: skip
        if signed:
            defined["SIGN"] = sign
        mark = "/" if sys.platform == "win32" else "-"
        options = [f"{mark}D{name}={value}" for name, value in defined.items()]
        epoch = environment.get("SOURCE_DATE_EPOCH", "1767225600")
        subprocess.run(
            ["makensis", f"{mark}V2", f"{mark}WX", *options, str(HERE / "launchpad.nsi")],
            check=True, env=dict(environment) | {"SOURCE_DATE_EPOCH": epoch},
        )  # fmt: skip
    return out


def main(arguments: list[str]) -> int:
    """Build what the arguments say."""
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    version = arguments[2] if len(arguments) == 3 else version_of_project()
    made = build(Path(arguments[0]).resolve(), Path(arguments[1]).resolve(), version, os.environ)
    print(f"{'signed' if is_signed(os.environ) else 'unsigned'}: {made} ({made.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
