"""`launchpad dataset`: public slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.output import Format, complain, print_json, progress_bar, say, warn
from launchpad.progress import Cancelled

if TYPE_CHECKING:
    from launchpad.dataset.index import SlideIndex
    from launchpad.dataset.selection import Selection

app = typer.Typer(help="Public data sets.", no_args_is_help=True)
idc = typer.Typer(help="Slides of NCI Image Data Commons.", no_args_is_help=True)
vendor = typer.Typer(help="Samples in a bucket of Google Cloud Storage.", no_args_is_help=True)
app.add_typer(idc, name="idc")
app.add_typer(vendor, name="aignostics")

_Format = Annotated[Format, typer.Option("--format", help="How to print.")]
_LAYOUT = "%collection_id/%PatientID/%StudyInstanceUID/%Modality_%SeriesInstanceUID/"
_SERIES_SHOWN = 20


@app.callback()
def dataset() -> None:
    """Public data sets."""


@idc.command()
def browse() -> None:
    """Open the portal of Image Data Commons in the browser."""
    from launchpad.dataset.service import PORTAL
    from launchpad.platform.auth.sign_in import open_browser

    if not open_browser(PORTAL):
        warn("No browser could be opened. The portal is at:")
    say(PORTAL)


@idc.command("indices")
def list_indices(format: _Format = Format.TEXT) -> None:  # noqa: A002 - option name
    """List the indices that can be asked."""
    from launchpad.dataset.query import INDICES

    if format is Format.JSON:
        print_json(list(INDICES))
        return
    for name, words in INDICES.items():
        say(f"{name}: {words}")


@idc.command("columns")
def list_columns(
    index: Annotated[str, typer.Option("--index", help="Which index.")] = "sm_index",
    format: _Format = Format.TEXT,  # noqa: A002 - option name
) -> None:
    """List the columns of an index."""
    from launchpad.dataset.query import columns

    found = columns(index)
    if format is Format.JSON:
        print_json(found)
        return
    for name in found:
        say(name)


@idc.command("query")
def run_query(
    query: Annotated[str | None, typer.Argument(help="SQLite's SQL; without it, very large slides.")] = None,
    indices: Annotated[str, typer.Option("--indices", help="Which indices, separated by commas.")] = "sm_index",
    format: _Format = Format.TEXT,  # noqa: A002 - option name
) -> None:
    """Ask the indices."""
    from launchpad.dataset.query import query as ask

    answer = ask(query, indices)
    if format is Format.JSON:
        print_json(answer.records())
        return
    # Tabs: columns for a spreadsheet or `cut`, and no line is wrapped, however narrow the terminal is.
    say_row(answer.columns)
    for row in answer.rows:
        say_row(row)
    warn(f"{len(answer.rows)} row(s)")


def say_row(values: tuple[object, ...]) -> None:
    """A row on stdout, its cells separated by tabs."""
    from launchpad.cli.output import plain

    typer.echo("\t".join("" if value is None else plain(str(value)) for value in values))


@idc.command("download")
def download_idc(
    source: Annotated[
        str,
        typer.Argument(
            help="Ids, separated by commas: collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID, "
            "SOPInstanceUID."
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Argument(help="The folder, which has to be there; without it, `idc` among the data sets.", exists=True,
                       file_okay=False, writable=True),
    ] = None,
    target_layout: Annotated[str, typer.Option("--target-layout", help="Folders below it.")] = _LAYOUT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run/--no-dry-run", help="Only say what would be downloaded.")
    ] = False,
) -> None:  # fmt: skip
    """Download slides; run it again to go on after an interruption."""
    from launchpad.dataset import layout as layouts
    from launchpad.dataset.download import download_selection
    from launchpad.dataset.index import open_index
    from launchpad.dataset.selection import select
    from launchpad.dataset.service import idc_folder

    layouts.check(target_layout)
    index = open_index()
    selection = select(index, source)
    _announce(index, selection)
    folder = target if target is not None else idc_folder()
    if dry_run:
        say(f"Would download {len(selection.series)} slide(s) to {folder}")
        return
    try:
        with progress_bar("Downloading", unit="bytes") as progress:
            done = download_selection(index, selection, folder, layout=target_layout, progress=progress)
    except (Cancelled, KeyboardInterrupt):
        warn("Stopped. What was fetched is kept: run the same command again to go on from there.")
        raise
    errors = [error for item in done for error in item.errors]
    for error in errors:
        complain(f"Not downloaded: {error}")
    count = sum(not item.errors for item in done)
    say(f"Downloaded {count} of {len(done)} slide(s), {sum(len(item.files) for item in done)} file(s), to {folder}")
    if errors:
        raise typer.Exit(1)


def _announce(index: SlideIndex, selection: Selection) -> None:
    """Size, licence and citation, before the first byte."""
    from launchpad.wsi.service import human_size

    for item in selection.series[:_SERIES_SHOWN]:
        files = len(selection.instances.get(item.folder, ())) or item.instances
        warn(
            f"{item.collection_id}, patient {item.patient_id}: {item.description or 'slide'}, {files} file(s)"
            + ("" if item.folder in selection.instances else f", {human_size(item.size)}")
        )
    if len(selection.series) > _SERIES_SHOWN:
        warn(f"and {len(selection.series) - _SERIES_SHOWN} more")
    if len(selection.series) > 1:
        warn(f"Together: {len(selection.series)} slides, {human_size(selection.size)}")
    for source in index.sources(selection.series):
        warn(f"Licence: {source.licence}. Cite: {source.citation or f'https://doi.org/{source.doi}'}")


@vendor.command("download")
def download_vendor(
    source_url: Annotated[str, typer.Argument(help="The address of an object: gs://bucket/folder/file.")],
    destination_directory: Annotated[
        Path | None,
        typer.Argument(help="The folder, which is made; else `aignostics` among the data sets.", file_okay=False),
    ] = None,
) -> None:
    """Download one object from Google Cloud Storage, with your own Google credentials."""
    from launchpad.dataset.service import Service

    with progress_bar("Downloading", unit="bytes") as progress:
        path = Service.download_aignostics(source_url, destination_directory, progress=progress)
    say(f"Downloaded {path}")
