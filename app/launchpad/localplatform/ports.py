"""The ports of a platform: opened, and the same again at the next start, so that noted addresses stay true."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from launchpad import paths
from launchpad.errors import LaunchpadError


class Ports:
    """The ports of the last start, kept in a file of the data folder."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, int] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError):
            values = json.loads(file.read_bytes())
            self._known = {str(name): int(port) for name, port in values.items() if 0 < int(port) < 65_536}

    def listen(self, name: str, host: str, port: int) -> socket.socket:
        """A listening socket; port 0 takes the one of the last start, or a free one.

        Raises:
            LaunchpadError: the port that was asked for is taken.
        """
        known = self._known.get(name, 0)
        if port == 0 and known:
            with suppress(LaunchpadError):  # somebody else has it now
                return _listen(host, known)
        return _listen(host, port)

    def keep(self, **ports: int) -> None:
        """Remember them for the next start."""
        if ports != self._known:
            paths.write_private(self._file, json.dumps(ports).encode())


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    # With the protocol named, asyncio sends small answers at once; otherwise they wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:  # there that option would share the port with a stranger
        listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", 0), 1)
    try:
        listener.bind(("127.0.0.1" if host == "localhost" else host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LaunchpadError(
            "The port cannot be opened",
            detail=f"{error.strerror or error}.",
            advice="Choose another port, or 0 for any free one.",
            subject=f"{host}:{port}",
        ) from error
    return listener
