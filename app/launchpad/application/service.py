"""The library's face for runs, with the names of the old SDK."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from launchpad.application import mapping as rules
from launchpad.application.allowance import Allowance, load_allowance, submit_all
from launchpad.application.columns import columns, input_artifact
from launchpad.application.download_progress import DownloadProgress, DownloadProgressState, Queue, Telling
from launchpad.application.draft import SubmissionDraft
from launchpad.application.manifest import read_rows, to_row
from launchpad.application.prepare import Prepared, prepare
from launchpad.application.results import download_results
from launchpad.application.run_options import future, matcher, pipeline_hints, time_of
from launchpad.application.service_shares import Shares
from launchpad.application.service_twins import Twins
from launchpad.application.submit import open_bucket, submit, upload
from launchpad.errors import BadInput, NotFound
from launchpad.platform.client import Client
from launchpad.platform.custom_metadata import run_metadata
from launchpad.platform.models import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    ApplicationVersion,
    ItemCreationRequest,
    RunReadResponse,
    SchedulingRequest,
    VersionReadResponse,
)
from launchpad.platform.runs import Run
from launchpad.progress import Progress
from launchpad.wsi.isolation import SlideService

if TYPE_CHECKING:
    from launchpad.application.draft import Slide
    from launchpad.qupath.builder import ProjectBuilder
    from launchpad.wsi.discovery import Rejected

_log = logging.getLogger(__name__)
_HIDDEN = frozenset(("h-e-tme", "two-task-dummy"))


class Service(Shares, Twins):
    """Applications and runs of one platform. Close it, or use it as a context manager."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def applications(self) -> list[ApplicationReadShortResponse]:
        """All applications, without those that the old SDK hides."""
        return [item for item in self.client.applications.list() if item.application_id not in _HIDDEN]

    def application(self, application_id: str) -> ApplicationReadResponse:
        """One application; NotFoundException where there is none."""
        return self.client.application(application_id)

    def application_versions(self, application_id: str) -> list[ApplicationVersion]:
        """The versions of an application, newest first."""
        return self.client.versions.list_sorted(application_id)

    def application_version(self, application_id: str, application_version: str | None = None) -> VersionReadResponse:
        """One version, the latest where none is named."""
        return self.client.application_version(application_id, application_version)

    def prepare(
        self,
        sources: Sequence[Path],
        version: VersionReadResponse,
        *,
        mappings: Sequence[str] = (),
        progress: Progress | None = None,
        on_slide: Callable[[Slide | Rejected], None] | None = None,
        reader: SlideService | None = None,
    ) -> Prepared:
        """Find and describe slides, by `reader` or in worker processes that end with the call."""
        parsed = [rules.parse(text) for text in mappings]
        slides = SlideService() if reader is None else reader
        try:
            return prepare(sources, version, service=slides, mappings=parsed, progress=progress, on_slide=on_slide)
        finally:
            if reader is None:
                slides.close()

    def upload(
        self,
        slides: Sequence[Slide],
        application_id: str,
        version: str,
        *,
        prefix: str | None = None,
        progress: Progress | None = None,
        on_slide: Callable[[Slide], None] | None = None,
    ) -> list[Slide]:
        """Upload slides; each comes back with its address or its error."""
        bucket = open_bucket(self.client)
        try:
            return upload(
                slides,
                client=self.client,
                bucket=bucket,
                application_id=application_id,
                version=version,
                prefix=prefix,
                progress=progress,
                on_slide=on_slide,
            )
        finally:
            bucket.close()

    def submit(
        self,
        draft: SubmissionDraft,
        version: VersionReadResponse,
        *,
        interface: Literal["script", "cli", "launchpad"] = "script",
        pipeline: Mapping[str, Any] | None = None,
        onboard: bool = False,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> str:
        """Submit a draft whose slides are uploaded; returns the run's id."""
        bucket = open_bucket(self.client)
        try:
            return submit(
                draft,
                client=self.client,
                bucket=bucket,
                version=version,
                interface=interface,
                pipeline=pipeline,
                onboard=onboard,
                custom_metadata=custom_metadata,
            )
        finally:
            bucket.close()

    def allowance(self) -> Allowance:
        """What the platform lets one submit, as far as it tells. Raises as `client.me`."""
        return load_allowance(self.client)

    def submit_all(
        self,
        draft: SubmissionDraft,
        version: VersionReadResponse,
        *,
        interface: Literal["script", "cli", "launchpad"] = "script",
        pipeline: Mapping[str, Any] | None = None,
        onboard: bool = False,
    ) -> list[str]:
        """As `submit`, as several runs where one may not have so many slides; the runs' ids."""
        bucket = open_bucket(self.client)
        try:
            return submit_all(
                draft,
                client=self.client,
                bucket=bucket,
                version=version,
                items_per_run=self.allowance().items_per_run,
                interface=interface,
                pipeline=pipeline,
                onboard=onboard,
            )
        finally:
            bucket.close()

    def application_runs(
        self,
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
        """Runs, newest first; all conditions must hold, `query` is searched in note and tags.

        Raises:
            ValueError: `query` is combined with `tags` or `note_regex`, or a regular expression is malformed.
        """
        matches = matcher(note_regex, note_query_case_insensitive, tags, query)
        found: list[RunReadResponse] = []
        if limit is not None and limit <= 0:
            return found
        for run in self.client.runs.list_data(
            application_id, application_version, external_id, for_organization=for_organization
        ):
            if (has_output and run.output == "NONE") or not matches(run):
                continue
            found.append(run)
            if limit is not None and len(found) >= limit:
                break
        return found

    def application_run(self, run_id: str, share_token: str | None = None) -> Run:
        """A handle of a run."""
        return self.client.runs(run_id, share_token)

    def application_run_cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self.client.run(run_id).cancel()

    def application_run_delete(self, run_id: str) -> None:
        """Delete the results of a run on the platform."""
        self.client.run(run_id).delete()

    def application_run_submit(
        self,
        application_id: str,
        items: Sequence[ItemCreationRequest],
        application_version: str | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        note: str | None = None,
        tags: set[str] | None = None,
        due_date: str | datetime | None = None,
        deadline: str | datetime | None = None,
        onboard_to_aignostics_portal: bool = False,
        gpu_type: str | None = None,
        gpu_provisioning_mode: str | None = None,
        max_gpus_per_slide: int | None = None,
        flex_start_max_run_duration_minutes: int | None = None,
        cpu_provisioning_mode: str | None = None,
        node_acquisition_timeout_minutes: int | None = None,
    ) -> Run:
        """Submit items whose bytes can be fetched from their URLs already. Raises as `client.runs.submit`.

        Raises:
            ValueError: the schedule is not possible.
        """
        hints = pipeline_hints(
            gpu_type,
            gpu_provisioning_mode,
            max_gpus_per_slide,
            flex_start_max_run_duration_minutes,
            cpu_provisioning_mode,
            node_acquisition_timeout_minutes,
        )
        made = run_metadata(
            interface="script",
            submission_id=uuid4().hex,
            me=self.client.me(),
            note=note,
            tags=tags or (),
            pipeline=hints,
        )
        if onboard_to_aignostics_portal:
            made["sdk"]["workflow"] = {"onboard_to_aignostics_portal": True}
        due, end = future(due_date), future(deadline)
        if due is not None and end is not None and due >= end:
            raise BadInput("The due date must lie before the deadline", advice="Choose other times.")
        scheduling = SchedulingRequest(due_date=due, deadline=end) if due is not None or end is not None else None
        return self.client.runs.submit(
            application_id, items, application_version, {**(custom_metadata or {}), **made}, scheduling
        )

    def application_run_update_custom_metadata(
        self,
        run_id: str,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """Replace the custom metadata of a run. Raises as `Run.update_custom_metadata`."""
        return self.client.run(run_id).update_custom_metadata(
            custom_metadata,
            custom_metadata_checksum=custom_metadata_checksum,
            enrich_sdk_metadata=enrich_sdk_metadata,
        )

    def application_run_update_item_custom_metadata(
        self,
        run_id: str,
        external_id: str,
        custom_metadata: Mapping[str, Any],
        *,
        custom_metadata_checksum: str | None = None,
        enrich_sdk_metadata: bool = True,
    ) -> str | None:
        """Replace the custom metadata of an item. Raises as `Run.update_item_custom_metadata`."""
        return self.client.run(run_id).update_item_custom_metadata(
            external_id,
            custom_metadata,
            custom_metadata_checksum=custom_metadata_checksum,
            enrich_sdk_metadata=enrich_sdk_metadata,
        )

    def application_run_download(
        self,
        run_id: str,
        destination_directory: Path,
        create_subdirectory_for_run: bool = True,
        create_subdirectory_per_item: bool = True,
        wait_for_completion: bool = True,
        qupath_project: bool = False,
        download_progress_queue: Queue | None = None,
        download_progress_callable: Callable[[DownloadProgress], None] | None = None,
        share_token: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> Path:
        """Download the results of a run; returns its folder. Raises the first error of an item that failed.

        `qupath_project` writes a QuPath project into `qupath` of that folder, slide by slide as results come. The
        callable (in a worker thread) and the queue get a `DownloadProgress` at each step.
        """
        telling = Telling(download_progress_callable, download_progress_queue, progress)
        with _builder(qupath_project) as builder:
            done = download_results(
                self.client,
                run_id,
                Path(destination_directory),
                wait=wait_for_completion,
                per_run=create_subdirectory_for_run,
                per_item=create_subdirectory_per_item,
                progress=telling,
                on_ready=builder.on_ready if builder is not None else None,
                with_slides=builder is not None,
                share_token=share_token,
                on_moved=telling.moved,
            )
        telling.tell(
            DownloadProgress(status=DownloadProgressState.COMPLETED, item_count=len(done), item_index=len(done))
        )
        if builder is not None:
            for problem in builder.report.problems:
                _log.warning("QuPath project: %s", problem)
        for item in done:
            if item.errors:
                raise item.errors[0]
        return Path(destination_directory) / run_id if create_subdirectory_for_run else Path(destination_directory)

    # --- the old SDK's functions on rows of the metadata file ---------------------------------------------------------
    @staticmethod
    def generate_metadata_from_source_directory(
        source_directory: Path,
        application_id: str,
        application_version: str | None = None,
        with_gui_metadata: bool = False,
        mappings: Sequence[str] | None = None,
        with_extra_metadata: bool = False,
    ) -> list[dict[str, Any]]:
        """A row for each slide of a folder; slides that cannot be used are left out and logged.

        Raises:
            BadInput: there is no such folder.
            LaunchpadError: a mapping is malformed.
        """
        if not Path(source_directory).is_dir():
            raise NotFound("The folder does not exist", advice="Check its path.", subject=str(source_directory))
        with Service() as service:
            version = service.application_version(application_id, application_version)
            prepared = service.prepare([Path(source_directory)], version, mappings=mappings or ())
        for rejected in prepared.rejected:
            _log.warning("left out a slide: %s", rejected.reason)
            _log.debug("it was %s", rejected.path)
        fields = columns(input_artifact(version).metadata_schema)
        rows: list[dict[str, Any]] = [to_row(slide, fields) for slide in prepared.slides]
        for row, slide in zip(rows, prepared.slides, strict=True):
            if with_gui_metadata:
                row |= {
                    "path_name": slide.path.name,
                    "source": str(slide.path),
                    "file_size_human": f"{slide.size / 1e6:.1f} MB",
                    "file_upload_progress": 0.0,
                }
            if with_extra_metadata:
                row["extra"] = {"format": slide.format, "files": [str(file) for file in slide.files]}
        return rows

    @staticmethod
    def application_run_upload(
        application_id: str,
        metadata: list[dict[str, Any]],
        application_version: str | None = None,
        onboard_to_aignostics_portal: bool = False,
        upload_prefix: str | None = None,
        upload_progress_queue: Queue | None = None,
        upload_progress_callable: Callable[[int, Path, str], None] | None = None,
    ) -> bool:
        """Upload the slides of rows, which get their `platform_bucket_url`; whether all went well.

        `upload_progress_callable` gets the bytes, the path and the address of each slide that is through; the queue a
        dict of the slide's `external_id`, its `file_upload_progress` (1.0) and its `platform_bucket_url`.
        """
        with Service() as service:
            version = service.application_version(application_id, application_version)
            slides = read_rows(metadata, columns(input_artifact(version).metadata_schema))

            def through(slide: Slide) -> None:
                if slide.error:
                    return
                if upload_progress_callable is not None:
                    upload_progress_callable(slide.size, slide.path, slide.bucket_url)
                if upload_progress_queue is not None:
                    upload_progress_queue.put_nowait(
                        {
                            "external_id": slide.external_id,
                            "file_upload_progress": 1.0,
                            "platform_bucket_url": slide.bucket_url,
                        }
                    )

            done = service.upload(
                slides, application_id, version.version_number, prefix=upload_prefix, on_slide=through
            )
        for row, slide in zip(metadata, done, strict=True):
            row["platform_bucket_url"] = slide.bucket_url or None
        return not any(slide.error for slide in done)

    def application_run_submit_from_metadata(
        self,
        application_id: str,
        metadata: Sequence[Mapping[str, Any]],
        application_version: str | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        note: str | None = None,
        tags: set[str] | None = None,
        due_date: str | datetime | None = None,
        deadline: str | datetime | None = None,
        onboard_to_aignostics_portal: bool = False,
        gpu_type: str | None = None,
        gpu_provisioning_mode: str | None = None,
        max_gpus_per_slide: int | None = None,
        flex_start_max_run_duration_minutes: int | None = None,
        cpu_provisioning_mode: str | None = None,
        node_acquisition_timeout_minutes: int | None = None,
    ) -> Run:
        """Submit the uploaded slides of rows.

        Raises:
            ValueError: a row is not complete, or the schedule is not possible.
        """
        version = self.application_version(application_id, application_version)
        fields = columns(input_artifact(version).metadata_schema)
        hints = pipeline_hints(
            gpu_type,
            gpu_provisioning_mode,
            max_gpus_per_slide,
            flex_start_max_run_duration_minutes,
            cpu_provisioning_mode,
            node_acquisition_timeout_minutes,
        )
        draft = SubmissionDraft(
            application_id,
            version=version.version_number,
            columns=fields,
            slides=read_rows(metadata, fields),
            note=note or "",
            tags=sorted(tags or ()),
            due_date=time_of(due_date),
            deadline=time_of(deadline),
        )
        run_id = self.submit(
            draft,
            version,
            pipeline=hints,
            onboard=onboard_to_aignostics_portal,
            custom_metadata=custom_metadata,
        )
        return self.client.run(run_id)


def _builder(wanted: bool) -> AbstractContextManager[ProjectBuilder | None]:
    if not wanted:
        return nullcontext()
    from launchpad.qupath.builder import ProjectBuilder
    from launchpad.qupath.service import how_for

    return ProjectBuilder(how_for(None))
