"""Errors on the command line: what, where, what next, on stderr; and the exit codes that scripts know."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable

import typer
from typer.exceptions import TyperException

from launchpad.errors import BadInput, LaunchpadError
from launchpad.progress import Cancelled

CANCELLED = 130


def guarded(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; every error is shown here."""
    from launchpad.cli.output import as_json, complaints

    code = _run(command)
    left = complaints()  # where JSON is wanted, and no error has told of them
    if left:
        words = as_json({"error": "failed", "message": " ".join(left)}) if code else "\n".join(left)
        typer.echo(words, err=True)
    return code


def _run(command: Callable[[], object]) -> int:
    try:
        try:
            result = command()
        except typer.Exit as error:
            result = error.exit_code
        sys.stdout.flush()
        if result == CANCELLED:  # Typer makes this of Ctrl-C
            raise KeyboardInterrupt
    except (KeyboardInterrupt, Cancelled, typer.Abort):
        typer.echo("Cancelled.", err=True)
        return CANCELLED
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
        _give_up_output()
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            return _unexpected(error)
        try:
            sys.stdout.flush()
        except OSError:
            _give_up_output()
        show(LaunchpadError("There is no room for what is written", advice="Make room on the disk, then try again."))
        return 1
    except ValueError as error:  # of the library: bad input
        if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
            subject = error.object[:200]
            show(BadInput("A name or a text is not Unicode", advice="Rename the file, or correct it.", subject=subject))
            return 2
        if type(error) is not ValueError:
            return _unexpected(error)
        show(LaunchpadError(str(error)))
        return 2
    except Exception as error:  # noqa: BLE001 - the last place where it can be put into words
        return _unexpected(error)
    return result if isinstance(result, int) else 0


def show(error: LaunchpadError) -> None:
    """Write an error to stderr: one line, or JSON where the command was asked for JSON."""
    from launchpad.cli.output import as_json, complaints, plain, wants_json

    if wants_json():
        kind = {404: "not_found", 403: "access_denied"}.get(getattr(error, "status", None) or 0, "failed")
        message = " ".join([*complaints(), str(error)])
        typer.echo(as_json({"error": kind, "message": message}), err=True)
        return
    typer.secho(f"Error: {plain(str(error))}", err=True, fg="red")


def _bad_usage(error: TyperException) -> LaunchpadError:
    """An error of the words of a command, with where to read about them."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "launchpad"
    words = error.format_message().replace(": Value error, ", ": ").rstrip(".")
    return LaunchpadError(words, advice=f"See `{command} --help`.")


def _give_up_output() -> None:
    """Python writes what it still holds at its end, and would complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
