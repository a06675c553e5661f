"""Stored sign-ins: one file for each API root, issuer, client id and audience together, and a lock beside it.

Encrypted by a key of the system's keyring; where there is none that works, in the clear. Either way for this account
alone: 0600 in a 0700 folder.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import portalocker

from launchpad import paths
from launchpad.errors import LaunchpadError
from launchpad.platform.auth import keyring_key
from launchpad.platform.auth.profiles import Profile

_WAIT = 120.0  # seconds for another process that refreshes
_FORMAT = 1


@dataclass(frozen=True)
class StoredTokens:
    """A sign-in. Times are seconds since 1970 by this computer's clock; `user` is what the id token said."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: float
    expires_at: float
    scope: str = ""
    client_id: str = ""
    user: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Protection:
    """How a sign-in is kept; `reason` says why it is in the clear."""

    encrypted: bool
    reason: str = ""


class TokenStore:
    """The stored sign-in of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.path = paths.sign_in_dir() / f"{profile.fingerprint}.json"

    def read(self) -> StoredTokens | None:
        """The sign-in, or None.

        Raises:
            LaunchpadError: others can read the file, it is damaged, or its key is out of reach.
        """
        data = self._bytes()
        if data is None:
            return None
        try:
            document = json.loads(data)
            if document["format"] != _FORMAT or tuple(document["identity"]) != self._profile.identity:
                raise ValueError("it belongs to another platform")
            if document["encrypted"]:
                nonce, sealed = (base64.b64decode(document[name]) for name in ("nonce", "data"))
                content = json.loads(self._open(nonce, sealed))
            else:
                content = document["data"]
            return StoredTokens(**content)
        except keyring_key.NoKeyring as error:
            raise LaunchpadError(
                "The stored sign-in cannot be opened",
                detail=f"It is encrypted, and {error}.",
                advice="Unlock the keyring and try again, or sign in again by `launchpad user login --relogin`.",
                subject=self._profile.title,
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise LaunchpadError(
                "The stored sign-in is damaged",
                detail=f"{error or type(error).__name__}.",
                advice="Sign in again by `launchpad user login --relogin`.",
                subject=str(self.path),
            ) from error

    def write(self, tokens: StoredTokens) -> Protection:
        """Keep a sign-in; when this returns it is on the disk.

        Raises:
            LaunchpadError: the file cannot be written.
        """
        content = json.dumps(asdict(tokens)).encode()
        document: dict[str, Any] = {"format": _FORMAT, "identity": list(self._profile.identity)}
        protection = Protection(True)
        try:
            nonce = os.urandom(12)
            sealed = self._seal(nonce, content)
            document |= {
                "encrypted": True,
                "nonce": base64.b64encode(nonce).decode(),
                "data": base64.b64encode(sealed).decode(),
            }
        except keyring_key.NoKeyring as error:
            protection = Protection(False, str(error))
            document |= {"encrypted": False, "reason": str(error), "data": json.loads(content)}
        try:
            paths.ensure_private(self.path.parent)
            paths.write_private(self.path, json.dumps(document).encode())
            _settle(self.path.parent)
        except OSError as error:
            raise LaunchpadError(
                "The sign-in cannot be stored",
                detail=f"{error.strerror or error}.",
                advice="Make room, or give yourself the right to write there; then sign in again.",
                subject=str(self.path),
            ) from error
        return protection

    def protection(self) -> Protection | None:
        """How the stored sign-in is kept; None where there is none."""
        data = self._bytes()
        if data is None:
            return None
        try:
            document = json.loads(data)
            return Protection(bool(document["encrypted"]), str(document.get("reason", "")))
        except (ValueError, KeyError, TypeError):
            return Protection(False, "the file is damaged")

    def remove(self) -> bool:
        """Forget the sign-in; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock that all processes respect who refresh this sign-in.

        Raises:
            LaunchpadError: another process holds it for minutes.
        """
        paths.ensure_private(self.path.parent)
        end = time.monotonic() + _WAIT
        with self.path.with_suffix(".lock").open("a+") as lock:
            while True:
                try:
                    portalocker.lock(lock, portalocker.LOCK_EX | portalocker.LOCK_NB)
                    break
                except portalocker.LockException as error:
                    if time.monotonic() > end:
                        raise LaunchpadError(
                            "The sign-in is busy",
                            detail="Another process of Launchpad has been refreshing it for minutes.",
                            advice="End that process, then try again.",
                            subject=self._profile.title,
                        ) from error
                    time.sleep(0.02)
            yield

    def _bytes(self) -> bytes | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LaunchpadError(
                "The stored sign-in cannot be read",
                detail=f"{error.strerror or error}.",
                advice="Sign in again by `launchpad user login --relogin`.",
                subject=str(self.path),
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            if sys.platform != "win32":
                status = os.fstat(file.fileno())
                if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid != os.geteuid():
                    raise LaunchpadError(
                        "Others could read the stored sign-in",
                        detail=f"Its mode is {stat.S_IMODE(status.st_mode):04o}; 0600 and your own is wanted.",
                        advice="Sign out and in again: `launchpad user logout`, then `launchpad user login`.",
                        subject=str(self.path),
                    )
            return file.read()

    def _open(self, nonce: bytes, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(keyring_key.key(make=False)).decrypt(nonce, sealed, self._bound())
        except InvalidTag:
            raise ValueError("it was encrypted by another key") from None

    def _seal(self, nonce: bytes, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(keyring_key.key(make=True)).encrypt(nonce, content, self._bound())

    def _bound(self) -> bytes:
        """What the encryption is bound to, so that a file under another name opens nothing."""
        return json.dumps([_FORMAT, *self._profile.identity]).encode()


def _settle(folder: Path) -> None:
    """Make the renaming of a file last through a power cut."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
