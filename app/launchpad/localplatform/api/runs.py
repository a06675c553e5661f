"""Runs: submit, list, read, cancel, items, artifacts, custom metadata."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Select, bindparam, insert, select, update
from sqlalchemy.orm import Session, selectinload
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from launchpad.bucket import signing
from launchpad.localplatform import policy, quotas
from launchpad.localplatform.api import answers
from launchpad.localplatform.api.applications import find
from launchpad.localplatform.api.bodies import StrictRoute
from launchpad.localplatform.api.context import Platform, User
from launchpad.localplatform.api.paging import Page, PageSize, Sort, ordered, paged
from launchpad.localplatform.api.problems import declared, invalid, not_found
from launchpad.localplatform.api.strict import Known
from launchpad.localplatform.api.submissions import earlier_run
from launchpad.localplatform.applications.registry import Application, output_names
from launchpad.localplatform.callbacks import outbox
from launchpad.localplatform.database import jsonpath
from launchpad.localplatform.database.engine import now, stamp
from launchpad.localplatform.database.tables import InputRow, ItemRow, OutputRow, RunRow
from launchpad.localplatform.scheduling import states
from launchpad.platform.models import (
    CustomMetadataUpdateRequest,
    CustomMetadataUpdateResponse,
    ItemResultReadResponse,
    ItemState,
    ItemTerminationReason,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
    SchedulingRequest,
)

MetadataPath = Annotated[str | None, Query(max_length=1000)]
_URL_LIFE = 900  # seconds that an artifact's URL opens it

router = APIRouter(prefix="/v1/runs", tags=["Public"], route_class=StrictRoute)
# Made once: putting a statement together takes longer than asking the database.
_RUNS = select(RunRow).where(RunRow.id.in_(bindparam("ids", expanding=True)))
_ITEM = (
    select(ItemRow)
    .where(ItemRow.run_id == bindparam("run"), ItemRow.external_id == bindparam("name"))
    .options(selectinload(ItemRow.inputs), selectinload(ItemRow.outputs))
)
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


@router.post("", status_code=201, responses=declared(400, 403, 404))
def create_run(request: RunCreationRequest, user: User, platform: Platform) -> RunCreationResponse:
    """Accept a run; its items wait in the queue."""
    application = find(request.application_id)
    if request.version_number not in (None, application.number):
        raise not_found(f"Version {request.version_number} of “{request.application_id}”")
    _check_items(request, application)
    _check_schedule(request.scheduling)
    if words := outbox.refusal(request.callback_context, platform.settings):
        raise invalid(["body", "callback_context", outbox.URL], words)
    run_id = str(uuid.uuid4())
    scheduling = request.scheduling or SchedulingRequest()
    with platform.database.writing() as session:
        earlier = earlier_run(session, request, application.number, user.user_id)
        if earlier is not None:
            return RunCreationResponse(run_id=earlier)
        quotas.require(session, user, platform.settings, len(request.items))
        session.add(
            RunRow(
                id=run_id,
                application_id=application.application_id,
                version_number=application.number,
                state="PENDING",
                custom_metadata=request.custom_metadata,
                callback_context=request.callback_context,
                callback_url=outbox.address(request.callback_context, platform.settings),
                submitted_at=now(),
                submitted_by=user.user_id,
                organization_id=user.organization_id,
                due_date=stamp(scheduling.due_date) if scheduling.due_date else None,
                deadline=stamp(scheduling.deadline) if scheduling.deadline else None,
            )
        )
        session.flush()
        _insert_items(session, run_id, request)
    platform.wake()
    return RunCreationResponse(run_id=run_id)


@router.get("", responses=declared(404))
def list_runs(
    user: User,
    platform: Platform,
    application_id: str | None = None,
    application_version: str | None = None,
    external_id: str | None = None,
    custom_metadata: MetadataPath = None,
    page: Page = 1,
    page_size: PageSize = 50,
    submitted_by: str | None = None,
    organization_id: str | None = None,
    for_organization: str | None = None,
    sort: Sort = None,
) -> list[RunReadResponse]:
    """The runs that the caller may see, newest first; with `for_organization` those of the own organization."""
    if for_organization not in (None, user.organization_id):
        raise not_found("The organization")  # the contract names no 403 here
    query = select(RunRow)
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
        query = query.where(RunRow.id.in_(select(ItemRow.run_id).where(ItemRow.external_id == external_id)))
    query = _filtered(query, RunRow.custom_metadata, custom_metadata)
    query = ordered(query, sort, _RUN_ORDER, RunRow.submitted_at.desc(), RunRow.id)
    with platform.database.reading() as session:
        query = query.where(policy.visible_runs(session, user))
        # Only ids are sorted; the rows themselves are wide.
        ids = list(session.scalars(paged(query.with_only_columns(RunRow.id), page, page_size)))
        found = {row.id: row for row in session.scalars(_RUNS, {"ids": ids})}
        return answers.runs(session, [found[identity] for identity in ids])


@router.get("/{run_id}", responses=declared(403, 404))
def get_run(run_id: uuid.UUID, user: User, platform: Platform, share_token: str | None = None) -> RunReadResponse:
    """One run."""
    with platform.database.reading() as session:
        run, _ = policy.require_run(session, "get_run", str(run_id), user, share_token)
        return answers.runs(session, [run])[0]


@router.post("/{run_id}/cancel", status_code=202, responses=declared(403, 404, 409))
def cancel_run(run_id: uuid.UUID, user: User, platform: Platform) -> None:
    """Cancel: waiting items are skipped at once, a running one is stopped within seconds."""
    with platform.database.writing() as session:
        row, _ = policy.require_run(session, "cancel_run", str(run_id), user)
        if row.state == "TERMINATED":
            raise HTTPException(409, "The run has ended already.")
        states.cancel_run(session, row, "CANCELED_BY_USER")
    platform.wake()


@router.get("/{run_id}/items", responses=declared(404))
def list_run_items(
    run_id: uuid.UUID,
    user: User,
    platform: Platform,
    share_token: str | None = None,
    item_id__in: Annotated[list[uuid.UUID] | None, Query()] = None,
    external_id__in: Annotated[list[str] | None, Query()] = None,
    state: Known[ItemState] | None = None,
    termination_reason: Known[ItemTerminationReason] | None = None,
    custom_metadata: MetadataPath = None,
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
        query = query.where(ItemRow.state == str(state))
    if termination_reason is not None:
        query = query.where(ItemRow.termination_reason == str(termination_reason))
    query = _filtered(query, ItemRow.custom_metadata, custom_metadata)
    query = ordered(query, sort, _ITEM_ORDER, ItemRow.position)
    query = query.options(selectinload(ItemRow.inputs), selectinload(ItemRow.outputs))
    with platform.database.reading() as session:
        run, _ = policy.require_run(session, "list_run_items", str(run_id), user, share_token)
        return answers.items(session, run, list(session.scalars(paged(query, page, page_size))), user)


@router.get("/{run_id}/items/{external_id:path}", responses=declared(403, 404))
def get_item_by_run(
    run_id: uuid.UUID, external_id: str, user: User, platform: Platform, share_token: str | None = None
) -> ItemResultReadResponse:
    """One item by its external id."""
    with platform.database.reading() as session:
        row = _find_item(session, str(run_id), external_id)
        parts = (row.id,) if row is not None else ()
        run, _ = policy.require_run(session, "get_item_by_run", str(run_id), user, share_token, parts=parts)
        if row is None:
            raise not_found("The item")
        return answers.items(session, run, [row], user)[0]


@router.get("/{run_id}/artifacts/{artifact_id}/file", responses=declared(307, 403, 404, 410))
def get_artifact_url(
    run_id: uuid.UUID, artifact_id: uuid.UUID, user: User, platform: Platform, share_token: str | None = None
) -> RedirectResponse:
    """Redirect to a signed URL of the bytes, valid for a quarter of an hour."""
    with platform.database.reading() as session:
        row = session.get(OutputRow, str(artifact_id))
        item = session.get(ItemRow, row.item_id) if row is not None else None
        parts = (row.id, item.id) if row is not None and item is not None and item.run_id == str(run_id) else ()
        policy.require_run(session, "get_artifact_url", str(run_id), user, share_token, parts=parts)
        if row is None or not parts:
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


@router.delete("/{run_id}/artifacts", responses=declared(404))
def delete_run_items(run_id: uuid.UUID, user: User, platform: Platform) -> None:
    """Delete the outputs of a run that has ended."""
    left: list[str] = []
    with platform.database.writing() as session:
        run, _ = policy.require_run(session, "delete_run_items", str(run_id), user)
        if run.state != "TERMINATED":
            raise invalid(["path", "run_id"], "The run has not ended yet; cancel it first.")
        rows = session.scalars(
            select(OutputRow).join(ItemRow, ItemRow.id == OutputRow.item_id).where(ItemRow.run_id == run.id)
        ).all()
        for row in rows:  # in one transaction with what is said of them: a crash leaves files that nothing names
            if row.output == "AVAILABLE" and row.object_key:
                left += platform.storage.remove_row(session, platform.keys.bucket, row.object_key) or []
        session.execute(
            update(OutputRow)
            .where(OutputRow.id.in_([row.id for row in rows if row.output == "AVAILABLE"]))
            .values(output="DELETED_BY_USER", object_key=None)
        )
    platform.storage.discard(left)


@router.put("/{run_id}/custom-metadata", responses=declared(403, 404, 412))
def put_run_custom_metadata(
    run_id: uuid.UUID, request: CustomMetadataUpdateRequest, user: User, platform: Platform
) -> CustomMetadataUpdateResponse:
    """Replace a run's custom metadata."""
    with platform.database.writing() as session:
        run, _ = policy.require_run(session, "put_run_custom_metadata", str(run_id), user)
        return _replace_metadata(run, request)


