"""`launchpad update`: newer versions of Launchpad."""

from __future__ import annotations

from typing import Annotated

import typer

from launchpad.cli.output import print_json, say

app = typer.Typer(no_args_is_help=True, help="Newer versions of Launchpad.")
_Json = Annotated[str, typer.Option("--format", help="text or json")]


@app.callback()
def _group() -> None:
    """Newer versions of Launchpad."""


@app.command()
def check(output_format: _Json = "text") -> None:
    """Look for a newer version now. Nothing is fetched or installed."""
    from launchpad import __version__
    from launchpad.system import updates

    found = updates.check(force=True)
    if output_format == "json":
        print_json(
            {
                "running": __version__,
                "newest": found.release.version if found else __version__,
                "notes": found.release.notes if found else "",
                "file": found.file.name if found and found.file else None,
            }
        )
        return
    if found is None:
        say(f"Launchpad {__version__} is the newest version.")
        return
    say(f"Launchpad {found.release.version} is there; this is {__version__}.")
    if found.release.notes:
        for line in found.release.notes.splitlines():
            say(line)
    if found.file is None:
        say(updates.by_hand(found.release.version))
    else:
        say("`launchpad update install` fetches it and starts its installer.")


@app.command()
def install(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    only_download: Annotated[bool, typer.Option("--only-download", help="Fetch and check it, start nothing.")] = False,
) -> None:
    """Fetch a newer version, check it, and hand it to the system's installer, which asks."""
    from launchpad import __version__
    from launchpad.cli.output import progress_bar
    from launchpad.system import updates

    found = updates.check(force=True)
    if found is None:
        say(f"Launchpad {__version__} is the newest version.")
        return
    if not yes:
        typer.confirm(f"Fetch Launchpad {found.release.version}?", abort=True)
    with progress_bar("Update", unit="bytes") as progress:
        file = updates.download(found, progress)
    say(f"Fetched and checked: {file}")
    if not only_download:
        updates.hand_over(found, file)
        say("Its installer was started. Close Launchpad before you go on there.")
