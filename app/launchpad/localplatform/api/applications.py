"""Applications and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from launchpad.localplatform.api.bodies import StrictRoute
from launchpad.localplatform.api.context import User
from launchpad.localplatform.api.paging import Page, Sort, sort_names
from launchpad.localplatform.api.problems import declared, not_found
from launchpad.localplatform.applications.registry import APPLICATIONS, Application
from launchpad.platform.models import SEMVER, ApplicationReadResponse, ApplicationReadShortResponse, VersionReadResponse

router = APIRouter(prefix="/v1/applications", tags=["Public"], route_class=StrictRoute)
_ORDER = {
    "application_id": lambda shown: shown.application_id,
    "name": lambda shown: shown.name.casefold(),
    "description": lambda shown: shown.description.casefold(),
}


def find(application_id: str) -> Application:
    """The application, or 404."""
    application = APPLICATIONS.get(application_id)
    if application is None:
        raise not_found(f"The application “{application_id[:100]}”")
    return application


def find_version(application_id: str, version: str) -> Application:
    """The application with that version, or 404."""
    application = find(application_id)
    if version != application.number:
        raise not_found(f"Version {version[:100]} of “{application_id}”")
    return application


@router.get("", responses=declared(401))
def list_applications(
    _: User,
    page: Page = 1,
    page_size: Annotated[int, Query(alias="page-size", ge=5, le=100)] = 50,  # a hyphen in this list alone
    sort: Sort = None,
) -> list[ApplicationReadShortResponse]:
    """All applications."""
    found = [application.short() for application in APPLICATIONS.values()]
    for name, down in reversed(sort_names(sort, _ORDER)):
        found.sort(key=_ORDER[name], reverse=down)
    return found[(page - 1) * page_size : page * page_size]


@router.get("/{application_id}", responses=declared(403, 404))
def read_application_by_id(application_id: str, _: User) -> ApplicationReadResponse:
    """One application with its versions."""
    return find(application_id).full()


@router.get("/{application_id}/versions/{version}", responses=declared(403, 404))
def application_version_details(
    application_id: str, version: Annotated[str, Path(pattern=SEMVER)], _: User
) -> VersionReadResponse:
    """One version: what it wants for each item, and what it makes."""
    return find_version(application_id, version).details()
