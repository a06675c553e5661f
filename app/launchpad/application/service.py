"""The library's face for runs, with the names of the old SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launchpad.application import mapping as rules
from launchpad.application.draft import SubmissionDraft
from launchpad.application.prepare import Prepared, prepare
from launchpad.application.results import download_results
from launchpad.application.submit import open_bucket, submit, upload
from launchpad.platform.client import Client
from launchpad.platform.custom_metadata import note_of, tags_of
from launchpad.platform.models import (
    ApplicationReadResponse,
    ApplicationReadShortResponse,
    RunReadResponse,
    VersionReadResponse,
)
from launchpad.platform.runs import Run
from launchpad.progress import Progress
from launchpad.wsi.isolation import SlideService

if TYPE_CHECKING:
    from launchpad.application.draft import Slide
    from launchpad.wsi.discovery import Rejected


class Service:
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
        """All applications."""
        return list(self.client.applications.list())

    def application(self, application_id: str) -> ApplicationReadResponse:
        """One application; NotFoundException where there is none."""
        return self.client.application(application_id)

    def application_version(self, application_id: str, version: str | None = None) -> VersionReadResponse:
        """One version, the latest where none is named."""
        return self.client.application_version(application_id, version)

    def prepare(
        self,
        sources: Sequence[Path],
        version: VersionReadResponse,
        *,
        mappings: Sequence[str] = (),
        progress: Progress | None = None,
        on_slide: Callable[[Slide | Rejected], None] | None = None,
    ) -> Prepared:
        """Find and describe slides, in worker processes that end with the call."""
        parsed = [rules.parse(text) for text in mappings]
        slides = SlideService()
        try:
            return prepare(sources, version, service=slides, mappings=parsed, progress=progress, on_slide=on_slide)
        finally:
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
        self, draft: SubmissionDraft, version: VersionReadResponse, *, pipeline: Mapping[str, Any] | None = None
    ) -> str:
        """Submit a draft from the command line; returns the run's id."""
        bucket = open_bucket(self.client)
        try:
            return submit(draft, client=self.client, bucket=bucket, version=version, interface="cli", pipeline=pipeline)
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
        matches = _matcher(note_regex, note_query_case_insensitive, tags, query)
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

    def application_run_download(
        self,
        run_id: str,
        destination_directory: Path,
        create_subdirectory_for_run: bool = True,
        create_subdirectory_per_item: bool = True,
        wait_for_completion: bool = True,
        *,
        progress: Progress | None = None,
    ) -> Path:
        """Download the results of a run; returns its folder. Raises the first error of an item that failed."""
        done = download_results(
            self.client,
            run_id,
            Path(destination_directory),
            wait=wait_for_completion,
            per_run=create_subdirectory_for_run,
            per_item=create_subdirectory_per_item,
            progress=progress,
        )
        for item in done:
            if item.errors:
                raise item.errors[0]
        return Path(destination_directory) / run_id if create_subdirectory_for_run else Path(destination_directory)

    def application_run_submit_from_metadata(
        self,
        application_id: str,
        slides: Sequence[Slide],
        application_version: str | None = None,
        note: str | None = None,
        tags: set[str] | None = None,
        due_date: datetime | None = None,
        deadline: datetime | None = None,
        pipeline: Mapping[str, Any] | None = None,
    ) -> Run:
        """Submit uploaded slides."""
        from launchpad.application.columns import columns, input_artifact

        version = self.application_version(application_id, application_version)
        draft = SubmissionDraft(
            application_id,
            version=version.version_number,
            columns=columns(input_artifact(version).metadata_schema),
            slides=list(slides),
            note=note or "",
            tags=sorted(tags or ()),
            due_date=due_date,
            deadline=deadline,
        )
        return self.client.run(self.submit(draft, version, pipeline=pipeline))


def _matcher(
    note_regex: str | None, ignore_case: bool, tags: set[str] | None, query: str | None
) -> Callable[[RunReadResponse], bool]:
    import re

    if query is not None and (tags or note_regex is not None):
        raise ValueError("query cannot be combined with tags or note_regex")
    try:
        pattern = re.compile(note_regex, re.IGNORECASE if ignore_case else 0) if note_regex is not None else None
    except re.error as error:
        raise ValueError(f"the regular expression “{note_regex}” is malformed: {error}") from error

    def matches(run: RunReadResponse) -> bool:
        note, own = note_of(run.custom_metadata), tags_of(run.custom_metadata)
        if query is not None:
            return any(query.casefold() in text.casefold() for text in (note, *own))
        if tags and not tags <= set(own):
            return False
        return pattern is None or pattern.search(note) is not None

    return matches
