"""Runs: submit, list, read, cancel, items, artifacts, custom metadata."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import jsonschema
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from launchpad.bucket import signing
from launchpad.localplatform.api import answers, jsonpath
from launchpad.localplatform.api.applications import find
from launchpad.localplatform.api.context import Platform, User
from launchpad.localplatform.api.paging import Page, PageSize, Sort, cut, ordered
from launchpad.localplatform.api.problems import invalid, not_found
from launchpad.localplatform.api.submissions import earlier_run
from launchpad.localplatform.applications.registry import Application, output_names
from launchpad.localplatform.database.engine import now, stamp
from launchpad.localplatform.database.tables import InputRow, ItemRow, OutputRow, RunRow
from launchpad.localplatform.identity.tokens import Caller
from launchpad.localplatform.scheduling import states
from launchpad.platform.models import (
    CustomMetadataUpdateRequest,
    CustomMetadataUpdateResponse,
    ItemResultReadResponse,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
    SchedulingRequest,
)

_URL_LIFE = 900  # seconds that an artifact's URL opens it

router = APIRouter(prefix="/v1/runs")
_RUN_ORDER = {
    "run_id": RunRow.id,
    "application_id": RunRow.application_id,
    "version_number": RunRow.version_number,
    "state": RunRow.state,
    "submitted_at": RunRow.submitted_at,
    "submitted_by": RunRow.submitted_by,
    "terminated_at": RunRow.terminated_at,
}
_ITEM_ORDER = {
    "item_id": ItemRow.id,
    "external_id": ItemRow.external_id,
    "state": ItemRow.state,
    "termination_reason": ItemRow.termination_reason,
    "terminated_at": ItemRow.terminated_at,
}


@router.post("", status_code=201)
def create_run(request: RunCreationRequest, user: User, platform: Platform) -> RunCreationResponse:
    """Accept a run; its items wait in the queue."""
    application = find(request.application_id)
    if request.version_number not in (None, application.number):
        raise not_found(f"Version {request.version_number} of “{request.application_id}”")
    _check_items(request, application)
    _check_schedule(request.scheduling)
    run_id = str(uuid.uuid4())
    scheduling = request.scheduling or SchedulingRequest()
    with platform.database.writing() as session:
        earlier = earlier_run(session, request, application.number, user.user_id)
        if earlier is not None:
            return RunCreationResponse(run_id=earlier)
        session.add(
            RunRow(
                id=run_id,
                application_id=application.application_id,
                version_number=application.number,
                state="PENDING",
                custom_metadata=request.custom_metadata,
                callback_context=request.callback_context,
                submitted_at=now(),
                submitted_by=user.user_id,
                organization_id=user.organization_id,
                due_date=stamp(scheduling.due_date) if scheduling.due_date else None,
                deadline=stamp(scheduling.deadline) if scheduling.deadline else None,
            )
        )
        session.flush()
        for position, item in enumerate(request.items):
            item_id = str(uuid.uuid4())
            session.add(
                ItemRow(
                    id=item_id,
                    run_id=run_id,
                    position=position,
                    external_id=item.external_id,
                    custom_metadata=item.custom_metadata,
                    state="PENDING",
                    attempts=0,
                )
            )
            session.flush()
            session.add_all(
                InputRow(
                    id=str(uuid.uuid4()),
                    item_id=item_id,
                    name=artifact.name,
                    download_url=artifact.download_url,
                    meta=artifact.metadata,
                )
                for artifact in item.input_artifacts
            )
            session.add_all(
                OutputRow(id=str(uuid.uuid4()), item_id=item_id, name=name, state="PENDING", output="NONE")
                for name in output_names()
            )
    platform.wake()
    return RunCreationResponse(run_id=run_id)


@router.get("")
def list_runs(
    user: User,
    platform: Platform,
    application_id: str | None = None,
    application_version: str | None = None,
    external_id: str | None = None,
    custom_metadata: str | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
    submitted_by: str | None = None,
    organization_id: str | None = None,
    for_organization: str | None = None,
    sort: Sort = None,
) -> list[RunReadResponse]:
    """The caller's runs, newest first."""
    query = select(RunRow).where(RunRow.submitted_by == user.user_id)
    for column, value in (
        (RunRow.application_id, application_id),
        (RunRow.version_number, application_version),
        (RunRow.submitted_by, submitted_by),
        (RunRow.organization_id, organization_id),
        (RunRow.organization_id, for_organization),
    ):
        if value is not None:
            query = query.where(column == value)
    if external_id is not None:
        query = query.where(RunRow.items.any(ItemRow.external_id == external_id))
    query = ordered(query, sort, _RUN_ORDER, RunRow.submitted_at.desc(), RunRow.id)
    with platform.database.reading() as session:
        rows = _page(session, query, custom_metadata, page, page_size)
        return answers.runs(session, rows)


