"""`platform.toml`: what it may say, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from launchpad.errors import SettingsError
from launchpad.localplatform.settings import PlatformSettings


def refused(folder: Path, text: str) -> SettingsError:
    (folder / "platform.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as found:
        PlatformSettings.load(folder)
    assert found.value.exit_code == 78
    assert found.value.advice
    assert found.value.subject.endswith("platform.toml")
    return found.value


def test_without_a_file_everything_is_as_it_comes(tmp_path: Path) -> None:
    assert PlatformSettings.load(tmp_path) == PlatformSettings()


def test_values_are_read(tmp_path: Path) -> None:
    (tmp_path / "platform.toml").write_text('port = 8123\nlog_level = "DEBUG"\nretention_days = 30\n')
    settings = PlatformSettings.load(tmp_path)
    assert (settings.port, settings.log_level, settings.retention_days) == (8123, "DEBUG", 30)


def test_an_unknown_setting_is_refused_with_its_line_and_the_name_that_was_meant(tmp_path: Path) -> None:
    error = refused(tmp_path, "# institute\nport = 8123\nretention_day = 30\n")
    assert "line 3, retention_day: there is no such setting; did you mean retention_days?" in error.detail


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port = 70000", "line 2, port"),
        ("port = '80'x", "line 2"),
        ("header_seconds = 0", "line 2, header_seconds"),
        ('log_level = "LOUD"', "line 2, log_level"),
        ("items_per_run = 0", "line 2, items_per_run"),
        ("retention_days = -1", "line 2, retention_days"),
    ],
)
def test_a_bad_value_is_refused_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    assert words in refused(tmp_path, f"\n{line}\n").detail


def test_several_are_told_at_once(tmp_path: Path) -> None:
    detail = refused(tmp_path, "port = -1\nnothing = 2\n").detail
    assert "line 1, port" in detail
    assert "line 2, nothing" in detail
