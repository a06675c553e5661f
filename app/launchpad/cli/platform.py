"""`launchpad platform`: the platform on this computer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.output import Format, print_json, say
from launchpad.errors import LaunchpadError

app = typer.Typer(no_args_is_help=True, help="The platform on this computer.")
_Data = Annotated[Path | None, typer.Option(help="Its data folder; default: that of this account.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; of this computer only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 0,
    data: _Data = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write its addresses here once it answers.")] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End a minute after its last use.")] = False,
) -> None:
    """Run the platform until it is stopped."""
    from launchpad.localplatform.serve import serve as run

    run(host, port, data=data, ready_file=ready_file, until_idle=until_idle)


@app.command()
def status(
    data: _Data = None,
    output_format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Say whether it runs, and where. Exits 1 when it does not."""
    from launchpad.platform import embedded

    endpoint = embedded.find(data)
    if output_format == "json":
        names = ("api_root", "storage_endpoint", "issuer", "client_id", "audience", "pid")
        document = {name: getattr(endpoint, name) for name in names} if endpoint else {}
        typer.echo(json.dumps({"running": endpoint is not None, **document}, indent=2))
    elif endpoint is None:
        typer.echo("The platform does not run. It starts by itself when it is needed.")
    else:
        typer.echo(f"The platform runs at {endpoint.api_root} (process {endpoint.pid}).")
    if endpoint is None:
        raise typer.Exit(1)


@app.command()
def usage(
    output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """Say how many slides were analysed and what of the disk is used, on the platform that the settings choose."""
    from launchpad.platform.client import Client

    with Client() as client:
        found = client.usage()
    if output_format is Format.JSON:
        print_json(found)
        return
    items, disk = found["succeeded_items"], found["disk_bytes"]
    say(f"Slides analysed: {items['total']}, {items['this_month']} of them this month")
    for row in found["by_user"]:
        say(f"  {row['user_id']}, {row['application_id']}: {row['succeeded_items']}")
    say(f"Runs: {found['runs']['total']}, {found['runs']['ended']} of them ended")
    uploads = disk["uploads"] + disk["unfinished_uploads"]
    say(f"Disk: results {disk['results'] / 1e6:,.1f} MB, uploads {uploads / 1e6:,.1f} MB")
    say(f"  {disk['free'] / 1e9:,.1f} GB are free")
    if disk["references"]:
        say(f"  {disk['references'] / 1e6:,.1f} MB of slides are read where they are")
    days = found["retention_days"]
    say(f"Results and uploads are kept {f'{days} days' if days else 'until they are deleted'}.")


@app.command()
def stop(data: _Data = None) -> None:
    """Stop it; what is under way goes on at the next start."""
    from launchpad.platform import embedded

    if embedded.find(data) is None:
        typer.echo("The platform does not run.")
        return
    if not embedded.stop(data):
        raise LaunchpadError("The platform did not stop in time", advice="Wait a little, then try again.")
    typer.echo("The platform stopped.")
