"""Applications and their versions."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import NamedTuple

from launchpad.errors import BadInput
from launchpad.platform.documents import Documents
from launchpad.platform.http import Api, NotFoundException, parse, segment
from launchpad.platform.models import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    VersionDocumentResponse,
    VersionReadResponse,
)
from launchpad.platform.paging import pages
from launchpad.settings import Settings

_PAGE = 20


class VersionTuple(NamedTuple):
    """A version's number and when it was released."""

    number: str
    released_at: datetime


def precedence(number: str) -> tuple[object, ...]:
    """Sort key of a semantic version (semver.org section 11); build metadata counts for nothing."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-([^+]+))?(?:\+.*)?", number)
    if match is None:
        return ((-1,), 0, ())
    core = tuple(int(part) for part in match.group(1, 2, 3))
    before = match.group(4)
    if before is None:
        return (core, 1, ())
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split("."))
    return (core, 0, parts)


_Application = str | ApplicationReadResponse | ApplicationReadShortResponse  # by its id, or as it was listed


class Versions:
    """Versions of applications."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    def list(self, application: _Application, nocache: bool = False) -> list[ApplicationVersion]:
        """The versions of an application, as the platform gives them."""
        if isinstance(application, ApplicationReadResponse):
            return application.versions
        known = application if isinstance(application, str) else application.application_id
        return _application(self._api, self._settings, known).versions

    def list_sorted(self, application: _Application, nocache: bool = False) -> builtins.list[ApplicationVersion]:
        """The versions, newest first."""
        return sorted(self.list(application, nocache), key=lambda item: precedence(item.number), reverse=True)

    def latest(self, application: _Application, nocache: bool = False) -> VersionTuple | None:
        """The newest version, or None."""
        versions = self.list_sorted(application, nocache)
        return VersionTuple(versions[0].number, versions[0].released_at) if versions else None

    def details(
        self, application_id: str, application_version: str | None = None, nocache: bool = False
    ) -> VersionReadResponse:
        """A version, the latest where none is named.

        Raises:
            NotFoundException: there is no such application or version.
            BadInput: the version's number is malformed.
        """
        number = application_version
        if number is None:
            latest = self.latest(application_id, nocache)
            if latest is None:
                raise NotFoundException("The application has no version", subject=application_id, status=404)
            number = latest.number
        if precedence(number)[0] == (-1,):
            raise BadInput("The version is malformed", advice="Write it like 1.2.3.", subject=number)
        path = f"/api/v1/applications/{segment(application_id)}/versions/{segment(number)}"
        return parse(VersionReadResponse, self._api.get(path, timeout=self._settings.application_version_timeout), path)

    def documents(self, application_id: str, application_version: str | None = None) -> Documents:
        """What is written about a version, the latest where none is named; asks nothing yet."""

        @cache
        def number() -> str:
            return application_version or self.details(application_id).version_number

        return Documents(self._api, self._settings, application_id, number)


class AllDocuments:
    """What is written about versions: manuals, validation reports."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self._api = api
        self._settings = settings

    def list(self, application_id: str, version: str) -> builtins.list[VersionDocumentResponse]:
        """The documents of a version that one may read. Raises Unreachable and ApiException as every request."""
        path = self._path(application_id, version)
        answer = self._api.get(path, timeout=self._settings.application_timeout)
        if not isinstance(answer, builtins.list):
            answer = []
        return [parse(VersionDocumentResponse, item, path) for item in answer]

    def url(self, application_id: str, version: str, name: str) -> str:
        """An address that opens a document for a short time. Raises as `list`."""
        path = f"{self._path(application_id, version)}/{segment(name)}/file"
        return self._api.location(path, timeout=self._settings.application_timeout)

    @staticmethod
    def _path(application_id: str, version: str) -> str:
        return f"/api/v1/applications/{segment(application_id)}/versions/{segment(version)}/documents"


class Applications:
    """The applications that one may use."""

    def __init__(self, api: Api, settings: Settings, versions: Versions) -> None:
        self._api = api
        self._settings = settings
        self.versions = versions

    def list(self, nocache: bool = False) -> Iterator[ApplicationReadShortResponse]:
        """All of them, page by page."""
        return pages(
            self._api,
            "/api/v1/applications",
            ApplicationReadShortResponse,
            size=_PAGE,
            size_name="page-size",  # a hyphen in this list alone
            timeout=self._settings.application_timeout,
        )

    def details(self, application_id: str, nocache: bool = False) -> ApplicationReadResponse:
        """An application with its versions.

        Raises:
            NotFoundException: there is no such application.
        """
        return _application(self._api, self._settings, application_id)


def _application(api: Api, settings: Settings, application_id: str) -> ApplicationReadResponse:
    path = f"/api/v1/applications/{segment(application_id)}"
    return parse(ApplicationReadResponse, api.get(path, timeout=settings.application_timeout), path)
