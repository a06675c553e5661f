"""Keyrings of all kinds, chosen by PYTHON_KEYRING_BACKEND=keyrings.Name: they keep what they get in a file."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError

released = threading.Event()
asked: list[str] = []


def _file() -> Path:
    return Path(os.environ["TEST_KEYRING_FILE"])


class Working(KeyringBackend):
    """One that works."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        asked.append(username)
        if not _file().exists():
            return None
        return json.loads(_file().read_text()).get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password) > 1280:
            raise PasswordSetError("stub received bad data")
        known = json.loads(_file().read_text()) if _file().exists() else {}
        _file().write_text(json.dumps(known | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class Hanging(Working):
    """One that waits for a dialog that nobody sees."""

    def get_password(self, service: str, username: str) -> str | None:
        asked.append(username)
        released.wait(30)
        return None


class Refusing(Working):
    """One that takes nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError("locked")


class Forgetting(Working):
    """One that says yes and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass
