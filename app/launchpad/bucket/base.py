"""What every bucket can do, whoever keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from launchpad.progress import Progress


@dataclass(frozen=True)
class ObjectInfo:
    """An object; `size` in bytes, `crc32c` base64 of four big-endian bytes, both as the store says."""

    key: str
    size: int
    crc32c: str | None
    etag: str | None
    last_modified: datetime | None = None


@dataclass(frozen=True)
class Receipt:
    """A file that is in the bucket: `size` in bytes, `crc32c` and `etag` as the store confirmed them.

    `attempts` counts the requests that carried bytes.
    """

    path: Path
    key: str
    size: int
    crc32c: str
    by_reference: bool
    already_there: bool
    attempts: int = 0
    etag: str = ""


class Bucket(ABC):
    """A bucket. Thread-safe."""

    name: str

    @abstractmethod
    def put(self, path: Path, key: str, progress: Progress | None = None, *, expected: str | None = None) -> Receipt:
        """Send a file; progress in bytes. `expected` is the checksum that it had when it was prepared.

        Raises:
            BadInput: the file changed since then, or cannot be read.
            TransferError: the store does not confirm what was sent.
            Unreachable: the store does not answer.
            Cancelled: the progress was cancelled.
        """

    def begun(self, path: Path) -> str | None:
        """The key of an upload of this very file that was begun and not ended, to go on with; None where there is none.

        Raises:
            LaunchpadError: the journal cannot be read.
        """
        return None

    def abandon(self, key: str) -> bool:
        """End such an upload for good, so that the store throws away what it has of it; whether there was one.

        Raises:
            Unreachable, TransferError: the store does not answer, or refuses.
        """
        return False

    @abstractmethod
    def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of an object, or None. Raises Unreachable and TransferError."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose keys begin so, in order, page by page as they are asked for.

        Raises:
            Unreachable, TransferError: the store does not answer, or refuses.
        """

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> int:
        """Delete objects; how many there were. Raises as `list`; those before the failure are deleted."""

    @abstractmethod
    def signed_url(self, key: str, expires: int, method: str = "GET") -> str:
        """A URL that opens the object for `expires` seconds."""

    @abstractmethod
    def close(self) -> None:
        """Close the connections."""

    def uri(self, key: str) -> str:
        """The object's address, as manifests carry it."""
        return f"gs://{self.name}/{key}"
