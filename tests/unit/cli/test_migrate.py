"""From the old SDK to Launchpad: what is taken over, and the command under the old name."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qupath_stand_in
from commands_here import here
from launchpad import paths
from launchpad.application import run_folder
from launchpad.cli.migrate import choose_qupath
from launchpad.errors import LaunchpadError
from launchpad.qupath import installation
from launchpad.settings import load_settings
from launchpad.system import migration
from terminals import shown_on

RUN = "5b6c3a1e-8f0d-4c58-9d3b-1f0b1c2d3e4f"
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
    old = home / "share" / "aignostics"
    for name in (f"results/{RUN}/slide-1", "datasets/idc/tcga_luad", "bucket_downloads/mine", "QuPath-broken"):
        (old / name).mkdir(parents=True)
    (old / "results" / RUN / "slide-1" / "a.csv").write_text("x")
    for version in ("0.6.0", "0.10.0"):
        qupath_stand_in.make(old / f"QuPath-{version}", version)
    return home


def test_settings_results_and_qupath_are_taken_over_and_no_token(old_home: Path) -> None:
    planned = json.loads(here(["migrate", "from-aignostics", "--dry-run", "--format", "json"])[1])
    assert not paths.env_file().exists()
    assert not paths.results_dir().exists()
    assert not installation.is_chosen()
    code, out, err = here(["migrate", "from-aignostics", "--format", "json"])
    assert code == 0, err
    assert json.loads(out) == planned
    settings = load_settings()
    assert settings.log_level == "DEBUG"
    assert settings.refresh_token is None
    assert "0123456789abcdef" not in paths.env_file().read_text()
    assert "0123456789abcdef" not in out + err
    assert (paths.data_dir() / "datasets" / "idc" / "tcga_luad").is_dir()
    assert (paths.data_dir() / "bucket_downloads" / "mine").is_dir()
    again = json.loads(here(["migrate", "from-aignostics", "--json"])[1])
    assert not [item for item in again if item["target"]], "a second time there is nothing new"
    assert "profile use aignostics" in here(["migrate", "from-aignostics"])[2], "runs are listed by their platform"


def test_old_settings_that_are_not_valid_are_named_with_their_file_and_left_alone(old_home: Path) -> None:
    old = old_home / ".aignostics" / ".env"
    old.write_text("AIGNOSTICS_RUN_TIMEOUT=301\n")
    code, out, err = here(["migrate", "from-aignostics"])
    assert (code, out) == (78, "")
    assert str(old) in err
    assert "AIGNOSTICS_RUN_TIMEOUT" in err
    assert not paths.env_file().exists()


def test_runs_of_the_old_sdk_can_be_opened(old_home: Path) -> None:
    done = migration.take_over(choose_qupath=choose_qupath)
    assert [item.what for item in done if RUN in item.source] == ["Results of a run"]
    folder = paths.results_dir() / RUN
    assert run_folder.has_results(folder)
    facts = run_folder.load(folder)
    assert (facts.run_id, [item.name for item in facts.items]) == (RUN, ["slide-1"])


@posix
def test_the_newest_qupath_is_used_and_one_that_was_chosen_stays(old_home: Path, tmp_path: Path) -> None:
    migration.take_over(choose_qupath=choose_qupath)
    assert installation.find()[0].version == "0.10.0"
    mine = installation.choose(qupath_stand_in.make(tmp_path / "QuPath-mine", "0.5.1"))
    done = migration.take_over(choose_qupath=choose_qupath)
    assert not [item for item in done if item.what == "QuPath"]
    assert installation.find()[0] == mine


@posix
def test_what_is_here_already_stays_even_a_link_to_nothing(old_home: Path) -> None:
    paths.results_dir().mkdir(parents=True)
    mine = paths.results_dir() / RUN
    mine.symlink_to(old_home / "moved away")
    assert not [item for item in migration.take_over(choose_qupath=choose_qupath) if RUN in item.source]
    assert mine.readlink() == old_home / "moved away"


def test_where_no_link_can_be_made_files_are_copied_whole(old_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path, target_is_directory: bool = False) -> None:
        raise OSError(errno.EPERM, "a required privilege is not held")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    migration.take_over(choose_qupath=choose_qupath)
    assert (paths.results_dir() / RUN / "slide-1" / "a.csv").read_text() == "x"
    assert [item.name for item in paths.results_dir().iterdir()] == [RUN]


def test_settings_that_do_not_validate_are_not_taken_over(old_home: Path) -> None:
    (old_home / ".aignostics" / ".env").write_text("AIGNOSTICS_LOG_LEVEL=LOUD\n")
    with pytest.raises(LaunchpadError, match="LOG_LEVEL"):
        migration.take_over(choose_qupath=choose_qupath)
    assert not paths.env_file().exists()


def test_another_program_of_that_name_is_left_alone(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    other = folder / ("aignostics.exe" if sys.platform == "win32" else "aignostics")
    other.write_text("theirs")
    code, out, err = here(["migrate", "install-alias", "--folder", str(folder)])
    assert code == 1
    assert str(other) in err
    assert not out
    assert other.read_text() == "theirs"
    assert list(folder.iterdir()) == [other]


@posix
def test_the_alias_says_what_the_shell_finds_instead(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.setenv("PATH", f"{first}{os.pathsep}{second}")
    assert "add" in here(["migrate", "install-alias", "--folder", str(tmp_path / "elsewhere")])[2]
    assert "PATH" not in here(["migrate", "install-alias", "--folder", str(second)])[2]
    first.mkdir()
    (first / "aignostics").write_text("#!/bin/sh\n")
    (first / "aignostics").chmod(0o755)
    assert str(first / "aignostics") in here(["migrate", "install-alias", "--folder", str(second)])[2]


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
            shown = shown_on(ours)
        assert ("Which platform" in shown.decode()) == bool(answer)
        assert "Which platform" not in out, "what a script reads stays clean"
        return process.returncode, out

    assert on_terminal(b"9\n")[0] == 2, "no such number"
    code, out = on_terminal(b"1\n")
    assert code == 0
    assert out.startswith("{")
    assert on_terminal(b"")[0] == 0, "it is asked once"
    assert migration.profile_is_chosen()
