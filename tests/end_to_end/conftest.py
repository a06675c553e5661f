"""Slides for whole runs, and a platform that nobody but the commands of a test holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from launchpad.platform import embedded


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory, sample_svs: Path, sample_dicom: Path) -> Path:
    """A folder with the same slide in two forms."""
    folder = tmp_path_factory.mktemp("slides ä")
    shutil.copy(sample_svs, folder)
    shutil.copytree(sample_dicom, folder / "dicom")
    return folder


@pytest.fixture(scope="module")
def one_slide(tmp_path_factory: pytest.TempPathFactory, small_tiff: Path) -> Path:
    """A folder with one small slide."""
    folder = tmp_path_factory.mktemp("one")
    shutil.copy(small_tiff, folder)
    return folder


@pytest.fixture(scope="module")
def large_slide(tmp_path_factory: pytest.TempPathFactory, sample_svs: Path) -> Path:
    """A folder with one slide that takes the engine some seconds: the sample, four times."""
    import numpy as np
    import tifffile

    from launchpad.wsi.reader import SlideReader

    folder = tmp_path_factory.mktemp("large")
    with SlideReader(sample_svs) as reader:
        once = reader.read(0, 0, reader.width, reader.height)
    tifffile.imwrite(
        folder / "large.tiff",
        np.tile(once, (2, 2, 1)),
        tile=(256, 256),
        photometric="rgb",
        compression="zlib",
        resolution=(1e4 / 0.499, 1e4 / 0.499),
        resolutionunit="CENTIMETER",
    )
    return folder


@pytest.fixture
def own_platform(data_dir: Path) -> Iterator[Path]:
    """A data folder whose platform nobody but the commands holds; stopped at the end."""
    yield data_dir
    embedded.release()
    assert embedded.stop()
