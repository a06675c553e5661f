"""HTTP of the API's port, with limits of a request's head: size, number of headers, and time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LARGEST_HEAD = 32 << 10  # bytes
_MOST_HEADERS = 100


class GuardedProtocol(HttpToolsProtocol):
    """Closes connections whose request does not come within `header_seconds`, and refuses immoderate heads.

    The time runs from the opening of the connection, later from the first byte of a request; between requests
    uvicorn's own limit holds. The time for the body is the gate's.
    """

    header_seconds = 10.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            # Only bytes before the end of the head count; the last packet may hold the body's beginning.
            end = data.find(b"\r\n\r\n")
            self._head += len(data) if end < 0 else end
            if self._head > _LARGEST_HEAD:
                self._refuse(431, "The head of the request is too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._start()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._clear()
        if len(self.headers) > _MOST_HEADERS:
            self._refuse(431, f"A request may have {_MOST_HEADERS} headers.")
            return
        super().on_headers_complete()

    def _start(self) -> None:
        self._clear()
        self._in_head, self._head = True, 0
        self._deadline = self.loop.call_later(self.header_seconds, self._late)

    def _clear(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._refuse(408, "The head of the request did not come in time.")

    def _refuse(self, status: int, words: str) -> None:
        self._clear()
        if self.transport.is_closing():
            return
        reason = {408: "Request Timeout", 431: "Request Header Fields Too Large"}[status]
        body = json.dumps({"type": "about:blank", "title": words, "status": status, "detail": words}).encode()
        self.transport.write(
            f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n".encode()
            + body
        )
        self.transport.close()
