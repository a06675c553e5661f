"""The platform's process: opens its ports, builds its parts, says where it is, and ends in order."""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from launchpad import crashes, paths
from launchpad.errors import BadInput, LaunchpadError
from launchpad.localplatform.gate import App, Gate, Limits
from launchpad.localplatform.layout import Layout, PlatformLock
from launchpad.localplatform.logs import log_to
from launchpad.localplatform.ports import Ports
from launchpad.localplatform.protocol import GuardedProtocol
from launchpad.localplatform.quick_start import quick_start
from launchpad.localplatform.settings import PlatformSettings

if TYPE_CHECKING:
    from launchpad.localplatform.lifetime import Lifetime
    from launchpad.localplatform.scheduling.scheduler import Scheduler

_GRACE = 5  # seconds that requests under way have to finish
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_log = logging.getLogger(__name__)


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    data: Path | None = None,
    ready_file: Path | None = None,
    until_idle: bool = False,
) -> None:
    """Run a platform on a data folder until it is stopped, or idle when `until_idle`.

    `port` goes before that of the settings. `ready_file` is written whole once the platform answers; it holds no
    secret.

    Raises:
        BadInput: the host is not of this computer.
        SettingsError: `platform.toml` is not valid.
        LaunchpadError: another platform runs on the folder, or the port is taken.
    """
    if host not in _LOOPBACK:
        raise BadInput("The platform is for this computer only", advice="Use --host 127.0.0.1.", subject=host)
    layout = Layout((data or paths.platform_dir()).absolute())
    layout.prepare()
    with PlatformLock(layout):
        settings = PlatformSettings.load(layout.root)
        log_to(layout.log, settings.log_level)
        ports = Ports(layout.ports_file)
        listener = ports.listen("api", host, settings.port if port is None else port)
        threading.excepthook = _thread_failed
        try:
            with crashes.armed("platform"):
                _run(layout, settings, ports, listener, ready_file, until_idle=until_idle)
        finally:
            threading.excepthook = threading.__excepthook__
            listener.close()
            for file in (layout.launch_file, ready_file):
                if file is not None:
                    file.unlink(missing_ok=True)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """A thread ended by an error that nobody expected. Its words, which may name a slide, are written nowhere."""
    error = failed.exc_value
    if error is None or isinstance(error, SystemExit):
        return
    _log.error("a thread ended unexpectedly", exc_info=error)
    try:
        crashes.record(error, "platform")
    except (OSError, LaunchpadError):
        _log.exception("no crash report can be written")


def _run(
    layout: Layout,
    settings: PlatformSettings,
    ports: Ports,
    listener: socket.socket,
    ready_file: Path | None,
    *,
    until_idle: bool,
) -> None:
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    root = f"http://{shown}:{port}"
    built: Future[App] = Future()
    limits = Limits(settings.request_max_bytes, settings.body_seconds, settings.failed_logins_per_minute)
    gate = Gate(built, frozenset((f"{shown}:{port}", f"127.0.0.1:{port}", f"localhost:{port}")), limits)
    GuardedProtocol.header_seconds = settings.header_seconds
    config = uvicorn.Config(
        gate,
        http=GuardedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
    )
    server = uvicorn.Server(config)
    parts: list[_Platform] = []
    failed: list[BaseException] = []

    def end() -> None:
        server.should_exit = True

    def build() -> None:
        try:
            with quick_start():
                platform = _Platform(layout, settings, ports, root)
                parts.append(platform)
                built.set_result(platform.app())  # answers from here on
            platform.start(end if until_idle else None)
            endpoint = platform.endpoint()
            secret = {"launch_secret": platform.launch_secret}
            paths.write_private(layout.launch_file, json.dumps(endpoint | secret).encode())
            if ready_file is not None:
                paths.write_atomic(ready_file, json.dumps(endpoint, indent=2).encode())
            ports.keep(api=port, store=platform.store_port)
            _log.info("ready at %s, store at %s", root, endpoint["storage_endpoint"])
        except BaseException as error:  # noqa: BLE001 - told of below, in the main thread
            _log.exception("the platform could not be built")
            failed.append(error)
            if not built.done():
                built.set_exception(error)
            end()

    # uvicorn raises the signal once more when it is done; ours lets the ending below happen.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    builder = threading.Thread(target=build, name="build")
    builder.start()
    server.run(sockets=[listener])
    builder.join()
    for own in parts:
        own.end()
    if failed:
        if isinstance(failed[0], LaunchpadError):
            raise failed[0]
        raise LaunchpadError(
            "The platform could not start",
            detail=f"{failed[0]}.",
            advice="Its log says more.",
            subject=str(layout.log),
        ) from failed[0]
    _log.info("stopped")


