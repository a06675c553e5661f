"""Errors on the command line: what, where, what next, on stderr; and the exit codes that scripts know."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable

import click
import typer

from launchpad.errors import LaunchpadError
from launchpad.progress import Cancelled

CANCELLED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; every error is shown here."""
    try:
        result = command()
    except (KeyboardInterrupt, Cancelled, click.Abort):
        typer.echo("Cancelled.", err=True)
        return CANCELLED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except LaunchpadError as error:
        show(error)
        return error.exit_code
    except ValueError as error:  # of the library: bad input
        show(LaunchpadError(str(error)))
        return 2
    return result if isinstance(result, int) else 0


def show(error: LaunchpadError) -> None:
    """Write an error to stderr, as JSON where the command was asked for JSON."""
    if wants_json():
        kind = {404: "not_found", 403: "access_denied"}.get(getattr(error, "status", None) or 0, "failed")
        typer.echo(json.dumps({"error": kind, "message": str(error)}, ensure_ascii=False), err=True)
        return
    head = f"{error.title}: {error.subject}" if error.subject else error.title
    typer.secho(f"Error: {head}", err=True, fg="red")
    for line in (error.detail, error.advice):
        if line:
            typer.echo(f"  {line}", err=True)


def wants_json() -> bool:
    """Whether `--format json` is among the arguments."""
    arguments = sys.argv[1:]
    return "--format=json" in arguments or any(pair == ("--format", "json") for pair in itertools.pairwise(arguments))
