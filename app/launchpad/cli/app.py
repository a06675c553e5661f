"""The commands, one module a group. A group's module is imported when one of its commands is asked for."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from launchpad.cli.errors import guarded

# name -> (module, what `launchpad --help` says); the modules import typer and the ground floor only.
GROUPS = {
    "application": ("application", "Applications and their runs."),
    "bucket": ("bucket", "Files in the organization's bucket."),
    "dataset": ("dataset", "Public slides: look for them and download them."),
    "mcp": ("mcp", "Read-only tools for programs with language models (MCP)."),
    "migrate": ("migrate", "Take over what the aignostics SDK left on this computer."),
    "platform": ("platform", "The platform on this computer."),
    "profile": ("profile", "The platforms that one talks to."),
    "qupath": ("qupath", "QuPath: install and start it, make and look at its projects."),
    "sdk": ("sdk", "Schemata of what is noted with runs and items."),
    "system": ("system", "Health and versions of Launchpad and its platform."),
    "update": ("update", "Newer versions of Launchpad."),
    "user": ("user", "Sign in and out; who is signed in."),
    "wsi": ("wsi", "Whole slide images."),
}
COMMANDS = {
    "desktop": ("desktop", "Open the window."),
    "launchpad": ("desktop", "Open the window, as `desktop` does."),
    "notebook": ("notebook", "Open a Python notebook, of a run or from sign-in to download."),
    "self-test": ("self_test", "Take the sample slide through the whole journey, offscreen."),
}


_ONLY_HELP = "launchpad.only_help"
_NARROW = 52  # columns


class _Formatter(typer.Context.formatter_class):  # type: ignore[valid-type,misc]
    """Lists of options and commands whose words get two thirds of a narrow terminal."""

    def write_dl(self, rows: Any, col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, max(self.width // 3, 6) if self.width < _NARROW else col_max, col_spacing)


class _Context(TyperGroup.context_class):  # type: ignore[valid-type,misc]
    formatter_class = _Formatter


class _Lazy(TyperGroup):
    """Loads a group when it is used; the help texts above stand for it until then."""

    context_class = _Context

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        columns = shutil.get_terminal_size().columns
        if columns < _NARROW:  # help is made for 50 columns at least otherwise, and would be wrapped twice
            ctx.terminal_width = max(columns - 1, 20)
        ctx.meta[_ONLY_HELP] = not args or args[0] in ("--help", "-h")
        return super().parse_args(ctx, with_known_options(args))

    def list_commands(self, ctx: Any) -> list[str]:
        return [*GROUPS, *COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in GROUPS | COMMANDS:
            return None
        module, words = (GROUPS | COMMANDS)[cmd_name]
        if ctx is not None and ctx.meta.get(_ONLY_HELP):
            return TyperCommand(cmd_name, callback=None, short_help=words, help=words)
        loaded = importlib.import_module(f"launchpad.cli.{module}")
        command: Any = typer.main.get_command(loaded.app)
        command.name = cmd_name
        # Typer gives these to every group that is built by itself; they belong to `launchpad`.
        command.params = [item for item in command.params if item.name not in ("install_completion", "show_completion")]
        _without_frames(command)
        return command


def _without_frames(command: Any) -> None:
    """Help as plain text: frames cut options off in a narrow terminal, and take half of the time that help takes."""
    command.rich_markup_mode = None
    command.context_class = _Context
    for below in getattr(command, "commands", {}).values():
        if not below.short_help and below.help:  # else it is cut off at the end of the line
            below.short_help = " ".join(below.help.split("\n\n")[0].split())
        _without_frames(below)


def with_known_options(arguments: list[str]) -> list[str]:
    """The arguments with the old ways to ask for a format as `--format`; what follows `--` stays."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    known = []
    for argument in arguments[:end]:
        if argument == "--json":
            known += ["--format", "json"]
        elif argument.partition("=")[0] == "--output-format":
            known.append("--format" + argument.removeprefix("--output-format"))
        else:
            known.append(argument)
    return known + arguments[end:]


app = typer.Typer(
    cls=_Lazy,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Run computational pathology applications on whole slide images. For research use only.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from launchpad import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Talk to this platform; see `launchpad profile list`.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no notes on stderr; errors only.")
    ] = False,
) -> None:
    """Run computational pathology applications on whole slide images. For research use only."""
    if profile is not None:
        os.environ["LAUNCHPAD_PROFILE"] = profile  # for this process and those that it starts
    from launchpad.cli import output

    output.quiet = quiet
    if {"LAUNCHPAD_LOG_FILE_ENABLED", "AIGNOSTICS_LOG_FILE_ENABLED"} & set(os.environ):
        _log(ctx)
    if os.environ.pop("LAUNCHPAD_COMMAND", "") == "aignostics":  # the alias of `launchpad migrate install-alias`
        _require_profile(ctx)


def _log(ctx: typer.Context) -> None:
    """Log the work of this command, until it ends, where the settings say so."""
    import logging

    from launchpad.system.logging import follow_settings, tear_down

    handler = follow_settings()
    if handler is not None:
        ctx.call_on_close(lambda: tear_down(handler))
        logging.getLogger("launchpad").info("command %s", ctx.invoked_subcommand)


def _require_profile(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand in ("migrate", "profile") or {"--help", "-h"} & set(sys.argv):
        return
    from launchpad.cli.migrate import require_profile

    require_profile()


def run() -> None:
    """Run what the arguments ask for and end the process."""
    import io
    import warnings

    from launchpad.cli import output

    if not sys.warnoptions:  # what Python thinks of an expression that somebody typed, say, is not for that person
        warnings.simplefilter("ignore")
    if not output.is_utf(sys.stdout) and isinstance(sys.stdout, io.TextIOWrapper):  # a file or pipe on Windows
        sys.stdout.reconfigure(errors="replace")
    sys.exit(guarded(lambda: app(standalone_mode=False, prog_name="launchpad")))
