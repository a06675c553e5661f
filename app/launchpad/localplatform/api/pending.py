"""Operations of the contract that are not there yet: each answers 501 and says so."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from launchpad.localplatform.api.context import User

PENDING = (
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}/file"),
    ("GET", "/v1/applications/{application_id}/versions/{version}/documents/{name}/content"),
    ("POST", "/v1/access/grants"),
    ("GET", "/v1/access/grants"),
    ("GET", "/v1/access/grants/{grant_id}"),
    ("DELETE", "/v1/access/grants/{grant_id}"),
    ("POST", "/v1/access/share-tokens"),
    ("GET", "/v1/access/share-tokens"),
    ("GET", "/v1/access/share-tokens/{share_token_id}"),
    ("DELETE", "/v1/access/share-tokens/{share_token_id}"),
)

router = APIRouter()


def _not_yet(_: User) -> Any:
    raise HTTPException(501, "This platform does not offer this operation yet.")


for _method, _path in PENDING:
    router.add_api_route(_path, _not_yet, methods=[_method])
