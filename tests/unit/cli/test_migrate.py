"""From the old SDK to Launchpad: what is taken over, and the command under the old name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.settings import load_settings
from launchpad.system import migration

posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")


@pytest.fixture
def old_home(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with what the old SDK leaves there."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "share"))
    (home / ".aignostics").mkdir(parents=True)
    (home / ".aignostics" / ".env").write_text(
        "AIGNOSTICS_LOG_LEVEL=DEBUG\nAIGNOSTICS_REFRESH_TOKEN=0123456789abcdef\nAIGNOSTICS_SENTRY_DSN=x\n"
    )
    monkeypatch.setattr(migration, "old_data", lambda: home / "share" / "aignostics")
    for name in ("results/run-1", "datasets/idc/tcga_luad", "QuPath-0.6.0"):
        (home / "share" / "aignostics" / name).mkdir(parents=True)
    (home / "share" / "aignostics" / "results" / "run-1" / "a.csv").write_text("x")
    return home


def test_settings_results_and_qupath_are_taken_over_and_no_token(old_home: Path) -> None:
    planned = migration.take_over(dry_run=True)
    assert not paths.env_file().exists()
    done = migration.take_over()
    assert done == planned
    settings = load_settings()
    assert settings.log_level == "DEBUG"
    assert settings.refresh_token is None
    assert "0123456789abcdef" not in paths.env_file().read_text()
    assert "0123456789abcdef" not in repr(done)
    assert settings.qupath is not None
    assert settings.qupath.endswith("QuPath-0.6.0")
    assert (paths.results_dir() / "run-1" / "a.csv").read_text() == "x"
    assert (paths.data_dir() / "datasets" / "idc" / "tcga_luad").is_dir()
    assert not [item for item in migration.take_over() if item.target], "a second time there is nothing new"


def test_settings_that_do_not_validate_are_not_taken_over(old_home: Path) -> None:
    (old_home / ".aignostics" / ".env").write_text("AIGNOSTICS_LOG_LEVEL=LOUD\n")
    with pytest.raises(LaunchpadError, match="LOG_LEVEL"):
        migration.take_over()
    assert not paths.env_file().exists()


def test_another_program_of_that_name_is_left_alone(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    other = folder / ("aignostics.exe" if sys.platform == "win32" else "aignostics")
    other.write_text("theirs")
    with pytest.raises(LaunchpadError) as caught:
        migration.write_alias(folder)
    assert caught.value.exit_code == 1
    assert caught.value.subject == str(other)
    assert other.read_text() == "theirs"


@posix
def test_the_alias_uses_the_chosen_platform_and_says_when_none_is(data_dir: Path, tmp_path: Path) -> None:
    path = migration.write_alias(tmp_path / "bin")
    assert migration.write_alias(tmp_path / "bin") == path, "its own file is written again"

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(path), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )

    refused = call("sdk", "run-metadata-schema")
    assert refused.returncode == 78
    assert "launchpad profile use " in refused.stderr
    assert os.environ.get("LAUNCHPAD_PROFILE") is None
    subprocess.run([sys.executable, "-m", "launchpad", "profile", "use", "local"], check=True, timeout=60)
    assert call("sdk", "run-metadata-schema").returncode == 0


@posix
def test_the_alias_asks_on_a_terminal_and_keeps_the_choice(data_dir: Path, tmp_path: Path) -> None:
    import pty

    path = migration.write_alias(tmp_path / "bin")

    def on_terminal(answer: bytes) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        words = [str(path), "sdk", "run-metadata-schema", "--no-pretty"]
        with subprocess.Popen(words, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
            os.close(theirs)
            os.write(ours, answer)
            assert process.stdout is not None
            out = process.stdout.read().decode()
            shown = b""
            while True:
                try:
                    block = os.read(ours, 4096)
                except OSError:  # the other end is closed
                    break
                if not block:
                    break
                shown += block
        os.close(ours)
        assert ("Which platform" in shown.decode()) == bool(answer)
        assert "Which platform" not in out, "what a script reads stays clean"
        return process.returncode, out

    assert on_terminal(b"9\n")[0] == 2, "no such number"
    code, out = on_terminal(b"1\n")
    assert code == 0
    assert out.startswith("{")
    assert on_terminal(b"")[0] == 0, "it is asked once"
    assert migration.profile_is_chosen()
