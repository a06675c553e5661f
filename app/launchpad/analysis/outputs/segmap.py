"""The tissue map: a small pyramid TIFF of class numbers with colours and resolution."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from launchpad.analysis.outputs.provenance import Provenance, described
from launchpad.analysis.tissue import Tissue

CLASSES: tuple[tuple[str, tuple[int, int, int]], ...] = (("Background", (255, 255, 255)), ("Tissue", (214, 130, 170)))
_TILE = 256
_SMALLEST_LEVEL = 64


def write(path: Path, tissue: Tissue, provenance: Provenance) -> None:
    """Write the map; levels are reduced pages, which every reader of pyramid TIFF sees."""
    image = tissue.mask.astype(np.uint8)
    colours = np.zeros((3, 256), dtype=np.uint16)
    for number, (_, rgb) in enumerate(CLASSES):
        colours[:, number] = np.array(rgb, dtype=np.uint16) * 257
    description = json.dumps(
        {
            "launchpad": described(provenance),
            "content": "tissue map",
            "mpp": tissue.mpp,
            "downsample": tissue.downsample,
            "classes": {str(number): name for number, (name, _) in enumerate(CLASSES)},
        }
    )
    partial = path.with_name(f"{path.name}.part")
    with tifffile.TiffWriter(partial) as writer:
        level, mpp = image, tissue.mpp
        while True:
            writer.write(
                level,
                photometric="palette",
                colormap=colours,
                tile=(_TILE, _TILE),
                compression="zlib",
                resolution=(1e4 / mpp, 1e4 / mpp),
                resolutionunit="CENTIMETER",
                subfiletype=0 if level is image else 1,
                description=description if level is image else None,
                metadata=None,
                software=provenance.engine if level is image else None,
            )
            if max(level.shape) < 2 * _SMALLEST_LEVEL:
                break
            level, mpp = _halved(level), mpp * 2
    partial.replace(path)


def _halved(level: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every second pixel: class numbers must not be averaged."""
    return np.ascontiguousarray(level[::2, ::2])
