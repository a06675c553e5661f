"""Documents of application versions; their bytes come from the store, by a URL that lives for a short time."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from launchpad.bucket import signing
from launchpad.bucket.crc32c import Crc32c
from launchpad.localplatform.api.applications import find_version
from launchpad.localplatform.api.bodies import StrictRoute
from launchpad.localplatform.api.context import Context, Platform, User
from launchpad.localplatform.api.problems import declared, not_found
from launchpad.localplatform.applications.documents import Document, described, documents
from launchpad.localplatform.applications.registry import Application
from launchpad.platform.models import VersionDocumentResponse

_URL_LIFE = 900  # seconds

router = APIRouter(
    prefix="/v1/applications/{application_id}/versions/{version}/documents", tags=["Public"], route_class=StrictRoute
)


@router.get("", operation_id="list_version_documents", responses=declared(404))
def list_version_documents(application_id: str, version: str, _: User) -> list[VersionDocumentResponse]:
    """All documents of a version."""
    application = find_version(application_id, version)
    return [described(application, document) for document in documents(application)]


@router.get("/{name}", operation_id="get_version_document", responses=declared(404))
def get_version_document(application_id: str, version: str, name: str, _: User) -> VersionDocumentResponse:
    """What one document is."""
    application = find_version(application_id, version)
    return described(application, _document(application, name))


@router.get(
    "/{name}/file",
    status_code=307,
    response_class=RedirectResponse,
    operation_id="get_version_document_file",
    responses=declared(307, 404),
)
def get_version_document_file(
    application_id: str, version: str, name: str, _: User, platform: Platform
) -> RedirectResponse:
    """Redirect to the document's bytes."""
    return _redirect(application_id, version, name, platform)


@router.get(
    "/{name}/content",
    status_code=307,
    response_class=RedirectResponse,
    operation_id="get_version_document_content",
    responses=declared(307, 404),
)
def get_version_document_content(
    application_id: str, version: str, name: str, _: User, platform: Platform
) -> RedirectResponse:
    """Redirect to the document's bytes, to be shown in place."""
    return _redirect(application_id, version, name, platform)


def _redirect(application_id: str, version: str, name: str, platform: Context) -> RedirectResponse:
    application = find_version(application_id, version)
    document = _document(application, name)
    keys = platform.keys
    key = f"documents/{application.application_id}/{application.number}/{document.name}"
    _keep(platform, key, document)
    url = f"{platform.store_endpoint}/{signing.quote_path(f'{keys.bucket}/{key}')}"
    signed = signing.presign("GET", url, keys.access_key, keys.secret_key, expires=_URL_LIFE)
    return RedirectResponse(signed, status_code=307)


def _keep(platform: Context, key: str, document: Document) -> None:
    """See that the store has the document as this version of the platform has it."""
    content = document.text.encode()
    checksum = Crc32c()
    checksum.update(content)
    row = platform.storage.find(platform.keys.bucket, key)
    if row is not None and row.crc32c == checksum.base64():
        return
    file = platform.storage.temporary()
    file.write_bytes(content)
    platform.storage.commit(
        file,
        platform.keys.bucket,
        key,
        size=len(content),
        crc32c=checksum.base64(),
        content_type=f"{document.mime_type}; charset=utf-8",
    )


def _document(application: Application, name: str) -> Document:
    for document in documents(application):
        if document.name == name:
            return document
    raise not_found(f"The document “{name}”")
