"""Whether there is a newer Launchpad, fetching it, and handing it to the system's installer. Never installs by itself.

At most once a day, and not at all where a person or an administrator switched it off.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from launchpad import __version__, paths
from launchpad.bucket.address import is_loopback
from launchpad.errors import BadInput, ChecksumError, DiskFull, LaunchpadError, NotFound, TooLarge, TransferError
from launchpad.other_programs import clean_environment
from launchpad.progress import Progress
from launchpad.system.release_feed import Release, ReleaseFile, Source, believed, order, safe_url, shipped_source

DAY = 24 * 3600.0  # seconds
_LARGEST_FEED = 1 << 20  # bytes
_BLOCK = 1 << 18
_PACKAGE = "pathology-launchpad"
_TIMEOUT = 20.0
_OPENS = 5.0  # seconds in which the system says that it has nothing for a file
_handed: list[subprocess.Popen[bytes]] = []  # still open when we end; nobody waits for them


@dataclass(frozen=True)
class Update:
    """A version newer than this one, and its file for this computer (None: there is none, or pip installs it)."""

    release: Release
    file: ReleaseFile | None


# --- whether one may look --------------------------------------------------------------------------------
def managed_file() -> Path:
    """Where an administrator says `updates = false` for all accounts of a computer."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "Launchpad" / "managed.toml"
    if sys.platform == "darwin":
        return Path("/Library/Application Support/Launchpad/managed.toml")
    return Path("/etc/launchpad/managed.toml")


def why_off(managed: Path | None = None) -> str:
    """Why this installation does not look for updates, as a sentence; "" where it does.

    Raises:
        SettingsError: the settings do not validate.
    """
    from launchpad.settings import load_settings

    managed = managed or managed_file()
    if managed.exists():
        try:
            on = tomllib.loads(managed.read_text(encoding="utf-8")).get("updates", True)
        except (OSError, ValueError):
            on = False  # somebody manages this computer; what they meant cannot be read
        if on is not True:
            return f"Your administrator manages this installation ({managed})."
    settings = load_settings()
    if not settings.updates:
        return "Looking for updates is switched off in the settings."
    source = _source(settings.update_feed)
    if not source.feed or not source.keys:
        return "This build was made without a place to look for updates."
    return ""


def _source(feed: str | None) -> Source:
    """The shipped keys always; the shipped address unless the settings name a mirror."""
    shipped = shipped_source()
    return Source(feed or shipped.feed, shipped.keys)


# --- looking --------------------------------------------------------------------------------
def check(*, force: bool = False, now: float | None = None) -> Update | None:
    """The newest release, if it is newer than this one. Asks the network at most once a day unless forced.

    Raises:
        LaunchpadError: updates are off and the look was forced, or the feed cannot be had or believed.
    """
    from launchpad.settings import load_settings

    reason = why_off()
    if reason:
        if force:
            raise BadInput("Updates are off", detail=reason, advice="Ask whoever gave you Launchpad.")
        return None
    source = _source(load_settings().update_feed)
    now = time.time() if now is None else now
    kept, looked = _kept()
    if not force and 0 <= now - looked < DAY:
        if kept is None:
            return None
        try:  # the same look again: what was kept has to be believed like what comes from the line
            return newer(believed(kept, source.keys))
        except LaunchpadError:
            return None  # kept by another build, or damaged; tomorrow's look replaces it
    # Also a look that fails counts, so that a thousand computers do not hammer a server that is down.
    _keep(None, now)
    feed = _fetched(source.feed)
    releases = believed(feed, source.keys)
    _keep(feed, now)
    return newer(releases)


def newer(releases: tuple[Release, ...], running: str = __version__) -> Update | None:
    """The newest release that is newer than what runs, never an older one, and no trial version unless this is one."""
    trial = order(running)[4] != 3
    for release in releases:
        if order(release.version) <= order(running):
            return None
        if trial or order(release.version)[4] == 3:
            return Update(release, file_for(release))
    return None


def file_for(release: Release, kind: str | None = None, machine: str | None = None) -> ReleaseFile | None:
    """The file for this computer and the way in which Launchpad was installed."""
    kind = installed_as() if kind is None else kind
    machine = (machine or platform.machine()).lower()
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
    for file in release.files:
        if file.kind == kind and file.machine in (machine, "any"):
            return file
    return None


def installed_as(root: Path = Path("/")) -> str:
    """How this Launchpad came here: a kind of `release_feed.KINDS`, or "python" (pip, uv, a source tree).

    On Linux only a package puts the program and its desktop entry where they are looked for below `root`.
    """
    if not getattr(sys, "frozen", False):
        return "python"
    if sys.platform == "win32":
        return "exe"
    if sys.platform == "darwin":
        return "dmg"
    packaged = (root / "usr/share/applications" / f"{_PACKAGE}.desktop").is_file()
    if packaged and Path(sys.executable).resolve().parent == root / "opt" / _PACKAGE:
        return "deb" if (root / "var/lib/dpkg/info" / f"{_PACKAGE}.list").is_file() else "rpm"
    return "appimage" if os.environ.get("APPIMAGE") else "tar.xz"


def _state_file() -> Path:
    return paths.data_dir() / "updates.json"


