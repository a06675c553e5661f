"""Where things lie on this computer. The only module that knows.

`LAUNCHPAD_DATA_DIR` moves everything below one folder (tests, portable installations). Otherwise the system's usual
folders, by platformdirs.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from launchpad.errors import SettingsError

_NAME = "launchpad"
_NAME_BYTES = 150


def _own_root() -> Path | None:
    root = os.environ.get("LAUNCHPAD_DATA_DIR", "").strip()
    return Path(root).expanduser().absolute() if root else None


def _folder(kind: str) -> Path:
    root = _own_root()
    if root is not None:
        return root if kind == "data" else root / kind
    import platformdirs

    name = {"data": "user_data_path", "config": "user_config_path", "cache": "user_cache_path", "log": "user_log_path"}
    path: Path = getattr(platformdirs, name[kind])(_NAME, appauthor=False)
    if not path.is_absolute():  # no HOME and no entry in the user database
        raise SettingsError(
            "The home folder of this account is not known",
            advice="Set LAUNCHPAD_DATA_DIR to a folder that Launchpad may use.",
        )
    return path


def data_dir() -> Path:
    """Results, data sets, the embedded platform."""
    return _folder("data")


def config_dir() -> Path:
    """Settings and window geometry."""
    return _folder("config")


def cache_dir() -> Path:
    """What can be made again: thumbnails."""
    return _folder("cache")


def log_dir() -> Path:
    """Log files and crash reports."""
    return _folder("log")


def state_file() -> Path:
    """The database of drafts, journals and recent things (opened by state.py alone)."""
    return data_dir() / "state.sqlite"


def settings_file() -> Path:
    """The person's settings, TOML."""
    return config_dir() / "settings.toml"


def env_file() -> Path:
    """The person's variables, `KEY=value`."""
    return config_dir() / ".env"


def window_file() -> Path:
    """Geometry, theme and what else the window must know before it paints, INI."""
    return config_dir() / "window.ini"


def results_dir() -> Path:
    """Where results are downloaded to when nothing else is said."""
    return data_dir() / "results"


def datasets_dir() -> Path:
    """Public data sets, and the index of what there is."""
    return data_dir() / "datasets"


def platform_dir() -> Path:
    """Data folder of the embedded platform."""
    return data_dir() / "platform"


def sign_in_dir() -> Path:
    """Stored sign-ins, one file each."""
    return data_dir() / "sign-in"


def profiles_file() -> Path:
    """The platforms that a person added, and which one is in use, JSON."""
    return config_dir() / "profiles.json"


def resource(*parts: str) -> Path:
    """A file that ships with Launchpad, for example `resource("icons", "clock.svg")`.

    Raises:
        FileNotFoundError: the installation lacks it.
    """
    for base in _resource_folders():
        path = base.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(parts))


@lru_cache(maxsize=1)
def _resource_folders() -> tuple[Path, Path]:
    """In a wheel and in a bundle the resources lie inside the package, in a source tree beside `app`."""
    here = Path(__file__).resolve().parent  # asked of the system once: the first window reads dozens of files
    return here / "resources", here.parent.parent / "resources"


def safe_name(name: str) -> str:
    """A name from a server as one that stays in its folder on every system."""
    import re
    import unicodedata

    # One form of umlauts, which macOS takes for the same name as the other.
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", unicodedata.normalize("NFC", name)).strip(" .")
    if re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", clean, re.IGNORECASE):
        clean = f"_{clean}"
    # File systems count bytes; what stands behind, such as an extension, has to fit, too.
    return clean.encode()[:_NAME_BYTES].decode(errors="ignore").rstrip(" .") or "_"


def ensure_private(folder: Path) -> Path:
    """Make a folder that only this account can enter."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if sys.platform != "win32":
        folder.chmod(0o700)
    return folder


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all; readers see the old or the new one."""
    import secrets

    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_unicode(path: Path) -> bool:
    """Whether a path can be named elsewhere: on Linux a file's name may be any bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def write_private(path: Path, data: bytes) -> None:
    """`write_atomic` for secrets: only this account can read the file, from its first byte on."""
    write_atomic(path, data, 0o600)
