"""What bash completes, in a bash: commands, options, and ids that were printed lately."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launchpad.cli import completion
from launchpad.platform.auth.profiles import select_profile

pytestmark = pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="needs bash")
ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def shell(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, with the command `launchpad` on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "launchpad").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m launchpad "$@"\n')
    (programs / "launchpad").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def bash(script: str, *options: str) -> list[str]:
    done = subprocess.run(
        ["bash", *options, "-c", script],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_bash_completes_commands_options_and_ids(shell: Path) -> None:
    completion.keep("run", select_profile(), [ID])
    lines = [
        ("launchpad app", 1), ("launchpad application run desc", 3), ("launchpad application run describe --su", 4),
        ("launchpad application run describe 1111", 4),
    ]  # fmt: skip
    script = 'eval "$(launchpad --show-completion bash)"\n' + "".join(
        f'COMP_WORDS=({line}) COMP_CWORD={at}; _launchpad_completion launchpad; echo "${{COMPREPLY[*]}}"\n'
        for line, at in lines
    )
    assert bash(script) == ["application", "describe", "--summarize", ID]


def test_completion_is_installed_for_the_shell_of_the_person(shell: Path) -> None:
    said = bash("launchpad --install-completion; true")  # the shell has to stay to be seen
    assert "bash completion installed in" in " ".join(said)
    (line,) = bash("complete -p launchpad", "--rcfile", str(shell / ".bashrc"), "-i")
    assert line.endswith("-F _launchpad_completion launchpad")
