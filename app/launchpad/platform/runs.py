"""Runs, their items and artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import jsonschema

from launchpad.errors import BadInput
from launchpad.platform.applications import Versions
from launchpad.platform.http import Api
from launchpad.platform.models import (
    InputArtifactCreationRequest,
    ItemCreationRequest,
    ItemResultReadResponse,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
    SchedulingRequest,
    VersionReadResponse,
)
from launchpad.settings import Settings

MAX_PAGE_SIZE = 100
MIN_PAGE_SIZE = 5


class Run:
    """A handle of one run."""

    def __init__(self, api: Api, settings: Settings, run_id: str, share_token: str | None = None) -> None:
        self._api = api
        self._settings = settings
        self.run_id = run_id
        self._share_token = share_token

    def details(self, nocache: bool = False, hide_platform_queue_position: bool = False) -> RunReadResponse:
        """The run as it is now.

        Raises:
            NotFoundException: there is no such run, or it is not yours to see.
            Unreachable, ApiException: as every request.
        """
        answer = self._api.get(self._path(), self._query(), timeout=self._settings.run_timeout)
        run = RunReadResponse.model_validate(answer)
        if hide_platform_queue_position:
            run.num_preceding_items_platform = None
        return run

    def cancel(self) -> None:
        """Cancel the run. Raises ApiException with status 409 when it has ended already."""
        self._api.post(f"{self._path()}/cancel", timeout=self._settings.run_cancel_timeout)

    def delete(self) -> None:
        """Delete the results of the run on the platform."""
        self._api.delete(f"{self._path()}/artifacts", timeout=self._settings.run_delete_timeout)

    def results(
        self,
        nocache: bool = False,
        item_ids: Sequence[str] | None = None,
        external_ids: Sequence[str] | None = None,
        *,
        state: str | None = None,
        termination_reason: str | None = None,
        custom_metadata: str | None = None,
    ) -> Iterator[ItemResultReadResponse]:
        """The items of the run with their artifacts, page by page."""
        query = self._query() | {
            "item_id__in": list(item_ids) if item_ids else None,
            "external_id__in": list(external_ids) if external_ids else None,
            "state": state,
            "termination_reason": termination_reason,
            "custom_metadata": custom_metadata,
            "page_size": MAX_PAGE_SIZE,
        }
        page = 1
        while True:
            answer = self._api.get(f"{self._path()}/items", query | {"page": page}, timeout=self._settings.run_timeout)
            yield from (ItemResultReadResponse.model_validate(item) for item in answer)
            if len(answer) < MAX_PAGE_SIZE:
                return
            page += 1

    def get_artifact_download_url(self, artifact_id: str) -> str:
        """A signed URL of an artifact, valid for a short time."""
        return self._api.location(
            f"{self._path()}/artifacts/{quote(artifact_id, safe='')}/file",
            self._query(),
            timeout=self._settings.run_timeout,
        )

    def _path(self) -> str:
        return f"/api/v1/runs/{quote(self.run_id, safe='')}"

    def _query(self) -> dict[str, Any]:
        return {"share_token": self._share_token} if self._share_token else {}

    def __str__(self) -> str:
        run = self.details()
        counts = run.statistics
        return (
            f"{run.application_id}:{run.version_number} {run.state} "
            f"{counts.item_pending_count} pending, {counts.item_processing_count} processing, "
            f"{counts.item_skipped_count} skipped, {counts.item_succeeded_count} succeeded, "
            f"{counts.item_user_error_count} user errors, {counts.item_system_error_count} system errors"
        )


class Runs:
    """The runs of a platform."""

    def __init__(self, api: Api, settings: Settings, versions: Versions) -> None:
        self._api = api
        self._settings = settings
        self._versions = versions

    def __call__(self, run_id: str, share_token: str | None = None) -> Run:
        return Run(self._api, self._settings, run_id, share_token)

    def list_data(
        self,
        application_id: str | None = None,
        application_version: str | None = None,
        external_id: str | None = None,
        custom_metadata: str | None = None,
        sort: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
        nocache: bool = False,
        for_organization: str | None = None,
    ) -> Iterator[RunReadResponse]:
        """Runs, newest first where nothing else is said; `custom_metadata` is a JSON path with a condition.

        Raises:
            ValueError: `page_size` is larger than 100.
        """
        if page_size > MAX_PAGE_SIZE:
            raise ValueError(f"page_size is at most {MAX_PAGE_SIZE}, not {page_size}")
        query = {
            "application_id": application_id,
            "application_version": application_version,
            "external_id": external_id,
            "custom_metadata": custom_metadata,
            "for_organization": for_organization,
            "sort": sort or "-submitted_at",
            "page_size": page_size,
        }
        page = 1
        while True:
            answer = self._api.get("/api/v1/runs", query | {"page": page}, timeout=self._settings.run_timeout)
            yield from (RunReadResponse.model_validate(item) for item in answer)
            if len(answer) < page_size:
                return
            page += 1

    def list(
        self,
        application_id: str | None = None,
        application_version: str | None = None,
        external_id: str | None = None,
        custom_metadata: str | None = None,
        sort: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
        nocache: bool = False,
        for_organization: str | None = None,
    ) -> Iterator[Run]:
        """As `list_data`, as handles."""
        for run in self.list_data(
            application_id,
            application_version,
            external_id,
            custom_metadata,
            sort,
            page_size,
            nocache,
            for_organization,
        ):
            yield self(run.run_id)

    def submit(
        self,
        application_id: str,
        items: Sequence[ItemCreationRequest],
        application_version: str | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        scheduling: SchedulingRequest | None = None,
        callback_context: Mapping[str, Any] | None = None,
    ) -> Run:
        """Post a run, once, after checking it against the version's schema.

        Raises:
            ValueError: ids are not unique, an artifact is unknown or missing, or metadata are not valid.
            Unreachable, ApiException: as every request.
        """
        version = self._versions.details(application_id, application_version)
        check_items(items, version)
        request = RunCreationRequest(
            application_id=application_id,
            version_number=version.version_number,
            custom_metadata=dict(custom_metadata) if custom_metadata is not None else None,
            scheduling=scheduling,
            callback_context=dict(callback_context) if callback_context is not None else None,
            items=list(items),
        )
        answer = self._api.post(
            "/api/v1/runs", request.model_dump(mode="json"), timeout=self._settings.run_submit_timeout
        )
        return self(RunCreationResponse.model_validate(answer).run_id)


def check_items(items: Sequence[ItemCreationRequest], version: VersionReadResponse) -> None:
    """Check items against what a version wants.

    Raises:
        BadInput: names the item and what is wrong.
    """
    wanted = {artifact.name: artifact for artifact in version.input_artifacts}
    validators = {name: _validator(artifact.metadata_schema) for name, artifact in wanted.items()}
    seen: set[str] = set()
    for item in items:
        if item.external_id in seen:
            raise BadInput("Two items have the same external id", subject=item.external_id)
        seen.add(item.external_id)
        given = {artifact.name: artifact for artifact in item.input_artifacts}
        for name in given.keys() ^ wanted.keys():
            problem = "is not one that the application takes" if name in given else "is missing"
            raise BadInput(f"The input artifact “{name}” {problem}", subject=item.external_id)
        for name, artifact in given.items():
            _check_metadata(item.external_id, artifact, validators[name])


def _validator(schema: Mapping[str, Any]) -> Any:
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return kind(schema)


def _check_metadata(external_id: str, artifact: InputArtifactCreationRequest, validator: Any) -> None:
    problems = sorted(validator.iter_errors(artifact.metadata), key=lambda error: list(map(str, error.path)))
    if problems:
        first = problems[0]
        place = ".".join(str(part) for part in first.path)
        raise BadInput(
            "The metadata of a slide are not what the application wants",
            detail=f"{f'{place}: ' if place else ''}{first.message}.",
            advice="Correct the metadata, then submit again.",
            subject=external_id,
        )
