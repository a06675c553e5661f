"""Who is signed in to which platform: signing in and out, switching, and signing in again in the middle of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from launchpad.desktop.background import Job, Jobs, in_thread
from launchpad.desktop.session import Session
from launchpad.desktop.transfers import Transfers
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.desktop.transfer import Transfer
    from launchpad.platform.auth.profiles import Profile
    from launchpad.platform.auth.sign_in import DeviceCode, SignedIn
    from launchpad.platform.client import Client
    from launchpad.progress import Progress


@dataclass(frozen=True)
class Details:
    """What the account menu says. `ends` is the end of the token in seconds since 1970, 0 where nobody can tell."""

    role: str
    ends: float
    kept: str


class Account(QObject):
    """The sign-in of the window. In the GUI thread; what asks an issuer goes through threads and jobs.

    Signals:
        changed: somebody else is signed in, or nobody, or the platform is another one.
        switching: the platform is about to be another one: pages of the old one save what they keep.
        needed: a SignInNeeded: a person has to sign in (again) to the platform in use.
        code: a DeviceCode: what a person types elsewhere.
        done: the Profile that somebody signed in to.
        failed: a LaunchpadError: a sign-in did not come about.
        trouble: a LaunchpadError: a sign-out or switch did not come about, or not whole.
    """

    changed = Signal()
    switching = Signal()
    needed = Signal(object)
    code = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    trouble = Signal(object)

    def __init__(self, session: Session, transfers: Transfers, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._transfers, self._jobs = session, transfers, jobs
        self.label = self.tr("Signing in")
        """Of its job, which nobody needs to be asked about when the window closes."""
        self.profiles: list[Profile] = []
        self.details: Details | None = None
        self.is_needed = False
        self._job: Job | None = None
        self._signing_in_to: Profile | None = None
        session.connected.connect(self._connected)
        session.failed.connect(self._look_at)
        session.health_changed.connect(self._health_changed)
        transfers.changed.connect(self._look_at_transfers)

    @property
    def is_signing_in(self) -> bool:
        """Whether a sign-in is under way."""
        return self._signing_in_to is not None

    def load_profiles(self) -> None:
        """Read the platforms that there are; `changed` follows."""
        self._session.spawn(self._load_profiles())

    # --- signing in -------------------------------------------------------------------------------------------------
    def sign_in(self, profile: Profile, *, by_code: bool = False) -> None:
        """Begin to sign in, by the browser or by a code for another device."""
        if self._signing_in_to is None:
            self._signing_in_to = profile
            self._session.spawn(self._begin(profile, by_code=by_code))

    @Slot()
    def cancel(self) -> None:
        """End the sign-in that is under way."""
        self._signing_in_to = None
        if self._job is not None:
            self._job.cancel()

    async def _begin(self, profile: Profile, *, by_code: bool) -> None:
        if not by_code:
            self._start(partial(_by_browser, profile))
            return
        try:
            code = await in_thread(_device_code, profile)
        except LaunchpadError as error:
            self._signing_in_to = None
            self.failed.emit(error)
            return
        if self._signing_in_to is profile:  # nobody gave up meanwhile
            self.code.emit(code)
            self._start(partial(_by_device, profile, code))

    def _start(self, work: Callable[[Progress], object]) -> None:
        self._job = Job(self.label, work)
        self._job.finished.connect(self._signed_in)
        self._job.failed.connect(self._not_signed_in)
        self._job.cancelled.connect(self._cancelled)
        self._jobs.start(self._job)

    @Slot(object)
    def _signed_in(self, result: SignedIn) -> None:
        profile, self._job, self._signing_in_to = self._signing_in_to, None, None
        if profile is not None:
            self._session.spawn(self._enter(profile, signed_in=True))

    @Slot(object)
    def _not_signed_in(self, error: BaseException) -> None:
        self._job = self._signing_in_to = None
        self.failed.emit(error)

    @Slot()
    def _cancelled(self) -> None:
        self._job = self._signing_in_to = None

    # --- switching, signing out -------------------------------------------------------------------------------------
    def switch(self, profile: Profile) -> None:
        """Talk to another platform from now on, also at the next start. What is under way goes on where it is."""
        self._session.spawn(self._enter(profile, signed_in=False))

    def sign_out(self) -> None:
        """Revoke and remove the sign-in to the platform in use."""
        self._session.spawn(self._sign_out())

    async def _enter(self, profile: Profile, *, signed_in: bool) -> None:
        """The platform is another one, or somebody signed in to the one in use."""
        same = self._session.is_connected and self._session.profile.identity == profile.identity
        try:
            client = await in_thread(_open, profile)
        except LaunchpadError as error:
            self.trouble.emit(error)
            return
        if not same:
            self.switching.emit()
        self.is_needed = False
        await self._session.take(client)
        if signed_in:
            self.done.emit(profile)
            self._resume()
        self.changed.emit()

    async def _sign_out(self) -> None:
        profile = self._session.profile
        problem = await in_thread(_sign_out, profile)
        if problem is not None:
            self.trouble.emit(problem)
        try:
            await self._session.take(await in_thread(_open, profile))
        except LaunchpadError as error:
            self.trouble.emit(error)
        self.changed.emit()

    def _resume(self) -> None:
        """Uploads and downloads that ended for want of a sign-in go on."""
        for transfer in self._waiting():
            self._transfers.resume(transfer)

    # --- is it needed? ----------------------------------------------------------------------------------------------
    @Slot()
    def _connected(self) -> None:
        self._session.spawn(self._look())

    @Slot(object)
    def _look_at(self, error: BaseException) -> None:
        if _is_sign_in(error):
            self._need(error)

    @Slot(object)
    def _health_changed(self, health: object) -> None:
        part = getattr(health, "components", {}).get("sign-in")
        if part is not None and part.status == "DOWN" and self._session.is_connected:
            self._session.spawn(self._look())

    @Slot()
    def _look_at_transfers(self) -> None:
        for transfer in self._waiting():
            if transfer.cause is not None:
                self._need(transfer.cause)

    def _waiting(self) -> list[Transfer]:
        """Uploads and downloads of the platform in use that ended for want of a sign-in."""
        if not self._session.is_connected:
            return []
        name = self._session.profile.name
        failed = [item for item in self._transfers.all() if item.state == "failed" and item.record.profile == name]
        return [item for item in failed if _is_sign_in(item.cause)]

    def _need(self, error: BaseException) -> None:
        if not self.is_needed and not self.is_signing_in:
            self.is_needed = True
            self.needed.emit(error)
            self.changed.emit()

    async def _look(self) -> None:
        client = self._session.client
        try:
            details = await in_thread(_details, client)
        except LaunchpadError as error:
            self.details = None
            self._look_at(error)
        else:
            self.details = details
        await self._load_profiles()

    async def _load_profiles(self) -> None:
        try:
            self.profiles = await in_thread(_profiles)
        except LaunchpadError as error:
            self.trouble.emit(error)
        self.changed.emit()


def _is_sign_in(error: BaseException | None) -> bool:
    """Whether signing in again would help."""
    if not isinstance(error, LaunchpadError):
        return False
    from launchpad.platform.auth.oauth import SignInNeeded
    from launchpad.platform.http import UnauthorizedException

    return isinstance(error, SignInNeeded | UnauthorizedException)


# --- in worker threads ----------------------------------------------------------------------------------------------
def _profiles() -> list[Profile]:
    from launchpad.platform.auth.profiles import all_profiles, select_profile

    found = [profile for profile in all_profiles() if not profile.hidden]
    chosen = select_profile()
    if chosen.identity not in [profile.identity for profile in found]:
        found.append(chosen)
    return found


def _open(profile: Profile) -> Client:
    from launchpad.platform.auth import profile_file
    from launchpad.platform.client import Client

    client = Client(profile=profile)
    if profile.origin != "settings":
        profile_file.use(profile.name)
    return client


def _details(client: Client) -> Details:
    from launchpad.platform.auth.who import describe, kept, role_of

    token = client.token()
    ends = describe(token)["expires_at"]
    return Details(
        role_of(token, client.profile),
        float(ends) if isinstance(ends, (int, float)) else 0.0,
        kept(client.profile, client.settings),
    )


def _by_browser(profile: Profile, progress: Progress) -> SignedIn:
    from launchpad.platform.auth.sign_in import by_browser, open_browser

    return by_browser(profile, open_browser=open_browser, progress=progress)


def _device_code(profile: Profile) -> DeviceCode:
    from launchpad.platform.auth.sign_in import device_code

    return device_code(profile)


def _by_device(profile: Profile, code: DeviceCode, progress: Progress) -> SignedIn:
    from launchpad.platform.auth.sign_in import by_device

    return by_device(profile, code, progress=progress)


def _sign_out(profile: Profile) -> LaunchpadError | None:
    from launchpad.platform.auth.sign_in import sign_out

    return sign_out(profile)[1]
