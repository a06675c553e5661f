"""Requests that wait for a person, each with a one-time code that the page which asks for it does not show.

Whoever sees the code can read this account's launch secret: `launchpad platform code` and the window. So a web page, or
another account of this computer, cannot agree in the person's name. Kept in memory: a restart ends them all.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Literal

from launchpad.localplatform.identity.grants import Asked, letters, tidy

LIFE = 300.0  # seconds
TRIES = 10
_MOST = 50  # that wait at once


class Refused(Exception):
    """The person's answer is not taken; `left` tries remain, 0 when the request has ended."""

    def __init__(self, words: str, left: int) -> None:
        super().__init__(words)
        self.words = words
        self.left = left


@dataclass
class Waiting:
    """A request that waits. `asked` and `state` are of the authorization endpoint, None of the device page."""

    kind: Literal["browser", "device"]
    client_id: str
    asked: Asked | None
    state: str
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    code: str = field(default_factory=letters)
    end: float = field(default_factory=lambda: time.monotonic() + LIFE)
    tries: int = TRIES


class Consents:
    """The requests that wait. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._lock = threading.Lock()

    def open(self, kind: Literal["browser", "device"], client_id: str, asked: Asked | None, state: str) -> Waiting:
        """Let a request wait; when there are too many, the oldest ends."""
        request = Waiting(kind, client_id, asked, state)
        with self._lock:
            self._sweep()
            while len(self._waiting) >= _MOST:
                del self._waiting[next(iter(self._waiting))]
            self._waiting[request.id] = request
        return request

    def waiting(self) -> list[Waiting]:
        """All that wait, newest first."""
        with self._lock:
            self._sweep()
            return list(reversed(self._waiting.values()))

    def find(self, request_id: str, csrf: str, cookie: str) -> Waiting:
        """The request that a form belongs to.

        Raises:
            Refused: there is none, or the form did not come from its page.
        """
        with self._lock:
            self._sweep()
            request = self._waiting.get(request_id)
        if (
            request is None
            or not hmac.compare_digest(request.csrf.encode(), csrf.encode())
            or not hmac.compare_digest(request.cookie.encode(), cookie.encode())
        ):
            raise Refused("This request has ended. Begin again in the application that sent you here.", 0)
        return request

    def check(self, request: Waiting, code: str) -> None:
        """Take a typed code.

        Raises:
            Refused: it is wrong; the tenth time the request ends.
        """
        with self._lock:
            request.tries -= 1
            if request.tries >= 0 and hmac.compare_digest(request.code.encode(), tidy(code).encode()):
                return
            left = max(0, request.tries)
            if not left:
                self._waiting.pop(request.id, None)
        if left:
            raise Refused(f"This is not the code. {left} more {'try' if left == 1 else 'tries'}.", left)
        raise Refused("Too many wrong codes. Begin again in the application that sent you here.", 0)

    def end(self, request: Waiting) -> bool:
        """It is answered; False when somebody else did that already."""
        with self._lock:
            return self._waiting.pop(request.id, None) is not None

    def _sweep(self) -> None:
        for name, request in list(self._waiting.items()):
            if request.end <= time.monotonic():
                del self._waiting[name]