@router.put("/{run_id}/items/{external_id:path}/custom-metadata", responses=declared(403, 404, 412))
def put_item_custom_metadata_by_run(
    run_id: uuid.UUID, external_id: str, request: CustomMetadataUpdateRequest, user: User, platform: Platform
) -> CustomMetadataUpdateResponse:
    """Replace an item's custom metadata."""
    with platform.database.writing() as session:
        row = _find_item(session, str(run_id), external_id)
        parts = (row.id,) if row is not None else ()
        policy.require_run(session, "put_item_custom_metadata_by_run", str(run_id), user, parts=parts)
        if row is None:
            raise not_found("The item")
        return _replace_metadata(row, request)


def _replace_metadata(row: RunRow | ItemRow, request: CustomMetadataUpdateRequest) -> CustomMetadataUpdateResponse:
    given = request.custom_metadata_checksum
    if given is not None and given != answers.checksum(row.custom_metadata):
        raise HTTPException(412, "The custom metadata were changed meanwhile.")
    row.custom_metadata = request.custom_metadata
    return CustomMetadataUpdateResponse(custom_metadata_checksum=answers.checksum(request.custom_metadata))


def _find_item(session: Session, run_id: str, external_id: str) -> ItemRow | None:
    return session.scalars(_ITEM, {"run": run_id, "name": external_id}).first()


