"""The steps of `launchpad application run`: what each prints, and what it counts as failed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launchpad.cli import completion
from launchpad.cli.output import Format, complain, print_json, progress_bar, say, warn
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.progress import Cancelled

if TYPE_CHECKING:
    from launchpad.application.columns import Column
    from launchpad.application.draft import Slide, SubmissionDraft
    from launchpad.application.prepare import Prepared
    from launchpad.application.results import Downloaded
    from launchpad.application.service import Service
    from launchpad.platform.models import VersionReadResponse
    from launchpad.qupath.builder import ProjectBuilder
    from launchpad.wsi.isolation import SlideService

_REWRITE = 1.0  # seconds between two writes of the metadata file while slides are uploaded
_SHOWN = 20  # problems


@dataclass(frozen=True)
class Options:
    """What a person says about a run besides its slides."""

    note: str | None
    tags: frozenset[str]
    due_date: datetime | None
    deadline: datetime | None
    pipeline: Mapping[str, Any]
    onboard: bool


def service() -> Service:
    """The services of the platform that the settings choose; started where it is this computer."""
    from launchpad.application.service import Service

    return Service()


def options(
    note: str | None,
    tags: str | None,
    due_date: str | None,
    deadline: str | None,
    pipeline: Mapping[str, Any],
    *,
    onboard: bool,
) -> Options:
    """Check what was typed before anything is done.

    Raises:
        BadInput: a time is malformed or passed, or the due date is not before the deadline.
    """
    due, end = _time(due_date, "--due-date"), _time(deadline, "--deadline")
    if due is not None and end is not None and due >= end:
        raise BadInput("The due date must lie before the deadline", advice="Choose other times.", subject="--due-date")
    return Options(note, frozenset(tag_set(tags) or ()), due, end, pipeline, onboard)


def pipeline(gpu: str, mode: str, most: int, flex: int, cpu: str, node: int) -> dict[str, Any]:
    """The hints for a cloud's scheduler as the run's metadata have them."""
    hints: dict[str, Any] = {"gpu_type": gpu, "provisioning_mode": mode, "max_gpus_per_slide": most}
    if mode == "FLEX_START":
        hints["flex_start_max_run_duration_minutes"] = flex
    return {"gpu": hints, "cpu": {"provisioning_mode": cpu}, "node_acquisition_timeout_minutes": node}


def tag_set(text: str | None) -> set[str] | None:
    """Tags of `a,b`; None where there are none."""
    return {tag.strip() for tag in text.split(",") if tag.strip()} or None if text else None


def gate(service: Service, *, force: bool) -> None:
    """Go on only with a healthy platform, or by force.

    Raises:
        LaunchpadError: it is not healthy; names its address and what to do.
    """
    from launchpad.system.health import check

    health = check(service.client)
    if health.healthy:
        return
    remedy = next(part.remedy for part in health.components.values() if part.status == "DOWN")
    if force:
        warn(f"Not healthy: {health.reason} Going on because of --force.")
        return
    raise LaunchpadError(
        f"Platform is not healthy: {health.reason.rstrip('.')}. Aborting.",
        detail=f"Asked: {service.client.profile.api_root}.",
        advice=f"{remedy} Or go on with --force.",
    )


def tell_limits(service: Service, slides: int, *, force: bool) -> None:
    """Say before anything is sent what of the quotas is used, and that one run does not hold all slides.

    Raises:
        LaunchpadError: a quota that is known does not suffice.
    """
    allowance = service.allowance()
    for line in allowance.lines():
        warn(f"Quota: {line}")
    if allowance.runs(slides) > 1:
        warn(
            f"{slides} slides become {allowance.runs(slides)} runs: a run has at most {allowance.items_per_run} slides "
            "on this platform. All of them get a common tag."
        )
    if force and (words := allowance.problem(slides)):
        warn(f"The platform's quota does not suffice: {words} Going on because of --force.")
    elif not force:
        allowance.require(slides)


def columns_of(version: VersionReadResponse) -> tuple[Column, ...]:
    """The fields that a version wants a person to fill in."""
    from launchpad.application.columns import columns, input_artifact

    return columns(input_artifact(version).metadata_schema)


@dataclass(frozen=True)
class Filling:
    """Where values for the slides come from besides the application's defaults; `earlier` is an older file's."""

    mappings: Sequence[str] = ()
    table: Path | None = None
    proposals: bool = False
    earlier: Sequence[Slide] = ()


@contextlib.contextmanager
def reader() -> Iterator[SlideService]:
    """The readers of slides; their processes start at once, while the platform is asked for other things."""
    from launchpad.wsi.isolation import SlideService

    with SlideService() as slides:
        slides.start()
        yield slides


def prepare(
    service: Service, version: VersionReadResponse, manifest: Path, source: Path, filling: Filling, slides: SlideService
) -> Prepared:
    """Describe the slides of a folder and write the metadata file; what is left out is named.

    Raises:
        NotFound: there is no such folder.
        BadInput: nothing in it can be used, or the table of values cannot be read.
        LaunchpadError: a mapping is malformed.
    """
    from launchpad.application.manifest import other_cells, write_manifest

    if not source.is_dir():
        raise NotFound("The folder does not exist", advice="Check its path.", subject=str(source.absolute()))
    with progress_bar("Reading slides") as progress:
        prepared = service.prepare([source], version, mappings=filling.mappings, progress=progress, reader=slides)
    for rejected in prepared.rejected:
        reason = rejected.reason.rstrip(".")
        complain(f"Left out {rejected.path}: {reason}. {rejected.advice}".rstrip())
    if not prepared.slides:
        if prepared.rejected:
            raise BadInput(
                "None of the slides in the folder can be used",
                advice="The lines above say why.",
                subject=str(source.absolute()),
            )
        raise BadInput(
            "The folder holds no slides",
            advice="Choose a folder with slides (for example .svs, .tiff, .dcm).",
            subject=str(source.absolute()),
        )
    prepared = replace(prepared, slides=_filled(prepared.slides, columns_of(version), filling))
    columns = columns_of(version)
    others = other_cells(manifest, columns) if filling.earlier else {}
    write_manifest(manifest, prepared.slides, columns, others)
    _point_out(prepared.slides)
    say(f"Generated metadata file {manifest} with {len(prepared.slides)} slide(s).")
    return prepared


def _filled(slides: tuple[Slide, ...], columns: tuple[Column, ...], filling: Filling) -> tuple[Slide, ...]:
    """The slides with the values of a table, and with what their files propose where that is wanted."""
    from launchpad.application import mapping
    from launchpad.application.executions import with_earlier
    from launchpad.application.spreadsheet import apply_table

    if filling.earlier:
        slides = with_earlier(slides, filling.earlier)
        slides = tuple(mapping.apply(map(mapping.parse, filling.mappings), slides, columns))
    if filling.proposals:
        # A value that a mapping gave stays.
        slides = tuple(replace(slide, values={**slide.proposals, **slide.values}) for slide in slides)
    if filling.table is not None:
        applied = apply_table(filling.table, slides, columns)
        # Mappings are the last word, as they are without a table.
        slides = tuple(mapping.apply(map(mapping.parse, filling.mappings), applied.slides, columns))
        for problem in applied.problems:
            complain(f"Not taken from {filling.table}: {problem}")
        for name in applied.unmatched:
            complain(f"No slide for the row “{name}” of {filling.table}")
        say(f"Values for {applied.matched} of {len(slides)} slide(s) from {filling.table}.")
    return slides


def _point_out(slides: Sequence[Slide]) -> None:
    """What is worth knowing before slides are sent."""
    from launchpad.application.draft import EXTERNAL_ID_LIMIT, same_content

    for group in same_content(slides):
        warn(f"The same content, each would be analysed: {', '.join(str(slide.path) for slide in group)}")
    for slide in slides:
        for note in slide.notes:
            warn(f"{slide.path}: {note}")
        offered = {key: value for key, value in slide.proposals.items() if not slide.values.get(key)}
        if offered:
            words = ", ".join(f"{key}={value}" for key, value in offered.items())
            warn(f"{slide.path}: the file proposes {words}; --accept-proposals takes it.")
        if len(slide.external_id) > EXTERNAL_ID_LIMIT:
            warn(
                f"{slide.path}: its path has {len(slide.external_id)} characters, the platform takes "
                f"{EXTERNAL_ID_LIMIT}. Move it to a folder with a shorter path."
            )
    named = [slide for slide in slides if slide.identifying]
    if named:
        warn(
            f"{len(named)} of {len(slides)} slide(s) hold what may identify somebody, for example "
            f"{named[0].path.name}: {', '.join(named[0].identifying[:3])}. `launchpad wsi inspect` lists it."
        )


def dry_run(version: VersionReadResponse, source: Path, mappings: Sequence[str], format_: Format) -> None:
    """Print what each mapping would set, and which slides none of them names; nothing is read or written.

    Raises:
        NotFound: there is no such folder.
        LaunchpadError: a mapping is malformed.
    """
    from launchpad.application import mapping
    from launchpad.wsi.discovery import FoundSlide, find

    if not source.is_dir():
        raise NotFound("The folder does not exist", advice="Check its path.", subject=str(source.absolute()))
    ids = [str(item.path) for item in find([source]) if isinstance(item, FoundSlide)]
    found = mapping.dry_run([mapping.parse(text) for text in mappings], ids, columns_of(version))
    named = {external_id for match in found for external_id in match.external_ids}
    unnamed = [external_id for external_id in ids if external_id not in named]
    if format_ is Format.JSON:
        rows = [{"mapping": item.text, "sets": dict(item.values), "slides": list(item.external_ids)} for item in found]
        print_json({"mappings": rows, "unmatched": unnamed})
        return
    for item in found:
        say(f"{item.text}: {len(item.external_ids)} of {len(ids)} slide(s)")
        for external_id in item.external_ids:
            say(f"  {external_id}")
    if unnamed:
        say(f"No mapping names {len(unnamed)} of {len(ids)} slide(s):")
        for external_id in unnamed:
            say(f"  {external_id}")


def check_manifest(manifest: Path, version: VersionReadResponse) -> int:
    """Say what keeps the rows of a metadata file from being submitted, by row and column; how many problems."""
    from launchpad.application.columns import input_artifact, mpp_limits
    from launchpad.application.manifest import check_manifest

    problems = check_manifest(manifest, columns_of(version), mpp_limits(input_artifact(version).metadata_schema))
    for problem in problems[:_SHOWN]:
        complain(f"{manifest}: {problem}.")
    if len(problems) > _SHOWN:
        complain(f"{manifest}: and {len(problems) - _SHOWN} more.")
    return len(problems)


def name_unknown_values(slides: Sequence[Slide], version: VersionReadResponse, manifest: Path) -> None:
    """What the application would refuse, as a mapping with a slip gives it to many slides at once."""
    for column in columns_of(version):
        given = Counter(slide.values.get(column.key, "") for slide in slides)
        for value, count in given.items():
            if column.refuses(value):
                warn(
                    f"{manifest}, column {column.key}: “{value}” of {count} slide(s) is none of "
                    f"{', '.join(column.choices)}. Correct it there or in the mapping."
                )


def name_missing_mpp(slides: Sequence[Slide], manifest: Path) -> None:
    """Say which slides do not know their resolution, and where to write it."""
    for slide in slides:
        if slide.mpp is None:
            complain(f"No MPP: {slide.path}: {slide.mpp_problem} {mpp_advice(slide, manifest)}")


def mpp_advice(slide: Slide, manifest: Path) -> str:
    """How to say the resolution of a slide."""
    return (
        f"Fill in resolution_mpp in {manifest}, or say it by --mapping "
        f"'{slide.path.stem}:resolution_mpp=<micrometres per pixel>'."
    )


def upload(
    service: Service,
    application_id: str,
    version: VersionReadResponse,
    manifest: Path,
    slides: Sequence[Slide],
    prefix: str | None,
) -> list[Slide]:
    """Upload the included slides, keeping their addresses in the metadata file; those that fail are named."""
    from launchpad.application.manifest import other_cells, write_manifest

    columns = columns_of(version)
    others = other_cells(manifest, columns)
    now = {slide.id: slide for slide in slides}
    lock = threading.Lock()
    written = time.monotonic()

    def keep(slide: Slide) -> None:
        nonlocal written
        with lock:
            now[slide.id] = slide
            if time.monotonic() - written > _REWRITE:
                write_manifest(manifest, list(now.values()), columns, others)
                written = time.monotonic()

    try:
        with progress_bar("Uploading", unit="bytes") as progress:
            service.upload(
                slides, application_id, version.version_number, prefix=prefix, progress=progress, on_slide=keep
            )
    except (Cancelled, KeyboardInterrupt):
        warn("Stopped. What was sent is kept: run the same command again to go on from there.")
        raise
    finally:
        with lock:
            write_manifest(manifest, list(now.values()), columns, others)
    done = list(now.values())
    for slide in done:
        if slide.error:
            complain(f"Not uploaded {slide.path}: {slide.error} {slide.advice}".rstrip())
    return done


def draft_of(
    application_id: str,
    version: VersionReadResponse,
    slides: Sequence[Slide],
    chosen: Options,
    submission_id: str | None = None,
) -> SubmissionDraft:
    """What is submitted."""
    from launchpad.application.draft import SubmissionDraft

    draft = SubmissionDraft(
        application_id,
        version=version.version_number,
        columns=columns_of(version),
        slides=list(slides),
        note=chosen.note or "",
        tags=sorted(chosen.tags),
        due_date=chosen.due_date,
        deadline=chosen.deadline,
    )
    return replace(draft, submission_id=submission_id) if submission_id is not None else draft


def submit(
    service: Service, version: VersionReadResponse, draft: SubmissionDraft, chosen: Options, *, tell: bool = True
) -> list[str]:
    """Post the run, or several where one may not have so many slides; returns their ids.

    Raises:
        BadInput: a slide is not complete.
    """
    if words := service.allowance().split_words(draft):
        warn(words)
    run_ids = service.submit_all(draft, version, interface="cli", pipeline=chosen.pipeline, onboard=chosen.onboard)
    completion.keep("run", service.client.profile, run_ids)
    for run_id in run_ids if tell else ():
        say(f"Submitted run with id '{run_id}' for '{draft.application_id}' (version: {version.version_number}).")
    return run_ids


def download(
    service: Service,
    run_id: str,
    destination: Path,
    *,
    wait: bool,
    per_run: bool,
    per_item: bool,
    qupath_project: bool = False,
    share_token: str | None = None,
) -> set[str]:
    """Download; returns the ids of the items that failed on the platform or on the way, each of which is named."""
    from launchpad.application.results import download_results
    from launchpad.application.states import item_state

    failed: set[str] = set()

    def through(done: Downloaded) -> None:
        for error in done.errors:
            complain(f"Not downloaded {done.item.external_id}: {error}")
        if done.errors:
            failed.add(done.item.item_id)

    try:
        with progress_bar("Results") as progress, _qupath_project(qupath_project) as builder:
            download_results(
                service.client,
                run_id,
                destination,
                wait=wait,
                per_run=per_run,
                per_item=per_item,
                progress=progress,
                on_item=through,
                on_ready=builder.on_ready if builder is not None else None,
                with_slides=builder is not None,
                share_token=share_token,
                poll_seconds=1.0 if service.client.profile.kind == "embedded" else 5.0,
            )
    except (Cancelled, KeyboardInterrupt):
        warn(
            "The run goes on. Fetch its results by: "
            f"launchpad application run result download {run_id} '{destination}'; "
            f"end it by: launchpad application run cancel {run_id}"
        )
        raise
    for item in service.application_run(run_id, share_token).results():
        if item.state == "TERMINATED" and item.output != "FULL":
            reason = item.error_message or item.termination_reason
            complain(f"{item_state(item).words}: {item.external_id}: {reason}")
            failed.add(item.item_id)
    say(f"Downloaded results of run '{run_id}' to '{destination / run_id if per_run else destination}'")
    if builder is not None:
        for problem in builder.report.problems:
            complain(f"QuPath project: {problem}")
        say(f"QuPath project '{builder.report.project}': {builder.report.words()}.")
    return failed


def _qupath_project(wanted: bool) -> AbstractContextManager[ProjectBuilder | None]:
    """Who writes the QuPath project while results come."""
    if not wanted:
        return contextlib.nullcontext()
    from launchpad.qupath.builder import ProjectBuilder
    from launchpad.qupath.service import how_for

    return ProjectBuilder(how_for(None))


def pack(folder: Path) -> None:
    """One ZIP file of a run's folder, beside it."""
    from launchpad.application.archive import zip_run

    with progress_bar("ZIP", unit="bytes") as progress:
        path = zip_run(folder, progress=progress)
    say(f"Packed the results into '{path}'")


def finish(failed: int) -> None:
    """End with 1 when something failed."""
    if failed:
        complain(f"Done, but {failed} slide(s) were left out or failed.")
        raise typer.Exit(1)


def _time(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("The time is malformed", advice="Write it like 2026-01-31T18:00:00Z.", subject=option) from None
    if value.tzinfo is None:
        raise BadInput("The time has no zone", advice="Write it like 2026-01-31T18:00:00Z.", subject=option)
    if value <= datetime.now(UTC):
        raise BadInput("The time lies in the past", advice="Choose a later one.", subject=option)
    return value
