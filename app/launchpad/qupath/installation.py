"""Finding QuPath on this computer; installing and removing versions of it, without administrator rights."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from launchpad import paths, state
from launchpad.errors import BadInput, LaunchpadError, NotFound, TransferError
from launchpad.other_programs import clean_environment
from launchpad.progress import Progress
from launchpad.qupath.processes import running
from launchpad.qupath.releases import VERSION, Release, fetch
from launchpad.qupath.unpack import unpack

TESTED = ((0, 5), (0, 7))  # first and last minor version whose data.qpdata is the one that is written
_ASK_SECONDS = 30.0
_OWN_FOLDER = "qupath"


class QuPathMissing(NotFound):
    """There is no QuPath on this computer."""


@dataclass(frozen=True)
class Installation:
    """A QuPath on this computer.

    Attributes:
        folder: what is removed with it: its folder, on macOS its .app.
        executable: what opens a window.
        console: what prints and waits; another one on Windows only.
        version: such as 0.6.0, "" where it does not tell.
        ours: whether Launchpad installed it, and so may remove it.
    """

    folder: Path
    executable: Path
    console: Path
    version: str
    ours: bool

    @property
    def number(self) -> tuple[int, ...]:
        """The version to compare; a release counts more than its candidates."""
        release, _, candidate = self.version.partition("-")
        numbers = [int(part) for part in re.findall(r"\d+", release)] or [0]
        return (*[*numbers, 0, 0, 0][:3], 0 if candidate else 1)

    @property
    def reads_qpdata(self) -> bool:
        """Whether this version is one whose form of data.qpdata is written; an unknown one is taken to be."""
        return not self.version or TESTED[0] <= self.number[:2] <= TESTED[1]


def own_folder() -> Path:
    """Where Launchpad installs QuPath."""
    return paths.data_dir() / _OWN_FOLDER


# --- finding ----------------------------------------------------------------------------------------------------------
def find(more: Sequence[Path] = ()) -> list[Installation]:
    """All installations that are found: the one of the setting `qupath`, or else the chosen one, then the newest."""
    from launchpad.settings import load_settings

    chosen = load_settings().qupath
    found: dict[str, Installation] = {}
    first: Installation | None = None
    if chosen:
        first = at(Path(chosen).expanduser())
        if first is None:
            raise NotFound(
                "There is no QuPath where the settings say",
                advice="Correct or remove the setting `qupath` (LAUNCHPAD_QUPATH).",
                subject=chosen,
            )
        found[_key(first)] = first
    elif (remembered := _remembered()) is not None:
        first = at(remembered)  # one that is gone is forgotten in silence: others are found
        if first is not None:
            found[_key(first)] = first
    for place in [*more, *_places()]:
        installation = at(place)
        if installation is not None:
            found.setdefault(_key(installation), installation)
    others = [item for item in found.values() if item is not first]
    newest = sorted(others, key=lambda item: (item.number, item.ours), reverse=True)
    return [first, *newest] if first is not None else newest


def best() -> Installation:
    """The installation to use.

    Raises:
        QuPathMissing: there is none.
    """
    found = find()
    if not found:
        raise QuPathMissing(
            "QuPath is not installed",
            detail="It was looked for in the settings, on the PATH and in the usual places.",
            advice="Install it by `launchpad qupath install`, or name it by the setting `qupath` (LAUNCHPAD_QUPATH).",
        )
    return found[0]


def choose(place: Path) -> Installation:
    """Use this installation from now on, wherever the settings name none.

    Raises:
        BadInput: there is no QuPath at this path.
    """
    found = at(place)
    if found is None:
        raise BadInput(
            "This is no QuPath",
            advice="Choose its program (QuPath, QuPath.exe, QuPath.app) or its folder.",
            subject=str(place),
        )
    with closing(state.connect()) as database, database:
        database.execute("DELETE FROM recent WHERE kind = 'qupath'")
        database.execute("INSERT INTO recent VALUES ('qupath', ?, ?)", (str(found.executable), time.time()))
    return found


def is_chosen() -> bool:
    """Whether `choose` was called on this computer."""
    return _remembered() is not None


def _remembered() -> Path | None:
    if not paths.state_file().is_file():
        return None
    with closing(state.connect()) as database:
        row = database.execute("SELECT value FROM recent WHERE kind = 'qupath'").fetchone()
    return Path(row["value"]) if row is not None else None


def at(place: Path) -> Installation | None:
    """The installation at a path: its folder, its .app, the folder that holds it, or its program; None if none is."""
    with contextlib.suppress(OSError):
        if place.is_file():
            return _of_executable(place)
        if place.is_dir():
            for pattern in _PATTERNS[_system()]:
                for executable in sorted(place.glob(pattern)):
                    if executable.is_file() and "(console)" not in executable.name:
                        made = _of_executable(executable)
                        if made is not None:
                            return made
    return None


_PATTERNS = {
    "Linux": ("bin/QuPath", "QuPath/bin/QuPath"),
    "Windows": ("QuPath*.exe", "QuPath*/QuPath*.exe"),
    "Darwin": ("Contents/MacOS/QuPath*", "QuPath*.app/Contents/MacOS/QuPath*"),
}


def _system() -> str:
    return platform.system()


def _of_executable(executable: Path) -> Installation | None:
    executable = executable.resolve()
    if not executable.name.startswith("QuPath") or not os.access(executable, os.X_OK):
        return None
    folder = executable.parent
    jars = folder / "app"
    console = executable
    if _system() == "Darwin":
        folder, jars = executable.parents[2], executable.parents[1] / "app"
    elif _system() == "Windows":
        console = next(iter(folder.glob("QuPath*(console).exe")), executable)
    elif folder.name == "bin":
        folder, jars = executable.parents[1], executable.parents[1] / "lib" / "app"
    if not any(jars.glob("*qupath*.jar")) and not any(jars.glob("QuPath*.cfg")):
        return None  # something else of that name
    return Installation(folder, executable, console, _version(folder, executable, jars), _is_ours(folder))


def _version(folder: Path, executable: Path, jars: Path) -> str:
    """By its jars, whose names carry it, or else by its folder's name."""
    for pattern in ("qupath-app-*.jar", "qupath-gui-fx-*.jar", "qupath-*.jar"):
        for jar in sorted(jars.glob(pattern)):
            if match := VERSION.search(jar.name):
                return match[1]
    for name in (executable.name, folder.name, folder.parent.name):
        if match := VERSION.search(name):
            return match[1]
    return ""


