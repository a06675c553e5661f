"""Other programs get none of what a frozen program sets for itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from launchpad.other_programs import clean_environment, open_in_browser

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the browser")


def _program(path: Path, then: str = "") -> Path:
    path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{path}.asked"\nenv > "{path}.env.part"\n'
                    f'mv "{path}.env.part" "{path}.env"\n{then}\n')  # fmt: skip
    path.chmod(0o755)
    return path


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As in the bundle: the loader has put the folder of the libraries first."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "bundle"), raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "bundle"))
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/theirs")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "secret")
    return tmp_path


def test_what_is_ours_goes_and_what_was_set_aside_comes_back(frozen: Path) -> None:
    environment = clean_environment()
    assert environment["LD_LIBRARY_PATH"] == "/opt/theirs"
    assert "LAUNCHPAD_TOKEN" not in environment
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("options", ["", " --new-window %s"])
def test_the_browser_of_a_frozen_program_sees_its_own_libraries(
    frozen: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    browser = _program(frozen / "browser")
    monkeypatch.setenv("BROWSER", f"{browser}{options}")
    assert open_in_browser("https://localhost/x?a=1&b=2")
    asked = Path(f"{browser}.asked").read_text().split()
    assert asked == [*options.split()[:1], "https://localhost/x?a=1&b=2"]
    seen = Path(f"{browser}.env").read_text().splitlines()
    assert "LD_LIBRARY_PATH=/opt/theirs" in seen
    assert not any(line.startswith("LAUNCHPAD_") for line in seen)


def test_a_browser_that_fails_or_is_not_there_is_said(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", str(_program(frozen / "browser", then="exit 3")))
    assert not open_in_browser("https://localhost")
    monkeypatch.setenv("BROWSER", str(frozen / "none"))
    assert not open_in_browser("https://localhost")
