"""Starting QuPath: its window, which stays when Launchpad ends, or a script without a window."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from launchpad.errors import LaunchpadError, NotFound
from launchpad.other_programs import clean_environment
from launchpad.qupath import processes
from launchpad.qupath.installation import Installation
from launchpad.qupath.project import PROJECT_FILE, open_project


def launch(chosen: Installation, project: Path | None = None, image: str | None = None, *, quiet: bool = True) -> int:
    """Start QuPath so that it stays when Launchpad ends; its process id. Raises LaunchpadError as `processes.start`."""
    command = [str(chosen.executable)]
    if quiet:
        command.append("-q")
    if project is not None:
        file = project if project.suffix == ".qpproj" else project / PROJECT_FILE
        if not file.is_file():
            raise NotFound("There is no QuPath project here", advice="Check the path.", subject=str(project))
        command += ["-p", str(file.absolute())]
    if image is not None:
        command += ["-i", image]
    return processes.start(command)


def run_script(
    chosen: Installation,
    script: Path,
    *,
    project: Path | None = None,
    image: str | None = None,
    arguments: Sequence[str] = (),
    save: bool = False,
    output: IO[str] | None = None,
) -> int:
    """Run a Groovy script without a window and wait; its exit code. What it prints goes to `output`.

    Raises:
        NotFound: there is no such script or project.
        LaunchpadError: QuPath does not start.
    """
    if not script.is_file():
        raise NotFound("There is no such script", advice="Check the path.", subject=str(script))
    command = [str(chosen.console), "script"]
    if project is not None:
        command += ["-p", str(open_project(project).file)]
    if image is not None:
        command += ["-i", image]
    if save:
        command.append("-s")
    for argument in arguments:
        command += ["-a", argument]
    command.append(str(script.absolute()))
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                if output is not None:
                    output.write(line)
        return process.returncode
    except OSError as error:
        raise LaunchpadError(
            "QuPath does not start",
            detail=f"{error.strerror or error}.",
            advice="Start it by hand to see why, or install it again.",
            subject=command[0],
        ) from error
