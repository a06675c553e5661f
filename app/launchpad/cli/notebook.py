"""`launchpad notebook`: a marimo server on a notebook, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.output import complain, progress_bar, say, warn

app = typer.Typer()


@app.command()
def notebook(
    file: Annotated[
        Path | None, typer.Argument(metavar="[NOTEBOOK]", help="A marimo file; default: from sign-in to download.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8001,
    override_if_exists: Annotated[
        bool,
        typer.Option(
            "--override-if-exists/--no-override-if-exists",
            help="Replace the copy of the notebook that you changed; what it was is kept beside it.",
        ),
    ] = False,
    run: Annotated[
        str | None, typer.Option("--run", help="Open the notebook of this run: its id, or the folder of its results.")
    ] = None,
    jupyter: Annotated[bool, typer.Option("--jupyter", help="Export for Jupyter with outputs, and end.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
) -> int:
    """Open a Python notebook: of a run, from sign-in to download, or any marimo file."""
    import ipaddress

    from launchpad.errors import BadInput
    from launchpad.notebook import environment, service, templates
    from launchpad.platform.auth.sign_in import open_browser

    if file is not None and run is not None:
        raise BadInput("A file and --run exclude each other", advice="Leave out one of them.")
    environment.require()
    if run is not None:
        folder = service.run_folder(run)
        if override_if_exists:
            templates.place(templates.RUN_RESULTS, folder / templates.FOLDER, override=True)
        with progress_bar("Notebook") as progress:
            prepared = service.prepare_run(folder, progress=progress)
    elif file is not None:
        prepared = service.Prepared(file)
    else:
        prepared = service.prepare_own(override=override_if_exists)
    for note in prepared.notes:
        warn(note)
    if jupyter:
        with progress_bar("Export", unit="files") as progress:
            say(str(service.export_jupyter(prepared.path, progress=progress).path))
        return 0
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        warn("Others in the network can reach this server; whoever has its address with the token runs code as you.")
    with service.Service() as servers:
        with progress_bar("Starting", unit="servers") as progress:
            url = servers.start(prepared.path, host=host, port=port, progress=progress)
        say(f"Notebook: {prepared.path}")
        say(f"Open {url}")
        warn("Ctrl-C ends it.")
        if browser and not open_browser(url):
            warn("No browser could be opened.")
        server = servers.server(prepared.path)
        code = server.wait() if server is not None else 1
    if code:
        complain(f"The notebook server ended with {code}.")
    return 1 if code else 0
