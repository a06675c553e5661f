"""`launchpad system`: health."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from launchpad.cli.output import print_json

app = typer.Typer(no_args_is_help=True, help="Health of Launchpad and its platform.")


class _Output(StrEnum):
    JSON = "json"
    TEXT = "text"


@app.callback()
def _group() -> None:
    """Health of Launchpad and its platform."""


@app.command()
def health(
    output_format: Annotated[_Output, typer.Option("--output-format", "--format", help="How to print.")] = _Output.JSON,
) -> None:
    """Say how Launchpad and its platform are; exits 1 when something is down."""
    from launchpad.errors import LaunchpadError, SettingsError
    from launchpad.platform.client import Client
    from launchpad.system.health import check, unreachable

    try:
        with Client() as client:
            found = check(client)
    except SettingsError:
        raise
    except LaunchpadError as error:
        found = unreachable(error)
    if output_format is _Output.JSON:
        print_json(found.document())
    else:
        for name, part in found.components.items():
            line = f"{name}: {part.status}"
            typer.echo(" ".join(word for word in (line, part.reason, part.remedy) if word))
    if not found.healthy:
        raise typer.Exit(1)
