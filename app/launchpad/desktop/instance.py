"""One window for each data folder: a second start hands its files and links to the first, and ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCryptographicHash, QDir, QObject, Signal, Slot

from launchpad import paths

if TYPE_CHECKING:
    # QtNetwork is loaded when there is another window to ask, or after the first paint.
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT = 1500  # ms
_LONGEST = 1 << 20  # bytes
_THANKS = b"ok\n"


def server_name() -> str:
    """The name of this account's window on this data folder: a short path, as those of sockets must be."""
    folder_name = str(paths.data_dir().absolute()).encode(errors="surrogatepass")
    # Qt's, as hashlib would load OpenSSL before the first paint.
    mark = bytes(QCryptographicHash.hash(folder_name, QCryptographicHash.Algorithm.Sha256).data()).hex()[:16]
    if sys.platform == "win32":
        return f"launchpad-{os.environ.get('USERNAME', '')}-{mark}"
    folder = os.environ.get("XDG_RUNTIME_DIR") or QDir.tempPath()
    return str(Path(folder) / f"launchpad-{os.getuid()}-{mark}.sock")


def hand_over(given: Sequence[str]) -> bool:
    """Give files and links to a window that is open already; whether there was one."""
    name = server_name()
    if sys.platform != "win32":
        try:
            if Path(name).stat().st_uid != os.getuid():  # somebody else's: not to be trusted with our paths
                return False
        except OSError:
            return False
    from PySide6.QtNetwork import QLocalSocket

    socket = QLocalSocket()
    socket.connectToServer(name)
    if not socket.waitForConnected(_WAIT):
        return False
    socket.write(json.dumps({"given": list(given)}).encode() + b"\n")
    socket.waitForBytesWritten(_WAIT)
    answered = socket.waitForReadyRead(_WAIT) and socket.readAll().data() == _THANKS
    socket.disconnectFromServer()
    return answered


class Instance(QObject):
    """Listens for later starts.

    Signals:
        given: what a later start was given: absolute paths and links, perhaps none.
    """

    given = Signal(list)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server: QLocalServer | None = None
        self._parts: dict[QLocalSocket, bytes] = {}

    def listen(self) -> bool:
        """Begin; False where another window listens, or the system does not allow it."""
        from PySide6.QtNetwork import QLocalServer

        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._called)
        name = server_name()
        if not server.listen(name):
            # A window that was killed leaves its socket; one that lives would have answered.
            QLocalServer.removeServer(name)
            if not server.listen(name):
                return False
        self._server = server
        return True

    def close(self) -> None:
        """End."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._parts.clear()

    @Slot()
    def _called(self) -> None:
        while self._server is not None and self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self._parts[socket] = b""
            socket.readyRead.connect(self._heard)
            socket.disconnected.connect(self._gone)

    @Slot()
    def _heard(self) -> None:
        sender = self.sender()
        for socket in list(self._parts):
            if socket is not sender:
                continue
            self._parts[socket] += socket.readAll().data()
            line, end, _ = self._parts[socket].partition(b"\n")
            if len(line) > _LONGEST:
                socket.abort()
            elif end:
                self._parts[socket] = b""
                given = _understood(line)
                if given is not None:
                    socket.write(_THANKS)
                    socket.flush()
                    self.given.emit(given)

    @Slot()
    def _gone(self) -> None:
        socket = self.sender()
        for own in list(self._parts):
            if own is socket:
                del self._parts[own]
                own.deleteLater()


def _understood(line: bytes) -> list[str] | None:
    try:
        given = json.loads(line)["given"]
    except (ValueError, KeyError, TypeError):
        return None
    return given if isinstance(given, list) and all(isinstance(text, str) for text in given) else None