@router.get("/{run_id}")
def read_run(run_id: uuid.UUID, user: User, platform: Platform, share_token: str | None = None) -> RunReadResponse:
    """One run."""
    with platform.database.reading() as session:
        return answers.runs(session, [_run(session, run_id, user)])[0]


@router.post("/{run_id}/cancel", status_code=202)
def cancel_run(run_id: uuid.UUID, user: User, platform: Platform) -> None:
    """Cancel: waiting items are skipped at once, a running one is stopped within seconds."""
    with platform.database.writing() as session:
        row = _run(session, run_id, user)
        if row.state == "TERMINATED":
            raise HTTPException(409, "The run has ended already.")
        states.cancel_run(session, row, "CANCELED_BY_USER")
    platform.wake()


@router.get("/{run_id}/items")
def list_items(
    run_id: uuid.UUID,
    user: User,
    platform: Platform,
    share_token: str | None = None,
    item_id__in: Annotated[list[uuid.UUID] | None, Query()] = None,
    external_id__in: Annotated[list[str] | None, Query()] = None,
    state: str | None = None,
    termination_reason: str | None = None,
    custom_metadata: str | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
    sort: Sort = None,
) -> list[ItemResultReadResponse]:
    """The items of a run with their artifacts, in the order of their submission."""
    query = select(ItemRow).where(ItemRow.run_id == str(run_id))
    if item_id__in:
        query = query.where(ItemRow.id.in_([str(value) for value in item_id__in]))
    if external_id__in:
        query = query.where(ItemRow.external_id.in_(external_id__in))
    if state is not None:
        query = query.where(ItemRow.state == state)
    if termination_reason is not None:
        query = query.where(ItemRow.termination_reason == termination_reason)
    query = ordered(query, sort, _ITEM_ORDER, ItemRow.position)
    query = query.options(selectinload(ItemRow.inputs), selectinload(ItemRow.outputs))
    with platform.database.reading() as session:
        run = _run(session, run_id, user)
        rows = _page(session, query, custom_metadata, page, page_size)
        return [answers.item(row, owner=run.submitted_by == user.user_id) for row in rows]


@router.get("/{run_id}/items/{external_id:path}")
def read_item(
    run_id: uuid.UUID, external_id: str, user: User, platform: Platform, share_token: str | None = None
) -> ItemResultReadResponse:
    """One item by its external id."""
    with platform.database.reading() as session:
        run = _run(session, run_id, user)
        return answers.item(_item(session, run, external_id), owner=run.submitted_by == user.user_id)


@router.get("/{run_id}/artifacts/{artifact_id}/file", status_code=307)
def artifact_file(
    run_id: uuid.UUID, artifact_id: uuid.UUID, user: User, platform: Platform, share_token: str | None = None
) -> RedirectResponse:
    """Redirect to a signed URL of the bytes, valid for a quarter of an hour."""
    with platform.database.reading() as session:
        run = _run(session, run_id, user)
        row = session.get(OutputRow, str(artifact_id))
        item = session.get(ItemRow, row.item_id) if row is not None else None
        if row is None or item is None or item.run_id != run.id:
            raise not_found("The artifact")
        if row.output.startswith("DELETED"):
            raise HTTPException(410, "The artifact was deleted.")
        if row.output != "AVAILABLE" or row.object_key is None:
            raise not_found("The artifact's file")
    keys = platform.keys
    url = f"{platform.store_endpoint}/{signing.quote_path(f'{keys.bucket}/{row.object_key}')}"
    return RedirectResponse(
        signing.presign("GET", url, keys.access_key, keys.secret_key, expires=_URL_LIFE), status_code=307
    )


@router.delete("/{run_id}/artifacts")
def delete_artifacts(run_id: uuid.UUID, user: User, platform: Platform) -> None:
    """Delete the outputs of a run that has ended."""
    with platform.database.writing() as session:
        run = _run(session, run_id, user)
        if run.state != "TERMINATED":
            raise invalid(["path", "run_id"], "The run has not ended yet; cancel it first.")
        rows = session.scalars(
            select(OutputRow).join(ItemRow, ItemRow.id == OutputRow.item_id).where(ItemRow.run_id == run.id)
        ).all()
        keys = [row.object_key for row in rows if row.output == "AVAILABLE" and row.object_key]
        session.execute(
            update(OutputRow)
            .where(OutputRow.id.in_([row.id for row in rows if row.output == "AVAILABLE"]))
            .values(output="DELETED_BY_USER", object_key=None)
        )
    for key in keys:
        platform.storage.remove(platform.keys.bucket, key)


