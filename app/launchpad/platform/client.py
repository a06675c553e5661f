"""The client of one platform, with the names of the old SDK."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from launchpad.bucket.address import use_network
from launchpad.errors import Unreachable
from launchpad.platform.applications import AllDocuments, Applications, Versions
from launchpad.platform.auth.profiles import Profile, select_profile
from launchpad.platform.auth.tokens import GivenToken, token_source
from launchpad.platform.http import Api, ApiException, NotFoundException, parse
from launchpad.platform.line import WebPageAnswered
from launchpad.platform.models import ApplicationReadResponse, MeReadResponse, VersionReadResponse
from launchpad.platform.quota import QuotaReport
from launchpad.platform.runs import Run, Runs
from launchpad.platform.share_tokens import ShareTokens
from launchpad.platform.sharing import Sharing
from launchpad.settings import Settings, load_settings


class Client:
    """A connection to the platform of a profile; thread-safe; close it, or use it as a context manager.

    The embedded platform is started when it does not run. `token_provider` returns a bearer token and replaces
    signing in; `cache_token` is accepted as the old SDK has it.

    Raises:
        SettingsError: the settings name no platform.
        LaunchpadError: the embedded platform does not start.
    """

    def __init__(
        self,
        cache_token: bool = True,
        token_provider: Callable[[], str] | None = None,
        *,
        profile: Profile | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or load_settings()
        use_network(self.settings.proxy)
        self.profile = _resolved(profile or select_profile(self.settings))
        source = GivenToken(token_provider) if token_provider else token_source(self.profile, self.settings)
        self.api = Api(
            self.profile.api_root,
            source.token,
            timeout=self.settings.run_timeout,
            renew=source.renew,
            retries=self.settings.retries,
        )
        self.token = source.token
        self.versions = Versions(self.api, self.settings)
        self.applications = Applications(self.api, self.settings, self.versions)
        self.runs = Runs(self.api, self.settings, self.versions)
        self.sharing = Sharing(self.api)
        self.share_tokens = ShareTokens(self.api)
        self.documents = AllDocuments(self.api, self.settings)
        self._me: tuple[float, MeReadResponse] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def get_api_client(cache_token: bool = True, token_provider: Callable[[], str] | None = None) -> Api:
        """The connection alone, for requests that have no method here. Raises as `Client`."""
        return Client(cache_token, token_provider).api

    def close(self) -> None:
        """Close the connections."""
        self.api.close()

    def me(self, nocache: bool = False) -> MeReadResponse:
        """Who is signed in, kept for five minutes, or as long as the settings say.

        Raises:
            Unreachable: the platform does not answer.
            ApiException: it refused or failed.
        """
        with self._lock:
            if nocache or self._me is None or time.monotonic() - self._me[0] > self.settings.me_cache_ttl:
                answer = self.api.get("/api/v1/me", timeout=self.settings.me_timeout)
                self._me = (time.monotonic(), parse(MeReadResponse, answer, "/api/v1/me"))
            return self._me[1]

    def application(self, application_id: str, nocache: bool = False) -> ApplicationReadResponse:
        """An application with its versions. Raises as `me`; NotFoundException where there is none."""
        return self.applications.details(application_id, nocache)

    def application_version(
        self, application_id: str, version_number: str | None = None, nocache: bool = False
    ) -> VersionReadResponse:
        """A version, the latest where none is named. Raises as `application`."""
        return self.versions.details(application_id, version_number, nocache)

    def run(self, run_id: str) -> Run:
        """A handle of a run; asks nothing yet."""
        return self.runs(run_id)

    def quota(self) -> QuotaReport | None:
        """The signed-in user's limits and use; None where the platform does not tell them. Raises as `me`."""
        path = "/admin/v1/quota/me"
        try:
            answer = self.api.get(path, timeout=self.settings.me_timeout)
        except (NotFoundException, WebPageAnswered):  # other platforms have nothing here, or a page for people
            return None
        return parse(QuotaReport, answer, path)

    def usage(self) -> dict[str, Any]:
        """What was analysed on the platform and what of its disk is used; for its administrators. Raises as `me`."""
        answer = self.api.get("/admin/v1/usage", timeout=self.settings.me_timeout)
        return dict(answer)

    def health(self) -> dict[str, Any]:
        """What the platform says of itself: `status` UP, DEGRADED or DOWN, and a `reason`.

        Raises:
            Unreachable: the platform does not answer.
        """
        answer: Any
        try:
            answer = self.api.get("/health", timeout=self.settings.health_timeout, signed=False)
        except ApiException as error:
            if error.status != 503:
                raise
            answer = _document(error.body)  # one that is down may say so with this status
            if answer is None:
                raise
        if not isinstance(answer, dict) or "status" not in answer:
            raise Unreachable(
                "This is not a platform",
                detail="Its health answer is not understood.",
                advice="Check the address.",
                subject=self.api.root,
            )
        return answer


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _resolved(profile: Profile) -> Profile:
    if profile.kind != "embedded" or profile.api_root:
        return profile
    from launchpad.platform.embedded import ensure_running

    endpoint = ensure_running()
    return replace(
        profile,
        api_root=endpoint.api_root,
        issuer=endpoint.issuer,
        client_id=endpoint.client_id,
        audience=endpoint.audience,
        storage_endpoint=endpoint.storage_endpoint,
        launch_secret=endpoint.launch_secret,
    )
