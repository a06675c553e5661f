"""The ASGI callable in front: listens at once, and lets only requests in that are meant for this platform.

The application is imported in a thread while the port is open already; requests wait for it. The Host header must be
ours (against DNS rebinding), and a request from a web page of another origin may change nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MAX_BODY = 64 << 20  # bytes of a request
_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer")]


class Gate:
    """Passes requests to the application once `app` is there."""

    def __init__(self, app: Future[App], hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(f"http://{host}" for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"host", "").lower() not in self._hosts:
            await _refuse(send, 421, "The host is not this platform's.")
        elif headers.get(b"origin", "").lower() not in ("", *self._origins):
            await _refuse(send, 403, "Web pages of another origin may not use this platform.")
        elif int(headers.get(b"content-length", "0") or 0) > _MAX_BODY:
            await _refuse(send, 413, "The request is too large.")
        elif scope["path"] == "/health" and not self._app.done():
            # Requests are taken already and wait; a degraded platform counts as healthy.
            await _answer(send, 200, {"status": "DEGRADED", "reason": "The platform is starting."}, b"application/json")
        else:
            app = await asyncio.wrap_future(self._app)
            await app(scope, receive, _secured(send))


def _secured(send: Send) -> Send:
    async def secured(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_HEADERS]
        await send(message)

    return secured


async def _refuse(send: Send, status: int, words: str) -> None:
    body = {"type": "about:blank", "title": words, "status": status, "detail": words}
    await _answer(send, status, body, b"application/problem+json")


async def _answer(send: Send, status: int, document: dict[str, object], kind: bytes) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers + _HEADERS})
    await send({"type": "http.response.body", "body": body})
