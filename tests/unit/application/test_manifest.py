"""The metadata file goes both ways between ours, the old SDK and a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import Slide
from launchpad.application.manifest import check_manifest, other_cells, read_manifest, write_manifest
from launchpad.errors import BadInput, LaunchpadError
from launchpad.localplatform.applications.registry import APPLICATIONS

COLUMNS = columns(input_artifact(APPLICATIONS["he-tme"].details()).metadata_schema)
HEADER = (
    "external_id;checksum_base64_crc32c;resolution_mpp;width_px;height_px;staining_method;tissue;disease;"
    "platform_bucket_url"
)


def slide(path: Path, **changes: object) -> Slide:
    fields: dict[str, object] = {
        "path": path,
        "files": (path,),
        "external_id": str(path),
        "format": "SVS",
        "size": 0,
        "width": 100,
        "height": 50,
        "mpp": 0.499,
        "crc32c": "AAAAAA==",
        "values": {"tissue": "LUNG", "staining_method": "H&E"},
        **changes,
    }
    return Slide(**fields)  # type: ignore[arg-type]


def test_what_is_written_is_what_the_old_sdk_writes(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "run.csv"
    write_manifest(file, [slide(tmp_path / "a;b.svs"), slide(tmp_path / "ä.svs", mpp=None)], COLUMNS)

    lines = file.read_bytes().decode("utf-8").split("\r\n")
    assert lines[0] == HEADER
    assert lines[1] == f'"{tmp_path}/a;b.svs";AAAAAA==;0.499;100;50;H&E;LUNG;;'
    assert lines[2] == f"{tmp_path}/ä.svs;AAAAAA==;;100;50;H&E;LUNG;;"  # a missing MPP is an empty cell
    assert lines[3:] == [""]


def test_columns_of_a_persons_own_stay_behind_ours(tmp_path: Path) -> None:
    file, column = tmp_path / "run.csv", [item for item in COLUMNS if item.key == "tissue"]
    file.write_text(
        f'case,{HEADER.replace(";", ",")},more\nK-1,{tmp_path}/a.svs,AAAAAA==,0.5,100,50,H&E,LUNG,,,"x;y"\n'
    )
    write_manifest(file, [slide(tmp_path / "a.svs"), slide(tmp_path / "b.svs")], column, other_cells(file, column))
    header, first, second, _ = file.read_bytes().decode().split("\r\n")
    assert header == (
        "external_id;checksum_base64_crc32c;resolution_mpp;width_px;height_px;tissue;platform_bucket_url;"
        "case;staining_method;disease;more"
    )
    assert first == f'{tmp_path}/a.svs;AAAAAA==;0.499;100;50;LUNG;;K-1;H&E;;"x;y"'
    assert second == f"{tmp_path}/b.svs;AAAAAA==;0.499;100;50;LUNG;;;;;"
    assert read_manifest(file, COLUMNS)[0].values == {"tissue": "LUNG", "staining_method": "H&E"}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    before = [slide(tmp_path / "a;b.svs", bucket_url="gs://b/k"), slide(tmp_path / "ä.svs", mpp=None)]
    write_manifest(file, before, COLUMNS)

    after = read_manifest(file, COLUMNS)
    assert [item.external_id for item in after] == [item.external_id for item in before]
    assert [item.mpp for item in after] == [0.499, None]
    assert after[0].values == before[0].values
    assert after[0].bucket_url == "gs://b/k"
    assert (after[0].width, after[0].height, after[0].crc32c) == (100, 50, "AAAAAA==")


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_a_spreadsheet_saves_is_read(tmp_path: Path, separator: str, mark: str, end: str) -> None:
    rows = [HEADER.split(";"), ["/s/1.svs", "AAAAAA==", '"0,25"', "10", "20.0", "H&E", "LUNG", "LUNG_CANCER", ""]]
    file = tmp_path / "run.csv"
    file.write_bytes((mark + end.join(separator.join([*row, "own remark"]) for row in rows)).encode())

    (only,) = read_manifest(file, COLUMNS)
    assert (only.external_id, only.mpp, only.width, only.height) == ("/s/1.svs", 0.25, 10, 20)
    assert only.values == {"staining_method": "H&E", "tissue": "LUNG", "disease": "LUNG_CANCER"}


def test_the_zero_that_the_old_sdk_writes_is_no_resolution(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    file.write_text(f"{HEADER}\n/s/1.svs;AAAAAA==;0.0;10;20;;;;\n")
    assert read_manifest(file, COLUMNS)[0].mpp is None


def test_a_relative_path_starts_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    file.write_text(f"{HEADER}\nslides/1.svs;AAAAAA==;0.5;10;20;;;;\n")
    (only,) = read_manifest(file, COLUMNS)
    assert only.path == tmp_path / "slides" / "1.svs"
    assert only.external_id == "slides/1.svs"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (";AAAAAA==;0.5;10;20;;;;", "Row 2, column external_id"),
        ("/s/1.svs;AAAAAA==;half;10;20;;;;", "Row 2, column resolution_mpp: “half”"),
        ("/s/1.svs;AAAAAA==;nan;10;20;;;;", "Row 2, column resolution_mpp: “nan”"),
        ("/s/1.svs;AAAAAA==;-1;10;20;;;;", "Row 2, column resolution_mpp: “-1”"),
        ("/s/1.svs;AAAAAA==;0.5;;20;;;;", "Row 2, column width_px: “”"),
        ("/s/1.svs;AAAAAA==;0.5;10;2.5;;;;", "Row 2, column height_px: “2.5”"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(tmp_path: Path, row: str, words: str) -> None:
    file = tmp_path / "run.csv"
    file.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(BadInput) as caught:
        read_manifest(file, COLUMNS)
    assert words in str(caught.value)
    assert caught.value.subject == str(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"name;size\na;1\n", "lacks columns"),
        (HEADER.encode(), "holds no slides"),
        (b"\xff\xfe\x00", "is no text"),
    ],
)
def test_a_file_that_is_no_metadata_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "run.csv"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=words):
        read_manifest(file, COLUMNS)
    with pytest.raises(BadInput, match="cannot be read"):
        read_manifest(tmp_path / "none.csv", COLUMNS)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchpadError, match="cannot be written") as caught:
        write_manifest(tmp_path, [], COLUMNS)
    assert caught.value.subject == str(tmp_path)


def _table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    file = tmp_path / "run.csv"
    file.write_bytes(text.encode(encoding))
    return file


SHORT = "external_id;checksum_base64_crc32c;resolution_mpp;width_px;height_px;staining_method;tissue;disease"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_as_spreadsheet_programs_save_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = f"{SHORT}\r\n/s/Gewebe ä.svs;AAAAAA==;0.5;10;20;H&E;LUNG;\r\n;;;;;;;\r\n".replace(";", delimiter)
    (slide,) = read_manifest(_table(tmp_path, text, encoding), COLUMNS)
    assert (slide.external_id, slide.mpp, slide.values["tissue"]) == ("/s/Gewebe ä.svs", 0.5, "LUNG")


def test_the_separator_that_excel_writes_first_is_taken(tmp_path: Path) -> None:
    (slide,) = read_manifest(_table(tmp_path, f"sep=;\r\n{SHORT}\r\n/s/a.svs;;0,25;10;20;;;\r\n"), COLUMNS)
    assert slide.mpp == 0.25


@pytest.mark.parametrize("old", ["/old/place/set/a.svs", "C:\\old\\set\\a.svs", "set/a.svs"])
def test_slides_that_moved_with_their_file_are_found(tmp_path: Path, old: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.svs").write_bytes(b"x")
    (slide,) = read_manifest(_table(tmp_path, f"{SHORT}\n{old};;0.5;10;20;;;\n"), COLUMNS)
    assert slide.path == tmp_path / "set" / "a.svs"
    assert slide.external_id == old


def test_all_bad_cells_are_named_at_once(tmp_path: Path) -> None:
    file = _table(tmp_path, f"{SHORT}\n/a.svs;;x;10;20;;;\n/b.svs;;0.5;0;20;;;\n")
    with pytest.raises(BadInput) as caught:
        read_manifest(file, COLUMNS)
    assert "Row 2, column resolution_mpp: “x”" in caught.value.detail
    assert "Row 3, column width_px: “0”" in caught.value.detail


def test_what_the_schema_does_not_take_is_listed_by_row_and_column(tmp_path: Path) -> None:
    rows = [
        "/a.svs;;0.01;10;20;IHC;LUNG;LUNG_CANCER",
        "/b.svs;;;10;20;H&E;;LUNG_CANCER",
        "",
        "/a.svs;;0.5;10;20;H&E;LUNG;LUNG_CANCER",
        f"/{'x' * 300}.svs;;0.5;10;20;H&E;LUNG;LUNG_CANCER",
        "/c.svs;;0.5;10;20;H&E;LUNG;LUNG_CANCER",
    ]
    file = _table(tmp_path, "\n".join([SHORT, *rows]))
    found = check_manifest(file, COLUMNS, {"exclusiveMinimum": 0.05, "maximum": 2.0})
    assert [(item.row, item.column) for item in found] == [
        (2, "resolution_mpp"),
        (2, "staining_method"),
        (3, "resolution_mpp"),
        (3, "tissue"),
        (5, "external_id"),
        (6, "external_id"),
    ]
    assert found[0].reason == "0.01 is not more than 0.05"
    assert found[1].reason == "“IHC” is none of H&E"
