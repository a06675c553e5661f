"""The readout as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from launchpad.analysis import NOTICE
from launchpad.analysis.outputs.provenance import Provenance, described
from launchpad.analysis.readouts import ClassTotals, Readout
from launchpad.paths import write_atomic

COLUMNS = (
    "external_id",
    "class",
    "tissue_area_mm2",
    "nuclei",
    "share_percent",
    "density_per_mm2",
    "nucleus_area_mean_um2",
    "nucleus_area_sd_um2",
)


def write_csv(path: Path, readout: Readout, provenance: Provenance) -> None:
    """One row for all nuclei of the slide, one for each class; comment lines with the origin come first."""
    buffer = io.StringIO()
    for key, value in described(provenance).items():
        buffer.write(f"# {key}: {_one_line(value)}\n")
    for warning in readout.warnings:
        buffer.write(f"# warning: {_one_line(warning)}\n")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    total = readout.total
    for item in (total, *readout.classes):
        share = 100 * item.count / total.count if total.count else None
        writer.writerow(
            [
                provenance.external_id,
                item.name,
                _text(readout.tissue_mm2, 6),
                item.count,
                _text(share, 2),
                _text(readout.density(item), 2),
                _text(item.area_mean, 2),
                _text(item.area_sd, 2),
            ]
        )
    write_atomic(path, buffer.getvalue().encode())


def write_json(path: Path, readout: Readout, provenance: Provenance, more: Mapping[str, object]) -> None:
    """The readout with its origin; `more` are further top-level entries."""
    total = readout.total
    document = {
        "provenance": described(provenance),
        "notice": NOTICE,
        "warnings": readout.warnings,
        "slide": {"width_px": readout.width, "height_px": readout.height, "mpp_um": readout.mpp},
        "tissue": {"area_mm2": round(readout.tissue_mm2, 6), "regions": readout.tissue_regions},
        "nuclei": _numbers(total, readout),
        "classes": [{"name": item.name, **_numbers(item, readout)} for item in readout.classes],
        "analysis": {
            "working_mpp_um": readout.working_mpp,
            "tiles_read": readout.tiles,
            "tiles_with_tissue": readout.tiles_with_tissue,
            "nuclei_without_valid_outline": readout.dropped_outlines,
        },
        **more,
    }
    write_atomic(path, json.dumps(document, indent=2, ensure_ascii=False).encode())


def _numbers(totals: ClassTotals, readout: Readout) -> dict[str, object]:
    return {
        "count": totals.count,
        "density_per_mm2": _rounded(readout.density(totals), 2),
        "area_mean_um2": _rounded(totals.area_mean, 2),
        "area_sd_um2": _rounded(totals.area_sd, 2),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
