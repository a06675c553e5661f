"""Names of result folders and files stay where they belong, whatever the ids look like."""

from __future__ import annotations

import functools
import http.server
import threading
import uuid
from pathlib import Path

import pytest

from launchpad.application.result_slides import download_slide
from launchpad.application.results import file_name, result_folders, stem_of
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import NotFound, TransferError
from launchpad.paths import safe_name
from launchpad.platform.models import ItemResultReadResponse, OutputArtifactResultReadResponse


def item(external_id: str) -> ItemResultReadResponse:
    return ItemResultReadResponse.model_validate(
        {
            "item_id": str(uuid.uuid4()),
            "external_id": external_id,
            "custom_metadata": None,
            "state": "TERMINATED",
            "output": "FULL",
            "termination_reason": "SUCCEEDED",
            "input_artifacts": [],
            "output_artifacts": [],
            "error_message": None,
            "terminated_at": None,
        }
    )


def artifact(name: str, **metadata: str) -> OutputArtifactResultReadResponse:
    return OutputArtifactResultReadResponse.model_validate(
        {
            "output_artifact_id": str(uuid.uuid4()),
            "name": name,
            "metadata": metadata,
            "state": "TERMINATED",
            "termination_reason": "SUCCEEDED",
            "output": "AVAILABLE",
        }
    )


@pytest.mark.parametrize(
    ("external_id", "stem"),
    [
        ("/slides/CMU-1.svs", "CMU-1"),
        ("/slides/CMU-1.ome.tiff", "CMU-1.ome"),
        ("C:\\slides\\CMU-1.svs", "CMU-1"),
        ("\\\\server\\share\\CMU-1.svs", "CMU-1"),
        ("gs://bucket/a%20b/CMU-1.svs?x=1", "CMU-1"),
        ("slide-7", "slide-7"),
        ("/slides/.svs", "svs"),
        ("../../etc/passwd", "passwd"),
        ("..", "_"),
        ("/slides/a:b*c.svs", "a_b_c"),
        ("/slides/CON.svs", "_CON"),
        ("", "_"),
    ],
)
def test_stem(external_id: str, stem: str) -> None:
    assert stem_of(external_id) == stem


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", ".", "x\x00y", "nul.txt", "a" * 500, " . "])
def test_a_safe_name_is_one_part_of_a_path(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(Path(safe).parts) == 1
    assert safe not in (".", "..")
    assert len(safe) <= 151


def test_slides_of_one_name_get_folders_of_their_own() -> None:
    items = [item("/a/CMU-1.svs"), item("/b/cmu-1.tiff"), item("/b/other.svs")]
    folders = result_folders(items)

    assert folders[items[2].item_id] == "other"
    both = [folders[items[0].item_id], folders[items[1].item_id]]
    assert all(name.casefold().startswith("cmu-1~") and len(name) == len("CMU-1~") + 8 for name in both)
    assert both[0].casefold() != both[1].casefold()
    assert result_folders(list(reversed(items))) == folders  # whatever the order


def test_file_names_follow_the_media_type() -> None:
    cells = artifact("cell_classification:geojson_polygons", media_type="application/geo+json")
    assert file_name(cells) == "cell_classification_geojson_polygons.json"
    assert file_name(artifact("a:b", mime_type="text/csv; charset=utf-8")) == "a_b.csv"
    assert file_name(artifact("a:b", media_type="image/tiff")) == "a_b.tiff"
    assert file_name(artifact("../a:b", media_type="application/vnd.apache.parquet")) == "_a_b.parquet"
    assert file_name(artifact("a:b")) == "a_b.bin"


def test_long_names_fit_a_file_system_and_forms_of_umlauts_are_one(tmp_path: Path) -> None:
    for name in ("数" * 300, "x" * 400, "ä" * 179 + ". "):
        safe = safe_name(name)
        assert len(safe.encode()) <= 150
        assert not safe.endswith((".", " "))
        (tmp_path / f"{safe}.geojson.part").write_bytes(b"x")
    assert safe_name("a\u0308.svs") == safe_name("\u00e4.svs")
    folders = result_folders([item("/one/a\u0308.svs"), item("/two/\u00e4.svs")])
    assert len({folder.casefold() for folder in folders.values()}) == 2


class _Slides(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _item(external_id: str, url: str | None, checksum: str | None) -> ItemResultReadResponse:
    return ItemResultReadResponse.model_validate(
        {
            "item_id": "00000000-0000-4000-8000-000000000001",
            "external_id": external_id,
            "custom_metadata": None,
            "state": "TERMINATED",
            "output": "FULL",
            "input_artifacts": [
                {
                    "input_artifact_id": "00000000-0000-4000-8000-000000000002",
                    "name": "whole_slide_image",
                    "metadata": {"checksum_base64_crc32c": checksum} if checksum else None,
                    "download_url": url,
                }
            ],
            "output_artifacts": [],
        }
    )


def test_a_slide_whose_id_is_an_address_is_fetched_and_verified(tmp_path: Path, data_dir: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a b.svs").write_bytes(b"slide" * 1000)
    checksum = crc32c_file(tmp_path / "served" / "a b.svs")
    handler = functools.partial(_Slides, directory=str(tmp_path / "served"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a%20b.svs"
        run = tmp_path / "run"
        got = download_slide(_item("gs://bucket/x/a%20b.svs", url, checksum), run)
        assert got == run / "input" / "a b.svs"
        assert got.read_bytes() == b"slide" * 1000
        assert download_slide(_item(url, None, None), tmp_path / "other") == tmp_path / "other" / "input" / "a b.svs"
        with pytest.raises(TransferError):
            download_slide(_item(url, url, "AAAAAA=="), tmp_path / "third")
        assert download_slide(_item("/slides/a.svs", None, None), run) is None
        with pytest.raises(NotFound, match="input"):
            download_slide(_item("gs://bucket/c.svs", None, None), run)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
