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
    """Take the sample slide through the whole journey, in a data folder of its own, without a display.

    At its end the results are opened in a stand-in for QuPath. With LAUNCHPAD_SELF_TEST_DISPLAY the window shows on
    the display that there is.
    """
    import os

    if not os.environ.get("LAUNCHPAD_SELF_TEST_DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from launchpad.desktop.journey import main

    return main(["--qupath-stand-in", *(["--screenshots", str(screenshots)] if screenshots else [])])