class _Platform:
    """The parts of a running platform. The API answers first; store, workers and lifetime follow."""

    def __init__(self, layout: Layout, settings: PlatformSettings, ports: Ports, root: str) -> None:
        from launchpad.localplatform.callbacks.sender import Sender
        from launchpad.localplatform.database.engine import Database
        from launchpad.localplatform.identity.tokens import Identity
        from launchpad.localplatform.objectstore.server import StoreServer
        from launchpad.localplatform.objectstore.storage import Storage, load_keys
        from launchpad.localplatform.objectstore.uploads import Uploads
        from launchpad.localplatform.retention import Housekeeper

        self._layout = layout
        self._root = root
        self.launch_secret = secrets.token_urlsafe(32)
        self._database = Database(layout.database)
        self._keys = load_keys(self._database)
        self._identity = Identity(layout.keys, f"{root}/")
        self._storage = Storage(layout.objects, self._database, settings.store_max_bytes)
        uploads = Uploads(self._storage, self._database)
        uploads.sweep()
        listener = ports.listen("store", "127.0.0.1", settings.store_port)
        self._store = StoreServer(listener, self._storage, uploads, self._keys, self.launch_secret)
        self._store.start()
        self._settings = settings
        self._sender = Sender(self._database, settings, layout.keys / "callback.secret")
        self._housekeeper = Housekeeper(self._database, self._storage, self._keys, settings)
        self._scheduler: Scheduler | None = None
        self._lifetime: Lifetime | None = None

    @property
    def store_port(self) -> int:
        """The port of the object store."""
        return int(self._store.server_address[1])

    def app(self) -> App:
        """The API."""
        from launchpad.localplatform.api.app import build
        from launchpad.localplatform.api.context import Context

        context = Context(
            self._database,
            self._storage,
            self._keys,
            self._identity,
            self._store.endpoint,
            self._wake,
            self._settings,
        )
        return build(context, self.launch_secret)

    def start(self, end: Callable[[], None] | None) -> None:
        """Start the workers, and where `end` is given the watch that calls it when nobody needs the platform."""
        from launchpad.localplatform.lifetime import Lifetime
        from launchpad.localplatform.scheduling import queue
        from launchpad.localplatform.scheduling.scheduler import Scheduler

        self._scheduler = Scheduler(self._database, self._storage, self._keys, self._layout, self._settings)
        self._scheduler.start()
        self._sender.start()
        self._housekeeper.start()
        if end is not None:
            self._lifetime = Lifetime(self._layout.clients_lock, lambda: queue.is_idle(self._database), end)
            self._lifetime.start()

    def endpoint(self) -> dict[str, object]:
        """Where it is; no secret."""
        from launchpad.localplatform.identity.tokens import AUDIENCE, CLIENT_ID

        return {
            "api_root": self._root,
            "storage_endpoint": self._store.endpoint,
            "issuer": self._identity.issuer,
            "client_id": CLIENT_ID,
            "audience": AUDIENCE,
            "pid": os.getpid(),
        }

    def end(self) -> None:
        """End the parts in order; what was under way goes on at the next start."""
        if self._lifetime is not None:
            self._lifetime.stop()
        if self._scheduler is not None:
            self._scheduler.stop()
            self._sender.stop()
            self._housekeeper.stop()
        self._store.stop(_GRACE)
        self._database.close()

    def _wake(self) -> None:
        if self._scheduler is not None:  # otherwise it looks by itself when it starts
            self._scheduler.wake()
