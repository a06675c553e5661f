"""The functions `…_static` of the old SDK's `application.Service`: each makes a service of its own and closes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launchpad.application.download_progress import Queue
    from launchpad.application.service import Service
    from launchpad.platform.models import ApplicationReadShortResponse, ApplicationVersion, RunReadResponse


def _service() -> Service:
    from launchpad.application.service import Service

    return Service()


class Twins:
    """Each does what its twin without `_static` does, and raises as that."""

    @staticmethod
    def applications_static() -> list[ApplicationReadShortResponse]:
        """As `applications`."""
        with _service() as service:
            return service.applications()

    @staticmethod
    def application_versions_static(application_id: str) -> list[ApplicationVersion]:
        """As `application_versions`."""
        with _service() as service:
            return service.application_versions(application_id)

    @staticmethod
    def application_runs_static(
        application_id: str | None = None,
        application_version: str | None = None,
        external_id: str | None = None,
        has_output: bool = False,
        note_regex: str | None = None,
        note_query_case_insensitive: bool = True,
        tags: set[str] | None = None,
        query: str | None = None,
        limit: int | None = None,
        for_organization: str | None = None,
    ) -> list[RunReadResponse]:
        """As `application_runs`."""
        with _service() as service:
            return service.application_runs(
                application_id,
                application_version,
                external_id,
                has_output,
                note_regex,
                note_query_case_insensitive,
                tags,
                query,
                limit,
                for_organization,
            )

    @staticmethod
    def application_run_update_custom_metadata_static(
        run_id: str,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """As `application_run_update_custom_metadata`."""
        with _service() as service:
            return service.application_run_update_custom_metadata(
                run_id,
                custom_metadata,
                custom_metadata_checksum=custom_metadata_checksum,
                enrich_sdk_metadata=enrich_sdk_metadata,
            )

    @staticmethod
    def application_run_update_item_custom_metadata_static(
        run_id: str,
        external_id: str,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """As `application_run_update_item_custom_metadata`."""
        with _service() as service:
            return service.application_run_update_item_custom_metadata(
                run_id,
                external_id,
                custom_metadata,
                custom_metadata_checksum=custom_metadata_checksum,
                enrich_sdk_metadata=enrich_sdk_metadata,
            )

    @staticmethod
    def application_run_download_static(
        run_id: str,
        destination_directory: Path,
        create_subdirectory_for_run: bool = True,
        create_subdirectory_per_item: bool = True,
        wait_for_completion: bool = True,
        qupath_project: bool = False,
        download_progress_queue: Queue | None = None,
    ) -> Path:
        """As `application_run_download`."""
        with _service() as service:
            return service.application_run_download(
                run_id,
                destination_directory,
                create_subdirectory_for_run,
                create_subdirectory_per_item,
                wait_for_completion,
                qupath_project,
                download_progress_queue,
            )
