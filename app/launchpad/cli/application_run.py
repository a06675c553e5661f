"""`launchpad application run`: from a folder of slides to results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli import completion, run_cancel, run_execute, run_metadata, run_share, run_watch
from launchpad.cli import run_arguments as args
from launchpad.cli import run_steps as steps
from launchpad.cli.output import Format, print_json, say
from launchpad.errors import NotFound

if TYPE_CHECKING:
    from launchpad.platform.models import RunReadResponse

app = typer.Typer(no_args_is_help=True, help="Runs: prepare, upload, submit, watch, download.")
result_app = typer.Typer(no_args_is_help=True, help="Results of runs.")
app.add_typer(result_app, name="result")
app.add_typer(run_share.app, name="share")
app.command("execute")(run_execute.execute)
app.command("cancel")(run_cancel.cancel)
app.command("cancel-by-filter")(run_cancel.cancel_by_filter)
app.command("dump-metadata")(run_metadata.dump_metadata)
app.command("dump-item-metadata")(run_metadata.dump_item_metadata)
app.command("update-metadata")(run_metadata.update_metadata)
app.command("update-item-metadata")(run_metadata.update_item_metadata)


@app.command()
def prepare(
    application_id: completion.ApplicationId,
    metadata_csv: args.Manifest,
    source_directory: args.Source,
    application_version: args.Version = None,
    mapping: args.Mapping = None,
    values: Annotated[
        Path | None, typer.Option(help="A table (CSV) with a column “file” and columns such as tissue and disease.")
    ] = None,
    accept_proposals: Annotated[
        bool, typer.Option("--accept-proposals", help="Take stain and tissue as DICOM files state them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what each mapping matches.")] = False,
    format: Annotated[Format, typer.Option(help="How to print a dry run.")] = Format.TEXT,  # noqa: A002 - option name
) -> None:
    """Find the slides of a folder and write their metadata file."""
    if dry_run:
        with steps.service() as service:
            version = service.application_version(application_id, application_version)
        steps.dry_run(version, source_directory, mapping or [], format)
        return
    filling = steps.Filling(mapping or [], values, accept_proposals)
    with steps.reader() as reader, steps.service() as service:
        version = service.application_version(application_id, application_version)
        prepared = steps.prepare(service, version, metadata_csv, source_directory, filling, reader)
    steps.name_missing_mpp(prepared.slides, metadata_csv)
    steps.name_unknown_values(prepared.slides, version, metadata_csv)
    steps.finish(len(prepared.rejected))


@app.command()
def upload(
    application_id: completion.ApplicationId,
    metadata_csv_file: args.Manifest,
    application_version: args.Version = None,
    upload_prefix: args.Prefix = None,
    onboard_to_aignostics_portal: args.Portal = False,
    force: args.Force = False,
) -> None:
    """Upload the slides of a metadata file; their addresses are written into it."""
    from launchpad.application.manifest import read_manifest
    from launchpad.application.submit import files_missing

    with steps.service() as service:
        steps.gate(service, force=force)
        version = service.application_version(application_id, application_version)
        steps.check_manifest(metadata_csv_file, version)
        slides = read_manifest(metadata_csv_file, steps.columns_of(version))
        steps.tell_limits(service, len(slides), force=force)
        missing = files_missing(slides)
        done = steps.upload(service, application_id, version, metadata_csv_file, slides, upload_prefix)
    if missing:
        raise NotFound(
            "Not all slides could be uploaded",
            detail=f"{len(missing)} of {len(slides)} file(s) do not exist.",
            advice=f"Correct external_id in {metadata_csv_file}, or remove the rows.",
            subject=str(missing[0]),
        )
    steps.finish(sum(bool(slide.error) for slide in done))
    say("Upload completed.")


@app.command()
def submit(
    application_id: completion.ApplicationId,
    metadata_csv_file: args.Manifest,
    application_version: args.Version = None,
    note: args.Note = None,
    tags: args.Tags = None,
    due_date: args.Due = None,
    deadline: args.Deadline = None,
    onboard_to_aignostics_portal: args.Portal = False,
    gpu_type: args.GpuType = "A100",
    gpu_provisioning_mode: args.GpuMode = "SPOT",
    max_gpus_per_slide: args.MaxGpus = 1,
    flex_start_max_run_duration_minutes: args.Flex = 720,
    cpu_provisioning_mode: args.CpuMode = "SPOT",
    node_acquisition_timeout_minutes: args.Node = 30,
    force: args.Force = False,
    output_format: args.Format = Format.TEXT,
) -> None:
    """Submit a run of the uploaded slides of a metadata file. All of them, or none: a run cannot be added to."""
    from launchpad.application.manifest import read_manifest

    hints = steps.pipeline(
        gpu_type,
        gpu_provisioning_mode,
        max_gpus_per_slide,
        flex_start_max_run_duration_minutes,
        cpu_provisioning_mode,
        node_acquisition_timeout_minutes,
    )
    chosen = steps.options(note, tags, due_date, deadline, hints, onboard=onboard_to_aignostics_portal)
    with steps.service() as service:
        steps.gate(service, force=force)
        version = service.application_version(application_id, application_version)
        steps.check_manifest(metadata_csv_file, version)
        slides = read_manifest(metadata_csv_file, steps.columns_of(version))
        steps.tell_limits(service, len(slides), force=force)
        draft = steps.draft_of(application_id, version, slides, chosen)
        run_ids = steps.submit(service, version, draft, chosen, tell=output_format is Format.TEXT)
    if output_format is Format.JSON:
        number = version.version_number
        print_json([{"run_id": one, "application_id": application_id, "version_number": number} for one in run_ids])


@app.command("list")
def list_runs(
    verbose: Annotated[bool, typer.Option(help="Print all that is known.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    tags: Annotated[str | None, typer.Option(help="Tags, separated by commas; all must match.")] = None,
    note_regex: Annotated[str | None, typer.Option(help="Regular expression, searched in the note.")] = None,
    note_case_insensitive: Annotated[bool, typer.Option(help="Ignore case in it.")] = True,
    query: Annotated[str | None, typer.Option(help="Text, searched in note and tags.")] = None,
    for_organization: Annotated[str | None, typer.Option(help="Runs of this organization.")] = None,
    output_format: args.Format = Format.TEXT,
) -> int:
    """List runs, newest first."""
    from launchpad.cli.errors import show
    from launchpad.platform import ForbiddenException

    with steps.service() as service:
        try:
            runs = service.application_runs(
                tags=steps.tag_set(tags),
                note_regex=note_regex,
                note_query_case_insensitive=note_case_insensitive,
                query=query,
                limit=limit,
                for_organization=for_organization,
            )
        except ForbiddenException as error:
            show(error)
            return 2  # as scripts know it from this command
        completion.keep("run", service.client.profile, (run.run_id for run in runs))
    if output_format is Format.JSON:
        print_json(runs)
        return 0
    for run in runs:
        _print_run(run, verbose=verbose)
    say(f"Listed '{len(runs)}' run(s).")
    return 0


@app.command()
def describe(
    run_id: completion.RunId,
    output_format: args.Format = Format.TEXT,
    summarize: Annotated[bool, typer.Option("--summarize", "-s", help="Without artifacts.")] = False,
    share_token: Annotated[str | None, typer.Option(help="Token that opens a shared run.")] = None,
) -> None:
    """Describe a run and its items."""
    from launchpad.application.results import file_name
    from launchpad.application.states import item_state

    with steps.service() as service:
        handle = service.application_run(run_id, share_token)
        run = handle.details()
        items = list(handle.results())
    if output_format is Format.JSON:
        print_json({**run.model_dump(mode="json"), "items": [item.model_dump(mode="json") for item in items]})
        return
    _print_run(run, verbose=True)
    if run.num_preceding_items_platform:
        say(f"  {run.num_preceding_items_platform} item(s) of the platform are in the queue before it")
    for item in items:
        say(f"  {item_state(item).words}: {item.external_id}")
        if item.error_message:
            say(f"    {item.error_message} ({item.error_code})")
        if not summarize:
            for artifact in item.output_artifacts:
                say(f"    {artifact.name}: {artifact.output} {file_name(artifact)}")


@app.command()
def watch(
    run_id: completion.RunId,
    output_format: args.Format = Format.TEXT,
    share_token: Annotated[str | None, typer.Option(help="Token that opens a shared run.")] = None,
) -> int:
    """Watch a run until it has ended; ends with 1 when slides failed, or the run was cancelled.

    With --format json each change is a JSON document on a line of its own.
    """
    with steps.service() as service:
        return run_watch.watch(service, run_id, share_token, output_format)


@result_app.command()
def delete(run_id: completion.RunId) -> None:
    """Delete the results of a run on the platform; what was downloaded stays."""
    with steps.service() as service:
        service.application_run_delete(run_id)
    say(f"Results of run with ID '{run_id}' have been deleted.")


@result_app.command()
def download(
    run_id: completion.RunId,
    destination_directory: Annotated[Path | None, typer.Argument(help="Folder for the results.")] = None,
    create_subdirectory_for_run: args.PerRun = True,
    create_subdirectory_per_item: args.PerItem = True,
    wait_for_completion: args.Wait = True,
    qupath_project: Annotated[
        bool, typer.Option(help="Also a QuPath project of the slides with their results, in the folder qupath.")
    ] = False,
    share_token: Annotated[str | None, typer.Option(help="Token that opens a shared run.")] = None,
    zip: Annotated[bool, typer.Option("--zip", help="Also one ZIP file of all results, beside the folder.")] = False,  # noqa: A002
) -> None:
    """Download the results of a run; what is complete is not fetched again."""
    from launchpad import paths

    with steps.service() as service:
        failed = steps.download(
            service,
            run_id,
            destination_directory or paths.results_dir(),
            wait=wait_for_completion,
            per_run=create_subdirectory_for_run,
            per_item=create_subdirectory_per_item,
            qupath_project=qupath_project,
            share_token=share_token,
        )
    if zip:
        base = destination_directory or paths.results_dir()
        steps.pack(base / run_id if create_subdirectory_for_run else base)
    steps.finish(len(failed))


def _print_run(run: RunReadResponse, *, verbose: bool) -> None:
    from launchpad.application.states import run_state
    from launchpad.platform.custom_metadata import note_of, tags_of

    when = run.submitted_at.astimezone().strftime("%Y-%m-%d %H:%M")
    counts = run.statistics
    say(
        f"{run.run_id}  {run.application_id} ({run.version_number})  {when}  {run_state(run).words}  "
        f"{counts.item_succeeded_count} of {counts.item_count} succeeded"
    )
    if run.error_message:
        say(f"  {run.error_message} ({run.error_code})")
    if verbose:
        failed = counts.item_user_error_count + counts.item_system_error_count
        say(
            f"  {counts.item_pending_count} waiting, {counts.item_processing_count} running, {failed} failed, "
            f"{counts.item_skipped_count} skipped"
        )
        note, tags = note_of(run.custom_metadata), tags_of(run.custom_metadata)
        if note:
            say(f"  Note: {note}")
        if tags:
            say(f"  Tags: {', '.join(tags)}")
