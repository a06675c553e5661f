"""Tissue and cells as GeoJSON for QuPath, streamed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from launchpad import geojson
from launchpad.analysis import outlines
from launchpad.analysis.outputs.provenance import Provenance, described

TISSUE_CLASS: tuple[str, tuple[int, int, int]] = ("Tissue", (214, 130, 170))


def object_id(provenance: Provenance, kind: str, number: int) -> str:
    """The same object of the same item keeps its identifier whenever it is computed."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{provenance.item_id}/{kind}/{number}"))


def writer(path: Path, provenance: Provenance) -> geojson.FeatureWriter:
    """A file that names its origin in the foreign member `launchpad`."""
    return geojson.FeatureWriter(path, {"launchpad": described(provenance)})


def write_tissue(path: Path, polygons: Iterable[outlines.Rings], mpp: float, provenance: Provenance) -> None:
    """One annotation for each piece of tissue."""
    with writer(path, provenance) as file:
        for number, rings in enumerate(polygons):
            file.write(
                geojson.feature(
                    outlines.geometry(rings),
                    object_type="annotation",
                    name=f"Tissue {number + 1}",
                    classification=TISSUE_CLASS,
                    measurements={"Tissue: Area mm^2": round(outlines.area(rings) * mpp**2 / 1e6, 6)},
                    id=object_id(provenance, "tissue", number),
                )
            )