def _filtered(query: Select[Any], column: Any, path: str | None) -> Select[Any]:
    if path is None:
        return query
    try:
        return query.where(jsonpath.condition(column, path))
    except ValueError as error:
        raise invalid(["query", "custom_metadata"], str(error)) from error


def _insert_items(session: Session, run_id: str, request: RunCreationRequest) -> None:
    """The items of a run with their artifacts: a statement for each table, however many there are."""
    items: list[dict[str, Any]] = []
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    names = output_names()
    for position, item in enumerate(request.items):
        item_id = str(uuid.uuid4())
        items.append(
            {
                "id": item_id,
                "run_id": run_id,
                "position": position,
                "external_id": item.external_id,
                "custom_metadata": item.custom_metadata,
                "state": "PENDING",
                "attempts": 0,
            }
        )
        inputs.extend(
            {
                "id": str(uuid.uuid4()),
                "item_id": item_id,
                "name": artifact.name,
                "download_url": artifact.download_url,
                "meta": artifact.metadata,
            }
            for artifact in item.input_artifacts
        )
        outputs.extend(
            {"id": str(uuid.uuid4()), "item_id": item_id, "name": name, "state": "PENDING", "output": "NONE"}
            for name in names
        )
    for table, rows in ((ItemRow, items), (InputRow, inputs), (OutputRow, outputs)):
        session.execute(insert(table), rows)


def _check_items(request: RunCreationRequest, application: Application) -> None:
    """422 with the place of everything that is not as the version wants it."""
    problems: list[dict[str, Any]] = []
    import jsonschema  # a tenth of a second that the start need not take

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
                {"loc": [*here, "metadata", *error.path], "msg": error.message[:500], "type": "json_schema"}
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
