"""Upload and submission: slides into the bucket, then one POST with URLs signed at that moment."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from launchpad.application.columns import Column, columns, input_artifact, place_values
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.application.uploaded import earlier_key, remember
from launchpad.bucket.base import Bucket, Receipt
from launchpad.bucket.board import FileBoard
from launchpad.bucket.signing import MAX_EXPIRES
from launchpad.bucket.upload import Source, upload_files
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import BadInput, LaunchpadError, Unreachable
from launchpad.progress import Progress
from launchpad.settings import load_settings
from launchpad.wsi.metadata import media_type

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import ItemCreationRequest, VersionReadResponse

_AFTER_DEADLINE = timedelta(hours=1)
_LOOKS = (0.2, 0.5, 1.0)  # seconds before each look for a run whose answer was lost
_POSTS = 3  # at most, each after it is known that there is no run yet


def open_bucket(client: Client) -> Bucket:
    """The bucket of the signed-in user's organization. Raises as `client.me`."""

    def keys(nocache: bool = True) -> tuple[str, str]:
        organization = client.me(nocache).organization
        return (
            organization.aignostics_bucket_hmac_access_key_id,
            organization.aignostics_bucket_hmac_secret_access_key,
        )

    settings = load_settings()
    return XmlBucket(
        client.profile.storage_endpoint,
        client.me().organization.aignostics_bucket_name,
        *keys(nocache=False),
        launch_secret=client.profile.launch_secret,
        region=settings.bucket_region_name,
        connections=settings.transfer_connections,
        bytes_per_second=settings.upload_bytes_per_second,
        renew_keys=keys,
    )


def object_key(user: str, prefix: str, application_id: str, version: str, external_id: str, file_name: str) -> str:
    """Where a slide goes; two slides of one name never share a key."""
    unique = hashlib.sha256(external_id.encode()).hexdigest()[:8]
    return f"{user.replace('|', '_')}/{prefix}/{application_id}/{version}/{unique}/{file_name}"


def upload(
    slides: Sequence[Slide],
    *,
    client: Client,
    bucket: Bucket,
    application_id: str,
    version: str,
    prefix: str | None = None,
    progress: Progress | None = None,
    on_slide: Callable[[Slide], None] | None = None,
    board: FileBoard | None = None,
) -> list[Slide]:
    """Upload the included slides; each comes back with its `bucket_url`, or with its `error`.

    A slide whose object is in the bucket already, with its size and checksum, is not sent again; without a `prefix`
    that also holds for what this profile uploaded for other runs, and an upload that was begun goes on. `on_slide` is
    called from worker threads; on the `board` a file's key is its number among the included slides.

    Raises:
        Unreachable, ApiException: the platform does not say where to.
        Cancelled: the progress was cancelled.
    """
    user = client.me().user.id
    at = prefix or str(int(datetime.now(UTC).timestamp() * 1000))
    chosen = [slide for slide in slides if slide.included]
    sources = []
    for slide in chosen:
        key = _key_of(slide, bucket)
        if key is None and prefix is None:
            key = earlier_key(client.profile, bucket.name, slide.path, slide.crc32c) or bucket.begun(slide.path)
        if key is None:
            key = object_key(user, at, application_id, version, slide.external_id, slide.path.name)
        sources.append(Source(slide.path, key, slide.crc32c))
    done: dict[str, Slide] = {}
    lock = threading.Lock()

    def through(number: int, result: Receipt | LaunchpadError) -> None:
        slide = chosen[number]
        if isinstance(result, Receipt):
            if not result.already_there:
                remember(client.profile, bucket.name, result.path, result.crc32c, result.key)
            slide = replace(
                slide, bucket_url=bucket.uri(result.key), crc32c=result.crc32c, size=result.size, error="", advice=""
            )
        else:
            words = " ".join(part for part in (f"{result.title}.", result.detail) if part)
            slide = replace(slide, bucket_url="", error=words, advice=result.advice)
        with lock:
            done[slide.id] = slide
        if on_slide is not None:
            on_slide(slide)

    upload_files(bucket, sources, progress, through, board)
    return [done.get(slide.id, slide) for slide in slides]


