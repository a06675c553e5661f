"""A draft from an earlier run: all its slides once more, or those that failed, with what was said about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launchpad.application.columns import columns, input_artifact, mpp_limits
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.application.prepare import prepare
from launchpad.platform.custom_metadata import note_of, tags_of
from launchpad.platform.http import NotFoundException

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.progress import Progress
    from launchpad.wsi.isolation import SlideService


def draft_again(
    client: Client,
    run_id: str,
    slides: SlideService,
    *,
    item_ids: Collection[str] | None = None,
    progress: Progress | None = None,
) -> SubmissionDraft:
    """A draft of the run's slides (or of these items only), saved; files are read again, values are taken over.

    The run's version is kept where the application still has it, otherwise the latest is taken. A slide whose file is
    not on this computer any more stands in the draft with an error.

    Raises:
        Unreachable, ApiException: the platform does not answer or does not know the run.
    """
    handle = client.run(run_id)
    run = handle.details()
    items = [item for item in handle.results() if item_ids is None or item.item_id in item_ids]
    try:
        version = client.application_version(run.application_id, run.version_number)
    except NotFoundException:
        version = client.application_version(run.application_id)
    artifact = input_artifact(version)
    fields = columns(artifact.metadata_schema)
    paths = [Path(item.external_id) for item in items]
    there = [path for path in paths if path.is_absolute() and path.is_file()]
    prepared = prepare(there, version, service=slides, progress=progress) if there else None
    found = {slide.external_id: slide for slide in prepared.slides} if prepared is not None else {}
    refused = {str(entry.path): entry for entry in prepared.rejected} if prepared is not None else {}
    made: list[Slide] = []
    for item, path in zip(items, paths, strict=True):
        metadata = item.input_artifacts[0].metadata or {} if item.input_artifacts else {}
        slide = found.get(item.external_id)
        if slide is None:
            entry = refused.get(item.external_id)
            slide = Slide(
                path=path, files=(path,), external_id=item.external_id, format=path.suffix.strip(".").upper(), size=0,
                width=int(metadata.get("width_px") or 0), height=int(metadata.get("height_px") or 0), mpp=None,
                error=entry.reason if entry is not None else "The file is not on this computer any more.",
                advice=entry.advice if entry is not None else "Put it back at its place, or leave the slide out.",
            )  # fmt: skip
        values = {field.key: text for field in fields if (text := _value(metadata, field.pointer))}
        mpp, origin = slide.mpp, slide.mpp_origin
        if mpp is None and not slide.error and isinstance(metadata.get("resolution_mpp"), (int, float)):
            mpp, origin = float(metadata["resolution_mpp"]), "user"
        made.append(replace(slide, values={**slide.values, **values}, mpp=mpp, mpp_origin=origin))
    draft = SubmissionDraft(
        run.application_id,
        version=version.version_number,
        columns=fields,
        mpp_limits=mpp_limits(artifact.metadata_schema),
        slides=made,
        note=note_of(run.custom_metadata),
        tags=tags_of(run.custom_metadata),
        sources=there,
    )
    draft.save()
    return draft


def _value(metadata: Mapping[str, Any], pointer: tuple[str, ...]) -> str:
    place: Any = metadata
    for part in pointer:
        place = place.get(part) if isinstance(place, Mapping) else None
    return str(place) if isinstance(place, (str, int, float)) else ""
