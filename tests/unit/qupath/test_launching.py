"""Starting QuPath, its processes and scripts, and the commands, with a program that stands in for it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import psutil
import pytest

import qupath_stand_in as stand_in
from launchpad.cli.app import app
from launchpad.cli.errors import guarded
from launchpad.errors import LaunchpadError, NotFound
from launchpad.qupath import installation, processes, service, starting
from launchpad.qupath.project import edit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")


@pytest.fixture
def program(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    made = stand_in.make(tmp_path / "QuPath ä 0.6.0")
    monkeypatch.setenv("LAUNCHPAD_QUPATH", str(made))
    yield made
    stand_in.end(made)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project ä"
    with edit(folder) as made:
        made.save()
    return folder


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`launchpad qupath …` in this process, which saves the start of one."""
    out, err = io.StringIO(), io.StringIO()
    line = ["launchpad", "qupath", *map(str, arguments)]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", line)
        code = guarded(lambda: app(line[1:], standalone_mode=False, prog_name="launchpad"))
    return subprocess.CompletedProcess(line, code, out.getvalue(), err.getvalue())


def mine(program: Path) -> list[processes.QuPathProcess]:
    return [item for item in processes.running() if str(program) in item.args]


def test_it_starts_within_a_second_detached_with_project_and_image(
    program: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/bundle/of/launchpad")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/of/the/person")
    monkeypatch.setenv("QT_PLUGIN_PATH", "/bundle/of/launchpad")
    monkeypatch.setenv("PYTHONHOME_ORIG", "x")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1g")
    chosen = installation.best()
    began = time.monotonic()
    pid = starting.launch(chosen, project, "a slide – é.svs")
    assert time.monotonic() - began < 1.0
    (start,) = stand_in.started(program)
    assert start["args"] == ["-q", "-p", str(project / "project.qpproj"), "-i", "a slide – é.svs"]
    assert start["pid"] == pid
    assert start["session"] != os.getsid(0)  # it does not end with the terminal
    assert pid not in [child.pid for child in psutil.Process().children(recursive=True)]
    environment = start["environment"]
    assert environment["LD_LIBRARY_PATH"] == "/of/the/person"
    assert environment["JAVA_TOOL_OPTIONS"] == "-Xmx1g"
    assert not [name for name in environment if name.startswith(("QT_", "PYTHON", "LAUNCHPAD_", "_PYI"))]
    assert [item.pid for item in mine(program)] == [pid]
    assert [item.pid for item in processes.that_have_open(project / "project.qpproj")] == [pid]
    assert processes.that_have_open(project.parent / "other" / "project.qpproj") == []
    # Again while it runs: one more, as QuPath has no single instance.
    again = starting.launch(chosen, project)
    stand_in.started(program, 2)
    assert {item.pid for item in mine(program)} == {pid, again}
    assert processes.terminate(mine(program)) == 2
    assert mine(program) == []


def test_one_that_does_not_end_by_itself_is_killed(program: Path) -> None:
    processes.start([str(program), "--ignore-end"])
    stand_in.started(program)
    (found,) = mine(program)
    assert processes.terminate([found], wait_before_kill=0.3) == 1
    assert mine(program) == []


def test_an_open_project_is_not_written(program: Path, project: Path) -> None:
    starting.launch(installation.best(), project)
    stand_in.started(program)
    with pytest.raises(LaunchpadError, match="open in QuPath"):
        service.Service.add(project, [])
    with pytest.raises(LaunchpadError, match="open in QuPath"):
        service.Service.annotate(project, Path("x.svs"), Path("x.geojson"))


