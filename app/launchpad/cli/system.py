"""`launchpad system`: health and information."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.output import print_json, say

app = typer.Typer(no_args_is_help=True, help="Health and versions of Launchpad and its platform.")


class _Output(StrEnum):
    JSON = "json"
    YAML = "yaml"
    TEXT = "text"


_Format = Annotated[_Output, typer.Option("--output-format", "--format", help="How to print.")]


@app.callback()
def _group() -> None:
    """Health and versions of Launchpad and its platform."""


@app.command()
def health(output_format: _Format = _Output.JSON) -> None:
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
    if output_format is _Output.TEXT:
        for name, part in found.components.items():
            say(" ".join(word for word in (f"{name}: {part.status}", part.reason, part.remedy) if word))
    else:
        _print(found.document(), output_format)
    if not found.healthy:
        raise typer.Exit(1)


@app.command()
def info(
    include_environ: Annotated[bool, typer.Option(help="Also the environment variables.")] = False,
    mask_secrets: Annotated[bool, typer.Option(help="Hide secrets.")] = True,
    output_format: _Format = _Output.JSON,
) -> None:
    """Print versions, folders and settings."""
    from launchpad.system.information import collect

    _print(collect(include_environ=include_environ, mask_secrets=mask_secrets), output_format)


@app.command("crash-reports")
def crash_reports() -> None:
    """List what was left of crashes. It lies on this computer alone; nothing is sent."""
    from launchpad.system.crash_reports import waiting

    found = waiting()
    for report in found:
        say(f"{report.id}  {report.when:%Y-%m-%d %H:%M}")
    if not found:
        say("There are no crash reports.")


@app.command("crash-report")
def crash_report(
    report_id: Annotated[str, typer.Argument(help="Its id; see `crash-reports`.")],
    output: Annotated[Path | None, typer.Option(help="Save it in this file, too.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it afterwards.")] = False,
) -> None:
    """Print a crash report, as it can be given to whoever helps."""
    from launchpad.system import crash_reports as reports

    report = reports.find(report_id)
    text = report.text()
    typer.echo(text)
    if output is not None:
        reports.save(text, output)
    if delete:
        reports.put_away(report)


def _print(document: Mapping[str, object], output_format: _Output) -> None:
    if output_format is _Output.JSON:
        print_json(document)
    else:
        typer.echo("\n".join(_yaml(document)))


def _yaml(value: Mapping[str, object], depth: int = 0) -> Iterator[str]:
    """Nested mappings as YAML; everything else as JSON, which YAML contains."""
    for key, item in value.items():
        start = f"{'  ' * depth}{json.dumps(key)}:"
        if isinstance(item, Mapping) and item:
            yield start
            yield from _yaml(item, depth + 1)
        else:
            yield f"{start} {json.dumps(item, ensure_ascii=False)}"
