"""`launchpad application run`: from a folder of slides to results."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from launchpad.cli.output import Format, print_json, progress_bar, warn
from launchpad.errors import BadInput, LaunchpadError, NotFound

if TYPE_CHECKING:
    from launchpad.application.draft import Slide
    from launchpad.application.prepare import Prepared
    from launchpad.application.results import Downloaded
    from launchpad.application.service import Service
    from launchpad.platform.models import RunReadResponse, VersionReadResponse

app = typer.Typer(no_args_is_help=True, help="Runs: prepare, upload, submit, watch, download.")
result_app = typer.Typer(no_args_is_help=True, help="Results of runs.")
app.add_typer(result_app, name="result")

_Application = Annotated[str, typer.Argument(help="Id of the application, for example he-tme.")]
_Manifest = Annotated[Path, typer.Argument(help="The metadata CSV file.")]
_Source = Annotated[Path, typer.Argument(help="Folder with slides; searched with all folders in it.")]
_Version = Annotated[str | None, typer.Option(help="Version of the application; default: the latest.")]
_Mapping = Annotated[
    list[str] | None, typer.Option(help="Rule “regexp:key=value,…” that fills in metadata; may be repeated.")
]
_Prefix = Annotated[str | None, typer.Option(help="Part of the objects' names; default: the time in ms.")]
_Force = Annotated[bool, typer.Option("--force/--no-force", help="Go on although the platform is not healthy.")]
_Note = Annotated[str | None, typer.Option(help="Note of the run.")]
_Tags = Annotated[str | None, typer.Option(help="Tags of the run, separated by commas.")]
_Due = Annotated[str | None, typer.Option(help="Soft due date, ISO 8601 with time zone.")]
_Deadline = Annotated[str | None, typer.Option(help="Hard deadline, ISO 8601 with time zone.")]
_Format = Annotated[Format, typer.Option("--format", help="How to print.")]
_PerRun = Annotated[bool, typer.Option(help="A folder for the run.")]
_PerItem = Annotated[bool, typer.Option(help="A folder for each slide.")]
_Wait = Annotated[bool, typer.Option(help="Wait until the run has ended.")]
_Portal = Annotated[bool, typer.Option(help="Of the vendor's cloud; accepted and ignored.")]
# Hints for the scheduler of a cloud: recorded with the run, ignored on this computer.
_GpuType = Annotated[Literal["L4", "A100"], typer.Option(help="Recorded with the run.")]
_GpuMode = Annotated[Literal["SPOT", "ON_DEMAND", "FLEX_START"], typer.Option(help="Recorded with the run.")]
_MaxGpus = Annotated[int, typer.Option(min=1, max=8, help="Recorded with the run.")]
_Flex = Annotated[int, typer.Option(min=1, max=3600, help="Recorded with the run, with FLEX_START.")]
_CpuMode = Annotated[Literal["SPOT", "ON_DEMAND"], typer.Option(help="Recorded with the run.")]
_Node = Annotated[int, typer.Option(min=1, max=3600, help="Recorded with the run.")]


@app.command()
def prepare(
    application_id: _Application,
    metadata_csv: _Manifest,
    source_directory: _Source,
    application_version: _Version = None,
    mapping: _Mapping = None,
) -> None:
    """Find the slides of a folder and write their metadata file."""
    with _service() as service:
        version = service.application_version(application_id, application_version)
        prepared = _prepare(service, version, metadata_csv, source_directory, mapping or [])
    typer.echo(f"Generated metadata file {metadata_csv} with {len(prepared.slides)} slide(s).")
    _exit_for(len(prepared.rejected))


@app.command()
def upload(
    application_id: _Application,
    metadata_csv_file: _Manifest,
    application_version: _Version = None,
    upload_prefix: _Prefix = None,
    onboard_to_aignostics_portal: _Portal = False,
    force: _Force = False,
) -> None:
    """Upload the slides of a metadata file."""
    with _service() as service:
        _gate(service, force=force)
        version = service.application_version(application_id, application_version)
        slides = _read(metadata_csv_file, version)
        failed = _upload(service, application_id, version, metadata_csv_file, slides, upload_prefix)
    typer.echo("Upload completed." if not failed else f"Upload completed, {failed} slide(s) failed.")
    _exit_for(failed)


@app.command()
def submit(
    application_id: _Application,
    metadata_csv_file: _Manifest,
    application_version: _Version = None,
    note: _Note = None,
    tags: _Tags = None,
    due_date: _Due = None,
    deadline: _Deadline = None,
    onboard_to_aignostics_portal: _Portal = False,
    gpu_type: _GpuType = "A100",
    gpu_provisioning_mode: _GpuMode = "SPOT",
    max_gpus_per_slide: _MaxGpus = 1,
    flex_start_max_run_duration_minutes: _Flex = 720,
    cpu_provisioning_mode: _CpuMode = "SPOT",
    node_acquisition_timeout_minutes: _Node = 30,
    force: _Force = False,
) -> None:
    """Submit a run of the uploaded slides of a metadata file."""
    pipeline = _pipeline(
        gpu_type,
        gpu_provisioning_mode,
        max_gpus_per_slide,
        flex_start_max_run_duration_minutes,
        cpu_provisioning_mode,
        node_acquisition_timeout_minutes,
    )
    with _service() as service:
        _gate(service, force=force)
        version = service.application_version(application_id, application_version)
        slides = _read(metadata_csv_file, version)
        _submit(service, application_id, version, slides, note, tags, due_date, deadline, pipeline)


@app.command()
def execute(
    application_id: _Application,
    metadata_csv_file: _Manifest,
    source_directory: _Source,
    application_version: _Version = None,
    mapping: _Mapping = None,
    create_subdirectory_for_run: _PerRun = True,
    create_subdirectory_per_item: _PerItem = True,
    upload_prefix: _Prefix = None,
    wait_for_completion: _Wait = True,
    note: _Note = None,
    tags: _Tags = None,
    due_date: _Due = None,
    deadline: _Deadline = None,
    onboard_to_aignostics_portal: _Portal = False,
    gpu_type: _GpuType = "A100",
    gpu_provisioning_mode: _GpuMode = "SPOT",
    max_gpus_per_slide: _MaxGpus = 1,
    flex_start_max_run_duration_minutes: _Flex = 720,
    cpu_provisioning_mode: _CpuMode = "SPOT",
    node_acquisition_timeout_minutes: _Node = 30,
    force: _Force = False,
) -> None:
    """Prepare, upload, submit, wait and download, into the folder of the metadata file."""
    pipeline = _pipeline(
        gpu_type,
        gpu_provisioning_mode,
        max_gpus_per_slide,
        flex_start_max_run_duration_minutes,
        cpu_provisioning_mode,
        node_acquisition_timeout_minutes,
    )
    with _service() as service:
        _gate(service, force=force)
        version = service.application_version(application_id, application_version)
        prepared = _prepare(service, version, metadata_csv_file, source_directory, mapping or [])
        usable, incomplete = _complete(prepared.slides, version, application_id)
        failed = len(prepared.rejected) + incomplete
        if not usable:
            raise BadInput(
                "No slide can be submitted",
                advice="Complete the metadata file, then upload and submit it.",
                subject=str(metadata_csv_file),
            )
        failed += _upload(service, application_id, version, metadata_csv_file, usable, upload_prefix)
        uploaded = [slide for slide in _read(metadata_csv_file, version) if slide.bucket_url]
        if not uploaded:
            raise LaunchpadError("No slide could be uploaded", subject=str(source_directory))
        run_id = _submit(service, application_id, version, uploaded, note, tags, due_date, deadline, pipeline)
        failed += _download(
            service,
            run_id,
            metadata_csv_file.absolute().parent,
            wait=wait_for_completion,
            per_run=create_subdirectory_for_run,
            per_item=create_subdirectory_per_item,
        )
    _exit_for(failed)


@app.command("list")
def list_runs(
    verbose: Annotated[bool, typer.Option(help="Print all that is known.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    tags: Annotated[str | None, typer.Option(help="Tags, separated by commas; all must match.")] = None,
    note_regex: Annotated[str | None, typer.Option(help="Regular expression, searched in the note.")] = None,
    note_case_insensitive: Annotated[bool, typer.Option(help="Ignore case in it.")] = True,
    query: Annotated[str | None, typer.Option(help="Text, searched in note and tags.")] = None,
    for_organization: Annotated[str | None, typer.Option(help="Runs of this organization.")] = None,
    output_format: _Format = Format.TEXT,
) -> None:
    """List runs, newest first."""
    with _service() as service:
        runs = service.application_runs(
            tags=_tag_set(tags),
            note_regex=note_regex,
            note_query_case_insensitive=note_case_insensitive,
            query=query,
            limit=limit,
            for_organization=for_organization,
        )
    if output_format is Format.JSON:
        print_json(runs)
        return
    for run in runs:
        _print_run(run, verbose=verbose)
    typer.echo(f"Listed '{len(runs)}' run(s).")


@app.command()
def describe(
    run_id: Annotated[str, typer.Argument(help="Id of the run.")],
    output_format: _Format = Format.TEXT,
    summarize: Annotated[bool, typer.Option("--summarize", "-s", help="Without artifacts.")] = False,
    share_token: Annotated[str | None, typer.Option(help="Token that opens a shared run.")] = None,
) -> None:
    """Describe a run and its items."""
    from launchpad.application.results import file_name
    from launchpad.application.states import item_state

    with _service() as service:
        handle = service.application_run(run_id, share_token)
        run = handle.details()
        items = list(handle.results())
    if output_format is Format.JSON:
        print_json({**run.model_dump(mode="json"), "items": [item.model_dump(mode="json") for item in items]})
        return
    _print_run(run, verbose=True)
    for item in items:
        typer.echo(f"  {item_state(item).words}: {item.external_id}")
        if item.error_message:
            typer.echo(f"    {item.error_message} ({item.error_code})")
        if not summarize:
            for artifact in item.output_artifacts:
                typer.echo(f"    {artifact.name}: {artifact.output} {file_name(artifact)}")


@app.command()
def cancel(run_id: Annotated[str, typer.Argument(help="Id of the run.")]) -> None:
    """Cancel a run."""
    with _service() as service:
        service.application_run_cancel(run_id)
    typer.echo(f"Run with ID '{run_id}' has been canceled.")


@result_app.command()
def download(
    run_id: Annotated[str, typer.Argument(help="Id of the run.")],
    destination_directory: Annotated[Path | None, typer.Argument(help="Folder for the results.")] = None,
    create_subdirectory_for_run: _PerRun = True,
    create_subdirectory_per_item: _PerItem = True,
    wait_for_completion: _Wait = True,
) -> None:
    """Download the results of a run; what is complete is not fetched again."""
    from launchpad import paths

    with _service() as service:
        failed = _download(
            service,
            run_id,
            destination_directory or paths.results_dir(),
            wait=wait_for_completion,
            per_run=create_subdirectory_for_run,
            per_item=create_subdirectory_per_item,
        )
    _exit_for(failed)


# --- steps ----------------------------------------------------------------------------------------------------------
def _service() -> Service:
    from launchpad.application.service import Service

    return Service()


def _gate(service: Service, *, force: bool) -> None:
    from launchpad.system.health import check

    health = check(service.client)
    if health.healthy:
        return
    if force:
        warn(f"The platform is not healthy: {health.reason} Going on because of --force.")
        return
    raise LaunchpadError(
        "The platform is not healthy", detail=health.reason, advice="Try again later, or go on with --force.",
        subject=service.client.profile.api_root,
    )  # fmt: skip


def _prepare(
    service: Service, version: VersionReadResponse, manifest: Path, source: Path, mappings: list[str]
) -> Prepared:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.manifest import write_manifest

    if not source.is_dir():
        raise NotFound("The folder does not exist", advice="Check its path.", subject=str(source))
    with progress_bar("Reading slides") as progress:
        prepared = service.prepare([source], version, mappings=mappings, progress=progress)
    for rejected in prepared.rejected:
        warn(f"Left out {rejected.path}: {rejected.reason} {rejected.advice}")
    if not prepared.slides:
        if prepared.rejected:
            raise BadInput("None of the slides can be used", subject=str(source))
        raise BadInput(
            "The folder holds no slides",
            advice="Choose a folder with slides (for example .svs, .tiff, .dcm).",
            subject=str(source),
        )
    write_manifest(manifest, prepared.slides, columns(input_artifact(version).metadata_schema))
    for slide in prepared.slides:
        if slide.mpp is None:
            warn(f"MPP missing for {slide.path}: {slide.mpp_problem} Fill in resolution_mpp in {manifest}.")
    return prepared


def _complete(slides: tuple[Slide, ...], version: VersionReadResponse, application_id: str) -> tuple[list[Slide], int]:
    """The slides that can be sent, and how many cannot; each of these is named with what it lacks."""
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft

    fields = columns(input_artifact(version).metadata_schema)
    draft = SubmissionDraft(application_id, version=version.version_number, columns=fields, slides=list(slides))
    usable = []
    for slide in slides:
        problems = draft.slide_problems(slide)
        for problem in problems:
            warn(f"Left out {slide.path}: {problem.message}")
        if not problems:
            usable.append(slide)
    return usable, len(slides) - len(usable)


def _read(manifest: Path, version: VersionReadResponse) -> list[Slide]:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.manifest import read_manifest

    return read_manifest(manifest, columns(input_artifact(version).metadata_schema))


def _upload(
    service: Service,
    application_id: str,
    version: VersionReadResponse,
    manifest: Path,
    slides: list[Slide],
    prefix: str | None,
) -> int:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.manifest import write_manifest

    with progress_bar("Uploading", unit="bytes") as progress:
        done = service.upload(slides, application_id, version.version_number, prefix=prefix, progress=progress)
    write_manifest(manifest, done, columns(input_artifact(version).metadata_schema))
    failed = [slide for slide in done if slide.error]
    for slide in failed:
        warn(f"Not uploaded {slide.path}: {slide.error} {slide.advice}")
    return len(failed)


def _submit(
    service: Service,
    application_id: str,
    version: VersionReadResponse,
    slides: list[Slide],
    note: str | None,
    tags: str | None,
    due_date: str | None,
    deadline: str | None,
    pipeline: dict[str, Any],
) -> str:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft

    draft = SubmissionDraft(
        application_id,
        version=version.version_number,
        columns=columns(input_artifact(version).metadata_schema),
        slides=slides,
        note=note or "",
        tags=sorted(_tag_set(tags) or ()),
        due_date=_time(due_date, "--due-date"),
        deadline=_time(deadline, "--deadline"),
    )
    run_id = service.submit(draft, version, pipeline=pipeline)
    typer.echo(f"Submitted run with id '{run_id}' for '{application_id}' (version: {version.version_number}).")
    return run_id


def _download(service: Service, run_id: str, destination: Path, *, wait: bool, per_run: bool, per_item: bool) -> int:
    """Download; returns how many items failed on the platform or on the way."""
    from launchpad.application.results import download_results
    from launchpad.application.states import item_state

    errors: list[str] = []

    def through(done: Downloaded) -> None:
        errors.extend(f"{done.item.external_id}: {error}" for error in done.errors)

    with progress_bar("Results", unit="slides") as progress:
        done = download_results(
            service.client,
            run_id,
            destination,
            wait=wait,
            per_run=per_run,
            per_item=per_item,
            progress=progress,
            on_item=through,
            poll_seconds=1.0 if service.client.profile.kind == "embedded" else 5.0,
        )
    for error in errors:
        warn(f"Not downloaded {error}")
    failed = {item.item.item_id for item in done if item.errors}
    for item in service.application_run(run_id).results():
        if item.state == "TERMINATED" and item.output != "FULL":
            warn(f"{item_state(item).words}: {item.external_id}: {item.error_message or item.termination_reason}")
            failed.add(item.item_id)
    typer.echo(f"Downloaded results of run '{run_id}' to '{destination / run_id if per_run else destination}'")
    return len(failed)


def _exit_for(failed: int) -> None:
    if failed:
        warn(f"Done, but {failed} slide(s) failed.")
        raise typer.Exit(1)


def _tag_set(text: str | None) -> set[str] | None:
    return {tag.strip() for tag in text.split(",") if tag.strip()} if text else None


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


def _pipeline(gpu: str, mode: str, most: int, flex: int, cpu: str, node: int) -> dict[str, Any]:
    hints: dict[str, Any] = {"gpu_type": gpu, "provisioning_mode": mode, "max_gpus_per_slide": most}
    if mode == "FLEX_START":
        hints["flex_start_max_run_duration_minutes"] = flex
    return {"gpu": hints, "cpu": {"provisioning_mode": cpu}, "node_acquisition_timeout_minutes": node}


def _print_run(run: RunReadResponse, *, verbose: bool) -> None:
    from launchpad.application.states import run_state
    from launchpad.platform.custom_metadata import note_of, tags_of

    when = run.submitted_at.astimezone().strftime("%Y-%m-%d %H:%M")
    counts = run.statistics
    typer.echo(
        f"{run.run_id}  {run.application_id} ({run.version_number})  {when}  {run_state(run).words}  "
        f"{counts.item_succeeded_count} of {counts.item_count} succeeded"
    )
    if run.error_message:
        typer.echo(f"  {run.error_message} ({run.error_code})")
    if verbose:
        failed = counts.item_user_error_count + counts.item_system_error_count
        typer.echo(
            f"  {counts.item_pending_count} waiting, {counts.item_processing_count} running, {failed} failed, "
            f"{counts.item_skipped_count} skipped"
        )
        note, tags = note_of(run.custom_metadata), tags_of(run.custom_metadata)
        if note:
            typer.echo(f"  Note: {note}")
        if tags:
            typer.echo(f"  Tags: {', '.join(tags)}")
