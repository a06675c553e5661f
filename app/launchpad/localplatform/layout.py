"""The data folder of a platform: where its parts lie, and the lock that keeps it to one process."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import portalocker

from launchpad import paths
from launchpad.errors import LaunchpadError


@dataclass(frozen=True)
class Layout:
    """Paths below one data folder."""

    root: Path

    @property
    def database(self) -> Path:
        """SQLite."""
        return self.root / "platform.sqlite"

    @property
    def objects(self) -> Path:
        """Bytes of stored objects."""
        return self.root / "objects"

    @property
    def keys(self) -> Path:
        """The signing key of the identity provider."""
        return self.root / "keys"

    @property
    def work(self) -> Path:
        """Scratch space of items; emptied at start."""
        return self.root / "work"

    @property
    def inputs(self) -> Path:
        """Slides that are fetched, also in part; outlives a crash."""
        return self.root / "inputs"

    @property
    def launch_file(self) -> Path:
        """Addresses and launch secret of the running platform, 0600."""
        return self.root / "launch.json"

    @property
    def lock(self) -> Path:
        """Held while a platform runs on this folder."""
        return self.root / "platform.lock"

    @property
    def clients_lock(self) -> Path:
        """Shared by the processes that use the platform."""
        return self.root / "clients.lock"

    @property
    def ports_file(self) -> Path:
        """The ports of the last start."""
        return self.root / "ports.json"

    @property
    def log(self) -> Path:
        """What happened, without secrets."""
        return self.root / "platform.log"

    def prepare(self) -> None:
        """Make the folders, private to this account."""
        for folder in (self.root, self.objects, self.keys, self.work, self.inputs):
            paths.ensure_private(folder)


class PlatformLock:
    """One platform a data folder. The system frees the lock when the process dies."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.lock
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        file = self._path.open("a+", encoding="utf-8")
        try:
            portalocker.lock(file, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.LockException as error:
            file.seek(0)
            owner = file.read()
            file.close()
            raise LaunchpadError(
                "A platform runs on this data folder already",
                detail=f"Started by {owner}." if owner else "",
                advice="Use it, or stop it by `launchpad platform stop`.",
                subject=str(self._path.parent),
            ) from error
        file.truncate(0)
        file.write(json.dumps({"host": socket.gethostname(), "boot_id": boot_id(), "pid": os.getpid()}))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def boot_id() -> str:
    """Tells one start of this computer from the next."""
    import psutil

    return str(int(psutil.boot_time()))
