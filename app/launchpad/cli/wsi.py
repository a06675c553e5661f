"""`launchpad wsi`: look at slide files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli import wsi_dicom
from launchpad.cli.errors import show
from launchpad.cli.output import Format, print_json, say
from launchpad.cli.wildcards import one
from launchpad.errors import SlideError

app = typer.Typer(help="Look at whole slide images.", no_args_is_help=True)
app.add_typer(wsi_dicom.app, name="dicom")


@app.callback()
def wsi() -> None:
    """Look at whole slide images."""


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="The slide; any one file of a DICOM pyramid will do.", callback=one)],
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TEXT,  # noqa: A002 - option name
) -> int:
    """Print size, resolution, levels and associated images of a slide."""
    from launchpad.wsi.service import Service, human_size

    try:
        found = Service.get_metadata(path)
    except SlideError as error:
        if not path.exists():
            raise
        show(error)
        return 1  # as scripts know it from this command
    if format is Format.JSON:
        print_json(found)
        return 0
    from launchpad.wsi.metadata import read_metadata

    slide = read_metadata(path)
    mpp = [f"{value:.4f} µm" if value is not None else "unknown" for value in (slide.mpp_x, slide.mpp_y)]
    say(f"Format: {slide.format}")
    say(f"Path: {slide.path}")
    if len(slide.files) > 1:
        say(f"Files: {len(slide.files)}")
    say(f"Size: {human_size(slide.size)}")
    say(f"Width: {slide.width} px")
    say(f"Height: {slide.height} px")
    say(f"MPP (x): {mpp[0]}")
    say(f"MPP (y): {mpp[1]}")
    if slide.mpp_problem:
        say(f"{slide.mpp_problem} State it in the metadata of the slide when you submit it.")
    if slide.mpp_note:
        say(slide.mpp_note)
    if slide.scanner:
        say(f"Scanner: {slide.scanner}")
    if slide.objective_power is not None:
        say(f"Objective: {slide.objective_power:g}x")
    if slide.bounds != (0, 0, slide.width, slide.height):
        x, y, width, height = slide.bounds
        say(f"Scanned part: {width} × {height} px at {x}, {y}")
    specimen = found["specimen"] or {}
    for name, words in (("stains", "Stained with"), ("anatomy", "Tissue of")):
        if specimen.get(name):  # type: ignore[attr-defined]
            say(f"{words}: {', '.join(item['meaning'] for item in specimen[name])}")  # type: ignore[index]
    say("Levels:")
    for index, level in enumerate(slide.levels):
        pixel = "" if slide.mpp_x is None else f", {slide.mpp_x * level.downsample:.4f} µm a pixel"
        say(f"  {index}: {level.width} × {level.height} px, downsample {level.downsample:g}{pixel}")
    say(f"Associated images: {', '.join(slide.associated_images) or 'none'}")
    if found["identifying"]:
        say("What may identify somebody:")
        for item in found["identifying"]:  # type: ignore[attr-defined]
            say(f"  {item['where']}{': ' + item['value'] if item['value'] else ''} - {item['reason']}")
    else:
        say("What may identify somebody: nothing found")
    return 0


@app.command()
def thumbnail(
    path: Annotated[Path, typer.Argument(help="The slide; any one file of a DICOM pyramid will do.", callback=one)],
    output: Annotated[Path, typer.Argument(help="The PNG file to write.")],
    size: Annotated[int, typer.Option(min=1, max=4096, help="Longest side in pixels.")] = 512,
) -> None:
    """Write a small picture of a slide as PNG; never its label."""
    from launchpad.errors import LaunchpadError
    from launchpad.paths import write_atomic
    from launchpad.wsi.thumbnails import thumbnail_png

    png = thumbnail_png(path, size)
    try:
        write_atomic(output, png)
    except OSError as error:
        raise LaunchpadError(
            "The thumbnail cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Choose another place, or check the disk and your rights.",
            subject=str(output),
        ) from error
    say(f"Wrote {output}")