@router.put("/{run_id}/custom-metadata")
def put_run_metadata(
    run_id: uuid.UUID, request: CustomMetadataUpdateRequest, user: User, platform: Platform
) -> CustomMetadataUpdateResponse:
    """Replace a run's custom metadata."""
    with platform.database.writing() as session:
        return _replace_metadata(_run(session, run_id, user), request)


@router.put("/{run_id}/items/{external_id:path}/custom-metadata")
def put_item_metadata(
    run_id: uuid.UUID, external_id: str, request: CustomMetadataUpdateRequest, user: User, platform: Platform
) -> CustomMetadataUpdateResponse:
    """Replace an item's custom metadata."""
    with platform.database.writing() as session:
        return _replace_metadata(_item(session, _run(session, run_id, user), external_id), request)


def _replace_metadata(row: RunRow | ItemRow, request: CustomMetadataUpdateRequest) -> CustomMetadataUpdateResponse:
    given = request.custom_metadata_checksum
    if given is not None and given != answers.checksum(row.custom_metadata):
        raise HTTPException(412, "The custom metadata were changed meanwhile.")
    row.custom_metadata = request.custom_metadata
    return CustomMetadataUpdateResponse(custom_metadata_checksum=answers.checksum(request.custom_metadata))


def _run(session: Session, run_id: uuid.UUID, user: Caller) -> RunRow:
    row = session.get(RunRow, str(run_id))
    if row is None or row.submitted_by != user.user_id:
        raise not_found("The run")
    return row


def _item(session: Session, run: RunRow, external_id: str) -> ItemRow:
    row = session.scalars(
        select(ItemRow)
        .where(ItemRow.run_id == run.id, ItemRow.external_id == external_id)
        .options(selectinload(ItemRow.inputs), selectinload(ItemRow.outputs))
    ).first()
    if row is None:
        raise not_found("The item")
    return row


def _page(session: Session, query: Any, custom_metadata: str | None, page: int, size: int) -> list[Any]:
    if custom_metadata is None:
        return list(session.scalars(query.limit(size).offset((page - 1) * size)))
    try:
        matches = jsonpath.compile_path(custom_metadata)
    except ValueError as error:
        raise invalid(["query", "custom_metadata"], str(error)) from error
    return cut([row for row in session.scalars(query) if matches(row.custom_metadata)], page, size)


def _check_items(request: RunCreationRequest, application: Application) -> None:
    """422 with the place of everything that is not as the version wants it."""
    problems: list[dict[str, Any]] = []
    validator = jsonschema.Draft202012Validator(application.schema)
    wanted = {artifact.name for artifact in application.details().input_artifacts}
    seen: set[str] = set()
    for number, item in enumerate(request.items):
        place: list[str | int] = ["body", "items", number]
        if not item.external_id:
            problems.append({"loc": [*place, "external_id"], "msg": "must not be empty", "type": "value_error"})
        if item.external_id in seen:
            problems.append({"loc": [*place, "external_id"], "msg": "is there twice", "type": "value_error"})
        seen.add(item.external_id)
        names = [artifact.name for artifact in item.input_artifacts]
        if sorted(names) != sorted(wanted):
            words = f"must be exactly: {', '.join(sorted(wanted))}"
            problems.append({"loc": [*place, "input_artifacts"], "msg": words, "type": "value_error"})
            continue
        for index, artifact in enumerate(item.input_artifacts):
            here = [*place, "input_artifacts", index]
            if not artifact.download_url.lower().startswith(("http://", "https://")):
                words = "must be an http or https URL"
                problems.append({"loc": [*here, "download_url"], "msg": words, "type": "value_error"})
            problems.extend(
                {"loc": [*here, "metadata", *error.path], "msg": error.message, "type": "json_schema"}
                for error in validator.iter_errors(artifact.metadata)
            )
    if problems:
        raise RequestValidationError(problems)


def _check_schedule(scheduling: SchedulingRequest | None) -> None:
    if scheduling is None:
        return
    at = datetime.now(UTC)
    for name in ("due_date", "deadline"):
        value = getattr(scheduling, name)
        if value is not None and value <= at:
            raise invalid(["body", "scheduling", name], "must lie in the future")
    if scheduling.due_date and scheduling.deadline and scheduling.due_date >= scheduling.deadline:
        raise invalid(["body", "scheduling", "due_date"], "must lie before the deadline")
