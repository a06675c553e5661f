"""`launchpad platform`: the platform on this computer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

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
def stop(data: _Data = None) -> None:
    """Stop it; what is under way goes on at the next start."""
    from launchpad.platform import embedded

    if embedded.find(data) is None:
        typer.echo("The platform does not run.")
        return
    if not embedded.stop(data):
        raise LaunchpadError("The platform did not stop in time", advice="Wait a little, then try again.")
    typer.echo("The platform stopped.")


@app.command()
def code(
    data: _Data = None,
    output_format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Print the one-time code of an application that asks to be let in. Exits 1 when none asks."""
    from launchpad.cli.output import plain, warn
    from launchpad.platform import embedded
    from launchpad.platform.one_time_codes import waiting

    endpoint = embedded.find(data)
    found = waiting(endpoint.api_root, endpoint.launch_secret) if endpoint is not None else []
    if output_format == "json":
        typer.echo(json.dumps([vars(item) for item in found], indent=2))
    for item in found if output_format != "json" else []:
        who = "another device" if item.kind == "device" else f"{item.client_id} at {item.goes_to}"
        warn(f"For {who}; valid for {round(item.expires_in)} more seconds:")
        typer.echo(plain(item.code))
    if not found:
        if output_format != "json":
            warn("Nobody asks to be let in. Begin in the application, then ask again.")
        raise typer.Exit(1)
