"""`launchpad platform`: the platform on this computer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.output import Format, print_json, say, warn
from launchpad.errors import LaunchpadError

app = typer.Typer(no_args_is_help=True, help="The platform on this computer.")
_Data = Annotated[Path | None, typer.Option(help="Its data folder; default: that of this account.")]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; of this computer only.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; default: that of the settings or of the last start."),
    ] = None,
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


@app.command()
def env(
    output: Annotated[Path | None, typer.Option(help="Write the lines to this file, for you alone (0600).")] = None,
    data: _Data = None,
    output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """Print the AIGNOSTICS_* variables with which clients of the Aignostics Platform use this one.

    They hold a refresh token, which opens all that is yours on this platform: keep them to yourself.
    """
    from launchpad import paths
    from launchpad.platform import embedded
    from launchpad.platform.environment import as_lines, variables

    found = variables(embedded.ensure_running(data))
    if output is None and output_format is Format.JSON:
        print_json(found)
    elif output is None:
        typer.echo(as_lines(found), nl=False)
    else:
        try:
            paths.write_private(output.expanduser().absolute(), as_lines(found).encode())
        except OSError as error:
            raise LaunchpadError(
                "The file cannot be written",
                detail=f"{error.strerror or error}.",
                advice="Choose a folder that is yours.",
                subject=str(output),
            ) from error
    warn(
        "The platform keeps its address over restarts. It ends a minute after its last use by Launchpad: "
        "`launchpad platform serve` keeps it."
    )


@app.command()
def code(
    data: _Data = None,
    output_format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Print the one-time code of an application that asks to be let in. Exits 1 when none asks."""
    from launchpad.cli.output import plain
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


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    data: _Data = None,
) -> None:
    """Write all that the platform keeps into one file; it may run meanwhile.

    The file holds results, uploads and keys: keep it as safe as the platform itself. Slides that are used where
    they are stay there; the backup only names them.
    """
    from launchpad import paths
    from launchpad.cli.output import progress_bar
    from launchpad.localplatform.backup import backup as make

    with progress_bar("Backup", unit="bytes") as progress:
        summary = make(data or paths.platform_dir(), file, progress)
    typer.echo(
        f"{summary.objects} objects, {summary.size / 1e6:,.1f} MB, and {summary.references} references to slides "
        f"are in {file}; read back and verified."
    )


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `launchpad platform backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the platform that is in the folder.")] = False,
    data: _Data = None,
) -> None:
    """Bring the platform back to what it was when the backup was made. It must not run."""
    from launchpad import paths
    from launchpad.cli.output import progress_bar
    from launchpad.localplatform.backup import restore as bring_back

    with progress_bar("Restore", unit="bytes") as progress:
        summary = bring_back(data or paths.platform_dir(), file, force=force, progress=progress)
    typer.echo(f"The platform is as it was on {summary.made}: {summary.objects} objects.")
