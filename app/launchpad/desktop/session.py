"""What the pages share: the connection, who is signed in, applications, runs, health. No widgets."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from launchpad.desktop.background import Tasks, in_thread
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    import asyncio

    from launchpad.application.monitor import Monitor, Snapshot
    from launchpad.bucket.base import Bucket
    from launchpad.platform.auth.profiles import Profile
    from launchpad.platform.client import Client
    from launchpad.platform.models import ApplicationReadShortResponse, MeReadResponse, RunReadResponse
    from launchpad.system.health import Health
    from launchpad.wsi.isolation import SlideService

_HEALTH = 30.0  # seconds between looks
_RETRY = 5.0  # seconds between tries to connect


class Session(QObject):
    """The application's state beside the pages. All in the GUI thread; calls go through threads."""

    connected = Signal()
    failed = Signal(object)
    health_changed = Signal(object)
    applications_changed = Signal()
    runs_changed = Signal()
    runs_failed = Signal(object)
    run_changed = Signal(str)
    run_ended = Signal(str)
    """A run that was seen under way has ended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tasks = Tasks(self._report)
        self.applications: list[ApplicationReadShortResponse] = []
        self.runs: list[RunReadResponse] = []
        self.me: MeReadResponse | None = None
        self.health: Health | None = None
        self.runs_complete = False
        self.runs_loaded = False
        self.of_organization = False
        self._hidden = False
        self._loading_more = False
        self._health_wake: asyncio.Event | None = None
        self._client: Client | None = None
        self._profile: Profile | None = None
        self._monitor: Monitor | None = None
        self._bucket: Bucket | None = None
        self._slides: SlideService | None = None
        self._wake: asyncio.Event | None = None
        self._former: list[Client | Bucket] = []
        self._closing = False

    # --- what pages use ---------------------------------------------------------------------------------------------
    @property
    def client(self) -> Client:
        """The connection; LaunchpadError while there is none."""
        if self._client is None:
            raise LaunchpadError("Launchpad is not connected yet", advice="Wait a moment, then try again.")
        return self._client

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    @property
    def profile(self) -> Profile:
        """The platform that one talks to."""
        if self._client is not None:
            return self._client.profile
        if self._profile is None:
            raise LaunchpadError("Launchpad is not connected yet", advice="Wait a moment, then try again.")
        return self._profile

    @property
    def can_submit(self) -> tuple[bool, str]:
        """Whether runs can be submitted, and why not."""
        if self._client is None:
            return False, self.tr("Launchpad is connecting to its platform.")
        if self.health is not None and not self.health.healthy:
            words = self.tr("System is unhealthy, you cannot prepare a run at this time.")
            return False, f"{words} {self.health.reason}".strip()
        return True, ""

    @property
    def slides(self) -> SlideService:
        """The decoder of slides; its worker processes start when they are needed."""
        if self._slides is None:
            from launchpad.wsi.isolation import SlideService

            self._slides = SlideService()
        return self._slides

    def bucket(self, client: Client | None = None) -> Bucket:
        """The bucket to upload to. Asks the platform: in a worker thread only.

        With a `client` that of its platform, whichever one talks to meanwhile.
        """
        if self._bucket is None or client not in (None, self._client):
            from launchpad.application.submit import open_bucket

            bucket = open_bucket(client or self.client)
            if client not in (None, self._client):
                self._former.append(bucket)
                return bucket
            self._bucket = bucket
        return self._bucket

    def run(self, run_id: str) -> RunReadResponse | None:
        """A run of the list."""
        return next((run for run in self.runs if run.run_id == run_id), None)

    def application_name(self, application_id: str) -> str:
        """The application's name, or its id while the names are not known."""
        names = [item.name for item in self.applications if item.application_id == application_id]
        return names[0] if names else application_id

    def spawn(self, coroutine: Coroutine[Any, Any, Any], owner: object = None) -> None:
        """Run a coroutine on the event loop; an error that it does not handle is shown."""
        self.tasks.spawn(coroutine, owner)

    # --- life -------------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Connect, then keep runs and health up to date."""
        self._make_events()
        self.spawn(self._connect())

    def _make_events(self) -> None:
        import asyncio

        self._wake, self._health_wake = asyncio.Event(), asyncio.Event()

    async def take(self, client: Client) -> None:
        """Talk by another client from now on; what is under way keeps the old one, which is closed at the end."""
        self._former += [part for part in (self._client, self._bucket) if part is not None]
        self._bucket = None
        if self._wake is None:  # it was not started: somebody signed in at the first start
            self._make_events()
        await self._connected(client)

    def refresh(self) -> None:
        """Look at the runs and the health now."""
        if self._monitor is not None:
            self._monitor.hurry()
        for wake in (self._wake, self._health_wake):
            if wake is not None:
                wake.set()

    def check_health(self) -> None:
        """Look at the health now, for example because the network is another one."""
        if self._health_wake is not None:
            self._health_wake.set()

    def set_hidden(self, hidden: bool) -> None:
        """Nobody sees the window: while nothing runs, the platform is left alone."""
        if hidden != self._hidden:
            self._hidden = hidden
            if not hidden:
                self.refresh()

    def more_runs(self) -> None:
        """Load the next page of older runs."""
        if self._monitor is not None and not self.runs_complete and not self._loading_more:
            self._loading_more = True
            self.spawn(self._load_more(self._monitor))

    def show_runs_of(self, *, organization: bool) -> None:
        """One's own runs, or those of the organization."""
        if organization == self.of_organization or self._client is None or (organization and self.me is None):
            return
        from launchpad.application.monitor import Monitor

        self.of_organization = organization
        self._monitor = Monitor(self._client, self.me.organization.id if organization and self.me else None)
        self.runs, self.runs_complete, self.runs_loaded = [], False, False
        self.runs_changed.emit()
        self.refresh()

    async def _load_more(self, monitor: Monitor) -> None:
        try:
            snapshot = await in_thread(monitor.more)
        except LaunchpadError as error:
            self.runs_failed.emit(error)
            return
        finally:
            self._loading_more = False
        self._take_runs(monitor, snapshot)

    async def _connect(self) -> None:
        import asyncio

        while self._client is None and not self._closing:
            try:
                client = await in_thread(_open_client)
            except LaunchpadError as error:
                from launchpad.system.health import unreachable

                self._set_health(await in_thread(unreachable, error))
                self.failed.emit(error)
                await asyncio.sleep(_RETRY)
                continue
            if self.is_connected:  # somebody chose another platform meanwhile
                self._former.append(client)
                return
            await self._connected(client)

    async def _connected(self, client: Client) -> None:
        from launchpad.application.monitor import Monitor

        first = self._client is None
        self._client, self._profile = client, client.profile
        self._monitor = Monitor(client)
        self.me, self.applications, self.runs = None, [], []
        self.runs_complete = self.runs_loaded = self.of_organization = False
        try:
            self.me = await in_thread(client.me)
            self.applications = await in_thread(lambda: list(client.applications.list()))
        except LaunchpadError as error:
            self.failed.emit(error)
        self.connected.emit()
        self.applications_changed.emit()
        if first:
            self.spawn(self._watch_runs())
            self.spawn(self._watch_health())
        else:
            self.runs_changed.emit()
            self.refresh()

    async def _watch_runs(self) -> None:
        import logging

        while not self._closing and self._monitor is not None:
            monitor = self._monitor
            try:
                snapshot = await in_thread(monitor.poll)
            except LaunchpadError as error:
                logging.getLogger(__name__).warning("runs could not be listed: %s", error.title)
                if monitor is self._monitor:
                    self.runs_failed.emit(error)
            else:
                self._take_runs(monitor, snapshot)
            if monitor is self._monitor:
                await _pause(self._wake, monitor.next_delay(hidden=self._hidden))

    def _take_runs(self, monitor: Monitor, snapshot: Snapshot) -> None:
        if monitor is not self._monitor:  # other runs were asked for meanwhile
            return
        first, self.runs_loaded = not self.runs_loaded, True
        moving = {run.run_id for run in self.runs if run.state != "TERMINATED"}
        self.runs, self.runs_complete = list(snapshot.runs), snapshot.complete
        if snapshot.changed or first:
            self.runs_changed.emit()
        for run_id in snapshot.changed:
            self.run_changed.emit(run_id)
        for run in snapshot.runs:
            if run.run_id in moving and run.state == "TERMINATED":
                self.run_ended.emit(run.run_id)

    async def _watch_health(self) -> None:
        from launchpad.system.health import check

        while not self._closing and self._client is not None:
            self._set_health(await in_thread(check, self._client))
            healthy = self.health is not None and self.health.healthy
            await _pause(self._health_wake, _HEALTH if healthy else _RETRY)

    def _set_health(self, health: Health) -> None:
        if health != self.health:
            self.health = health
            self.health_changed.emit(health)

    def _report(self, error: BaseException) -> None:
        import logging

        logging.getLogger(__name__).error("unexpected error", exc_info=error)
        self.failed.emit(error)

    async def close(self) -> None:
        """End what is under way and close the connections."""
        self._closing = True
        self.tasks.cancel()
        await self.tasks.settled()
        await in_thread(self._close_all)

    def _close_all(self) -> None:
        for part in (self._slides, self._bucket, self._client, *self._former):
            if part is not None:
                part.close()


async def _pause(wake: asyncio.Event | None, seconds: float | None) -> None:
    """Wait so long, or until somebody wakes us."""
    if wake is not None:
        import asyncio
        import contextlib

        wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for, whose inner task may never begin when all ends
                await wake.wait()


def _open_client() -> Client:
    from launchpad.platform.client import Client

    return Client()
