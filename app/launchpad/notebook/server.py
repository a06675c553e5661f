"""A marimo server of our own: on loopback, behind a token, in a process group that ends with this process.

The child reads its token from a pipe and then waits for the pipe's end: when this process is gone, however it went, the
child ends its whole group (marimo runs each notebook in a process of its own).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from launchpad import paths
from launchpad.errors import BadInput, LaunchpadError
from launchpad.other_programs import clean_environment
from launchpad.progress import Progress

LOOPBACK = "127.0.0.1"
_START = 90.0  # seconds: the first start of marimo on a slow disk takes long
_LOOK = 0.1
_GRACE = 3.0  # seconds between asking a server to end and ending it
_TRIES = 3  # somebody else may take a free port first
_KEPT_LOGS = 10
_TAIL = 800
_CHILD = """
import io, os, runpy, signal, subprocess, sys, threading

pipe = os.fdopen(os.dup(0), "rb", 0)
sys.stdin = io.StringIO(pipe.readline().decode())  # marimo takes its token from here

def end_with_the_application():
    pipe.read()
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(os.getpid())])
    else:
        os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_with_the_application, daemon=True).start()
sys.argv = ["marimo", *sys.argv[1:]]
runpy.run_module("marimo", run_name="__main__", alter_sys=True)
"""


class Server:
    """One marimo server on one notebook. Start it with `Server.start`; stop it at the end."""

    def __init__(
        self, notebook: Path, process: subprocess.Popen[bytes], host: str, port: int, token: str, log: Path
    ) -> None:
        self.notebook, self.host, self.port, self.log = notebook, host, port, log
        self._process, self._token = process, token
        self._monitor = threading.Thread(target=self._watch, name=f"notebook:{port}", daemon=True)
        self._monitor.start()

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = LOOPBACK if self.host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
        return f"http://{shown}:{self.port}/?access_token={quote(self._token)}"

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def monitored(self) -> bool:
        """Whether the thread that waits for its end is alive."""
        return self._monitor.is_alive()

    @property
    def pid(self) -> int:
        """The server's process, which leads its group."""
        return self._process.pid

    def _watch(self) -> None:
        """A server that died leaves no zombie and no notebook of its group behind."""
        self._process.wait()
        if sys.platform != "win32":
            _signal(self._process.pid, signal.SIGKILL)

    @classmethod
    def start(
        cls,
        notebook: Path,
        interpreter: Path,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        progress: Progress | None = None,
    ) -> Server:
        """Start a server and wait until it answers; port 0 takes a free one.

        Raises:
            BadInput: the port is taken, or the address is none of this computer.
            LaunchpadError: marimo does not start; says what it said.
            Cancelled: the progress was cancelled.
        """
        for _ in range(1 if port else _TRIES):
            chosen = _port(host, port)
            server = cls._spawn(notebook, interpreter, host, chosen)
            try:
                if server._answers(progress or Progress()):
                    return server
            except BaseException:
                server.stop()
                raise
        raise LaunchpadError(
            "The notebook server does not start",
            detail=f"marimo said: {_last_words(server.log) or 'nothing'}",
            advice=f"The whole log is {server.log}. Making the environment for notebooks anew may help.",
            subject=str(notebook),
        )

    @classmethod
    def _spawn(cls, notebook: Path, interpreter: Path, host: str, port: int) -> Server:
        token = secrets.token_urlsafe(24)
        log = _new_log(port)
        command = [
            str(interpreter), "-c", _CHILD, "edit", str(notebook), "--headless", "--host", host, "--port", str(port),
            "--token", "--token-password-file", "-", "--skip-update-check", "--no-sandbox",
        ]  # fmt: skip
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=notebook.parent,
                    env=environment_for(interpreter),
                    start_new_session=sys.platform != "win32",
                )
        except OSError as error:
            raise LaunchpadError(
                "The notebook server does not start",
                detail=f"{error.strerror or error}.",
                advice="Make the environment for notebooks anew.",
                subject=str(interpreter),
            ) from error
        server = cls(notebook, process, host, port, token, log)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended already; `start` tells why
                process.stdin.write(f"{token}\n".encode())
                process.stdin.flush()
        return server

    def _answers(self, progress: Progress) -> bool:
        """Wait until it answers; False when it ended before."""
        end = time.monotonic() + _START
        while self.running:
            if self._is_healthy():
                return True
            if time.monotonic() > end:
                self.stop()
                return False
            progress.sleep(_LOOK)
        self.stop()
        return False

    def _is_healthy(self) -> bool:
        host = LOOPBACK if self.host == "0.0.0.0" else "::1" if self.host == "::" else self.host  # noqa: S104
        connection = http.client.HTTPConnection(host, self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        self._monitor.join()
        return self._process.wait()

    def stop(self) -> None:
        """End it and the notebooks that it runs."""
        process = self._process
        if self.running and sys.platform == "win32":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], check=False, capture_output=True)
        elif self.running:
            _signal(process.pid, signal.SIGTERM)
            self._monitor.join(_GRACE)
            if self.running:
                _signal(process.pid, signal.SIGKILL)
        self._monitor.join()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # what was not read is of no use now
                process.stdin.close()


def run_marimo(interpreter: Path, arguments: Sequence[str], folder: Path, progress: Progress | None = None) -> None:
    """Run a command of marimo in a folder to its end.

    Raises:
        LaunchpadError: it fails; says what it said.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    log = _new_log(0)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(interpreter), "-m", "marimo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment_for(interpreter),
            start_new_session=sys.platform != "win32",
        )
    try:
        while process.poll() is None:
            progress.sleep(_LOOK)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise LaunchpadError(
            "The notebook cannot be exported",
            detail=f"marimo said: {_last_words(log) or process.returncode}",
            advice="Run the notebook and correct the cell that fails.",
            subject=str(folder),
        )


def environment_for(interpreter: Path) -> dict[str, str]:
    """The environment for a Python: ours is left as it is, another one sees our settings but not our libraries."""
    ours = str(interpreter) == sys.executable
    found = dict(os.environ) if ours else clean_environment() | _settings(os.environ)
    found["PYTHONUTF8"] = "1"
    found["MARIMO_SKIP_UPDATE_CHECK"] = "1"
    # A notebook that one opens runs at once; marimo otherwise waits for a click.
    found["_MARIMO_CONFIG_OVERLOAD_RUNTIME_AUTO_INSTANTIATE"] = "true"
    return found


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key.startswith(("LAUNCHPAD_", "AIGNOSTICS_"))}


def _port(host: str, port: int) -> int:
    """A port that is free now."""
    try:
        kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind[0], socket.SOCK_STREAM) as probe:
            if sys.platform != "win32":  # there it would allow a port that is taken
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(kind[4])
            return int(probe.getsockname()[1])
    except OSError as error:
        raise BadInput(
            "The notebook server cannot listen there",
            detail=f"{error.strerror or error}.",
            advice="Choose another host or port; port 0 takes a free one.",
            subject=f"{host}:{port}",
        ) from error


def _new_log(port: int) -> Path:
    folder = paths.log_dir() / "notebook"
    paths.ensure_private(folder)
    for old in sorted(folder.glob("*.log"), key=lambda item: item.stat().st_mtime_ns)[: -_KEPT_LOGS + 1]:
        old.unlink(missing_ok=True)
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{port or 'export'}-{secrets.token_hex(2)}.log"


def _last_words(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
    except OSError as error:
        return str(error.strerror)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended; macOS says the second of zombies
        os.killpg(group, number)
