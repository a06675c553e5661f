"""The environment for notebooks: found, made, stopped in the middle, removed. With wheels of the test, no network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import notebook_wheels
from launchpad.errors import LaunchpadError
from launchpad.notebook import environment
from launchpad.notebook.environment import NotebookMissing, Tool
from launchpad.progress import Cancelled, Progress

UV = Path(__file__).parents[3] / ".tools" / "bin" / "uv"


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    """The Python of the tests has marimo: let it look as if it had not."""
    monkeypatch.setattr(environment, "_MODULES", ("a_package_that_nobody_has",))


def tools() -> list[object]:
    python = Tool("python", Path(sys.executable), "3")
    uv = Tool("uv", UV, "0")
    return [
        pytest.param(uv, id="uv", marks=pytest.mark.skipif(not UV.exists(), reason="no uv in .tools")),
        pytest.param(python, id="python", marks=pytest.mark.long),
    ]


def test_this_python_is_used_where_it_has_marimo(data_dir: Path) -> None:
    assert environment.find() == Path(sys.executable)
    found = environment.state()
    assert (found.interpreter, found.ours, found.size) == (Path(sys.executable), False, 0)


@pytest.mark.parametrize("tool", tools())
def test_an_environment_is_made_used_and_removed(
    tool: Tool, nothing_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook_wheels.offer(tmp_path / "wheels", monkeypatch)
    with pytest.raises(NotebookMissing, match="pip install"):
        environment.require()
    progress = Progress()
    python = environment.make(tool, progress)
    assert python.exists()
    assert environment.require() == python
    found = environment.state()
    assert found.ours
    assert found.size == environment.size_of(environment.folder()) > 0
    assert progress.latest is not None
    assert progress.latest[0] == progress.latest[1] > 0
    environment.remove()
    assert environment.find() is None
    assert not environment.folder().exists()


@pytest.mark.skipif(not UV.exists(), reason="no uv in .tools")
def test_what_the_tool_says_is_told_and_nothing_half_made_is_left(
    nothing_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook_wheels.offer(tmp_path / "wheels", monkeypatch, needs="a-package-that-nobody-has")
    with pytest.raises(LaunchpadError, match="a-package-that-nobody-has"):
        environment.make(Tool("uv", UV, "0"))
    assert not environment.folder().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
def test_making_it_can_be_cancelled(nothing_here: None, tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\nfor last; do :; done\nmkdir -p "$last"; echo half > "$last/half"; exec sleep 600\n')
    slow.chmod(0o755)

    class Impatient(Progress):
        def report(self, done: int, total: int, what: str = "") -> None:
            if done:
                assert total == environment.EXPECTED_BYTES
                self.cancel()
            super().report(done, total, what)

    with pytest.raises(Cancelled):
        environment.make(Tool("uv", slow, "0"), Impatient())
    assert not environment.folder().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts")
def test_uv_comes_before_python_and_an_old_python_is_passed_over(
    nothing_here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, says in (("python3", "3.9.1"), ("python3.12", "3.12.4")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    found = environment.find_tool()
    if found is not None and found.kind == "uv":
        pytest.skip("this machine has uv where it is looked for")
    assert found == Tool("python", tmp_path / "python3.12", "3.12.4")
    (tmp_path / "uv").write_text("#!/bin/sh\necho uv 0.9.9\n")
    (tmp_path / "uv").chmod(0o755)
    found = environment.find_tool()
    assert found == Tool("uv", tmp_path / "uv", "0.9.9")
    assert found.words == "uv 0.9.9"


def test_a_frozen_program_without_anything_tells_one_line(monkeypatch: pytest.MonkeyPatch, nothing_here: None) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    for system, line in (("win32", "winget"), ("darwin", "brew"), ("linux", "sudo ")):
        monkeypatch.setattr(sys, "platform", system)
        assert environment.line_to_type().startswith(line)
