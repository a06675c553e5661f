"""`launchpad wsi dicom`: look at DICOM files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launchpad.cli.errors import show
from launchpad.cli.output import Format, complain, print_json, say
from launchpad.cli.wildcards import one
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.wsi.dicom_report import Entry

app = typer.Typer(help="Look at DICOM files.", no_args_is_help=True)


@app.callback()
def dicom() -> None:
    """Look at DICOM files."""


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="A DICOM file, or a folder.", callback=one)],
    verbose: Annotated[bool, typer.Option("--verbose", help="Also frames and bytes of each file.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Counts only, no files.")] = False,
    wsi_only: Annotated[bool, typer.Option("--wsi-only", help="Whole slide images only.")] = False,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TEXT,  # noqa: A002 - option name
) -> None:
    """Print study, slide (container), series and files."""
    from launchpad.wsi.dicom_report import Entry, entries

    read = list(entries(path))
    found = [item for item in read if isinstance(item, Entry) and (item.is_whole_slide or not wsi_only)]
    damaged = [item for item in read if not isinstance(item, Entry)]
    if len(damaged) == len(read):
        show(damaged[0])
        raise typer.Exit(1)
    if format is Format.JSON:
        print_json([{**asdict(item), "path": str(item.path)} for item in found])
    else:
        _print(found, verbose=verbose, summary=summary)
    if damaged:
        raise LaunchpadError(
            f"{len(damaged)} of {len(read)} DICOM files cannot be read",
            detail=" ".join(f"{error.subject}: {error.title}. {error.detail}" for error in damaged),
            advice="Check that they are complete, or leave them out.",
        )


@app.command("geojson_import")
def geojson_import(
    dicom_path: Annotated[Path, typer.Argument(help="A file of the DICOM slide, or its folder.")],
    geojson_path: Annotated[Path, typer.Argument(help="Points and polygons in pixels of the base level.")],
) -> None:
    """Write the objects of a GeoJSON file as a DICOM annotation object beside the slide."""
    from launchpad.wsi.dicom_annotations import import_geojson

    done = import_geojson(dicom_path, geojson_path)
    lost = {
        "outside of the slide": done.outside,
        "of a kind that DICOM's simple annotations do not have": done.unusable,
        "holes of polygons": done.holes,
    }
    for words, count in lost.items():
        if count:
            complain(f"Left out: {count} {words}.")
    say(f"Wrote {done.path} with {done.polygons} polygon(s) and {done.points} point(s).")


def _print(found: list[Entry], *, verbose: bool, summary: bool) -> None:
    before: tuple[str, ...] = ()
    for item in found:
        place = (item.study, item.container, item.series)
        for depth, (name, value) in enumerate(zip(("Study", "Slide", "Series"), place, strict=True)):
            if place[: depth + 1] != before[: depth + 1]:
                files = sum(1 for other in found if (other.study, other.container, other.series) == place)
                counted = f" ({files} files)" if depth == 2 else ""
                say(f"{'  ' * depth}{name}: {value or 'unknown'}{counted}")
        before = place
        if summary:
            continue
        more = f", {item.frames} frames, {item.size:,} bytes" if verbose else ""
        kind = item.flavor if item.is_whole_slide else f"{item.modality} {item.kind}"
        say(f"      {item.path.name}: {kind}, {item.width} × {item.height} px{more}")
    if not found:
        say("No whole slide images.")
