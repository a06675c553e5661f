"""What programs that are not ours find in their environment; the bundle's own check is in `launchpad self-test`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launchpad.other_programs import clean_environment, give_back_environment, set_by_the_bundle


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As PyInstaller's loader leaves a process."""
    own = tmp_path / "_internal"
    monkeypatch.setattr(sys, "_MEIPASS", str(own), raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{own}:/of/the/person")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/of/the/person")
    monkeypatch.setenv("QT_PLUGIN_PATH", str(own / "PySide6" / "Qt" / "plugins"))
    monkeypatch.setenv("_PYI_ARCHIVE_FILE", "/opt/launchpad.pkg")
    monkeypatch.setenv("QT_SCALE_FACTOR", "1.5")
    monkeypatch.setenv("LAUNCHPAD_LOG_LEVEL", "DEBUG")
    return own


def test_a_program_started_without_care_is_not_led_into_the_bundle(bundle: Path) -> None:
    assert set_by_the_bundle(os.environ) == ["LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "_PYI_ARCHIVE_FILE"]
    give_back_environment()
    said = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "LD_LIBRARY_PATH=/of/the/person" in said
    assert "QT_SCALE_FACTOR=1.5" in said, "what is the person's own stays"
    assert not [line for line in said if str(bundle) in line or line.startswith(("_PYI_", "LD_LIBRARY_PATH_ORIG"))]
    assert set_by_the_bundle(os.environ) == []


def test_a_clean_environment_has_nothing_of_ours_after_that_either(bundle: Path) -> None:
    before = clean_environment()
    give_back_environment()
    assert clean_environment() == before
    assert before["LD_LIBRARY_PATH"] == "/of/the/person"
    assert "LAUNCHPAD_LOG_LEVEL" not in before


def test_from_source_nothing_is_the_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/the/person")
    assert set_by_the_bundle(os.environ) == []
