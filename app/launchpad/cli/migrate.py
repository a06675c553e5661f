"""`launchpad migrate`: from the old SDK to Launchpad."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.output import Format, print_json, say, warn

app = typer.Typer(no_args_is_help=True, help="Take over what the aignostics SDK left on this computer.")


@app.callback()
def migrate() -> None:
    """Take over what the aignostics SDK left on this computer."""


@app.command("from-aignostics")
def from_aignostics(
    dry_run: Annotated[bool, typer.Option("--dry-run/--no-dry-run", help="Only say what would be done.")] = False,
    output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """Take over settings, data folders, results of runs and QuPath; never a token. What is there already stays."""
    from launchpad.system.migration import profile_is_chosen, take_over

    done = take_over(dry_run=dry_run, choose_qupath=choose_qupath)
    if output_format is Format.JSON:
        print_json([{"what": item.what, "source": item.source, "target": item.target} for item in done])
        return
    for item in done:
        say(f"{item.what}: {item.source} -> {item.target}" if item.target else f"{item.what}: {item.source}")
    if not done:
        say("There is nothing to take over.")
    if not profile_is_chosen():
        warn("Your runs are listed by their platform: choose it by `launchpad profile use aignostics`, then sign in.")


@app.command("install-alias")
def install_alias(
    folder: Annotated[Path | None, typer.Option(help="The folder; default: where `launchpad` is.")] = None,
) -> None:
    """Put a command `aignostics` beside `launchpad`, for scripts that call it so."""
    from launchpad.system.migration import found_instead, profile_is_chosen, write_alias

    path = write_alias(folder)
    say(f"Wrote {path}")
    found = found_instead(path)
    if found:
        warn(f"The shell finds another one first: {found}. Uninstall it, or change the order of PATH.")
    elif found is not None:
        warn(f"The shell does not find it: add {path.parent} to PATH.")
    if profile_is_chosen():
        warn("It uses the platform that you have chosen: `launchpad profile list`.")
    else:
        warn("Choose its platform by `launchpad profile use NAME`; `launchpad profile list` shows the names.")


def choose_qupath(folders: list[Path], dry_run: bool) -> Path | None:
    """Use the newest QuPath in these folders from now on, unless one has been chosen; what is no QuPath is passed over.

    Raises:
        LaunchpadError: the choice cannot be kept.
    """
    from launchpad.qupath import installation

    if installation.is_chosen():
        return None
    found = [item for item in map(installation.at, folders) if item is not None]
    if not found:
        return None
    newest = max(found, key=lambda item: item.number)
    if not dry_run:
        installation.choose(newest.executable)
    return newest.folder


def require_profile() -> None:
    """For the alias: see that a platform is chosen, by asking where there is a terminal.

    Raises:
        SettingsError: none is chosen, and nobody can be asked.
    """
    from launchpad.errors import SettingsError
    from launchpad.platform.auth import profile_file
    from launchpad.platform.auth.profiles import all_profiles
    from launchpad.system.migration import profile_is_chosen

    if profile_is_chosen():
        return
    offered = [profile for profile in all_profiles() if not profile.hidden]
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            "No platform is chosen for the command aignostics",
            detail=f"There are: {', '.join(profile.name for profile in offered)}.",
            advice=f"Choose one by `launchpad profile use {offered[0].name}`, or another of these names.",
        )
    for number, profile in enumerate(offered, 1):
        typer.echo(f"{number}: {profile.title}", err=True)
    # Not typer's prompt: that prints a space on stdout, which may belong to a script.
    typer.echo("Which platform shall the command aignostics use? ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        raise typer.Abort
    if not answer.strip().isdecimal() or not 1 <= int(answer) <= len(offered):
        raise typer.BadParameter(f"Choose a number from 1 to {len(offered)}.")
    profile_file.use(offered[int(answer) - 1].name)
