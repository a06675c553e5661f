"""One analysis of one slide: plain data in, files out. Knows no database and no network.

The slide is read tile by tile at about 0.5 µm a pixel, so memory stays flat whatever its size. Colours and
thresholds are learnt once from windows spread over the tissue; a nucleus belongs to the tile whose core holds its
centroid; files are written in the order of the tiles. So the result does not depend on how the work is cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from launchpad import geojson
from launchpad.analysis import ENGINE_NAME, ENGINE_VERSION, cells, nuclei, outlines, stain, tiles, tissue
from launchpad.analysis.outputs import polygons, segmap, tables
from launchpad.analysis.outputs.provenance import OutputFile, Provenance, finished
from launchpad.analysis.readouts import ClassTotals, Readout
from launchpad.errors import SlideError
from launchpad.progress import Progress
from launchpad.wsi.metadata import read_metadata
from launchpad.wsi.reader import SlideReader

__all__ = ["OutputFile", "Provenance", "analyse", "task"]

TISSUE_POLYGONS = "tissue_segmentation:geojson_polygons"
CELL_POLYGONS = "cell_classification:geojson_polygons"
TISSUE_MAP = "tissue_segmentation:tiff_segmap"
MEASUREMENTS = "readout_generation:csv_measurements"
SUMMARY = "readout_generation:json_summary"

_TILE = 1024
_FINEST_UM, _COARSEST_UM = 0.05, 2.0  # a nucleus of 6 µm is three pixels wide at the coarsest
_SAMPLES, _SAMPLE_SIZE = 12, 512
_LEAST_HE_SHARE = 0.6


@dataclass(frozen=True)
class _Plan:
    """What all tiles of one slide have in common."""

    context: nuclei.SlideContext
    tissue: tissue.Tissue
    downsample: int
    median_haematoxylin: float
    with_classes: bool


@dataclass(frozen=True)
class _Found:
    """One nucleus in base pixels, with its class and measurements."""

    nucleus: outlines.Ring
    cell: outlines.Ring | None
    number: int  # into the classes of the readout
    area: float
    measurements: dict[str, float]


def analyse(
    slide: Path,
    destination: Path,
    *,
    mpp: float,
    parameters: Mapping[str, object],
    provenance: Provenance,
    progress: Progress | None = None,
    tile_size: int = _TILE,
) -> list[OutputFile]:
    """Analyse one slide and write the five outputs into `destination`, an existing empty folder.

    Args:
        slide: the file; of a DICOM pyramid the instance with the base level.
        destination: where the files go.
        mpp: micrometres a base pixel.
        parameters: `staining_method`, `tissue`, `disease` are written down; `mode` "test" or `classify` False leave
            classes and cell borders out (the same reading and the same nuclei, less to write).
        provenance: what the files say about their origin.
        progress: reports tiles.
        tile_size: side of a tile's core at the working resolution, pixels.

    Raises:
        SlideError: the slide cannot be read, or its resolution is missing or implausible.
        Cancelled: the progress was cancelled; no output appears under its name half written.
    """
    watch = progress or Progress()
    _check_resolution(slide, mpp)
    cv2.setNumThreads(1)  # one process a core; more would only compete
    with SlideReader(slide) as reader:
        watch.report(0, 0, "Finding tissue")
        scale = tissue.overview_downsample(mpp)
        found = tissue.find(reader.overview(scale), scale, mpp, (reader.width, reader.height))
        watch.report(0, 0, "Learning the stain")
        plan = _learn(reader, found, mpp, _with_classes(parameters), watch)
        regions = found.polygons()
        names = cells.CLASSES if plan.with_classes else (cells.NUCLEUS_CLASS,)
        readout = Readout(
            width=reader.width,
            height=reader.height,
            mpp=mpp,
            working_mpp=plan.context.mpp,
            tissue_mm2=found.area_mm2,
            tissue_regions=len(regions),
            classes=[ClassTotals(name) for name, _ in names],
            warnings=_warnings(slide, mpp, plan),
        )
        cell_path = destination / "cell_classification_geojson_polygons.geojson"
        with polygons.writer(cell_path, provenance) as file:
            _all_tiles(reader, plan, readout, file, provenance, tile_size, watch)
    watch.check()
    return _write(destination, cell_path, plan, regions, readout, provenance, parameters)


def task(
    slide: str,
    destination: str,
    mpp: float,
    parameters: dict[str, object],
    provenance: dict[str, str],
    progress: Progress,
) -> list[dict[str, object]]:
    """`analyse` for a supervised worker process: plain data in and out, paths as texts."""
    found = analyse(
        Path(slide),
        Path(destination),
        mpp=mpp,
        parameters=parameters,
        provenance=Provenance(**provenance),
        progress=progress,
    )
    return [{**asdict(item), "path": str(item.path)} for item in found]


def _with_classes(parameters: Mapping[str, object]) -> bool:
    return parameters.get("mode") != "test" and parameters.get("classify") is not False


def _check_resolution(slide: Path, mpp: float) -> None:
    if not isinstance(mpp, (int, float)) or not math.isfinite(mpp) or not _FINEST_UM <= mpp <= _COARSEST_UM:
        raise SlideError(
            "The resolution of the slide is missing or implausible",
            detail=f"{mpp} µm a pixel; nuclei can be found between {_FINEST_UM:g} and {_COARSEST_UM:g} µm.",
            advice="State the right MPP in the slide's metadata. 20x scans have about 0.5, 40x scans about 0.25.",
            subject=str(slide),
        )


def _learn(reader: SlideReader, found: tissue.Tissue, mpp: float, with_classes: bool, progress: Progress) -> _Plan:
    """Stain vectors, threshold and the usual darkness of nuclei, from windows spread over the tissue."""
    downsample = tiles.working_downsample(mpp)
    windows: list[tuple[NDArray[np.uint8], NDArray[np.bool_]]] = []
    for tile in tiles.sample(found, downsample, _SAMPLE_SIZE, _SAMPLES):
        progress.check()
        rgb = reader.read(tile.left, tile.top, tile.width, tile.height, downsample)
        windows.append((rgb, tiles.tissue_of(found, tile, downsample)))
    pixels = [rgb[mask] for rgb, mask in windows]
    colours = np.concatenate(pixels)[::5] if pixels else np.empty((0, 3), dtype=np.uint8)
    estimated = stain.estimate(colours, found.white)
    evidence = [(*nuclei.evidence(rgb, estimated), mask) for rgb, mask in windows]
    on_tissue = np.concatenate([raw[mask] for raw, _, mask in evidence]) if evidence else np.zeros(1, np.float32)
    context = nuclei.SlideContext(estimated, nuclei.otsu(on_tissue), mpp * downsample, nuclei.Parameters())
    amounts: list[NDArray[np.float64]] = []
    for raw, haematoxylin, mask in evidence:
        progress.check()
        labels, count = nuclei.label(raw, mask, context)
        amounts.append(cells.measure(labels, count, haematoxylin, context.mpp).haematoxylin)
    darkness = np.concatenate(amounts) if amounts else np.empty(0)
    median = float(np.median(darkness)) if len(darkness) else 1.0
    return _Plan(context, found, downsample, max(median, 1e-6), with_classes)


def _warnings(slide: Path, mpp: float, plan: _Plan) -> list[str]:
    found: list[str] = []
    if not plan.tissue.mask.any():
        found.append("No tissue was found on this slide.")
    elif plan.context.stain.he_share < _LEAST_HE_SHARE:
        found.append(
            f"The colours do not look like H&E: only {100 * plan.context.stain.he_share:.0f} % of the stained area is "
            "pink or purple. The rules are made for H&E; do not rely on these counts."
        )
    if plan.context.mpp > 0.75:
        found.append(f"The slide has only {plan.context.mpp:.2f} µm a pixel; small and touching nuclei are missed.")
    stated = read_metadata(slide).mpp_x
    if stated is not None and abs(stated - mpp) > 0.05 * stated:
        found.append(f"The file says {stated:g} µm a pixel, {mpp:g} µm was given and used.")
    return found


def _all_tiles(
    reader: SlideReader,
    plan: _Plan,
    readout: Readout,
    file: geojson.FeatureWriter,
    provenance: Provenance,
    tile_size: int,
    progress: Progress,
) -> None:
    mpp = readout.mpp
    work = list(tiles.tiles(reader.width, reader.height, plan.downsample, mpp, tile_size))
    kinds = cells.CLASSES if plan.with_classes else (cells.NUCLEUS_CLASS,)
    for number, tile in enumerate(work):
        progress.report(number, len(work), f"Finding nuclei, tile {number + 1} of {len(work)}")
        rgb = reader.read(tile.left, tile.top, tile.width, tile.height, plan.downsample)
        readout.tiles += 1
        mask = tiles.tissue_of(plan.tissue, tile, plan.downsample)
        if not mask.any():
            continue
        readout.tiles_with_tissue += 1
        for found in _one_tile(rgb, mask, tile, plan, readout):
            readout.classes[found.number].add(found.area)
            file.write(
                geojson.feature(
                    outlines.geometry([found.cell or found.nucleus]),
                    object_type="cell" if found.cell else "detection",
                    classification=kinds[found.number],
                    measurements=found.measurements,
                    id=polygons.object_id(provenance, "cell", file.count),
                    nucleus_geometry=outlines.geometry([found.nucleus]) if found.cell else None,
                )
            )
    progress.report(len(work), len(work), "Writing results")


def _one_tile(
    rgb: NDArray[np.uint8], mask: NDArray[np.bool_], tile: tiles.Tile, plan: _Plan, readout: Readout
) -> Iterator[_Found]:
    scale, mpp = plan.downsample, plan.context.mpp
    raw, haematoxylin = nuclei.evidence(rgb, plan.context.stain)
    labels, count = nuclei.label(raw, mask, plan.context)
    measured = cells.measure(labels, count, haematoxylin, mpp)
    mine = tile.owns(tile.left + measured.x * scale, tile.top + measured.y * scale)
    grown = labels
    if plan.with_classes:
        grown = cells.expand(labels, mpp)
        grown[~tiles.inside(tile, plan.tissue.width, plan.tissue.height, scale)] = 0
    boxes = cells.boxes(grown, count) if plan.with_classes else measured.boxes
    origin = (tile.left, tile.top)
    # By position, so that the order does not depend on how labels were given.
    for index in sorted(np.flatnonzero(mine), key=lambda i: (measured.y[i], measured.x[i])):
        number = int(index) + 1
        nucleus = _trace(labels, number, measured.boxes[index], scale, origin)
        if not nucleus:
            readout.dropped_outlines += 1
            continue
        area = outlines.area([nucleus]) * readout.mpp**2
        roundness = cells.circularity(area, outlines.perimeter(nucleus) * readout.mpp)
        darkness = float(measured.haematoxylin[index]) / plan.median_haematoxylin
        measurements = {
            "Nucleus: Area µm^2": round(area, 2),
            "Nucleus: Length µm": round(float(measured.length[index]), 2),
            "Nucleus: Width µm": round(float(measured.width[index]), 2),
            "Nucleus: Circularity": round(roundness, 3),
            "Nucleus: Hematoxylin OD mean": round(float(measured.haematoxylin[index]), 4),
        }
        if not plan.with_classes:
            yield _Found(nucleus, None, 0, area, measurements)
            continue
        cell = _trace(grown, number, boxes[index], scale, origin) or nucleus
        measurements["Cell: Area µm^2"] = round(outlines.area([cell]) * readout.mpp**2, 2)
        kind = cells.classify(area, float(measured.length[index]), float(measured.width[index]), roundness, darkness)
        yield _Found(nucleus, cell, kind, area, measurements)


def _trace(
    labels: NDArray[np.int32], number: int, box: NDArray[np.int64], scale: int, origin: tuple[int, int]
) -> outlines.Ring:
    left, top, right, bottom = (int(value) for value in box)
    cut = (labels[top:bottom, left:right] == number).astype(np.uint8)
    return outlines.trace_object(cut, left, top, scale, origin)


def _write(
    destination: Path,
    cell_path: Path,
    plan: _Plan,
    regions: list[outlines.Rings],
    readout: Readout,
    provenance: Provenance,
    parameters: Mapping[str, object],
) -> list[OutputFile]:
    tissue_path = destination / "tissue_segmentation_geojson_polygons.geojson"
    polygons.write_tissue(tissue_path, regions, readout.mpp, provenance)
    map_path = destination / "tissue_segmentation_tiff_segmap.tiff"
    segmap.write(map_path, plan.tissue, provenance)
    csv_path = destination / "readout_generation_csv_measurements.csv"
    tables.write_csv(csv_path, readout, provenance)
    json_path = destination / "readout_generation_json_summary.json"
    stained = plan.context.stain
    more: dict[str, object] = {
        "parameters": {key: parameters[key] for key in sorted(parameters)},
        "stain": {
            "estimated": stained.estimated,
            "haematoxylin": [round(value, 4) for value in stained.haematoxylin],
            "eosin": [round(value, 4) for value in stained.eosin],
            "he_share": round(stained.he_share, 4),
        },
        "engine": {
            "name": ENGINE_NAME,
            "version": ENGINE_VERSION,
            "method": "Colour deconvolution, threshold and watershed; rule-based, no trained model, not validated.",
            "class_rules": cells.RULES if plan.with_classes else "",
            "threshold": round(plan.context.otsu, 4),
            "parameters": asdict(plan.context.parameters),
        },
    }
    tables.write_json(json_path, readout, provenance, more)
    return [
        finished(TISSUE_POLYGONS, tissue_path, "application/geo+json", {"objects": len(regions)}),
        finished(CELL_POLYGONS, cell_path, "application/geo+json", {"objects": readout.total.count}),
        finished(TISSUE_MAP, map_path, "image/tiff", {"resolution_mpp": plan.tissue.mpp}),
        finished(MEASUREMENTS, csv_path, "text/csv"),
        finished(SUMMARY, json_path, "application/json"),
    ]
