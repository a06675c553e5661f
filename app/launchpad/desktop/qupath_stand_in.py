"""A shell script in QuPath's place, for the self-test: it keeps what it was given and waits to be ended."""

from __future__ import annotations

import shlex
from pathlib import Path

from launchpad.other_programs import set_by_the_bundle

_SCRIPT = """#!/bin/sh
case " $* " in *" --version "*) echo "QuPath v0.6.0"; exit 0;; esac
record={folder}
printf '%s\\n' "$@" > "$record/arguments"
env > "$record/environment"
: > "$record/started"
n=0
while [ -e "$record/started" ] && [ $n -lt 120 ]; do sleep 1; n=$((n + 1)); done
"""
_OURS = ("LAUNCHPAD_", "_PYI_", "PYTHON", "QT_")


class StandInFailed(Exception):
    """QuPath would have been started wrongly."""


class QuPathStandIn:
    """An installation of the stand-in in `folder`; `program` is what the setting `qupath` names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.program = folder / "bin" / "QuPath"
        self.program.parent.mkdir(parents=True)
        self.program.write_text(_SCRIPT.format(folder=shlex.quote(str(folder))), encoding="utf-8")
        self.program.chmod(0o755)
        jars = folder / "lib" / "app"
        jars.mkdir(parents=True)
        (jars / "qupath-app-0.6.0.jar").write_bytes(b"PK")

    def has_started(self) -> bool:
        """Whether it was started and has kept its arguments."""
        return (self._folder / "started").exists()

    def check(self) -> Path:
        """The project that it was started with.

        Raises:
            StandInFailed: no project, one that is not there, or an environment with what is ours.
        """
        arguments = (self._folder / "arguments").read_text(encoding="utf-8").splitlines()
        if "-p" not in arguments[:-1]:
            raise StandInFailed(f"QuPath was started without a project: {arguments}")
        project = Path(arguments[arguments.index("-p") + 1])
        if not project.is_file() or not list(project.parent.glob("data/*/data.qpdata")):
            raise StandInFailed(f"QuPath was started with a project that is not whole: {project}")
        environment = (self._folder / "environment").read_text(encoding="utf-8", errors="replace")
        found = dict(line.partition("=")[::2] for line in environment.splitlines())
        ours = [name for name in found if name.startswith(_OURS)] + set_by_the_bundle(found)
        if ours:
            raise StandInFailed(f"QuPath was started with our environment: {', '.join(ours)}")
        return project

    def end(self) -> None:
        """Let the stand-in end."""
        (self._folder / "started").unlink(missing_ok=True)
