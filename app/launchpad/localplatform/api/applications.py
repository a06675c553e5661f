"""Applications and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from launchpad.localplatform.api.context import User
from launchpad.localplatform.api.paging import Page, Sort, cut
from launchpad.localplatform.api.problems import invalid, not_found
from launchpad.localplatform.applications.registry import APPLICATIONS, Application
from launchpad.platform.models import ApplicationReadResponse, ApplicationReadShortResponse, VersionReadResponse

router = APIRouter(prefix="/v1/applications")


def find(application_id: str) -> Application:
    """The application, or 404."""
    application = APPLICATIONS.get(application_id)
    if application is None:
        raise not_found(f"The application “{application_id}”")
    return application


@router.get("")
def list_applications(
    _: User, page: Page = 1, page_size: Annotated[int, Query(alias="page-size", ge=1, le=100)] = 20, sort: Sort = None
) -> list[ApplicationReadShortResponse]:
    """All applications."""
    found = [application.short() for application in APPLICATIONS.values()]
    for text in reversed(sort or []):
        name = text.lstrip("+-")
        if name not in ("application_id", "name", "description"):
            raise invalid(["query", "sort"], f"“{text}” cannot be sorted by")
        found.sort(key=lambda item: str(getattr(item, name)), reverse=text.startswith("-"))
    return cut(found, page, page_size)


@router.get("/{application_id}")
def read_application(application_id: str, _: User) -> ApplicationReadResponse:
    """One application."""
    return find(application_id).full()


@router.get("/{application_id}/versions/{version}")
def read_version(application_id: str, version: str, _: User) -> VersionReadResponse:
    """One version."""
    application = find(application_id)
    if version != application.number:
        raise not_found(f"Version {version} of “{application_id}”")
    return application.details()
