"""The installers of Windows and macOS, as far as they can be proven in seconds: lists, script, Info.plist, icons."""

from __future__ import annotations

import importlib.util
import io
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from launchpad.wsi.formats import NAMES

ROOT = Path(__file__).resolve().parents[2]


def load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


windows = load("windows_build", ROOT / "installers" / "windows" / "build.py")
macos = load("macos_bundle", ROOT / "installers" / "macos" / "bundle.py")
icons = load("icons_of_installers", ROOT / "installers" / "icons.py")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (folder / "_internal" / "deep").mkdir(parents=True)
    for name in ("launchpad.exe", "launchpad-desktop.exe", "_internal/a $x.txt", "_internal/deep/b.txt"):
        (folder / name).write_bytes(b"MZ" + name.encode())
    return folder


def test_the_lists_name_every_file_and_remove_nothing_else(bundle: Path, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    windows.write_lists(bundle, lists)
    install, remove = ((lists / f"{name}.nsh").read_text("utf-8-sig") for name in ("install", "uninstall"))
    assert install.count("File ") == 4
    assert remove.count("Delete ") == 4
    assert 'Delete "$INSTDIR\\_internal\\a $$x.txt"' in remove
    assert "RMDir /r" not in remove
    assert remove.index("deep\\b.txt") < remove.index('RMDir "$INSTDIR\\_internal\\deep"')
    assert remove.index('RMDir "$INSTDIR\\_internal\\deep"') < remove.index('RMDir "$INSTDIR\\_internal"\n')
    types = (lists / "types.nsh").read_text("utf-8-sig")
    assert all(f"\\{suffix}\\OpenWithProgids" in types for suffix in NAMES)


def test_versions_for_windows_have_four_numbers() -> None:
    assert [windows.four_numbers(text) for text in ("1.2.3", "1.2", "1.2.3rc4")] == ["1.2.3.0", "1.2.0.0", "1.2.3.0"]


def test_a_trial_version_is_older_than_its_release_for_the_installer_too() -> None:
    rising = ["1.9.0", "1.10.0.dev1", "1.10.0a1", "1.10.0rc1", "1.10.0rc2", "1.10.0"]
    places = [tuple(map(int, windows.place_in_order(version).split("."))) for version in rising]
    assert places == sorted(set(places))
    assert {len(place) for place in places} == {7}


@pytest.mark.skipif(shutil.which("makensis") is None, reason="makensis is not installed (Debian: nsis)")
def test_the_installer_compiles_to_the_same_bytes_and_says_that_it_is_unsigned(bundle: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPAD_")}
    first = windows.build(bundle, tmp_path / "one", "1.2.3", environment)
    assert first.name == "launchpad-1.2.3-windows-x64-setup-unsigned.exe"
    kept = first.read_bytes()
    assert machine(kept) == 0x8664
    assert windows.build(bundle, tmp_path / "one", "1.2.3", environment).read_bytes() == kept
    # As NSIS on Windows makes it.
    assert machine(windows.build(bundle, tmp_path / "one", "1.2.3", environment, "x86-unicode").read_bytes()) == 0x14C


def machine(program: bytes) -> int:
    """The processor that a program of Windows is for."""
    assert program[:2] == b"MZ"
    header = int.from_bytes(program[0x3C:0x40], "little")
    return int.from_bytes(program[header + 4 : header + 6], "little")


def test_info_plist_says_what_macos_asks_for() -> None:
    found = plistlib.loads(plistlib.dumps(macos.information("1.2.3rc1")))
    assert found["CFBundleShortVersionString"] == "1.2.3"
    assert found["CFBundleExecutable"] == "launchpad-desktop"
    assert found["LSMinimumSystemVersion"] == "13.0"
    assert {f".{suffix}" for suffix in found["CFBundleDocumentTypes"][0]["CFBundleTypeExtensions"]} == set(NAMES)
    assert found["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["launchpad"]
    with pytest.raises(ValueError):
        macos.information("latest")
    printed = subprocess.run(
        [sys.executable, str(ROOT / "installers/macos/bundle.py"), "entitlements"], check=True, capture_output=True
    ).stdout
    assert plistlib.loads(printed) == macos.entitlements()
    assert not any("debug" in right or "get-task-allow" in right for right in macos.entitlements())


def test_the_app_has_code_and_data_where_codesign_wants_them(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "_internal" / "numpy-2.0.dist-info").mkdir(parents=True)
    (bundle / "_internal" / "numpy-2.0.dist-info" / "METADATA").write_text("data")
    (bundle / "_internal" / "numpy" / ".dylibs").mkdir(parents=True)
    (bundle / "_internal" / "numpy" / "version.txt").write_text("2.0")
    code = ("_internal/libx.dylib", "_internal/numpy/core.so", "_internal/numpy/.dylibs/libblas.dylib")
    for name in ("launchpad", "launchpad-desktop", *code):
        (bundle / name).write_bytes(b"\xcf\xfa\xed\xfe code")
    (bundle / "_internal" / "libblas.dylib").symlink_to("numpy/.dylibs/libblas.dylib")
    framework = bundle / "_internal" / "PySide6" / "Qt" / "lib" / "QtCore.framework" / "Versions" / "A"
    (framework / "Resources").mkdir(parents=True)
    (framework / "QtCore").write_bytes(b"\xcf\xfa\xed\xfe code")
    (framework / "Resources" / "Info.plist").write_text("data")
    (framework.parent / "Current").symlink_to("A")
    contents = macos.make(bundle, tmp_path / "out", "1.2.3") / "Contents"
    assert (contents / "Frameworks" / "libx.dylib").is_file()
    assert (contents / "Frameworks" / "numpy-2.0.dist-info").is_symlink()
    assert (contents / "Frameworks" / "numpy-2.0.dist-info" / "METADATA").read_text() == "data"
    assert (contents / "Resources" / "launchpad.icns").is_file()
    frameworks = contents / "Frameworks"
    for path in (bundle / "_internal").rglob("*"):  # the program finds all where it was
        assert (frameworks / path.relative_to(bundle / "_internal")).exists(), path
    own = [path for path in frameworks.rglob("*") if not path.is_symlink() and "QtCore.framework" not in path.parts]
    assert {path.name for path in own if path.is_file()} == {"libx.dylib", "core.so", "libblas.dylib"}, "code alone"
    assert not [path for path in own if path.is_dir() and "." in path.name], "no folder that looks like a bundle"
    assert (frameworks / "PySide6/Qt/lib/QtCore.framework/Versions/Current/Resources/Info.plist").read_text() == "data"
    assert not any(path.read_bytes().startswith(b"\xcf") for path in (contents / "Resources").rglob("*.so"))
    (bundle / "launchpad").unlink()
    with pytest.raises(FileNotFoundError):
        macos.make(bundle, tmp_path / "out", "1.2.3")


def test_the_icons_have_all_sizes() -> None:
    with Image.open(io.BytesIO(icons.ico())) as ico:
        assert set(ico.info["sizes"]) == {(size, size) for size in icons.ICO}
        for size in ico.info["sizes"]:
            picture = ico.ico.getimage(size)  # type: ignore[attr-defined]
            assert picture.size == size
            assert len(picture.getcolors(1 << 20) or [None] * 9) > 4, "it is blank"
    with Image.open(io.BytesIO(icons.icns())) as icns:
        sizes = {(width * scale, height * scale) for width, height, scale in icns.info["sizes"]}
        assert {(16, 16), (32, 32), (128, 128), (256, 256), (512, 512), (1024, 1024)} <= sizes
        icns.load()
