"""`launchpad self-test`: the journey, offscreen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command("self-test")
def self_test(
    screenshots: Annotated[Path | None, typer.Option(help="Keep the screenshots in this folder.")] = None,
) -> int:
    """Take the sample slide through the whole journey, in a data folder of its own, without a display."""
    import os

    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from launchpad.desktop.journey import main

    return main(["--screenshots", str(screenshots)] if screenshots else [])
