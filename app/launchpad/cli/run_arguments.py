"""Arguments and options that commands of `launchpad application run` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from launchpad.cli.output import Format as OutputFormat

Manifest = Annotated[Path, typer.Argument(help="The metadata CSV file.")]
Source = Annotated[Path, typer.Argument(help="Folder with slides; searched with all folders in it.")]
Version = Annotated[str | None, typer.Option(help="Version of the application; default: the latest.")]
Mapping = Annotated[
    list[str] | None, typer.Option(help="Rule “regexp:key=value,…” that fills in metadata; may be repeated.")
]
Prefix = Annotated[str | None, typer.Option(help="Part of the objects' names; default: the time in ms.")]
Force = Annotated[bool, typer.Option("--force/--no-force", help="Go on although the platform is not healthy.")]
Note = Annotated[str | None, typer.Option(help="Note of the run.")]
Tags = Annotated[str | None, typer.Option(help="Tags of the run, separated by commas.")]
Due = Annotated[str | None, typer.Option(help="Soft due date, ISO 8601 with time zone.")]
Deadline = Annotated[str | None, typer.Option(help="Hard deadline, ISO 8601 with time zone.")]
Format = Annotated[OutputFormat, typer.Option("--format", help="How to print.")]
PerRun = Annotated[bool, typer.Option(help="A folder for the run.")]
PerItem = Annotated[bool, typer.Option(help="A folder for each slide.")]
Wait = Annotated[bool, typer.Option(help="Wait until the run has ended.")]
Portal = Annotated[bool, typer.Option(help="Recorded with the run.")]
# Hints for the scheduler of a cloud: recorded with the run, ignored on this computer.
GpuType = Annotated[Literal["L4", "A100"], typer.Option(help="Recorded with the run.")]
GpuMode = Annotated[Literal["SPOT", "ON_DEMAND", "FLEX_START"], typer.Option(help="Recorded with the run.")]
MaxGpus = Annotated[int, typer.Option(min=1, max=8, help="Recorded with the run.")]
Flex = Annotated[int, typer.Option(min=1, max=3600, help="Recorded with the run, with FLEX_START.")]
CpuMode = Annotated[Literal["SPOT", "ON_DEMAND"], typer.Option(help="Recorded with the run.")]
Node = Annotated[int, typer.Option(min=1, max=3600, help="Recorded with the run.")]
