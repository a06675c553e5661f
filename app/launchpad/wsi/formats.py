"""Which file names are slides, and what people call the formats."""

from __future__ import annotations

from pathlib import Path

# Suffixes of the formats that OpenSlide 4 reads, lower case.
NAMES: dict[str, str] = {
    ".svs": "SVS",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".dcm": "DICOM",
    ".ndpi": "NDPI",
    ".vms": "VMS",
    ".vmu": "VMU",
    ".scn": "SCN",
    ".mrxs": "MRXS",
    ".svslide": "SVSLIDE",
    ".bif": "BIF",
    ".czi": "CZI",
}


def format_name(path: Path) -> str:
    """The format by the file's name, "" when it is no slide by its suffix (letter case does not matter)."""
    name = path.name.lower()
    if name.endswith((".ome.tif", ".ome.tiff")):
        return "OME-TIFF"
    return NAMES.get(path.suffix.lower(), "")


def is_dicom_file(path: Path) -> bool:
    """Whether the file carries DICOM's mark behind its preamble, whatever its name is."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
