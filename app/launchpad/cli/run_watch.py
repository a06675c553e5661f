"""`launchpad application run watch`: a line whenever a run changes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from launchpad.cli.output import Format, print_json_line, say, warn
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.application.service import Service
    from launchpad.platform.models import RunReadResponse


def watch(service: Service, run_id: str, share_token: str | None, format_: Format) -> int:
    """Print a line whenever a run changes, until it has ended; the exit code."""
    from launchpad.application.monitor import follow
    from launchpad.application.states import run_state

    def show(run: RunReadResponse) -> None:
        if format_ is Format.JSON:
            print_json_line(run)
            return
        counts, now = run.statistics, datetime.now().astimezone().strftime("%H:%M:%S")
        failed = counts.item_user_error_count + counts.item_system_error_count
        through = counts.item_count - counts.item_pending_count - counts.item_processing_count
        line = f"{now}  {run_state(run).words}: {through} of {counts.item_count} slide(s)"
        if failed:
            line += f", {failed} failed"
        if run.state == "PENDING" and run.num_preceding_items_platform:
            line += f", {run.num_preceding_items_platform} before it in the queue"
        say(line)

    def trouble(error: LaunchpadError) -> None:
        warn(f"{error.title}. Trying again.")

    run = follow(service.application_run(run_id, share_token), on_change=show, on_trouble=trouble)
    good = run.termination_reason == "ALL_ITEMS_PROCESSED" and (
        run.statistics.item_succeeded_count == run.statistics.item_count
    )
    return 0 if good else 1