def asked_version(installation: Installation) -> str:
    """The version as the program itself says it; it takes as long as Java takes to start.

    Raises:
        LaunchpadError: it does not say.
    """
    try:
        answer = subprocess.run(
            [str(installation.console), "--version"],
            capture_output=True,
            text=True,
            timeout=_ASK_SECONDS,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaunchpadError(
            "QuPath does not say its version", detail=f"{error}.", subject=str(installation.console)
        ) from error
    match = VERSION.search(answer.stdout)
    if match is None:
        raise LaunchpadError("QuPath does not say its version", subject=str(installation.console))
    return match[1]


def _is_ours(folder: Path) -> bool:
    return (folder / _MARK).is_file() or (folder.parent / _MARK).is_file()


_MARK = ".installed-by-launchpad"


def _key(installation: Installation) -> str:
    return os.path.normcase(str(installation.executable))


def _places() -> Iterator[Path]:
    """Where QuPath is usually found."""
    on_path = shutil.which("QuPath")
    if on_path:
        yield Path(on_path)
    home = Path.home()
    roots = [own_folder()]
    if _system() == "Windows":
        roots += [
            Path(os.environ[name]) for name in ("LOCALAPPDATA", "ProgramFiles", "ProgramW6432") if name in os.environ
        ]
        roots += [home / "Downloads"]
    elif _system() == "Darwin":
        roots += [Path("/Applications"), home / "Applications"]
    else:
        roots += [Path("/opt"), Path("/usr/local"), Path("/usr/local/share"), home, home / "Downloads", home / "opt"]
    conda = os.environ.get("CONDA_PREFIX")
    if conda:
        roots += [Path(conda, "opt"), Path(conda, "bin"), Path(conda, "Library")]
    for root in roots:
        with contextlib.suppress(OSError):
            yield from sorted(root.glob("QuPath*"))
            if _system() == "Darwin":
                yield from sorted(root.glob("*/QuPath*.app"))


# --- installing -------------------------------------------------------------------------------------------------------
def install(
    chosen: Release,
    folder: Path | None = None,
    *,
    reinstall: bool = True,
    accept_unverified: Callable[[Release], bool] | None = None,
    progress: Progress | None = None,
) -> Installation:
    """Download and unpack a release into `<folder>/QuPath-<version>`; it appears whole or not at all.

    Args:
        chosen: from `release`.
        folder: default is Launchpad's own; it is made.
        reinstall: replace an installation of that version.
        accept_unverified: asked when the server gives no checksum; None refuses.
        progress: bytes of the download, then of unpacking.

    Raises:
        TransferError: it is not what was promised, or nobody accepts it without a checksum.
        LaunchpadError: it cannot be fetched, unpacked or written, or holds no QuPath.
        Cancelled: the progress was cancelled; nothing is left behind.
    """
    watch = progress or Progress()
    base = folder or own_folder()
    target = base / f"QuPath-{chosen.version}"
    there = at(target)
    if there is not None and not reinstall:
        return there
    if not chosen.sha256 and (accept_unverified is None or not accept_unverified(chosen)):
        raise TransferError(
            "QuPath was not installed",
            detail="The server gives no checksum for this version, so nobody can tell whether it arrives unchanged.",
            advice="Choose a newer version, or accept it as it is (--accept-unverified).",
            subject=chosen.name,
        )
    try:
        base.mkdir(parents=True, exist_ok=True)
        work = base / f".QuPath-{chosen.version}.{secrets.token_hex(4)}.part"
        work.mkdir()
    except OSError as error:
        raise _unwritable(base, error) from error
    try:
        archive = work / chosen.name
        fetch(chosen, archive, watch)
        inner = work / "unpacked"
        inner.mkdir()
        unpack(archive, inner, progress=watch)
        archive.unlink()
        made = at(inner)
        if made is None:
            raise LaunchpadError(
                "The archive holds no QuPath",
                advice="Choose another version.",
                subject=chosen.name,
            )
        (inner / _MARK).write_text(f"{chosen.version}\n{chosen.url}\n{chosen.sha256}\n", encoding="utf-8")
        _replace(inner, target, there)
    except OSError as error:
        raise _unwritable(base, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    installed = at(target)
    if installed is None:
        raise LaunchpadError("QuPath was not installed", advice="Try it once more.", subject=str(target))
    return installed


def _replace(new: Path, target: Path, there: Installation | None) -> None:
    """Put the new installation in place of an old one, which comes back when that fails."""
    if not target.exists():
        new.rename(target)
        return
    if there is not None:
        _refuse_running(there)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    target.rename(aside)
    try:
        new.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def uninstall(installation: Installation) -> None:
    """Remove an installation that Launchpad made.

    Raises:
        LaunchpadError: Launchpad did not make it, it runs, or it cannot be removed.
    """
    if not installation.ours:
        raise LaunchpadError(
            "Launchpad did not install this QuPath",
            advice="Remove it as it was installed.",
            subject=str(installation.folder),
        )
    _refuse_running(installation)
    folder = installation.folder if (installation.folder / _MARK).is_file() else installation.folder.parent
    try:
        aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old")
        folder.rename(aside)  # at once or not at all
        shutil.rmtree(aside)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _refuse_running(installation: Installation) -> None:
    for process in running():
        named = [process.exe, *process.args[:3]]
        if any(os.path.normcase(os.path.realpath(item)) == _key(installation) for item in named):
            raise LaunchpadError(
                "This QuPath is running",
                advice="Save your work and close it, or end it by `launchpad qupath terminate`.",
                subject=str(installation.folder),
            )


def _unwritable(folder: Path, error: OSError) -> LaunchpadError:
    return LaunchpadError(
        "QuPath's folder cannot be written",
        detail=f"{error.strerror or error}.",
        advice="Check the disk's free space and your rights to the folder, or choose another one.",
        subject=str(folder),
    )
