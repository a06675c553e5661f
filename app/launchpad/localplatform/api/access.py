"""Grants and share tokens: who else may see or change one's runs."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement, or_, select
from starlette.exceptions import HTTPException

from launchpad.localplatform import policy
from launchpad.localplatform.api.bodies import StrictRoute
from launchpad.localplatform.api.context import Platform, User
from launchpad.localplatform.api.paging import Page, PageSize, Sort, ordered, paged
from launchpad.localplatform.api.problems import declared, invalid, not_found
from launchpad.localplatform.api.strict import Known, require_known
from launchpad.localplatform.database.engine import now, stamp
from launchpad.localplatform.database.tables import GrantRow, ItemRow, OutputRow, RunRow, ShareTokenRow
from launchpad.localplatform.identity.tokens import ORGANIZATION, USER, Caller
from launchpad.platform.models import (
    GrantCreateRequest,
    GrantReadResponse,
    GrantRelation,
    ResourceType,
    ShareTokenCreateRequest,
    ShareTokenCreateResponse,
    ShareTokenReadResponse,
    SubjectType,
)

router = APIRouter(prefix="/v1/access", tags=["Public"], route_class=StrictRoute)
_GRANT_ORDER = {
    "created_at": GrantRow.created_at,
    "relation": GrantRow.relation,
    "resource_type": GrantRow.resource_type,
    "subject_type": GrantRow.subject_type,
}
_TOKEN_ORDER = {"created_at": ShareTokenRow.created_at, "expires_at": ShareTokenRow.expires_at}


@router.post("/grants", status_code=201, responses=declared(403, 404, 422))
def create_grant(request: GrantCreateRequest, user: User, platform: Platform) -> GrantReadResponse:
    """Allow somebody something with a run of one's own, or with a part of it."""
    require_known(request)
    if request.resource_type == "share_token":
        raise invalid(["body", "resource_type"], "share tokens cannot be granted; grant a run to one")
    with platform.database.writing() as session:
        resource_id = str(request.resource_id)
        run_id = policy.run_of_resource(session, str(request.resource_type), resource_id)
        if run_id is None:
            raise not_found("The resource")
        policy.require_run(session, "create_grant", run_id, user)
        subject_id = _subject(request, user)
        if request.subject_type == "share_token":
            token = session.get(ShareTokenRow, subject_id)
            if token is None or token.created_by != user.user_id:
                raise invalid(["body", "subject_id"], "there is no such share token of yours")
            if request.relation != "viewer":
                raise invalid(["body", "relation"], "a share token may only view")
        row = session.scalars(
            select(GrantRow).where(
                GrantRow.resource_id == resource_id,
                GrantRow.subject_type == str(request.subject_type),
                GrantRow.subject_id == subject_id,
                GrantRow.relation == str(request.relation),
                GrantRow.revoked_at.is_(None),
            )
        ).first()
        if row is None:  # the same again is the same grant
            row = GrantRow(
                id=str(uuid.uuid4()),
                resource_type=str(request.resource_type),
                resource_id=resource_id,
                subject_type=str(request.subject_type),
                subject_id=subject_id,
                relation=str(request.relation),
                created_by=user.user_id,
                created_at=now(),
            )
            session.add(row)
        return _grant(row)


@router.get("/grants")
def list_grants(
    user: User,
    platform: Platform,
    resource_type: Known[ResourceType] | None = None,
    resource_id: uuid.UUID | None = None,
    subject_type: Known[SubjectType] | None = None,
    subject_id: str | None = None,
    relation: Annotated[list[Known[GrantRelation]] | None, Query()] = None,
    revoked: bool | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
    sort: Sort = None,
) -> list[GrantReadResponse]:
    """Grants that one made, and those of one's runs."""
    query = select(GrantRow).where(_own_grants(user))
    for column, value in (
        (GrantRow.resource_type, resource_type),
        (GrantRow.resource_id, resource_id),
        (GrantRow.subject_type, subject_type),
        (GrantRow.subject_id, subject_id),
    ):
        if value is not None:
            query = query.where(column == str(value))
    if relation:
        query = query.where(GrantRow.relation.in_([str(value) for value in relation]))
    if revoked is not None:
        query = query.where(GrantRow.revoked_at.is_not(None) if revoked else GrantRow.revoked_at.is_(None))
    query = ordered(query, sort, _GRANT_ORDER, GrantRow.created_at.desc(), GrantRow.id)
    with platform.database.reading() as session:
        rows = session.scalars(paged(query, page, page_size))
        return [_grant(row) for row in rows]


@router.get("/grants/{grant_id}", responses=declared(403, 404))
def get_grant(grant_id: uuid.UUID, user: User, platform: Platform) -> GrantReadResponse:
    """One grant."""
    with platform.database.reading() as session:
        row = session.scalars(select(GrantRow).where(GrantRow.id == str(grant_id), _own_grants(user))).first()
        if row is None:
            raise not_found("The grant")
        return _grant(row)


@router.delete("/grants/{grant_id}", responses=declared(403, 404, 409))
def revoke_grant(grant_id: uuid.UUID, user: User, platform: Platform) -> GrantReadResponse:
    """Take a grant back."""
    with platform.database.writing() as session:
        row = session.scalars(select(GrantRow).where(GrantRow.id == str(grant_id), _own_grants(user))).first()
        if row is None:
            raise not_found("The grant")
        if row.revoked_at is not None:
            raise HTTPException(409, "The grant was revoked already.")
        row.revoked_at = now()
        return _grant(row)


