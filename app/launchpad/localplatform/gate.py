"""The ASGI callable in front: listens at once, and lets only requests in that are meant for this platform.

The application is imported in a thread while the port is open already; requests wait for it. The Host header must be
ours (against DNS rebinding), and a request from a web page of another origin may change nothing. Bodies have limits of
size, time and depth, sign-in addresses one of refusals, and every answer carries the headers that keep browsers safe.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_DEEPEST = 64  # levels of JSON
_LOGIN = ("/oauth/", "/authorize", "/activate")
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Of requests: bytes and seconds of a body, refusals of a sign-in address in a minute."""

    body_bytes: int = 64 << 20
    body_seconds: float = 60.0
    failed_logins: int = 20


class Gate:
    """Passes requests to the application once `app` is there."""

    def __init__(self, app: Future[App], hosts: frozenset[str], limits: Limits = Limits()) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(f"http://{host}" for host in hosts)
        self._limits = limits
        self._failed: dict[str, deque[float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"]
        if headers.get(b"host", "").lower() not in self._hosts:
            await _refuse(send, 421, "The host is not this platform's.")
        elif headers.get(b"origin", "").lower() not in ("", *self._origins):
            await _refuse(send, 403, "Web pages of another origin may not use this platform.")
        elif path == "/health" and not self._app.done():
            # Requests are taken already and wait; a degraded platform counts as healthy.
            await _answer(send, 200, {"status": "DEGRADED", "reason": "The platform is starting."}, b"application/json")
        elif path.startswith(_LOGIN) and (seconds := self._blocked(path)):
            words = "Too many refused requests; wait a little."
            await _refuse(send, 429, words, [(b"retry-after", str(seconds).encode())])
        else:
            try:
                body = await self._body(headers, receive)
            except _RefusedBody as error:
                await _refuse(send, error.status, error.words, [(b"connection", b"close")])
                return
            if body is None:
                return  # the client went away
            app = await asyncio.wrap_future(self._app)
            answer = _secured(send)
            await app(scope, _replay(body, receive), self._watched(path, answer) if path.startswith(_LOGIN) else answer)

    # --- bodies -----------------------------------------------------------------------------------------------------
    async def _body(self, headers: dict[bytes, str], receive: Receive) -> bytes | None:
        """The whole body; None when the client went away."""
        length = headers.get(b"content-length", "")
        if not length and b"transfer-encoding" not in headers:
            return b""
        if length.isdigit() and int(length) > self._limits.body_bytes:
            raise _RefusedBody(413, f"The body may have {self._limits.body_bytes:,} bytes.")
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._collect(receive)
        except TimeoutError:
            raise _RefusedBody(408, "The body did not come in time.") from None
        if body and _is_json(headers.get(b"content-type", "")) and depth(body) > _DEEPEST:
            raise _RefusedBody(400, f"The JSON of the body has more than {_DEEPEST} levels.")
        return body

    async def _collect(self, receive: Receive) -> bytes | None:
        blocks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            blocks.append(message.get("body", b""))
            size += len(blocks[-1])
            if size > self._limits.body_bytes:
                raise _RefusedBody(413, f"The body may have {self._limits.body_bytes:,} bytes.")
            if not message.get("more_body", False):
                return b"".join(blocks)

    # --- sign-in ----------------------------------------------------------------------------------------------------
    def _blocked(self, path: str) -> int:
        """Seconds until this address takes requests again; 0 where it does now."""
        failed = self._failed.get(path)
        if failed is None:
            return 0
        at = time.monotonic()
        while failed and failed[0] <= at - 60:
            failed.popleft()
        if not failed:
            del self._failed[path]
        return int(60 - (at - failed[0])) + 1 if len(failed) >= self._limits.failed_logins else 0

    def _watched(self, path: str, send: Send) -> Send:
        """Counts refusals. A device that waits for its person asks again and again; that is no refusal."""
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            elif status in (400, 401, 403) and not re.search(
                rb"authorization_pending|slow_down", message.get("body", b"")
            ):
                self._failed.setdefault(path, deque()).append(time.monotonic())
                _log.warning("a sign-in was refused", extra={"path": path, "status": status})
                status = 0
            await send(message)

        return watched


class _RefusedBody(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.status, self.words = status, words


def depth(text: bytes) -> int:
    """How deep the arrays and objects of a JSON text are nested; cheap also for long ones."""
    if text.count(b"[") + text.count(b"{") <= _DEEPEST:
        return 0  # it cannot be deeper
    marks = re.sub(rb"\\.", b"", text, flags=re.DOTALL)  # escaped quotes are no quotes
    marks = re.sub(rb'"[^"]*"', b"", marks)
    steps = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
    brackets = re.sub(rb"[^\[\]{}]+", b"", marks)
    return max(accumulate((steps[mark] for mark in brackets), initial=0))


def _is_json(kind: str) -> bool:
    kind = kind.partition(";")[0].strip().lower()
    return kind in ("", "application/json") or kind.endswith("+json")


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _secured(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            there = {name.lower() for name, _ in own}
            message["headers"] = own + [pair for pair in _HEADERS.items() if pair[0] not in there]
        await send(message)

    return secured


async def _refuse(send: Send, status: int, words: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = {"type": "about:blank", "title": words, "status": status, "detail": words}
    await _answer(send, status, body, b"application/problem+json", headers)


async def _answer(
    send: Send,
    status: int,
    document: dict[str, object],
    kind: bytes,
    more: list[tuple[bytes, bytes]] | None = None,
) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers + list(_HEADERS.items())})
    await send({"type": "http.response.body", "body": body})
