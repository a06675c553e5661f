"""`launchpad desktop`: the window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from launchpad.cli.wildcards import many

app = typer.Typer()


@app.command()
def desktop(
    files: Annotated[list[Path] | None, typer.Argument(help="Slides or folders to start with.", callback=many)] = None,
) -> int:
    """Open the window."""
    from launchpad.desktop.__main__ import main

    return main([str(file) for file in files or []])
