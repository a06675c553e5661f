"""QuPath's processes: which run, with what they were started, ending them; starting one that stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.errors import LaunchpadError
from launchpad.other_programs import clean_environment

if TYPE_CHECKING:
    import psutil

_KILLED = 5.0  # seconds
_NAME = re.compile(r"QuPath(?:-v?\d[\w.+-]*)?(?: \(console\))?(?:\.exe)?", re.IGNORECASE)
_INTERPRETER = re.compile(r"(?:python[\d.]*|pypy[\d.]*|bash|dash|sh|zsh)(?:\.exe)?", re.IGNORECASE)


@dataclass(frozen=True)
class QuPathProcess:
    """A running QuPath."""

    pid: int
    exe: str
    cwd: str
    args: tuple[str, ...]


def running() -> list[QuPathProcess]:
    """The QuPath processes of this account, in the order in which they were started."""
    import psutil

    me = psutil.Process().username()
    found: list[tuple[float, QuPathProcess]] = []
    for process in psutil.process_iter(["pid", "name", "cmdline", "exe", "username", "status", "create_time"]):
        info = process.info
        arguments = info["cmdline"] or []
        if info["status"] == psutil.STATUS_ZOMBIE or info["username"] != me or not _is_qupath(info["exe"], arguments):
            continue
        try:
            cwd = process.cwd()
        except psutil.Error:  # it has ended meanwhile, or the system keeps it to itself
            cwd = ""
        found.append(
            (info["create_time"], QuPathProcess(info["pid"], info["exe"] or arguments[0], cwd, tuple(arguments)))
        )
    return [process for _, process in sorted(found, key=lambda pair: (pair[0], pair[1].pid))]


def _is_qupath(exe: str | None, arguments: Sequence[str]) -> bool:
    name = Path(exe).name if exe else ""
    if _NAME.fullmatch(name) or (arguments and _NAME.fullmatch(Path(arguments[0]).name)):
        return True
    script = next((item for item in arguments[1:] if not item.startswith("-")), "")
    return bool(_INTERPRETER.fullmatch(name) and _NAME.fullmatch(Path(script).name))


def that_have_open(project: Path, files: Iterable[Path] = ()) -> list[QuPathProcess]:
    """Those that were started with this project, or have one of its images open: what can be seen from outside."""
    import psutil

    wanted = {_same(project), _same(project.parent)}
    images = {_same(path) for path in files}
    found = []
    for process in running():
        named = {_same(Path(process.cwd or ".", item)) for item in process.args[1:] if not item.startswith("-")}
        if named & wanted:
            found.append(process)
            continue
        try:
            opened = {_same(Path(item.path)) for item in psutil.Process(process.pid).open_files()} if images else set()
        except psutil.Error:
            continue
        if opened & images:
            found.append(process)
    return found


def _same(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def terminate(processes: Sequence[QuPathProcess], wait_before_kill: float = 3.0) -> int:
    """Ask processes to end and, after `wait_before_kill` seconds, end them; how many have ended."""
    import psutil

    alive = []
    for process in processes:
        try:
            handle = psutil.Process(process.pid)
            handle.terminate()
            alive.append(handle)
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied as error:
            raise LaunchpadError(
                "QuPath cannot be ended",
                detail="It belongs to another account.",
                advice="Close it where it was started.",
                subject=str(process.pid),
            ) from error
    gone, stubborn = psutil.wait_procs(alive, timeout=wait_before_kill)
    for handle in stubborn:
        handle.kill()
    killed, left = psutil.wait_procs(stubborn, timeout=_KILLED)
    return len(gone) + len(killed) + sum(_is_zombie(handle) for handle in left)


def _is_zombie(process: psutil.Process) -> bool:
    """Whether it has ended and only its parent has not taken notice."""
    import psutil

    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def start(command: Sequence[str]) -> int:
    """Start a program that stays when this one ends, in a session of its own; its process id.

    Raises:
        LaunchpadError: the system does not start it.
    """
    try:
        if sys.platform == "win32":
            return _start_on_windows(command)
        # The shell ends at once and leaves the program to the system: no child that nobody waits for.
        line = '"$@" </dev/null >/dev/null 2>&1 & echo $!'
        shell = subprocess.run(
            ["/bin/sh", "-c", line, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=clean_environment(),
            cwd=Path.home() if Path.home().is_dir() else "/",
            start_new_session=True,
            check=True,
        )
        return int(shell.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError, RuntimeError) as error:
        raise LaunchpadError(
            "QuPath does not start",
            detail=f"{error}.",
            advice="Start it by hand to see why, or install it again.",
            subject=command[0],
        ) from error


def _start_on_windows(command: Sequence[str]) -> int:
    flags: int = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment(),
        cwd=Path.home(),
        creationflags=flags,
        close_fds=True,
    )
    process.returncode = 0  # it is not ours to wait for
    return process.pid
