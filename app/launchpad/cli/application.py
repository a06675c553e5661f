"""`launchpad application`: applications."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli import application_run, application_version, completion
from launchpad.cli.output import Format, print_json, say

if TYPE_CHECKING:
    from launchpad.application.service import Service

app = typer.Typer(no_args_is_help=True, help="Applications and their runs.")
app.add_typer(application_run.app, name="run")
app.add_typer(application_version.app, name="version")
app.command("dump-schemata")(application_version.dump_schemata)
_Format = Annotated[Format, typer.Option("--format", help="How to print.")]
_Verbose = Annotated[bool, typer.Option("--verbose/--no-verbose", help="Print all that is known.")]


@app.command("list")
def list_applications(verbose: _Verbose = False, output_format: _Format = Format.TEXT) -> None:
    """List the applications that you may use."""
    from launchpad.application.service import Service

    with Service() as service:
        applications = service.applications()
        completion.keep("application", service.client.profile, (item.application_id for item in applications))
        if output_format is Format.JSON:
            print_json(applications)
            return
        for application in applications:
            latest = application.latest_version.number if application.latest_version else "no version"
            say(f"{application.application_id}  {latest}  {application.name}")
            if verbose:
                _describe(service, application.application_id)


@app.command()
def describe(
    application_id: completion.ApplicationId, verbose: _Verbose = False, output_format: _Format = Format.TEXT
) -> None:
    """Describe an application, its versions, inputs and outputs."""
    from launchpad.application.service import Service

    with Service() as service:
        if output_format is Format.JSON:
            print_json(service.application(application_id))
            return
        application = service.application(application_id)
        say(f"{application.application_id}: {application.name}")
        _describe(service, application_id, verbose=verbose)


def _describe(service: Service, application_id: str, *, verbose: bool = True) -> None:
    application = service.application(application_id)
    say(f"  {application.description}")
    say(f"  Regulatory classes: {', '.join(application.regulatory_classes)}")
    say(f"  Versions: {', '.join(version.number for version in application.versions)}")
    if not verbose or not application.versions:
        return
    version = service.application_version(application_id)
    say(f"  Version {version.version_number}: {version.changelog}")
    for kind, artifacts in (("Input", version.input_artifacts), ("Output", version.output_artifacts)):
        for artifact in artifacts:
            say(f"  {kind}: {artifact.name} ({artifact.mime_type})")
            for line in json.dumps(artifact.metadata_schema, indent=2, ensure_ascii=False).splitlines():
                say(f"    {line}")