def test_what_cannot_be_started_is_said(program: Path, project: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no QuPath project"):
        starting.launch(installation.best(), tmp_path)
    with pytest.raises(NotFound, match="no such script"):
        starting.run_script(installation.best(), tmp_path / "missing.groovy")


def test_the_old_names_do_what_they_did(program: Path, project: Path, tmp_path: Path) -> None:
    from launchpad import qupath

    names = qupath.Service
    assert names.is_installed()
    assert names.is_qupath_installed()
    assert names.get_version() == names.get_expected_version() == "0.6.0"
    assert names.find_qupath_executable() == program
    script = tmp_path / "a.groovy"
    script.write_text("println 1")
    assert names.execute_qupath(project=project, image="x", script=script, script_args=["1", "2"])
    (start,) = stand_in.started(program)
    file = str(project / "project.qpproj")
    assert start["args"] == ["script", "-p", file, "-i", "x", "-a", "1", "-a", "2", str(script)]


def test_the_commands_and_their_exit_codes(program: Path, project: Path, tmp_path: Path) -> None:
    listed = command("list")
    assert listed.stdout.startswith("0.6.0  ")
    before = command("processes", "--json")
    assert before.returncode == 0
    assert str(program) not in before.stdout
    launched = command("launch", "--project", project)
    assert launched.returncode == 0, launched.stderr
    (start,) = stand_in.started(program)
    assert f"process id {start['pid']}" in launched.stdout
    (found,) = [item for item in json.loads(command("processes", "-j").stdout) if str(program) in item["args"]]
    assert (found["pid"], set(found)) == (start["pid"], {"pid", "exe", "cwd", "args"})
    assert str(start["pid"]) in command("processes").stdout
    busy = command("add", project, tmp_path)
    assert busy.returncode == 1
    assert "open in QuPath" in busy.stderr
    stand_in.end(program)

    script = tmp_path / "ä.groovy"
    script.write_text("println 1")
    ran = command("run-script", script, "-p", project, "-i", "x", "-a", "1", "-a", "2", "--save")
    assert ran.returncode == 0, ran.stderr
    assert "ran -p" in ran.stdout
    assert "to stderr" in ran.stdout
    assert stand_in.started(program)[0]["args"][-6:] == ["-s", "-a", "1", "-a", "2", str(script)]
    script.write_text("fail")
    assert command("run-script", script).returncode == 1
    assert command("run-script", tmp_path / "missing.groovy").returncode == 2
    shown = command("inspect", project)
    assert json.loads(shown.stdout)["images"] == []
    assert command("inspect", tmp_path).returncode == 2
    assert command("uninstall").returncode == 2


def test_without_qupath_the_commands_end_with_2(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    launched = command("launch")
    if launched.returncode == 0:
        pytest.fail("this machine has a QuPath that was started: " + launched.stdout)
    assert launched.returncode == 2
    assert "launchpad qupath install" in launched.stderr
    assert command("--help").returncode == 0


@pytest.mark.qupath
def test_a_real_qupath_reads_what_was_written(data_dir: Path, tmp_path: Path, sample_svs: Path) -> None:
    """Where LAUNCHPAD_QUPATH names one: it counts the objects of an image that was annotated here."""
    from launchpad import geojson

    chosen = installation.at(Path(os.environ["TEST_QUPATH"]))
    assert chosen is not None
    square = {"type": "Polygon", "coordinates": [[[10, 10], [90, 10], [90, 90], [10, 90], [10, 10]]]}
    with geojson.FeatureWriter(tmp_path / "x.geojson") as writer:
        writer.write(geojson.feature(square, object_type="annotation", classification=("Tumor", (200, 0, 0))))
        writer.write(geojson.feature(square, object_type="cell", nucleus_geometry=square, measurements={"a": 1.5}))
    assert service.Service.annotate(tmp_path / "project", sample_svs, tmp_path / "x.geojson") == 2
    script = tmp_path / "count.groovy"
    script.write_text(
        'println "FOUND " + getAnnotationObjects().size() + " " + getCellObjects().size() + " "'
        ' + getCellObjects()[0].hasNucleus() + " " + getAnnotationObjects()[0].getPathClass()'
    )
    with (tmp_path / "out.txt").open("w") as out:
        assert starting.run_script(chosen, script, project=tmp_path / "project", output=out) == 0
    assert "FOUND 1 1 true Tumor" in (tmp_path / "out.txt").read_text()
