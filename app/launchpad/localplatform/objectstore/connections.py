"""A threaded server that knows its connections: how many, which of them wait for a request, and since when."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_IDLE = 120  # seconds for the first line of a request
_HEAD = 10  # seconds for the head of a request, from the end of its first line
_MOST_CONNECTIONS = 256


class ConnectionServer(ThreadingHTTPServer):
    """Serves on a listening socket, in a thread of its own."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, handler: type[BaseHTTPRequestHandler], name: str) -> None:
        self._open: dict[socket.socket, float | None] = {}
        """Until when the head of a request must have come; None while a request is answered."""
        super().__init__(listener.getsockname()[:2], handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self._thread = threading.Thread(target=self.serve_forever, name=name, daemon=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self, grace: float = 0.0) -> None:
        """Close the port; requests under way have `grace` seconds to finish, idle connections end at once."""
        self.shutdown()
        self._thread.join()
        end = time.monotonic() + grace
        self._cut(lambda until: until is not None)
        while any(until is None for until in list(self._open.values())) and time.monotonic() < end:
            time.sleep(0.02)
        self._cut(lambda _: True)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, object]:
        """Take a connection, and remember it for the end."""
        connection, address = super().get_request()
        self.expect(connection, _IDLE)
        return connection, address

    def verify_request(self, request: object, client_address: object) -> bool:
        """Refuse connections beyond the limit."""
        return len(self._open) <= _MOST_CONNECTIONS

    def expect(self, connection: socket.socket, seconds: float | None) -> None:
        """What is to come on a connection must come within so many seconds."""
        self._open[connection] = None if seconds is None else time.monotonic() + seconds

    def service_actions(self) -> None:
        """Called twice a second: cut the connections whose requests do not come."""
        at = time.monotonic()
        self._cut(lambda until: until is not None and until < at)

    def _cut(self, which: Callable[[float | None], bool]) -> None:
        for connection, until in list(self._open.items()):
            if which(until):
                with suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection."""
        if isinstance(request, socket.socket):
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no event."""


class ConnectionHandler(BaseHTTPRequestHandler):
    """Tells its server what it waits for."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: ConnectionServer

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle_one_request(self) -> None:
        self.server.expect(self.request, _IDLE)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self.server.expect(self.request, _HEAD)
        good = super().parse_request()
        self.server.expect(self.request, None)
        return good
