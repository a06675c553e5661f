"""The platform on this computer: finding the one that runs, starting it, holding on to it, stopping it.

It is a process of its own that outlives us. It stays while one of our processes holds the shared lock on
`clients.lock`, which the system frees when that process dies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import portalocker

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress
from launchpad.tls import verification

_START = 60.0  # seconds that a start may take on a busy machine
_lock = threading.Lock()
_held: dict[Path, IO[str]] = {}
# Processes that we started; asked now and then, so that none stays behind as a zombie.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Endpoint:
    """Where a platform is. The launch secret opens it for this account's own processes."""

    api_root: str
    storage_endpoint: str
    issuer: str
    client_id: str
    audience: str
    pid: int
    launch_secret: str = field(repr=False)


def find(data: Path | None = None) -> Endpoint | None:
    """The platform of a data folder that runs and answers, or None."""
    try:
        document = json.loads((_folder(data) / "launch.json").read_bytes())
        endpoint = Endpoint(**{name: document[name] for name in Endpoint.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return endpoint if _alive(endpoint.pid) and _answers(endpoint) else None


def ensure_running(data: Path | None = None, progress: Progress | None = None) -> Endpoint:
    """The platform of a data folder, started where none runs; held for the life of this process.

    Raises:
        LaunchpadError: it does not start.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    folder = paths.ensure_private(_folder(data))
    hold(folder)
    endpoint = find(folder)
    if endpoint is not None:
        return endpoint
    _started[:] = [item for item in _started if item.poll() is None]
    process = _start(folder)
    _started.append(process)
    end = time.monotonic() + _START
    while time.monotonic() < end:
        endpoint = find(folder)
        if endpoint is not None:
            return endpoint
        code = process.poll()
        if code not in (None, 0) and not _another_runs(folder):
            break
        progress.report(0, 0, "Starting the platform on this computer")
        progress.sleep(0.05)
    raise LaunchpadError(
        "The platform on this computer does not start",
        detail=_last_words(folder / "start.log"),
        advice="The log says more; a restart of the computer helps when something holds its files.",
        subject=str(folder / "platform.log"),
    )


def hold(data: Path | None = None) -> None:
    """Keep the platform of a data folder alive until `release` or the end of this process."""
    folder = _folder(data)
    with _lock:
        if folder in _held:
            return
        file = (folder / "clients.lock").open("a+", encoding="utf-8")
        # Waits for a platform that is just ending; then a new one is started.
        portalocker.lock(file, portalocker.LOCK_SH)
        _held[folder] = file


def release(data: Path | None = None) -> None:
    """Let go of it."""
    with _lock:
        file = _held.pop(_folder(data), None)
    if file is not None:
        file.close()


def stop(data: Path | None = None, timeout: float = 15) -> bool:
    """End the platform of a data folder; whether none runs now."""
    import psutil

    endpoint = find(data)
    if endpoint is None:
        return True
    try:
        process = psutil.Process(endpoint.pid)
        process.terminate()
        process.wait(timeout)
    except psutil.NoSuchProcess:
        pass  # it ended by itself meanwhile
    except psutil.TimeoutExpired:
        return False
    _started[:] = [item for item in _started if item.pid != endpoint.pid or item.wait(timeout) is None]
    return True


def _folder(data: Path | None) -> Path:
    return (data or paths.platform_dir()).absolute()


def _alive(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _answers(endpoint: Endpoint) -> bool:
    import httpx

    try:
        answer = httpx.get(f"{endpoint.api_root}/health", timeout=10, trust_env=False, verify=verification())
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _another_runs(folder: Path) -> bool:
    """Whether some process holds the platform's lock: it may just be starting."""
    try:
        with (folder / "platform.lock").open("a+", encoding="utf-8") as file:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
    except portalocker.LockException:
        return True
    except OSError:
        return False
    return False


def command_line() -> list[str]:
    """How to call the command line as a process of its own: from source, or the executable of the bundle."""
    if getattr(sys, "frozen", False):
        name = "launchpad.exe" if sys.platform == "win32" else "launchpad"
        return [str(Path(sys.executable).with_name(name))]
    return [sys.executable, "-m", "launchpad"]


def _start(folder: Path) -> subprocess.Popen[bytes]:
    arguments = [*command_line(), "platform", "serve", "--until-idle", "--data", str(folder)]
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    environment = {name: value for name, value in os.environ.items() if name not in ("LAUNCHPAD_TOKEN",)}
    try:
        with (folder / "start.log").open("wb") as log:
            return subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,  # so that no folder of the person is kept busy
                env=environment,
                **options,
            )
    except OSError as error:
        raise LaunchpadError(
            "The platform on this computer cannot be started",
            detail=f"{error.strerror or error}.",
            advice="Install Launchpad again.",
            subject=arguments[0],
        ) from error


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return " ".join(lines[-3:])[-500:]
