"""Names of result folders and files stay where they belong, whatever the ids look like."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from launchpad.application.results import file_name, result_folders, safe_name, stem_of
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
