"""What the old SDK left on this computer, taken over: settings, results, data sets, QuPath. Never a token."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import AliasChoices

from launchpad import paths
from launchpad.bucket.address import NETWORK
from launchpad.errors import LaunchpadError, SettingsError
from launchpad.settings import Settings, load_settings
from launchpad.system import dotenv_file

ALIAS = "aignostics"
COMMAND_VARIABLE = "LAUNCHPAD_COMMAND"  # that the alias sets
_MARK = "written by launchpad migrate install-alias"
_SECRET = ("REFRESH_TOKEN", "LAUNCHPAD_TOKEN", "SYSTEM_TOKEN")
# folders of the old SDK's data -> ours; each thing in them is taken over by itself
_FOLDERS = ("results", "datasets/idc", "datasets/aignostics", "bucket_downloads", "notebooks")


@dataclass(frozen=True)
class Taken:
    """One thing: `what` was done with `source`; `target` is empty where it was left alone."""

    what: str
    source: str
    target: str = ""


def take_over(*, dry_run: bool = False, choose_qupath: Callable[[list[Path], bool], Path | None]) -> list[Taken]:
    """Take over what is not here yet; called again it does what is new. The old files stay as they are.

    `choose_qupath` gets folders of the old SDK that may hold QuPath, and whether this is a dry run; it returns the one
    that is used from now on, None where none is, or another one is in use already.

    Raises:
        LaunchpadError: something cannot be read or written; what was taken over until then stays.
        SettingsError: with the old settings Launchpad would not start; none of them is taken over then.
    """
    return [*_settings(dry_run), *_data(dry_run), *_qupath(dry_run, choose_qupath)]


def old_data() -> Path:
    """The old SDK's data folder; it does not have to exist."""
    folder = Path(platformdirs.user_data_dir(ALIAS))  # on Windows `aignostics` twice, the first for the author
    plain = Path(platformdirs.user_data_dir(ALIAS, appauthor=False))
    return folder if folder.is_dir() or not plain.is_dir() else plain


def _settings(dry_run: bool) -> Iterator[Taken]:
    from dotenv import dotenv_values

    environment = os.environ.get("AIGNOSTICS_ENVIRONMENT") or os.environ.get("ENV") or "local"
    folder = Path.home() / ".aignostics"
    known = _known_names()
    values: dict[str, tuple[str, Path]] = {}
    left: list[Taken] = []
    for file in (folder / ".env", folder / f".env.{environment}"):
        if not file.is_file():
            continue
        for name, value in dotenv_values(file).items():
            if name.upper().endswith(_SECRET):
                left.append(Taken(f"Left out {name}, a token; sign in again by `launchpad user login`", str(file)))
            elif name.upper() not in known:
                left.append(Taken(f"Left out {name}, which Launchpad does not have", str(file)))
            elif value:
                values.setdefault(name.upper(), (value, file))  # the first file has the last word, as in the old SDK
    own = dotenv_values(dotenv_file.file()) if dotenv_file.file().is_file() else {}
    new = {name: item for name, item in values.items() if name not in own}
    if new and not dry_run:
        before = dotenv_file.file().read_bytes() if dotenv_file.file().is_file() else None
        for name, (value, _) in new.items():
            dotenv_file.put(name, value)
        try:
            load_settings()
        except SettingsError as error:
            if before is None:
                dotenv_file.file().unlink()
            else:
                paths.write_private(dotenv_file.file(), before)
            raise SettingsError(
                "The old settings are not valid, and were not taken over",
                detail=error.detail,
                advice="Correct them there, then call this again.",
                subject=", ".join(dict.fromkeys(str(file) for _, file in new.values())),
            ) from error
    for name, (_, file) in new.items():
        yield Taken(f"Setting {name}", str(file), str(dotenv_file.file()))
    yield from left


def _known_names() -> set[str]:
    names = set(NETWORK)
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(choice) for choice in field.validation_alias.choices}
    return names


def _data(dry_run: bool) -> Iterator[Taken]:
    for name in _FOLDERS:
        source = old_data() / name
        for entry in _entries(source):
            target = paths.data_dir() / name / entry.name
            if os.path.lexists(target) or entry.name.startswith("."):
                continue
            if not dry_run:
                _link(entry, target)
            what = "Results of a run" if name == "results" and _is_run(entry) else "Linked"
            yield Taken(what, str(entry), str(target))


