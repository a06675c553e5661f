"""What is done with runs after they were submitted, without a window: causes, previews, plans, recipes, rules."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launchpad.application.archive import zip_run
from launchpad.application.columns import Column
from launchpad.application.download_plan import DownloadPlan
from launchpad.application.draft import Slide, SubmissionDraft
from launchpad.application.explain import explain
from launchpad.application.failures import failures
from launchpad.application.preflight import preflight
from launchpad.application.previews import kind_of, picture_png, read_shapes, read_table, read_tree
from launchpad.application.recent import recent, remember
from launchpad.application.recipe import draft_as_commands, draft_as_python
from launchpad.errors import BadInput
from launchpad.platform.models import ItemResultReadResponse

COLUMNS = (Column("tissue", ("specimen", "tissue"), "Tissue", True, ("LUNG", "SKIN"), None),)


def item(number: int, reason: str | None, code: str = "", message: str = "") -> ItemResultReadResponse:
    return ItemResultReadResponse.model_validate(
        {
            "item_id": f"00000000-0000-4000-8000-{number:012d}",
            "external_id": f"/slides/case {number}.svs",
            "custom_metadata": None,
            "state": "TERMINATED" if reason else "PENDING",
            "output": "NONE",
            "termination_reason": reason,
            "error_code": code or None,
            "error_message": message or None,
            "input_artifacts": [],
            "output_artifacts": [],
        }
    )


def slide(name: str, **changes: Any) -> Slide:
    path = Path("/slides") / name
    fields = {"path": path, "files": (path,), "external_id": str(path), "format": "SVS", "size": 10, "width": 100,
              "height": 100, "mpp": 0.5, "mpp_origin": "file", "values": {"tissue": "LUNG"}}  # fmt: skip
    return Slide(**{**fields, **changes})


def test_failures_of_one_cause_stand_together_whatever_slide_they_name() -> None:
    found = failures(
        [
            item(1, "USER_ERROR", "SLIDEERROR", "Cannot be read: /slides/case 1.svs. Its header ends after 12 bytes."),
            item(2, "USER_ERROR", "SLIDEERROR", "Cannot be read: /slides/case 2.svs. Its header ends after 99 bytes."),
            item(3, "SUCCEEDED"),
            item(4, "SYSTEM_ERROR", "WORKER_DIED", "It needed too much memory."),
            item(5, "SKIPPED"),
            item(6, None),
        ]
    )
    assert [(failure.code, len(failure.items)) for failure in found] == [("SLIDEERROR", 2), ("WORKER_DIED", 1), ("", 1)]
    assert all(failure.advice for failure in found)
    assert "resubmit" in found[0].advice.lower()
    assert found[2].reason == "SKIPPED"


def test_a_table_is_read_without_its_comments(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("# made by\n# two lines\nclass;count\nAll;3\n# between\n\nOther;1\n", encoding="utf-8-sig")
    table = read_table(file)
    assert table.header == ("class", "count")
    assert table.rows == (("All", "3"), ("Other", "1"))
    assert not table.more
    (tmp_path / "empty.csv").write_text("")
    assert read_table(tmp_path / "empty.csv").rows == ()
    with pytest.raises(BadInput):
        read_table(tmp_path / "missing.csv")


def test_pictures_trees_and_cells_are_read_or_refused_with_words(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (400, 100), 1).save(tmp_path / "map.tiff")
    assert picture_png(tmp_path / "map.tiff", 200).startswith(b"\x89PNG")
    (tmp_path / "bad.tiff").write_bytes(b"II*\x00nothing")
    with pytest.raises(BadInput, match="picture cannot be read"):
        picture_png(tmp_path / "bad.tiff", 200)
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(BadInput):
        read_tree(tmp_path / "deep.json")
    cell = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [4, 0], [4, 4], [0, 0]]]},
            "properties": {"objectType": "cell", "classification": {"name": "Tumour", "color": [1, 2, 3]}}}  # fmt: skip
    region = {**cell, "properties": {"objectType": "annotation", "name": "Tissue"}}
    (tmp_path / "cells.json").write_text(json.dumps({"type": "FeatureCollection", "features": [cell, cell, region]}))
    shapes = read_shapes(tmp_path / "cells.json")
    assert [len(shape.points) for shape in shapes.shapes] == [1, 1, 4]
    assert shapes.counts[0] == ("Tumour", 2, (1, 2, 3))
    (tmp_path / "cells.json").write_text('{"type": "FeatureCollection", "features": [{"geometry": 3}]}')
    with pytest.raises(BadInput):
        read_shapes(tmp_path / "cells.json")
    kinds = [
        ("a.csv", ""),
        ("a.json", "application/geo+json"),
        ("a.json", "application/json"),
        ("a.tiff", ""),
        ("a", ""),
    ]
    assert [kind_of(name, kind) for name, kind in kinds] == ["table", "cells", "tree", "picture", ""]


def test_a_zip_holds_the_folder_and_no_unfinished_file(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    (folder / "slide ä").mkdir(parents=True)
    (folder / "slide ä" / "a.csv").write_text("1")
    (folder / "slide ä" / ".a.csv.part").write_text("half")
    target = zip_run(folder, tmp_path / "run.zip")
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["run-1/slide ä/a.csv"]
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


def test_a_download_plan_survives_a_restart() -> None:
    assert DownloadPlan("run-1").to_text() == "run-1"
    plan = DownloadPlan("run-1", ("a", "b"), "/results", "/a.zip", True)
    assert DownloadPlan.from_text(plan.to_text()) == plan
    assert DownloadPlan.from_text("run-1") == DownloadPlan("run-1")


def test_a_schema_is_explained_with_what_it_takes() -> None:
    schema = {
        "required": ["specimen"], "$defs": {"Tissue": {"enum": ["LUNG", "SKIN"], "description": "Where from"}},
        "properties": {
            "mpp": {"type": "number", "exclusiveMinimum": 0.05, "maximum": 2},
            "specimen": {"required": ["tissue"], "properties": {"tissue": {"$ref": "#/$defs/Tissue"}}},
        },
    }  # fmt: skip
    found = {field.path: field for field in explain(schema)}
    assert list(found) == ["mpp", "specimen", "specimen.tissue"]
    assert found["mpp"].takes == "number, more than 0.05, at most 2"
    assert (found["specimen.tissue"].takes, found["specimen.tissue"].required) == ("LUNG, SKIN", True)
    assert found["specimen.tissue"].meaning == "Where from"
    assert explain({"properties": {"a": {"$ref": "#/properties/a"}}})


def test_the_check_before_the_start_names_what_stands_in_the_way_and_its_fix() -> None:
    draft = SubmissionDraft("he-tme", "1.0.0", COLUMNS, slides=[
        slide("unreadable.svs", error="Damaged"), slide("no mpp.svs", mpp=None), slide("empty.svs", values={}),
        slide("stain.svs", values={"tissue": "MOON"}), slide("named.svs", identifying=("label",), crc32c="AAAA"),
        slide("twin.svs", crc32c="AAAA"),
    ])  # fmt: skip
    found = {
        finding.key: finding for finding in preflight(draft, by_reference=False, free_disk=10, bytes_per_second=0.1)
    }
    assert [key for key, finding in found.items() if finding.blocks] == [
        "unreadable",
        "mpp",
        "missing tissue",
        "not taken tissue",
    ]
    assert (found["unreadable"].fix, found["mpp"].fix, found["mpp"].column) == ("leave_out", "show", "mpp")
    assert {"identifying", "twins", "disk", "time", "notes and tags"} <= set(found)
    assert "MOON" in found["not taken tissue"].message
    late = SubmissionDraft("he-tme", "1.0.0", COLUMNS, slides=[slide("a.svs")], note="n")
    late.due_date = datetime.now(UTC) - timedelta(hours=1)
    assert [finding.fix for finding in preflight(late, by_reference=True)] == ["schedule"]
    late.due_date = None
    assert preflight(late, by_reference=True) == []
    (over,) = preflight(late, by_reference=True, over_quota="2 more slide(s) are too many")
    assert (over.key, over.blocks, over.fix) == ("quota", True, "show")


def test_a_draft_as_text_can_be_used_again() -> None:
    draft = SubmissionDraft("he-tme", "1.0.0", COLUMNS, slides=[slide("it's a.svs")], note="a “note”", tags=["b c"])
    commands = draft_as_commands(draft, "my slides.csv").splitlines()
    assert commands[0] == "launchpad application run upload he-tme 'my slides.csv' --application-version 1.0.0"
    assert "--tags 'b c'" in commands[1]
    compile(draft_as_python(draft), "recipe", "exec")


@pytest.mark.usefixtures("data_dir")
def test_what_was_used_last_comes_first() -> None:
    remember("folder", ["/a", "/b"])
    remember("folder", ["/a"])
    remember("tag", ["x"])
    assert recent("folder") == ["/a", "/b"]
    assert recent("tag") == ["x"]
    remember("tag", [str(number) for number in range(80)])
    assert len(recent("tag", 100)) == 50
