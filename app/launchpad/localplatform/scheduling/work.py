"""What a worker process runs. The engine is imported there alone: the server starts without numpy and OpenCV."""

from __future__ import annotations

from typing import Any

from launchpad.progress import Progress


def analyse_slide(
    slide: str,
    destination: str,
    mpp: float,
    parameters: dict[str, object],
    provenance: dict[str, str],
    progress: Progress,
) -> list[dict[str, Any]]:
    """`analysis.engine.task`, loaded at the first slide."""
    from launchpad.analysis.engine import task

    return task(slide, destination, mpp, parameters, provenance, progress)