@router.post("/share-tokens", status_code=201)
def create_share_token(user: User, platform: Platform, request: ShareTokenCreateRequest) -> ShareTokenCreateResponse:
    """A new token; its secret is in this answer and nowhere else."""
    if request.expires_at is not None and request.expires_at <= datetime.now(UTC):
        raise invalid(["body", "expires_at"], "must lie in the future")
    secret = secrets.token_urlsafe(32)
    row = ShareTokenRow(
        id=str(uuid.uuid4()),
        secret_hash=policy.secret_hash(secret),
        created_by=user.user_id,
        created_at=now(),
        expires_at=stamp(request.expires_at) if request.expires_at is not None else None,
    )
    with platform.database.writing() as session:
        session.add(row)
    return ShareTokenCreateResponse.model_validate({**_token(row).model_dump(), "share_token": secret})


@router.get("/share-tokens")
def list_share_tokens(
    user: User,
    platform: Platform,
    run_id: uuid.UUID | None = None,
    created_by: str | None = None,
    revoked: bool | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
    sort: Sort = None,
) -> list[ShareTokenReadResponse]:
    """One's own share tokens, also those that open a certain run."""
    query = select(ShareTokenRow).where(ShareTokenRow.created_by == user.user_id)
    if created_by is not None:
        query = query.where(ShareTokenRow.created_by == created_by)
    if run_id is not None:
        granted = select(GrantRow.subject_id).where(
            GrantRow.subject_type == "share_token", GrantRow.resource_id == str(run_id), GrantRow.revoked_at.is_(None)
        )
        query = query.where(ShareTokenRow.id.in_(granted))
    if revoked is not None:
        query = query.where(ShareTokenRow.revoked_at.is_not(None) if revoked else ShareTokenRow.revoked_at.is_(None))
    query = ordered(query, sort, _TOKEN_ORDER, ShareTokenRow.created_at.desc(), ShareTokenRow.id)
    with platform.database.reading() as session:
        rows = session.scalars(paged(query, page, page_size))
        return [_token(row) for row in rows]


@router.get("/share-tokens/{share_token_id}", responses=declared(403, 404))
def get_share_token(share_token_id: uuid.UUID, user: User, platform: Platform) -> ShareTokenReadResponse:
    """One share token, without its secret."""
    with platform.database.reading() as session:
        row = session.get(ShareTokenRow, str(share_token_id))
        if row is None or row.created_by != user.user_id:
            raise not_found("The share token")
        return _token(row)


@router.delete("/share-tokens/{share_token_id}", responses=declared(403, 404, 409))
def revoke_share_token(share_token_id: uuid.UUID, user: User, platform: Platform) -> ShareTokenReadResponse:
    """Take a share token back; who has it sees nothing any more."""
    with platform.database.writing() as session:
        row = session.get(ShareTokenRow, str(share_token_id))
        if row is None or row.created_by != user.user_id:
            raise not_found("The share token")
        if row.revoked_at is not None:
            raise HTTPException(409, "The share token was revoked already.")
        row.revoked_at = now()
        return _token(row)


def _own_grants(user: Caller) -> ColumnElement[bool]:
    runs = select(RunRow.id).where(RunRow.submitted_by == user.user_id)
    items = select(ItemRow.id).where(ItemRow.run_id.in_(runs))
    outputs = select(OutputRow.id).where(OutputRow.item_id.in_(items))
    return or_(
        GrantRow.created_by == user.user_id,
        GrantRow.resource_id.in_(runs),
        GrantRow.resource_id.in_(items),
        GrantRow.resource_id.in_(outputs),
    )


def _subject(request: GrantCreateRequest, user: Caller) -> str:
    """Who is meant; people of this platform may be named by their address."""
    if request.subject_id and request.subject_email:
        raise invalid(["body", "subject_email"], "name the subject by its id or its e-mail address, not by both")
    if request.subject_id:
        return request.subject_id
    if request.subject_type in ("organization_user", "organization_admin"):
        return user.organization_id or ORGANIZATION
    if request.subject_email and request.subject_type == "user":
        if USER["email"] and request.subject_email.casefold() == USER["email"].casefold():
            return str(USER["id"])
        raise invalid(["body", "subject_email"], "nobody of this platform has that address")
    raise invalid(["body", "subject_id"], "is missing")


def _grant(row: GrantRow) -> GrantReadResponse:
    return GrantReadResponse.model_validate(
        {
            "grant_id": row.id,
            "resource_type": row.resource_type,
            "resource_id": row.resource_id,
            "subject_type": row.subject_type,
            "subject_id": row.subject_id,
            "relation": row.relation,
            "created_by": row.created_by,
            "created_at": row.created_at,
            "revoked": row.revoked_at is not None,
        }
    )


def _token(row: ShareTokenRow) -> ShareTokenReadResponse:
    return ShareTokenReadResponse.model_validate(
        {
            "share_token_id": row.id,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "revoked": row.revoked_at is not None,
        }
    )