def submit(
    draft: SubmissionDraft,
    *,
    client: Client,
    bucket: Bucket,
    version: VersionReadResponse,
    interface: Literal["script", "cli", "launchpad"] = "script",
    pipeline: Mapping[str, Any] | None = None,
    onboard: bool = False,
    custom_metadata: Mapping[str, Any] | None = None,
) -> str:
    """Post the run of a draft whose slides are uploaded; returns the run's id.

    Before anything is posted, for the first time or again, the run is looked up by the draft's submission id: an
    earlier try whose answer was lost, also one of a process that died, may have made it. So there are never two.
    `pipeline` (hints for a cloud's scheduler) and `onboard` are recorded with the run; so are the keys of
    `custom_metadata` that are not ours.

    Raises:
        BadInput: something is missing; names the slide and what.
        Unreachable, ApiException: the platform does not answer or refuses.
    """
    from launchpad.platform.custom_metadata import run_metadata
    from launchpad.platform.http import ApiException
    from launchpad.platform.models import SchedulingRequest

    problems = draft.problems()
    if problems:
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        raise BadInput(
            "The run cannot be submitted yet",
            detail=f"{problems[0].message}{more}",
            advice="Complete the metadata, or leave the slide out, then submit again.",
        )
    expires = _expires(draft.deadline, client)
    fields = columns(input_artifact(version).metadata_schema)
    items = [_item(slide, fields, bucket, version, expires) for slide in draft.included()]
    metadata = run_metadata(
        interface=interface,
        submission_id=draft.submission_id,
        me=client.me(),
        note=draft.note or None,
        tags=draft.tags,
        pipeline=pipeline,
    )
    if onboard:
        metadata["sdk"]["workflow"] = {"onboard_to_aignostics_portal": True}
    metadata = {**(custom_metadata or {}), **metadata}
    scheduling = None
    if draft.due_date or draft.deadline:
        scheduling = SchedulingRequest(due_date=draft.due_date, deadline=draft.deadline)
    found = find_submission(client, draft)
    for post in range(_POSTS):
        if found is not None:
            return found
        try:
            return client.runs.submit(draft.application_id, items, version.version_number, metadata, scheduling).run_id
        except (Unreachable, ApiException) as error:
            if isinstance(error, ApiException) and 300 <= (error.status or 0) < 500:
                raise  # refused, so there is no run
            found, known = _after_lost_answer(client, draft)
            if found is None and (not known or post == _POSTS - 1 or _may_be_under_way(error)):
                raise
    raise AssertionError("unreachable")


def _after_lost_answer(client: Client, draft: SubmissionDraft) -> tuple[str | None, bool]:
    """The run, when it was made after all, and whether the platform said so.

    It is asked a few times, as it may still be at it.
    """
    from launchpad.platform.http import ApiException

    known = False
    for wait in _LOOKS:
        time.sleep(wait)
        known = False
        with contextlib.suppress(Unreachable, ApiException):
            found = find_submission(client, draft)
            known = True
            if found is not None:
                return found, True
    return None, known


def _may_be_under_way(error: LaunchpadError) -> bool:
    """Whether the platform may still be making the run: then it is not posted again by us."""
    import httpx

    return isinstance(error.__cause__, httpx.ReadTimeout)


def find_submission(client: Client, draft: SubmissionDraft) -> str | None:
    """The run that a draft became, or None."""
    path = f'$.launchpad.submission_id ? (@ == "{draft.submission_id}")'
    for run in client.runs.list_data(application_id=draft.application_id, custom_metadata=path, page_size=5):
        return run.run_id
    return None


def _item(
    slide: Slide, fields: tuple[Column, ...], bucket: Bucket, version: VersionReadResponse, expires: int
) -> ItemCreationRequest:
    from launchpad.platform.custom_metadata import item_metadata
    from launchpad.platform.models import InputArtifactCreationRequest, ItemCreationRequest

    key = _key_of(slide, bucket)
    if key is None:
        raise BadInput(
            "The slide was not uploaded",
            detail=f"Its platform_bucket_url is “{slide.bucket_url}”." if slide.bucket_url else "",
            advice="Upload the slides first, by `launchpad application run upload`.",
            subject=slide.external_id,
        )
    artifact = input_artifact(version)
    technical = {
        "checksum_base64_crc32c": slide.crc32c,
        "height_px": slide.height,
        "width_px": slide.width,
        "resolution_mpp": slide.mpp,
        "media_type": media_type(slide.path),
    }
    known = artifact.metadata_schema.get("properties")
    if isinstance(known, Mapping):
        technical = {name: value for name, value in technical.items() if name in known}
    url = bucket.signed_url(key, expires)
    return ItemCreationRequest(
        external_id=slide.external_id,
        custom_metadata=item_metadata(bucket_name=bucket.name, object_key=key, signed_download_url=url),
        input_artifacts=[
            InputArtifactCreationRequest(
                name=artifact.name, download_url=url, metadata={**technical, **place_values(fields, slide.values)}
            )
        ],
    )


def _key_of(slide: Slide, bucket: Bucket) -> str | None:
    start = f"gs://{bucket.name}/"
    return slide.bucket_url.removeprefix(start) if slide.bucket_url.startswith(start) else None


def _expires(deadline: datetime | None, client: Client) -> int:
    """Seconds that the platform may read the slides: until an hour after the deadline, at most seven days."""
    given = client.settings.bucket_download_signed_url_expiration_seconds
    if given is not None:
        return given
    if deadline is None:
        return MAX_EXPIRES
    left = (deadline + _AFTER_DEADLINE - datetime.now(UTC)).total_seconds()
    return max(60, min(MAX_EXPIRES, int(left)))


def files_missing(slides: Sequence[Slide]) -> list[Path]:
    """The files of slides that are not there."""
    return [slide.path for slide in slides if slide.included and not slide.path.is_file()]
