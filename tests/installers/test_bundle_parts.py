"""What goes into the frozen bundle; the lists are those of PyInstaller."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("objdump") is None, reason="reads ELF files by objdump"
)


@pytest.fixture(scope="module")
def parts() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundle_parts", ROOT / "installers" / "bundle_parts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_packages_for_development_stay_out_and_those_that_ship_do_not(parts: ModuleType) -> None:
    excluded = set(parts.excluded_modules())
    assert {"pytest", "_pytest", "hypothesis", "mypy", "boto3", "moto", "marimo", "pandas", "yaml"} <= excluded
    assert not excluded & {"launchpad", "numpy", "cv2", "PySide6", "google", "fastapi", "mcp", "openslide_bin", "PIL"}


def test_lists_of_packages_name_what_ships_and_no_place_of_this_machine(parts: ModuleType, tmp_path: Path) -> None:
    made = dict(parts.lists_of_packages(tmp_path))
    titles = {title.partition("-")[0]: Path(folder) for folder, title in made.items()}
    assert {"pathology_launchpad", "numpy", "pyside6_essentials", "mcp"} <= set(titles)
    assert not {"pytest", "pyinstaller"} & set(titles)
    for folder in titles.values():
        files = {path.relative_to(tmp_path).as_posix() for path in folder.rglob("*") if path.is_file()}
        listed = {line.partition(",")[0] for line in (folder / "RECORD").read_text(encoding="utf-8").splitlines()}
        assert listed == {name for name in files if not name.endswith("/RECORD")}
        assert str(ROOT) not in "".join(path.read_text(encoding="utf-8") for path in folder.glob("*") if path.is_file())
    assert list(titles["numpy"].rglob("LICENSE*"))


def test_of_qt_only_wanted_plugins_and_translations_stay(parts: ModuleType) -> None:
    kept = [
        "PySide6/Qt/plugins/platforms/libqxcb.so", "PySide6\\plugins\\platforms\\qwindows.dll",
        "PySide6/Qt/plugins/iconengines/libqsvgicon.so", "PySide6/Qt/translations/qtbase_de.qm", "numpy/core.so",
    ]  # fmt: skip
    dropped = [
        "PySide6/Qt/plugins/platformthemes/libqgtk3.so", "PySide6/Qt/plugins/platforms/libqvnc.so",
        "PySide6/Qt/translations/qtbase_fi.qm", "PySide6/Qt/qml/QtQuick/x.so", "launchpad/resources/__pycache__/x.pyc",
    ]  # fmt: skip
    entries = [(name, "file", "BINARY") for name in kept + dropped]
    assert [name for name, _, _ in parts.wanted(entries)] == kept


@on_linux
def test_a_library_that_nothing_loads_is_left_out_and_what_is_loaded_over_others_stays(
    parts: ModuleType, tmp_path: Path
) -> None:
    linker = shutil.which("ld")
    if linker is None:
        pytest.skip("no linker is on this machine")

    (tmp_path / "data").write_text("data")
    subprocess.run([linker, "-r", "-b", "binary", "-o", "data.o", "data"], check=True, cwd=tmp_path)

    def library(name: str, *needs: str) -> str:
        command = [linker, "-shared", "--no-as-needed", "-soname", name, "-o", name, "data.o", *needs]
        subprocess.run(command, check=True, cwd=tmp_path)
        return str(tmp_path / name)

    deep = ("some.libs/libdeep.so", library("libdeep.so"), "BINARY")
    same = ("other.libs/libdeep.so", library("libdeep.so"), "BINARY")
    near = ("libnear.so", library("libnear.so", "libdeep.so"), "BINARY")
    unused = ("libunused.so", library("libunused.so", "libdeep.so"), "BINARY")
    module = ("some/module.so", library("module.so", "libnear.so"), "EXTENSION")
    by_name = ("openslide_bin/libopenslide.so.1", library("libopenslide.so.1"), "BINARY")
    good, bad = ("libdeep.so", "some.libs/libdeep.so", "SYMLINK"), ("libx.so", "some.libs/libx.so", "SYMLINK")
    given = [deep, same, near, unused, module, by_name, good, bad]
    assert parts.loaded(given) == [deep, same, near, module, by_name, good]


@on_linux
def test_symbols_go_from_extension_modules_but_not_from_those_that_bring_libraries(
    parts: ModuleType, tmp_path: Path
) -> None:
    source = next(Path(sys.prefix).glob("lib/python*/site-packages/rpds/rpds*.so"))
    entries = [
        ("rpds/rpds.so", str(source), "EXTENSION"), ("numpy/x.so", str(source), "EXTENSION"),
        ("numpy.libs/y.so", str(source), "BINARY"),
    ]  # fmt: skip
    before = source.read_bytes()
    stripped, *others = parts.stripped(entries, tmp_path)
    assert stripped[0] == "rpds/rpds.so"
    assert stripped[1] == str(tmp_path / "rpds" / "rpds.so")
    assert others == entries[1:]
    assert source.read_bytes() == before, "the environment keeps its own"


def test_an_archive_is_the_same_whatever_order_it_was_written_in(parts: ModuleType, tmp_path: Path) -> None:
    files = {"locale.pyc": b"l", "re/_parser.pyc": b"p", "re/__init__.pyc": b"i"}
    for name, order in (("one", sorted(files)), ("other", list(files))):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for entry in order:
                archive.writestr(zipfile.ZipInfo(entry), files[entry])
        parts.put_in_order(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    with zipfile.ZipFile(tmp_path / "other") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
