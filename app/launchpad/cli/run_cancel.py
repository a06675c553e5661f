"""`launchpad application run cancel` and `cancel-by-filter`."""

from __future__ import annotations

from typing import Annotated

import typer

from launchpad.cli import completion
from launchpad.cli import run_steps as steps
from launchpad.cli.output import complain, say, warn
from launchpad.errors import LaunchpadError


def cancel(run_id: completion.RunId) -> None:
    """Cancel a run."""
    with steps.service() as service:
        service.application_run_cancel(run_id)
    say(f"Run with ID '{run_id}' has been canceled.")


def cancel_by_filter(
    tags: Annotated[str | None, typer.Option(help="Tags, separated by commas; all must match.")] = None,
    application_id: Annotated[str | None, typer.Option(help="Id of the application.")] = None,
    application_version: Annotated[str | None, typer.Option(help="Version of the application.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many of those that match.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say which would be cancelled.")] = False,
) -> int:
    """Cancel the runs that match all filters and have not ended."""
    if not (steps.tag_set(tags) or application_id or application_version):
        raise LaunchpadError(
            "No filter is given", advice="Name at least one of --tags, --application-id, --application-version."
        )
    with steps.service() as service:
        matching = service.application_runs(application_id, application_version, tags=steps.tag_set(tags))
        found = [run for run in matching if run.state != "TERMINATED"][:limit]
        if dry_run:
            for run in found:
                say(f"Would cancel {run.run_id}  {run.application_id} ({run.version_number})")
            say(f"Would cancel {len(found)} run(s).")
            return 0
        cancelled = failed = 0
        for run in found:
            try:
                service.application_run_cancel(run.run_id)
                cancelled += 1
            except LaunchpadError as error:
                if getattr(error, "status", None) == 409:
                    warn(f"{run.run_id} ended meanwhile.")
                    continue
                complain(f"Not cancelled {run.run_id}: {error}")
                failed += 1
    say(f"Canceled {cancelled} of {len(found)} run(s).")
    return 1 if failed else 0
