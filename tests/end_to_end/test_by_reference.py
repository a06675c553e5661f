"""A run of large slides on this computer costs the disk its results, and no copy of a slide."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from launchpad.application import Service
from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.manifest import read_rows
from launchpad.application.submit import open_bucket, submit, upload
from launchpad.platform import Client


def used(folder: Path) -> int:
    """Bytes that the files below a folder take on the disk, holes left out."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("count", "size"), [(2, 200_000_000), pytest.param(5, 2_000_000_000, marks=pytest.mark.long)])
def test_disk_use_is_the_results(
    platform_endpoint: object, module_data_dir: Path, tmp_path: Path, sample_svs: Path, count: int, size: int
) -> None:
    for number in range(count):
        with (tmp_path / f"large {number}.svs").open("wb") as file:
            file.write(sample_svs.read_bytes())
            file.write(os.urandom(8))
            file.truncate(size)  # a hole: as large as it says to everybody who reads it
    rows = Service.generate_metadata_from_source_directory(tmp_path, "test-app")
    before = used(module_data_dir)
    with Client() as client:
        version = client.application_version("test-app")
        fields = columns(input_artifact(version).metadata_schema)
        bucket = open_bucket(client)
        try:
            slides = upload(
                read_rows(rows, fields),
                client=client,
                bucket=bucket,
                application_id="test-app",
                version=version.version_number,
            )
            assert [slide.error for slide in slides] == [""] * count
            draft = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=slides)
            run_id = submit(draft, client=client, bucket=bucket, version=version)
        finally:
            bucket.close()
        handle = client.run(run_id)
        end = time.monotonic() + 300
        while handle.details(nocache=True).state != "TERMINATED" and time.monotonic() < end:
            time.sleep(0.5)
        items = list(handle.results())
        results = 0
        for item in items:
            assert item.output == "FULL", item.error_message
            results += sum(int((artifact.metadata or {})["size_bytes"]) for artifact in item.output_artifacts)
    grown = used(module_data_dir) - before
    assert sum(slide.size for slide in slides) == count * size
    assert grown < results + 5_000_000, f"{grown:,} bytes for {results:,} bytes of results"
