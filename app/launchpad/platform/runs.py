"""Runs, their items and artifacts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from launchpad.errors import BadInput
from launchpad.platform.applications import Versions
from launchpad.platform.checks import check_items, check_sdk, check_sdk_metadata
from launchpad.platform.custom_metadata import ItemSdkMetadata, RunSdkMetadata, refreshed_item, refreshed_run
from launchpad.platform.http import Api, NotFoundException, parse, segment
from launchpad.platform.models import (
    CustomMetadataUpdateRequest,
    CustomMetadataUpdateResponse,
    GrantReadResponse,
    ItemCreationRequest,
    ItemResultReadResponse,
    RunCreationRequest,
    RunCreationResponse,
    RunReadResponse,
    SchedulingRequest,
    SubjectType,
)
from launchpad.platform.paging import pages
from launchpad.platform.sharing import Sharing
from launchpad.settings import Settings

MAX_PAGE_SIZE = 100
_SMALLEST_PAGE = 5  # that the contract gives
MIN_PAGE_SIZE = 5
CHECKSUM_KEY = "checksum_base64_crc32c"
_APPEARS = 5.0  # seconds within which a new run can be read everywhere on a platform of several machines


class Artifact:
    """A handle of one output of a run."""

    def __init__(self, run: Run, artifact_id: str) -> None:
        self._run = run
        self.artifact_id = artifact_id

    def get_download_url(self) -> str:
        """A fresh signed URL of its bytes, valid for a short time. Raises as `Run.details`."""
        return self._run.get_artifact_download_url(self.artifact_id)


class Run:
    """A handle of one run."""

    def __init__(
        self, api: Api, settings: Settings, run_id: str, share_token: str | None = None, *, submitted: bool = False
    ) -> None:
        self._api = api
        self._settings = settings
        self.run_id = run_id
        self._share_token = share_token
        self._known_by = time.monotonic() + _APPEARS if submitted else 0.0

    @classmethod
    def for_run_id(cls, run_id: str, cache_token: bool = True, share_token: str | None = None) -> Self:
        """A handle with a client of its own, for the platform that the settings choose. Raises as `Client`."""
        from launchpad.platform.client import Client

        client = Client(cache_token)
        return cls(client.api, client.settings, run_id, share_token)

    def details(self, nocache: bool = False, hide_platform_queue_position: bool = False) -> RunReadResponse:
        """The run as it is now.

        Raises:
            NotFoundException: there is no such run, or it is not yours to see.
            Unreachable, ApiException: as every request.
        """
        while True:
            try:
                answer = self._api.get(self._path(), self._query(), timeout=self._settings.run_timeout)
                break
            except NotFoundException:
                if time.monotonic() >= self._known_by:
                    raise
                time.sleep(0.5)  # we made it a moment ago
        run = parse(RunReadResponse, answer, self._path())
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
        }
        return pages(
            self._api,
            f"{self._path()}/items",
            ItemResultReadResponse,
            query,
            size=MAX_PAGE_SIZE,
            timeout=self._settings.run_timeout,
        )

    def update_custom_metadata(
        self,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """Replace the custom metadata; the new checksum. What is below `sdk` is kept and refreshed unless told not to.

        Raises:
            BadInput: what is below `sdk` is not what its schema says; names the place. Or a number is not finite.
            ConcurrencyConflictError: the checksum is not the present one: somebody else changed them meanwhile.
            Unreachable, ApiException: as every request.
        """
        document = refreshed_run(custom_metadata) if enrich_sdk_metadata else dict(custom_metadata)
        if enrich_sdk_metadata:
            check_sdk(RunSdkMetadata, document, "")
        return self._put(f"{self._path()}/custom-metadata", document, custom_metadata_checksum)

    def update_item_custom_metadata(
        self,
        external_id: str,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """As `update_custom_metadata`, of one item."""
        document = refreshed_item(custom_metadata) if enrich_sdk_metadata else dict(custom_metadata)
        if enrich_sdk_metadata:
            check_sdk(ItemSdkMetadata, document, external_id)
        path = f"{self._path()}/items/{segment(external_id)}/custom-metadata"
        return self._put(path, document, custom_metadata_checksum)

    def _put(self, path: str, document: Mapping[str, Any], checksum: str | None) -> str | None:
        try:
            json.dumps(document, allow_nan=False, default=str)
        except ValueError as error:  # else NaN would become null without a word
            raise BadInput(
                "The custom metadata cannot be written as JSON", detail=f"{error}.", advice="Give finite numbers."
            ) from error
        request = CustomMetadataUpdateRequest(custom_metadata=dict(document), custom_metadata_checksum=checksum)
        answer = self._api.put(path, request.model_dump(mode="json"), timeout=self._settings.run_timeout)
        return parse(CustomMetadataUpdateResponse, answer, path).custom_metadata_checksum

    def download_to_folder(
        self,
        download_base: str | Path,
        checksum_attribute_key: str = CHECKSUM_KEY,
        sleep_interval: float = 5,
        timeout_seconds: float | None = None,
        print_status: bool = True,
        *,
        callback: Callable[[ItemResultReadResponse], None] | None = None,
    ) -> None:
        """Wait for the run and download results as they become available, to `<base>/<run id>/<slide>/<artifact>`.

        `callback` gets each item that is through. Files that are complete are not fetched again.

        Raises:
            DownloadTimeoutError: the run did not end within `timeout_seconds`.
            TransferError: an artifact has no checksum, or other bytes arrived.
            Unreachable, ApiException: as every request.
        """
        from launchpad.platform.run_download import download_to_folder

        download_to_folder(
            self,
            Path(download_base),
            checksum_key=checksum_attribute_key,
            sleep_interval=sleep_interval,
            timeout_seconds=timeout_seconds,
            print_status=print_status,
            callback=callback,
        )

    def ensure_artifacts_downloaded(
        self,
        base_folder: str | Path,
        item: ItemResultReadResponse,
        checksum_attribute_key: str = CHECKSUM_KEY,
        print_status: bool = True,
    ) -> None:
        """Download what of an item is not below `base_folder` yet. Raises as `download_to_folder`."""
        from launchpad.platform.run_download import ensure_artifacts_downloaded

        ensure_artifacts_downloaded(
            self, Path(base_folder), item, checksum_key=checksum_attribute_key, print_status=print_status
        )

    def list_share_grants(
        self,
        subject_type: str | None = None,
        subject_id: str | None = None,
        relation: str | None = None,
        page_size: int = MAX_PAGE_SIZE,
        nocache: bool = False,
    ) -> Iterator[GrantReadResponse]:
        """The grants on the run that are not revoked."""
        for grant in Sharing(self._api).grants(self.run_id, page_size):
            wanted = ((subject_type, grant.subject_type), (subject_id, grant.subject_id), (relation, grant.relation))
            if all(value is None or str(value) == str(own) for value, own in wanted):
                yield grant

    def grant_access(self, subject_type: str, subject_id: str) -> GrantReadResponse:
        """Let an organization's people, a user or a share token see the run."""
        return Sharing(self._api).grant(self.run_id, subject_type=SubjectType(subject_type), subject_id=subject_id)

    def artifact(self, artifact_id: str) -> Artifact:
        """A handle of an output; asks nothing yet."""
        return Artifact(self, artifact_id)

    def get_artifact_download_url(self, artifact_id: str) -> str:
        """A signed URL of an artifact, valid for a short time."""
        return self._api.location(
            f"{self._path()}/artifacts/{segment(artifact_id)}/file",
            self._query(),
            timeout=self._settings.run_timeout,
        )

    def _path(self) -> str:
        return f"/api/v1/runs/{segment(self.run_id)}"

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
            ValueError: `page_size` is not 1 to 100.
        """
        if not 1 <= page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"page_size is 1 to {MAX_PAGE_SIZE}, not {page_size}")
        query = {
            "application_id": application_id,
            "application_version": application_version,
            "external_id": external_id,
            "custom_metadata": custom_metadata,
            "for_organization": for_organization,
            "sort": sort or "-submitted_at",
        }
        size = max(page_size, _SMALLEST_PAGE)
        return pages(self._api, "/api/v1/runs", RunReadResponse, query, size=size, timeout=self._settings.run_timeout)

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
        found = self.list_data(
            application_id,
            application_version,
            external_id,
            custom_metadata,
            sort,
            page_size,
            nocache,
            for_organization,
        )
        return (self(run.run_id) for run in found)

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
            BadInput: ids are not unique, an artifact is unknown or missing, or metadata are not valid.
            Unreachable, ApiException: as every request.
        """
        version = self._versions.details(application_id, application_version)
        check_items(items, version)
        check_sdk_metadata(custom_metadata, items)
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
        run_id = parse(RunCreationResponse, answer, "/api/v1/runs").run_id
        return Run(self._api, self._settings, run_id, submitted=True)
