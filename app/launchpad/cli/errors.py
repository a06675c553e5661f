"""Errors on the command line: what, where, what next, on stderr; and the exit codes that scripts know."""

from __future__ import annotations

import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable

import typer
from typer.exceptions import TyperException

from launchpad.errors import LaunchpadError
from launchpad.progress import Cancelled

CANCELLED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; every error is shown here."""
    try:
        result = command()
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled, typer.Abort):
        typer.echo("Cancelled.", err=True)
        return CANCELLED
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        # A group without a command prints its help, and that is no error.
        helped = type(error).__name__ == "NoArgsIsHelpError"
        if helped:
            sys.stdout.write(f"{error}\n" if str(error) else "")  # Typer has printed it where it draws frames
        else:
            show(_bad_usage(error))
        return 0 if helped else int(getattr(error, "exit_code", 2))
    except LaunchpadError as error:
        show(error)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ValueError as error:  # of the library: bad input
        if type(error) is not ValueError:
            return _unexpected(error)
        show(LaunchpadError(str(error)))
        return 2
    except Exception as error:  # noqa: BLE001 - the last place where it can be put into words
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def show(error: LaunchpadError) -> None:
    """Write an error to stderr: one line, or JSON where the command was asked for JSON."""
    from launchpad.cli.output import plain

    if wants_json():
        kind = {404: "not_found", 403: "access_denied"}.get(getattr(error, "status", None) or 0, "failed")
        typer.echo(json.dumps({"error": kind, "message": str(error)}, ensure_ascii=False), err=True)
        return
    typer.secho(f"Error: {plain(str(error))}", err=True, fg="red")


def _bad_usage(error: TyperException) -> LaunchpadError:
    """An error of the words of a command, with where to read about them."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "launchpad"
    return LaunchpadError(error.format_message().rstrip("."), advice=f"See `{command} --help`.")


def _unexpected(error: Exception) -> int:
    """A mistake of ours: a sentence for the person, where it happened for the log."""
    from launchpad.system.logging import record_crash

    try:
        advice = f"Please report it with the end of {record_crash(error, 'command-line')}."
    except (OSError, LaunchpadError):  # no folder for logs
        traceback.print_exception(error)
        advice = "Please report it."
    show(LaunchpadError("Launchpad failed", detail=f"{type(error).__name__}: {error}.", advice=advice))
    return 1


def wants_json() -> bool:
    """Whether `--format json`, or one of the old ways to say so, is among the arguments."""
    arguments = sys.argv[1:]
    names = ("--format", "--output-format")
    return (
        "--json" in arguments
        or any(f"{name}=json" in arguments for name in names)
        or any(first in names and second == "json" for first, second in itertools.pairwise(arguments))
    )
