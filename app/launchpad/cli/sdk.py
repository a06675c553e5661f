"""`launchpad sdk`: the schemata of what is noted with runs and items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.output import Format, as_json

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer(no_args_is_help=True, help="Schemata of what is noted with runs and items.")
_Pretty = Annotated[bool, typer.Option("--pretty/--no-pretty", help="Indented.")]
_Format = Annotated[Format, typer.Option("--format", help="It is JSON in any case.")]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@app.callback()
def sdk() -> None:
    """Schemata of what is noted with runs and items."""


@app.command("run-metadata-schema")
def run_metadata_schema(pretty: _Pretty = True, output_format: _Format = Format.JSON) -> None:
    """Print the JSON Schema of a run's `custom_metadata.sdk`."""
    from launchpad.platform.custom_metadata import RUN_SCHEMA_VERSION, RunSdkMetadata

    _print(RunSdkMetadata, RUN_SCHEMA_VERSION, pretty=pretty)


@app.command("item-metadata-schema")
def item_metadata_schema(pretty: _Pretty = True, output_format: _Format = Format.JSON) -> None:
    """Print the JSON Schema of an item's `custom_metadata.sdk`."""
    from launchpad.platform.custom_metadata import ITEM_SCHEMA_VERSION, ItemSdkMetadata

    _print(ItemSdkMetadata, ITEM_SCHEMA_VERSION, pretty=pretty)


def _print(model: type[BaseModel], version: str, *, pretty: bool) -> None:
    document = {"$schema": _DIALECT, "version": version, **model.model_json_schema()}
    typer.echo(as_json(document, indent=2 if pretty else None))
