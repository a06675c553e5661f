"""What the wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from launchpad import __version__

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


def test_code_resources_and_licence_come_along(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    for folder, place in ((ROOT / "app" / "launchpad", "launchpad"), (ROOT / "resources", "launchpad/resources")):
        expected = {
            f"{place}/{path.relative_to(folder).as_posix()}"
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert expected <= names
    assert not [name for name in names if name.startswith(("tests/", "app/", "installers/"))]
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_the_metadata_say_what_it_is_and_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        said = message_from_string(packed.read(name).decode())
    assert wheel.name == f"pathology_launchpad-{__version__}-py3-none-any.whl"
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("pathology-launchpad", __version__, "MIT")
    assert said["Requires-Python"] == "<3.15,>=3.11"
    assert said["Metadata-Version"] == "2.4"
    assert said["Description-Content-Type"] == "text/markdown"
    assert str(said.get_payload()).lstrip().startswith("# Launchpad")
    assert {"mcp", "notebook", "qupath", "marimo"} == set(said.get_all("Provides-Extra", []))
    needs = [line for line in said.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert "pyside6-essentials<6.12,>=6.8.3" in needs
    locked = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    for need in needs:
        bare = re.split(r"[<>=\[;]", need)[0]
        assert re.search(rf"^{re.escape(bare)}(\[\w+\])?==", locked, re.MULTILINE), f"{need} is not locked"


def test_three_commands_start_two_programs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith("/entry_points.txt")]
        lines = packed.read(name).decode().split("\n")
    assert "launchpad = launchpad.cli:main" in lines
    assert "launchpad-desktop = launchpad.desktop.__main__:run" in lines
    assert "pathology-launchpad = launchpad.desktop.__main__:run" in lines


def test_the_library_imports_from_the_wheel_without_qt(wheel: Path) -> None:
    code = (
        "import sys; from launchpad import platform; import launchpad.cli; assert platform.Client;"
        "import launchpad; assert sys.argv[1] in launchpad.__file__, launchpad.__file__;"
        "assert not [name for name in sys.modules if name.startswith('PySide6')]"
    )
    # What the editable installation puts on the path comes after the wheel.
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {code}", str(wheel)], check=True
    )
