"""Requests with large bodies to a store, by connections that are kept.

The standard library's client hands a block to the socket as it is, where httpx copies what the socket did not take:
two thirds of the processor time for the same bytes. It knows no proxies; where one is set, httpx sends.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import ssl
import threading
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import httpx

from launchpad.tls import verification

_CONNECT = 10.0  # seconds


class BodySender:
    """Sends bodies to one endpoint. Thread-safe: each request has a connection to itself.

    `seconds` is how long a block may take to be sent, and how long the answer may bring no byte.
    """

    def __init__(self, endpoint: str, seconds: float) -> None:
        self._seconds = seconds
        parts = urlsplit(endpoint)
        self._host, self._port = parts.hostname or "", parts.port
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._context = verification()
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def send(self, method: str, target: str, headers: Mapping[str, str], blocks: Iterable[bytes]) -> httpx.Response:
        """Send a request whose `content-length` is among the headers; `target` is path and query as they are signed.

        Raises:
            OSError, http.client.HTTPException: there was no answer.
            Whatever the blocks raise.
        """
        connection = self._take()
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            source = iter(blocks)
            # An error of the blocks (of the file, or a cancellation) is none of the line.
            while (block := next(source, None)) is not None:
                try:
                    connection.sock.sendall(block)
                except ConnectionError:  # a store that hangs up before it has read all may have said why
                    return self._answer(connection, keep=False)
                # Under TLS it may be readable for other reasons.
                if self._context is None and _is_readable(connection):
                    return self._answer(connection, keep=False)
            return self._answer(connection)
        except BaseException:
            connection.close()
            raise

    def _answer(self, connection: http.client.HTTPConnection, *, keep: bool = True) -> httpx.Response:
        with connection.getresponse() as response:
            body = response.read()
            keep = keep and not response.will_close
            found = httpx.Response(response.status, headers=response.getheaders(), content=body)
        if keep:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return found

    def _take(self) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if not _is_readable(connection):  # otherwise the store has closed it meanwhile
                return connection
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._context is not None:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=_CONNECT, context=self._context)
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=_CONNECT)
        try:
            connection.connect()
            connection.sock.settimeout(self._seconds)
        except BaseException:
            connection.close()
            raise
        return connection


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    if connection.sock is None:
        return True
    with contextlib.suppress(ValueError, OSError):  # a number that select does not take, or a socket that is gone
        return bool(select.select([connection.sock], [], [], 0)[0])
    return True
