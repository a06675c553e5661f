"""`launchpad system`: health and information."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from launchpad.cli import system_config
from launchpad.cli.output import Format, print_json, say, warn

app = typer.Typer(no_args_is_help=True, help="Health and versions of Launchpad and its platform.")


class _Output(StrEnum):
    JSON = "json"
    YAML = "yaml"
    TEXT = "text"


app.add_typer(system_config.app, name="config")
_Format = Annotated[_Output, typer.Option("--format", help="How to print.")]


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


@app.command("dump-dot-env-file")
def dump_dot_env_file(
    destination: Annotated[Path, typer.Option(help="The file to write; only this account can read it.")] = Path(
        ".env.current"
    ),
) -> None:
    """Write all settings as KEY=value; secrets as they are."""
    from launchpad.errors import LaunchpadError
    from launchpad.paths import write_private
    from launchpad.system.information import dotenv_lines

    try:
        write_private(destination, dotenv_lines().encode())
    except OSError as error:
        raise LaunchpadError(
            "The file cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose another place by --destination.",
            subject=str(destination),
        ) from error
    say(f"Wrote {destination}")


@app.command()
def openapi(
    api_version: Annotated[Literal["v1"], typer.Option(help="Version of the API.")] = "v1",
    output_format: _Format = _Output.JSON,
) -> None:
    """Print the OpenAPI description of the platform in use."""
    from launchpad.system.service import Service

    _print(Service.openapi_schema(api_version), output_format)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Accepted, of no effect.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Accepted, of no effect.")] = 8000,
    open_browser: Annotated[bool, typer.Option(help="Accepted, of no effect.")] = False,
) -> None:
    """Nothing: the window is a program of this computer, not a page. Exits 2."""
    from launchpad.errors import NotFound

    raise NotFound(
        "Launchpad has no window in the browser",
        advice="Open the window by `launchpad desktop`; `launchpad platform serve` serves the platform.",
    )


@app.command()
def install() -> None:
    """Nothing has to be installed after Launchpad itself."""
    warn("Nothing else has to be installed. `launchpad qupath install` installs QuPath.")


@app.command("crash-reports")
def crash_reports(
    output_format: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """List what was left of crashes. It lies on this computer alone; nothing is sent."""
    from launchpad.system.crash_reports import waiting

    found = waiting()
    if output_format is Format.JSON:
        print_json([{"id": item.id, "when": item.when.isoformat(), "file": str(item.file)} for item in found])
        return
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