def _is_run(entry: Path) -> bool:
    try:
        return entry.is_dir() and bool(uuid.UUID(entry.name))
    except ValueError:
        return False


def _qupath(dry_run: bool, choose: Callable[[list[Path], bool], Path | None]) -> Iterator[Taken]:
    if load_settings().qupath:
        return
    found = [entry for entry in _entries(old_data()) if entry.is_dir() and entry.name.startswith("QuPath")]
    chosen = choose(found, dry_run) if found else None
    if chosen is not None:
        yield Taken("QuPath", str(chosen), "what Launchpad opens slides with")


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise LaunchpadError(
            "The folder cannot be read",
            detail=f"{error.strerror or error}.",
            advice="Check your rights, then run it again.",
            subject=str(folder),
        ) from error


def _link(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.symlink_to(source, target_is_directory=source.is_dir())
        except OSError:  # Windows without the right to make links
            _link_otherwise(source, target)
    except OSError as error:
        raise LaunchpadError(
            "The folder cannot be taken over",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights, then run it again.",
            subject=str(source),
        ) from error


def _link_otherwise(source: Path, target: Path) -> None:
    """By a junction, which Windows lets everybody make, or by a copy, which is there whole or not at all."""
    if sys.platform == "win32" and source.is_dir():
        import _winapi

        try:
            _winapi.CreateJunction(str(source), str(target))
            return
        except OSError:  # another computer's folder
            target.rmdir()
    part = target.with_name(f".{target.name}.part")
    if source.is_dir():
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
    else:
        shutil.copy2(source, part)
    part.rename(target)


def write_alias(folder: Path | None = None) -> Path:
    """Write a command `aignostics` that calls this `launchpad`; its path.

    Raises:
        LaunchpadError: another program has this name there, or it cannot be written.
    """
    program = _program()
    place = (folder or program.parent).absolute()
    windows = sys.platform == "win32"
    path = place / (f"{ALIAS}.cmd" if windows else ALIAS)
    for taken in (path, place / f"{ALIAS}.exe") if windows else (path,):
        if (taken.exists() or taken.is_symlink()) and not _is_ours(taken):
            raise LaunchpadError(
                "Another program has this name, and is left alone",
                advice="Uninstall the aignostics SDK first, or choose another place by --folder.",
                subject=str(taken),
            )
    if windows:
        # Beside the program its name is enough, whose path cmd might not read; the variable ends with the command.
        call = f"%~dp0{program.name}" if program.parent == place else str(program).replace("%", "%%")
        text = f'@echo off\r\nrem {_MARK}\r\nsetlocal\r\nset {COMMAND_VARIABLE}={ALIAS}\r\n"{call}" %*\r\n'
    else:
        text = f'#!/bin/sh\n# {_MARK}\n{COMMAND_VARIABLE}={ALIAS} exec {shlex.quote(str(program))} "$@"\n'
    try:
        place.mkdir(parents=True, exist_ok=True)
        paths.write_atomic(path, text.encode(), 0o755)
    except OSError as error:
        raise LaunchpadError(
            "The command cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose a folder of your own that is in PATH by --folder.",
            subject=str(path),
        ) from error
    return path


def found_instead(path: Path) -> str | None:
    """What a shell finds as `aignostics` instead of this file: another file, "" for nothing, None when it is this."""
    found = shutil.which(ALIAS)
    if found is None:
        return ""
    return None if Path(found).resolve() == path.resolve() else found


def profile_is_chosen() -> bool:
    """Whether a person chose a platform: by a setting, or by `launchpad profile use`. Raises SettingsError."""
    from launchpad.platform.auth import profile_file

    settings = load_settings()
    return bool(settings.profile or settings.api_root or settings.refresh_token or profile_file.load().active)


def _program() -> Path:
    name = "launchpad.exe" if sys.platform == "win32" else "launchpad"
    beside = Path(sys.executable).parent / name
    found = beside if beside.exists() else shutil.which("launchpad")
    if found is None:
        raise LaunchpadError("The command launchpad is not found", advice="Install Launchpad, or correct PATH.")
    return Path(found).absolute()


def _is_ours(path: Path) -> bool:
    try:
        return _MARK.encode() in path.read_bytes()[:4096]
    except OSError:
        return False
