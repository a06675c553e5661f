"""Damaged slides of every kind: no crash, no hang, no memory over the limit, always an error that names the file."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from launchpad.errors import SlideError
from launchpad.wsi.isolation import SlideService

_HEADER = 4096  # bytes in which damage hits the structure, not the pixels
_HUGE = (0, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0x10000)


def _damaged(content: bytes, chance: random.Random) -> bytes:
    kind = chance.choice(("flip", "header", "cut", "huge", "zero", "loop"))
    if kind == "cut":
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    # Structure stands at the beginning and, in many TIFF files, at the end.
    near = min(_HEADER, len(content) - 8)
    place = chance.choice((chance.randrange(near), len(content) - 8 - chance.randrange(near)))
    if kind == "flip":
        for _ in range(chance.randrange(1, 50)):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif kind == "header":
        for _ in range(chance.randrange(1, 8)):
            changed[chance.randrange(near)] = chance.randrange(256)
    elif kind == "huge":
        changed[place : place + 4] = chance.choice(_HUGE).to_bytes(4, chance.choice(("little", "big")))
    elif kind == "zero":
        length = chance.randrange(1, 200)
        changed[place : place + length] = bytes(len(changed[place : place + length]))
    else:  # an offset that leads back to the first directory
        changed[place : place + 4] = changed[4:8]
    return bytes(changed)


def _sources(folder: Path, sample_dicom: Path) -> dict[str, Path]:
    pixels = np.random.default_rng(3).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    keywords = {"tile": (128, 128), "photometric": "rgb", "compression": "adobe_deflate"}
    description = "Aperio Image Library v11\n512x512 [0,0 512x512] (128x128) JPEG/RGB Q=70|AppMag = 20|MPP = 0.499"
    tifffile.imwrite(folder / "a.svs", pixels, metadata=None, description=description, **keywords)
    tifffile.imwrite(folder / "b.tiff", pixels, metadata=None, resolution=(20000, 20000), **keywords)
    tifffile.imwrite(folder / "c.ome.tiff", pixels, ome=True, metadata={"axes": "YXS"}, **keywords)
    return {
        "svs": folder / "a.svs",
        "tiff": folder / "b.tiff",
        "ome.tiff": folder / "c.ome.tiff",
        "dcm": sample_dicom / "volume-00139.dcm",
    }


def _run(folder: Path, sample_dicom: Path, number: int) -> None:
    sources = _sources(folder, sample_dicom)
    errors = 0
    unclear: list[str] = []
    with SlideService(workers=1) as service:
        for suffix, source in sources.items():
            content = source.read_bytes()
            for seed in range(number):
                place = folder / "one" / f"{seed}"
                place.mkdir(parents=True)
                path = place / f"slide.{suffix}"
                path.write_bytes(_damaged(content, random.Random(f"{suffix}{seed}")))
                start = time.monotonic()
                try:
                    service.describe(path, ())
                    service.thumbnail(path, 64)
                except SlideError as error:
                    errors += 1
                    if error.subject != str(path) or not error.advice:
                        unclear.append(f"{suffix} {seed}: {error!r}")
                except Exception as error:  # all that are found in one run
                    unclear.append(f"{suffix} {seed}: {error!r}")
                assert time.monotonic() - start < 30, (suffix, seed)
                path.unlink()
                place.rmdir()
    assert not unclear
    assert errors > number  # the damage is real


def test_damage_is_an_error_of_its_slide(data_dir: Path, tmp_path: Path, sample_dicom: Path) -> None:
    _run(tmp_path, sample_dicom, 60)


@pytest.mark.parametrize(("suffix", "seed"), [("svs", 490), ("tiff", 469), ("tiff", 590), ("tiff", 974)])
def test_what_failed_once(data_dir: Path, tmp_path: Path, sample_dicom: Path, suffix: str, seed: int) -> None:
    """A header that asks for more memory than there is, and resolutions that are no fractions."""
    source = _sources(tmp_path, sample_dicom)[suffix]
    path = tmp_path / f"slide.{suffix}"
    path.write_bytes(_damaged(source.read_bytes(), random.Random(f"{suffix}{seed}")))

    def look(service: SlideService) -> None:
        service.describe(path, ())
        service.thumbnail(path, 64)

    with SlideService(workers=1) as service, pytest.raises(SlideError) as caught:
        look(service)
    assert caught.value.subject == str(path)
    assert caught.value.advice


@pytest.mark.long
def test_much_damage(data_dir: Path, tmp_path: Path, sample_dicom: Path) -> None:
    _run(tmp_path, sample_dicom, int(os.environ.get("MUTATIONS", "2000")))
