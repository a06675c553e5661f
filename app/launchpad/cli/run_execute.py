"""`launchpad application run execute`: from a folder of slides to results in four steps, and on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli import completion
from launchpad.cli import run_arguments as args
from launchpad.cli import run_steps as steps
from launchpad.cli.output import complain, say, warn
from launchpad.errors import BadInput, LaunchpadError

if TYPE_CHECKING:
    from launchpad.application.draft import Slide, SubmissionDraft
    from launchpad.application.service import Service
    from launchpad.platform.models import RunReadResponse, VersionReadResponse

_STEPS = 4


def execute(
    application_id: completion.ApplicationId,
    metadata_csv_file: args.Manifest,
    source_directory: args.Source,
    application_version: args.Version = None,
    mapping: args.Mapping = None,
    create_subdirectory_for_run: args.PerRun = True,
    create_subdirectory_per_item: args.PerItem = True,
    upload_prefix: args.Prefix = None,
    wait_for_completion: args.Wait = True,
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
    force_new: Annotated[
        bool, typer.Option("--force-new", help="Submit another run, although this file has one of the same slides.")
    ] = False,
) -> None:
    """Prepare, upload, submit, wait and download, into the folder of the metadata file.

    Run it again to go on where it was stopped: a run that it submitted for the same slides and values is picked up.
    """
    hints = steps.pipeline(
        gpu_type,
        gpu_provisioning_mode,
        max_gpus_per_slide,
        flex_start_max_run_duration_minutes,
        cpu_provisioning_mode,
        node_acquisition_timeout_minutes,
    )
    chosen = steps.options(note, tags, due_date, deadline, hints, onboard=onboard_to_aignostics_portal)
    manifest = metadata_csv_file
    with steps.service() as service:
        steps.gate(service, force=force)
        version = service.application_version(application_id, application_version)
        _step(1, f"reading the slides of {source_directory}")
        with steps.reader() as reader:
            filling = steps.Filling(mapping or [], earlier=_earlier(manifest, version))
            prepared = steps.prepare(service, version, manifest, source_directory, filling, reader)
        slides = _set_aside_incomplete(prepared.slides, version, application_id, manifest)
        ready = [slide for slide in slides if slide.included]
        if not ready:
            raise BadInput(
                "No slide can be submitted",
                detail="The lines above say what each of them lacks.",
                advice="Complete the metadata file, then run the same command again.",
                subject=str(manifest),
            )
        lacking = 0
        draft, runs = _begun(service, steps.draft_of(application_id, version, ready, chosen), manifest, new=force_new)
        if runs:
            run_ids = [run.run_id for run in runs]
            lacking = len(ready) - sum(run.statistics.item_count for run in runs)
            if lacking > 0:
                words = f"{lacking} slide(s) could not be uploaded then and are not part of it"
                warn(f"{words}: --force-new submits a run of all.")
        else:
            steps.tell_limits(service, len(ready), force=force)
            _step(2, f"uploading {len(ready)} slide(s)")
            slides = steps.upload(service, application_id, version, manifest, slides, upload_prefix)
            ready = [slide for slide in slides if slide.included and not slide.error]
            if not ready:
                raise LaunchpadError(
                    "No slide could be uploaded",
                    detail="The lines above say why.",
                    advice="Run the same command again.",
                    subject=str(manifest),
                )
            _step(3, f"submitting {len(ready)} slide(s) to {application_id} {version.version_number}")
            run_ids = steps.submit(service, version, replace(draft, slides=ready), chosen)
        folder = manifest.absolute().parent
        doing = "waiting for results and downloading them" if wait_for_completion else "downloading what is there"
        _step(4, f"{doing} to {folder}")
        failed: set[str] = set()
        for run_id in run_ids:
            failed |= steps.download(
                service,
                run_id,
                folder,
                wait=wait_for_completion,
                per_run=create_subdirectory_for_run or len(run_ids) > 1,  # slides of several runs may share names
                per_item=create_subdirectory_per_item,
            )
    steps.finish(len(prepared.rejected) + len(slides) - len(ready) + lacking + len(failed))


def _step(number: int, words: str) -> None:
    warn(f"Step {number} of {_STEPS}: {words} …")


def _earlier(manifest: Path, version: VersionReadResponse) -> Sequence[Slide]:
    """What the metadata file says already."""
    from launchpad.application.manifest import read_manifest

    if not manifest.is_file():
        return ()
    try:
        return read_manifest(manifest, steps.columns_of(version))
    except BadInput as error:
        warn(f"What {manifest} said is replaced, as it cannot be used: {error}")
        return ()


def _begun(
    service: Service, draft: SubmissionDraft, manifest: Path, *, new: bool
) -> tuple[SubmissionDraft, list[RunReadResponse]]:
    """The draft under the id by which its runs are found, and these runs where an earlier call submitted them."""
    from launchpad.application import executions

    profile = service.client.profile
    execution = executions.begin(profile, manifest, draft, new=new)
    draft = replace(draft, submission_id=execution.submission_id)
    if not execution.again:
        return draft, []
    runs = executions.runs_of(service.client, draft, service.allowance().items_per_run)
    if runs and all(str(run.termination_reason).startswith("CANCELED") for run in runs):
        warn(f"The run {runs[0].run_id} that was begun with {manifest} was cancelled: another one is made.")
        execution = executions.begin(profile, manifest, draft, new=True)
        return replace(draft, submission_id=execution.submission_id), []
    completion.keep("run", profile, (run.run_id for run in runs))
    for run in runs:
        say(
            f"Submitted run with id '{run.run_id}' for '{draft.application_id}' (version: {draft.version}) "
            f"before, on {run.submitted_at.astimezone():%Y-%m-%d at %H:%M}."
        )
    if runs:
        warn("Steps 2 and 3 are done: going on with that run. --force-new submits another one.")
    return draft, runs


def _set_aside_incomplete(
    slides: Sequence[Slide], version: VersionReadResponse, application_id: str, manifest: Path
) -> list[Slide]:
    """The slides, those that cannot be sent yet excluded; each of these is named with what it lacks."""
    from launchpad.application.draft import SubmissionDraft

    draft = SubmissionDraft(
        application_id, version=version.version_number, columns=steps.columns_of(version), slides=list(slides)
    )
    result = []
    for slide in slides:
        problems = draft.slide_problems(slide)
        if problems:
            words, advice = [], []
            if slide.mpp is None:
                words.append(f"Its MPP is not known. {slide.mpp_problem}")
                advice.append(steps.mpp_advice(slide, manifest))
            others = [problem for problem in problems if problem.column != "mpp"]
            words += [problem.message.removeprefix(f"{slide.path.name}: ").rstrip(".") + "." for problem in others]
            columns = [problem.column for problem in others if problem.column is not None]
            if columns:
                advice.append(f"Fill in {', '.join(columns)} in {manifest}, or say it by --mapping.")
            complain(f"Left out {slide.path}: {' '.join(words + advice)}")
        result.append(replace(slide, included=not problems))
    return result
