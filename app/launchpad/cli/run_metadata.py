"""`launchpad application run dump-metadata` and its siblings: custom metadata of runs and items."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launchpad.cli import completion
from launchpad.cli import run_steps as steps
from launchpad.cli.output import Format, as_json, say
from launchpad.errors import LaunchpadError, NotFound

if TYPE_CHECKING:
    from launchpad.platform.models import ItemResultReadResponse
    from launchpad.platform.runs import Run

_Item = Annotated[str, typer.Argument(help="External id of the item: the path of its slide.")]
_Json = Annotated[str, typer.Argument(help="The new custom metadata: a JSON object.")]
_Pretty = Annotated[bool, typer.Option("--pretty/--no-pretty", help="Indented.")]
_ShowChecksum = Annotated[bool, typer.Option("--show-checksum", help="Also the checksum that an update may name.")]
_Format = Annotated[Format, typer.Option("--format", help="It is JSON in any case.")]
_Token = Annotated[str | None, typer.Option(help="Token that opens a shared run.")]
_Checksum = Annotated[str | None, typer.Option(help="Only when the metadata still have this checksum; else exit 3.")]
_Enrich = Annotated[bool, typer.Option(help="Keep and refresh what Launchpad notes below the key “sdk”.")]


def dump_metadata(
    run_id: completion.RunId,
    pretty: _Pretty = False,
    show_checksum: _ShowChecksum = False,
    share_token: _Token = None,
    output_format: _Format = Format.JSON,
) -> None:
    """Print the custom metadata of a run as JSON."""
    with steps.service() as service:
        run = service.application_run(run_id, share_token).details()
    _dump(run.custom_metadata, run.custom_metadata_checksum, pretty=pretty, show_checksum=show_checksum)


def dump_item_metadata(
    run_id: completion.RunId,
    external_id: _Item,
    pretty: _Pretty = False,
    show_checksum: _ShowChecksum = False,
    share_token: _Token = None,
    output_format: _Format = Format.JSON,
) -> None:
    """Print the custom metadata of an item as JSON."""
    with steps.service() as service:
        item = _item(service.application_run(run_id, share_token), external_id)
    _dump(item.custom_metadata, item.custom_metadata_checksum, pretty=pretty, show_checksum=show_checksum)


def update_metadata(
    run_id: completion.RunId, metadata_json: _Json, checksum: _Checksum = None, enrich_sdk_metadata: _Enrich = True
) -> None:
    """Replace the custom metadata of a run. Exits 3 when somebody else changed them meanwhile."""
    document = _parsed(metadata_json)
    with steps.service() as service:
        service.application_run(run_id).update_custom_metadata(
            document, custom_metadata_checksum=checksum, enrich_sdk_metadata=enrich_sdk_metadata
        )
    say(f"Updated the custom metadata of run '{run_id}'.")


def update_item_metadata(
    run_id: completion.RunId,
    external_id: _Item,
    metadata_json: _Json,
    checksum: _Checksum = None,
    enrich_sdk_metadata: _Enrich = True,
) -> None:
    """Replace the custom metadata of an item. Exits 3 when somebody else changed them meanwhile."""
    document = _parsed(metadata_json)
    with steps.service() as service:
        service.application_run(run_id).update_item_custom_metadata(
            external_id, document, custom_metadata_checksum=checksum, enrich_sdk_metadata=enrich_sdk_metadata
        )
    say(f"Updated the custom metadata of item '{external_id}' of run '{run_id}'.")


def _item(run: Run, external_id: str) -> ItemResultReadResponse:
    for item in run.results(external_ids=[external_id]):
        return item
    run.details()  # an unknown run is told of as such
    raise NotFound(
        "The run has no such item",
        advice=f"Look with `launchpad application run describe {run.run_id} --summarize`.",
        subject=external_id,
    )


def _dump(metadata: Any, checksum: str | None, *, pretty: bool, show_checksum: bool) -> None:
    document = {"custom_metadata": metadata, "custom_metadata_checksum": checksum} if show_checksum else metadata or {}
    typer.echo(as_json(document, indent=2 if pretty else None))


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_number(digits)


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except ValueError as error:
        raise LaunchpadError(
            "The metadata are not valid JSON", detail=f"{error}.", advice='Give an object such as {"key": "value"}.'
        ) from error
    if not isinstance(document, dict):
        raise LaunchpadError("The metadata are no JSON object", advice='Give an object such as {"key": "value"}.')
    return document
