"""The Python that runs notebooks: this one where it has marimo, otherwise one that is made on request.

A frozen program has no Python to install into, so an environment is made in the data folder, with uv or with a Python
that is found. Where there is neither, one line to type is told.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.other_programs import clean_environment
from launchpad.progress import Cancelled, Progress

# The extra `notebook` without Qt's web engine, which only the window's own Python can use.
REQUIREMENTS = ("marimo>=0.20", "matplotlib>=3.9", "nbformat>=5.10", "pandas>=2.2")
EXPECTED_BYTES = 450 << 20
"""About what an environment takes on disk: for progress, and told before it is made."""
_MODULES = ("marimo", "matplotlib", "nbformat", "pandas")
_OLDEST, _TOO_NEW = (3, 11), (3, 15)
_STAMP = "launchpad.json"
_LOOK = 0.5  # seconds between looks at how far it is
_TAIL = 1500  # characters of a tool's output that an error shows


class NotebookMissing(LaunchpadError):
    """There is no Python with marimo."""


@dataclass(frozen=True)
class Tool:
    """What can make an environment: `kind` is uv or python."""

    kind: str
    path: Path
    version: str

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{'uv' if self.kind == 'uv' else 'Python'} {self.version}".strip()


@dataclass(frozen=True)
class State:
    """What there is to run notebooks with.

    Attributes:
        interpreter: the Python that runs them; None where there is none yet.
        ours: it is the environment in the data folder.
        size: bytes of that environment on disk, otherwise 0.
        tool: what can make one; None where there is nothing.
        line: what to type where there is nothing.
    """

    interpreter: Path | None
    ours: bool
    size: int
    tool: Tool | None
    line: str


def folder() -> Path:
    """Where the environment lies."""
    return paths.data_dir() / "notebook-environment"


def find() -> Path | None:
    """The Python that runs notebooks, None where there is none yet."""
    if _is_enough():
        return Path(sys.executable)
    return _python_of(folder()) if _is_whole(folder()) else None


def require() -> Path:
    """As `find`.

    Raises:
        NotebookMissing: there is none; says what to type.
    """
    found = find()
    if found is None:
        raise NotebookMissing(
            "Notebooks need a few more Python packages",
            detail="marimo, pandas and matplotlib are not there.",
            advice=f"Type this line, or let the window make an environment for them: {line_to_type()}",
        )
    return found


def state() -> State:
    """What there is, and what can be done."""
    found = find()
    ours = found is not None and found == _python_of(folder())
    tool = find_tool() if found is None else None
    return State(found, ours, size_of(folder()) if ours else 0, tool, line_to_type())


def line_to_type() -> str:
    """The one line that makes notebooks run."""
    if not getattr(sys, "frozen", False):
        packages = " ".join(f'"{item}"' for item in REQUIREMENTS)
        if importlib.util.find_spec("pip") is not None:
            return f'"{sys.executable}" -m pip install {packages}'
        return f'uv pip install --python "{sys.executable}" {packages}'
    if sys.platform == "win32":
        return "winget install --id Python.Python.3.13"
    if sys.platform == "darwin":
        return "brew install python"
    return "sudo dnf install python3" if shutil.which("dnf") else "sudo apt-get install python3 python3-venv"


def find_tool() -> Tool | None:
    """uv, or a Python that is new enough and can make environments; None where there is neither."""
    search = clean_environment().get("PATH", "")
    for place in _uv_places(search):
        version = _answer([str(place), "--version"])
        if version.startswith("uv "):
            return Tool("uv", place, version.split()[1])
    for place in _python_places(search):
        code = "import ensurepip, sys, venv; print('%d.%d.%d' % sys.version_info[:3])"
        version = _answer([str(place), "-I", "-c", code])
        if version and _OLDEST <= tuple(int(part) for part in version.split(".")[:2]) < _TOO_NEW:
            return Tool("python", place, version)
    return None


def make(tool: Tool | None = None, progress: Progress | None = None) -> Path:
    """Make the environment anew; its Python. `progress` reports bytes on disk of `EXPECTED_BYTES`.

    Raises:
        NotebookMissing: neither uv nor a Python is found.
        LaunchpadError: it cannot be made; says what the tool said.
        Cancelled: the progress was cancelled; nothing is left behind.
    """
    progress = progress or Progress()
    chosen = tool or find_tool()
    if chosen is None:
        raise NotebookMissing(
            "There is no Python to run notebooks with",
            detail="Neither uv nor a Python 3.11 to 3.14 was found on this computer.",
            advice=f"Type this line, then try again: {line_to_type()}",
        )
    target = folder()
    remove()
    try:
        for command in _commands(chosen, target):
            _run(command, target, progress)
        document = {"packages": list(REQUIREMENTS), "made_with": f"{chosen.kind} {chosen.version}"}
        paths.write_atomic(target / _STAMP, json.dumps(document).encode())
    except OSError as error:
        remove()
        raise LaunchpadError(
            "The environment for notebooks cannot be made",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights.",
            subject=str(target),
        ) from error
    except (LaunchpadError, Cancelled):
        remove()
        raise
    size = size_of(target)
    progress.report(size, size)
    return _python_of(target)


def remove() -> None:
    """Remove the environment; nothing happens where there is none.

    Raises:
        LaunchpadError: files of it are in use.
    """
    target = folder()
    if not target.exists():
        return
    try:
        (target / _STAMP).unlink(missing_ok=True)  # half an environment is none
        shutil.rmtree(target)
    except OSError as error:
        raise LaunchpadError(
            "The environment for notebooks cannot be removed",
            detail=f"{error.strerror or error}.",
            advice="Stop the notebooks that run, then try again.",
            subject=str(error.filename or target),
        ) from error


def size_of(target: Path) -> int:
    """Bytes of the files of a folder."""
    return sum(size for size in _sizes(target))


def _sizes(target: Path) -> Iterator[int]:
    for root, _, names in os.walk(target):
        for name in names:
            try:
                yield Path(root, name).lstat().st_size
            except FileNotFoundError:  # a temporary file of the tool
                continue


# --- looking ----------------------------------------------------------------------------------------------------------
def _is_enough() -> bool:
    """Whether this Python has what notebooks need."""
    return not getattr(sys, "frozen", False) and all(importlib.util.find_spec(name) is not None for name in _MODULES)


def _is_whole(target: Path) -> bool:
    try:
        document = json.loads((target / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return document.get("packages") == list(REQUIREMENTS) and _python_of(target).exists()


def _python_of(target: Path) -> Path:
    return target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _uv_places(search: str) -> Iterator[Path]:
    name = "uv.exe" if sys.platform == "win32" else "uv"
    on_path = shutil.which("uv", path=search)
    home = Path.home()
    folders = (home / ".local/bin", home / ".cargo/bin", Path("/opt/homebrew/bin"), Path("/usr/local/bin"))
    yield from ([Path(on_path)] if on_path else [])
    yield from (place / name for place in folders if (place / name).is_file())


def _python_places(search: str) -> Iterator[Path]:
    for name in ("python3.13", "python3.12", "python3.14", "python3.11", "python3", "python"):
        found = shutil.which(name, path=search)
        if found and "WindowsApps" not in found:  # a link to a shop, not a Python
            yield Path(found)
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", ""), "Programs", "Python")
        yield from sorted(local.glob("Python31[1-4]/python.exe"), reverse=True)
    else:
        framework = "/Library/Frameworks/Python.framework/Versions/Current/bin"
        for base in ("/opt/homebrew/bin", "/usr/local/bin", framework):
            yield from (path for path in sorted(Path(base).glob("python3.1[1-4]"), reverse=True) if path.is_file())


def _answer(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True,
            env=clean_environment(),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()


# --- making -----------------------------------------------------------------------------------------------------------
def _commands(tool: Tool, target: Path) -> list[list[str]]:
    python = str(_python_of(target))
    if tool.kind == "uv":
        versions = f">={_OLDEST[0]}.{_OLDEST[1]},<{_TOO_NEW[0]}.{_TOO_NEW[1]}"
        return [
            [str(tool.path), "venv", "--no-config", "--python", versions, str(target)],
            [str(tool.path), "pip", "install", "--no-config", "--python", python, *REQUIREMENTS],
        ]
    return [
        [str(tool.path), "-I", "-m", "venv", str(target)],
        [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *REQUIREMENTS],
    ]


def _run(command: Sequence[str], target: Path, progress: Progress) -> None:
    log = paths.log_dir() / "notebook-environment.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            start_new_session=sys.platform != "win32",
        )
    try:
        while True:
            try:
                code = process.wait(_LOOK)
                break
            except subprocess.TimeoutExpired:
                size = size_of(target)
                progress.report(min(size, EXPECTED_BYTES), EXPECTED_BYTES, str(size))
    except Cancelled:
        _kill(process)
        raise
    if code:
        said = log.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
        raise LaunchpadError(
            "The environment for notebooks cannot be made",
            detail=f"The tool said: {said or f'exit code {code}'}",
            advice="Check the network and the proxy, then try again.",
            subject=Path(command[0]).name,
        )


def _kill(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
