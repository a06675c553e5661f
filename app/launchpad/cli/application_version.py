"""`launchpad application dump-schemata` and `launchpad application version document`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli import completion
from launchpad.cli.output import Format, print_json, say
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.models import VersionDocumentResponse, VersionReadResponse

app = typer.Typer(no_args_is_help=True, help="Versions of applications.")
document_app = typer.Typer(no_args_is_help=True, help="Documents of a version: manuals, reports.")
app.add_typer(document_app, name="document")

_Name = Annotated[str, typer.Argument(help="Name of the document.")]
_Version = Annotated[str | None, typer.Option(help="Version of the application; default: the latest.")]
_Format = Annotated[Format, typer.Option("--format", help="How to print.")]


@app.callback()
def version() -> None:
    """Versions of applications."""


def dump_schemata(
    application_id: completion.ApplicationId,
    application_version: _Version = None,
    destination: Annotated[Path | None, typer.Option(help="The folder; default: where you are.")] = None,
    zip: Annotated[bool, typer.Option("--zip/--no-zip", help="One ZIP file of them instead.")] = False,  # noqa: A002
) -> None:
    """Write the JSON schemata of a version's inputs and outputs, and a page that lists them."""
    from launchpad.platform.client import Client

    with Client() as client:
        found = client.application_version(application_id, application_version)
    stem = f"{application_id}_{found.version_number}"
    files = _schemata(found, stem)
    folder = destination if destination is not None else Path.cwd()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if zip:
            packed = folder / f"{stem}_schemata.zip".replace(":", "_")
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in files.items():
                    archive.writestr(name, text)
            say(f"Wrote {packed}")
            return
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            say(f"Wrote {folder / name}")
    except OSError as error:
        raise LaunchpadError(
            "The schemata cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose another folder by --destination, or check the disk and your rights.",
            subject=str(folder),
        ) from error


def _schemata(found: VersionReadResponse, stem: str) -> dict[str, str]:
    """The text of each file by its name."""
    files: dict[str, str] = {}
    lines = [f"# {stem}", "", found.changelog or "", ""]
    for kind, artifacts in (("input", found.input_artifacts), ("output", found.output_artifacts)):
        lines += [f"## {kind.capitalize()} artifacts", ""]
        for artifact in artifacts:
            name = f"{stem}_{kind}_{artifact.name}.json".replace(":", "_")
            files[name] = json.dumps(artifact.metadata_schema, indent=2, ensure_ascii=False) + "\n"
            lines.append(f"- `{artifact.name}` ({artifact.mime_type}): [{name}]({name})")
        lines.append("")
    files[f"{stem}_schemata.md".replace(":", "_")] = "\n".join(lines)
    return files


@document_app.command("list")
def list_documents(
    application_id: completion.ApplicationId, application_version: _Version = None, output_format: _Format = Format.TEXT
) -> None:
    """List the documents of a version."""
    from launchpad.platform.client import Client

    with Client() as client:
        number = client.application_version(application_id, application_version).version_number
        found = client.documents.list(application_id, number)
    if output_format is Format.JSON:
        print_json([_facts(item) for item in found])
        return
    for item in found:
        _say(item)
    if not found:
        say(f"{application_id} ({number}) has no documents.")


@document_app.command()
def describe(
    application_id: completion.ApplicationId,
    document_name: _Name,
    application_version: _Version = None,
    output_format: _Format = Format.TEXT,
) -> None:
    """Describe a document of a version."""
    from launchpad.platform.client import Client

    with Client() as client:
        found = client.versions.documents(application_id, application_version).details(document_name)
    if output_format is Format.JSON:
        print_json(_facts(found))
        return
    _say(found)


@document_app.command()
def download(
    application_id: completion.ApplicationId,
    document_name: _Name,
    application_version: _Version = None,
    output: Annotated[Path | None, typer.Option(help="The folder; default: where you are.")] = None,
) -> None:
    """Download a document of a version."""
    from launchpad.platform.client import Client

    with Client() as client:
        documents = client.versions.documents(application_id, application_version)
        say(f"Wrote {documents.download_to_path(document_name, output if output is not None else Path.cwd())}")


def _facts(item: VersionDocumentResponse) -> dict[str, object]:
    return item.model_dump(mode="json", include={"id", "name", "mime_type", "created_at", "updated_at"})


def _say(item: VersionDocumentResponse) -> None:
    made, changed = (when.astimezone().strftime("%Y-%m-%d %H:%M") for when in (item.created_at, item.updated_at))
    say(f"{item.name}  {item.id}  {item.mime_type}  created {made}, updated {changed}")
