"""The key that encrypts stored sign-ins: in the system's keyring, which may be missing, refuse, or hang."""

from __future__ import annotations

import base64
import hashlib
import os
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

import portalocker

from launchpad import paths

LIMIT = 3.0  # seconds that the keyring may take
_SERVICE = "Launchpad"
_T = TypeVar("_T")
_lock = threading.Lock()
_known: dict[str, bytes] = {}
_unusable: dict[str, str] = {}


class NoKeyring(Exception):
    """The keyring cannot be used; the text says why, as a sentence without its full stop."""


def key(*, make: bool) -> bytes:
    """The 32 bytes of this data folder; made when there are none and `make` says so.

    A keyring that failed once is not asked again by this process.

    Raises:
        NoKeyring: it cannot be used, or holds no key and `make` is False.
    """
    folder = paths.ensure_private(paths.sign_in_dir())
    name = f"sign-in {hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    with _lock:
        if name in _known:
            return _known[name]
        if name in _unusable:
            raise NoKeyring(_unusable[name])
        try:
            found = _limited(lambda: _from_keyring(name, make=make))
        except NoKeyring as error:
            _unusable[name] = str(error)
            raise
        if found is None:
            raise NoKeyring("the system's keyring has no key for it")
        _known[name] = found
        return found


def forget() -> None:
    """Ask the keyring anew next time."""
    with _lock:
        _known.clear()
        _unusable.clear()


def _from_keyring(name: str, *, make: bool) -> bytes | None:
    import keyring
    from keyring.backends import chainer, fail, null

    used = keyring.get_keyring()
    inner = list(used.backends) if isinstance(used, chainer.ChainerBackend) else [used]
    if not inner or isinstance(inner[0], fail.Keyring | null.Keyring):
        raise NoKeyring("this system has no keyring")
    if type(inner[0]).__module__.startswith("keyrings.alt"):  # these keep secrets in the clear
        raise NoKeyring("the keyring of this system keeps secrets in the clear")
    # Two processes that begin at once must not make two keys.
    with (paths.sign_in_dir() / "keyring.lock").open("a+") as lock:
        portalocker.lock(lock, portalocker.LOCK_EX)
        stored = keyring.get_password(_SERVICE, name)
        if stored is None and make:
            fresh = base64.b64encode(os.urandom(32)).decode()
            keyring.set_password(_SERVICE, name, fresh)
            stored = keyring.get_password(_SERVICE, name)
            if stored != fresh:
                raise NoKeyring("the system's keyring does not keep what it is given")
    if stored is None:
        return None
    value = base64.b64decode(stored)
    if len(value) != 32:
        raise NoKeyring("the system's keyring gives a key that is not ours")
    return value


def _limited(call: Callable[[], _T]) -> _T:
    """A call's result within the limit; a keyring that waits for a dialog nobody sees must not stop us."""
    results: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised again below
            results.put((None, error))

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        value, error = results.get(timeout=LIMIT)
    except queue.Empty:
        raise NoKeyring(f"the system's keyring does not answer within {LIMIT:.0f} seconds") from None
    if isinstance(error, NoKeyring):
        raise error
    if error is not None:
        raise NoKeyring(f"the system's keyring fails ({type(error).__name__})") from error
    return value  # type: ignore[return-value]