def _kept() -> tuple[bytes | None, float]:
    """The feed of the last look and when that was."""
    try:
        document = json.loads(_state_file().read_text(encoding="utf-8"))
        feed = document["feed"]
        return (feed.encode() if isinstance(feed, str) else None), float(document["looked"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, 0.0


def _keep(feed: bytes | None, now: float) -> None:
    document = {"looked": now, "feed": feed.decode("utf-8", "replace") if feed is not None else None}
    try:
        paths.ensure_private(paths.data_dir())
        paths.write_private(_state_file(), json.dumps(document).encode())
    except OSError as error:
        raise _unwritable(_state_file(), error) from error


def _fetched(url: str) -> bytes:
    """The feed as it comes."""
    content = bytearray()

    def take(block: bytes) -> None:
        content.extend(block)
        if len(content) > _LARGEST_FEED:
            raise TooLarge("The announcement of updates is too large to be one", subject=url)

    _get(url, take)
    return bytes(content)


def _get(url: str, take: object) -> None:
    """Get an address over https, every redirection too, and give each block to `take`."""
    import httpx

    from launchpad.platform.line import translated
    from launchpad.settings import load_settings
    from launchpad.tls import verification

    assert callable(take)
    local = is_loopback(url)
    proxy = None if local else load_settings().proxy
    try:
        with httpx.Client(verify=verification(), timeout=_TIMEOUT, trust_env=not local, proxy=proxy) as client:
            address = url
            for _ in range(6):
                if not safe_url(address):
                    raise TransferError("Updates are not fetched over an unprotected line", subject=address)
                with client.stream("GET", address, headers={"User-Agent": f"Launchpad/{__version__}"}) as answer:
                    if answer.is_redirect and answer.next_request is not None:
                        address = str(answer.next_request.url)
                        continue
                    if answer.status_code != 200:
                        raise TransferError(
                            "The server of updates does not answer as it should",
                            detail=f"It answered {answer.status_code}.",
                            advice="Try again later.",
                            subject=url,
                        )
                    for block in answer.iter_bytes(_BLOCK):
                        take(block)
                    return
            raise TransferError("The server of updates leads in circles", advice="Try again later.", subject=url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise translated(error, url) from error


# --- fetching and handing over --------------------------------------------------------------------------------
def downloads_dir() -> Path:
    """Where installers wait."""
    return paths.cache_dir() / "updates"


def download(update: Update, progress: Progress | None = None) -> Path:
    """Fetch the installer and check size and SHA-256, which the signed announcement promises. Progress in bytes.

    Raises:
        LaunchpadError: there is no file for this computer, it cannot be had, or it is not what was promised.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    chosen = update.file
    if chosen is None:
        raise NotFound("This release has no installer for this computer", advice=by_hand(update.release.version))
    _never_back(update)
    target = downloads_dir() / chosen.name
    if target.is_file() and _matches(target, chosen):
        return target
    part = target.with_name(f".{chosen.name}.part")
    digest, done = hashlib.sha256(), 0
    try:
        paths.ensure_private(target.parent)
        with part.open("wb") as out:

            def take(block: bytes) -> None:
                nonlocal done
                done += len(block)
                if done > chosen.size:
                    raise _not_as_promised(chosen)
                out.write(block)
                digest.update(block)
                progress.report(done, chosen.size, chosen.name)

            _get(chosen.url, take)
        if done != chosen.size or digest.hexdigest() != chosen.sha256:
            raise _not_as_promised(chosen)
        part.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    for other in target.parent.iterdir():  # installers of earlier updates
        if other != target and other.is_file():
            other.unlink(missing_ok=True)
    return target


def opener(file: Path) -> list[str]:
    """The command by which the system shows an installer to the person, who then decides."""
    if sys.platform == "win32":
        return [str(file)]
    if sys.platform == "darwin":
        return ["open", str(file)]
    # An archive or AppImage is for the person to put where the old one is: the folder is shown.
    return ["xdg-open", str(file if file.suffix in (".deb", ".rpm") else file.parent)]


def hand_over(update: Update, file: Path) -> None:
    """Start the system's installer with the file, which is checked once more. It asks; nothing is silent.

    Raises:
        LaunchpadError: the file is not what was promised, or the system has nothing that opens it.
    """
    _never_back(update)
    if update.file is None or not file.is_file() or not _matches(file, update.file):
        raise _not_as_promised(update.file)
    try:
        if sys.platform == "win32":
            os.startfile(file)  # noqa: S606 - the file that was just checked
        else:
            process = subprocess.Popen(
                opener(file), env=clean_environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            _handed.append(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                if code := process.wait(_OPENS):
                    raise OSError(f"{opener(file)[0]} ended with {code}")
                _handed.remove(process)
    except OSError as error:
        raise LaunchpadError(
            "The system has nothing that opens the installer",
            detail=f"{error.strerror or error}.",
            advice="Open the file yourself.",
            subject=str(file),
        ) from error


def by_hand(version: str) -> str:
    """What a person types who installed Launchpad by pip or uv."""
    if installed_as() == "python":
        return f"Type: pip install --upgrade pathology-launchpad=={version} (or: uv tool upgrade pathology-launchpad)."
    return "Get the installer from those who gave you Launchpad."


def _never_back(update: Update) -> None:
    if order(update.release.version) <= order(__version__):
        raise BadInput(
            "This is no newer version",
            detail=f"This is {__version__}; {update.release.version} was offered.",
            advice="Nothing is to be done.",
        )


def _matches(file: Path, promised: ReleaseFile) -> bool:
    if file.stat().st_size != promised.size:
        return False
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == promised.sha256


def _not_as_promised(promised: ReleaseFile | None) -> ChecksumError:
    return ChecksumError(
        "The update is not what was announced",
        detail="Its size or checksum differs. It was not kept.",
        advice="Try again; when it happens again, tell those who run your network.",
        subject=promised.name if promised is not None else "",
    )


def _unwritable(file: Path, error: OSError) -> LaunchpadError:
    import errno

    kind = DiskFull if error.errno == errno.ENOSPC else LaunchpadError
    return kind(
        "The update cannot be kept on this computer",
        detail=f"{error.strerror or error}.",
        advice="Check your rights, and the disk's free space.",
        subject=str(file),
    )
