"""The index of public slides: unpacked once, found by words and ids, asked in SQL that can only read."""

from __future__ import annotations

import lzma
import sqlite3
from pathlib import Path

import pytest

from launchpad.dataset import IDCClient
from launchpad.dataset.collections import proposals_of
from launchpad.dataset.index import SlideIndex, open_index
from launchpad.dataset.layout import DEFAULT, check, folder_of
from launchpad.dataset.query import INSTANCES, SLIDES, columns, query
from launchpad.dataset.selection import EXAMPLE, select
from launchpad.errors import BadInput, LaunchpadError, SettingsError
from public_mirror import FOLDER, PLACE, SERIES


@pytest.fixture
def index(unpacked_index: Path) -> SlideIndex:
    return SlideIndex(unpacked_index)


def test_what_ships_has_the_slides_of_image_data_commons(index: SlideIndex) -> None:
    everything = index.search(limit=3)
    assert everything.total == 76_300
    assert len(everything.series) == 3
    assert everything.size > 49e12
    assert len(index.collections()) == 73
    assert index.version() == "25"


@pytest.mark.parametrize(
    ("words", "at_least", "collection"),
    [
        ("TCGA-LUAD", 1608, "tcga_luad"),
        ("lung adenocarcinoma frozen HE", 1000, None),
        ("giemsa", 246, None),
        ("hematoxylin eosin prostate", 1000, None),
        ("immunohistochemistry", 1000, None),
        ("TCGA-86-6562", 3, "tcga_luad"),
        ("aperio brea", 3000, None),
    ],
)
def test_slides_are_found_by_words(index: SlideIndex, words: str, at_least: int, collection: str | None) -> None:
    found = index.search(words, limit=50)
    assert found.total >= at_least
    assert len(found.series) == min(50, found.total)
    if collection is not None:
        assert {item.collection_id for item in found.series} == {collection}
    assert found.size >= sum(item.size for item in found.series)


def test_several_ids_are_found_together(index: SlideIndex) -> None:
    uids = [item.series_uid for item in index.search("TCGA-86-6562").series]
    assert len(uids) >= 3
    for words in (", ".join(uids), " ".join(uids), "TCGA-86-6562," + uids[0]):
        assert index.search(words).total == len(uids)
    assert index.search(" ".join(item.series_uid for item in index.search("", limit=2000).series)).total == 2000
    assert index.search(f"{uids[0]}, nobody").total == 0


def test_words_that_are_nowhere_or_are_no_words_find_nothing(index: SlideIndex) -> None:
    for words in ("zebrafish xyzzy", '" -', "()", "NEAR AND OR", "lung NOTAWORD", '"'):
        assert index.search(words).total == 0


def test_words_within_a_collection(index: SlideIndex) -> None:
    all_of_it = index.search(collection_id="tcga_luad")
    frozen = index.search("frozen", collection_id="tcga_luad")
    assert 0 < frozen.total < all_of_it.total == 1608
    assert {item.collection_id for item in frozen.series} == {"tcga_luad"}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (SERIES, 1),
        ("2.25.150973379448125660359643882019624926008", 3),
        ("TCGA-86-6562", 3),
        ("tcga_luad", 1608),
        ("TCGA-LUAD", 1608),
        ("nobody", 0),
    ],
)
def test_slides_are_named_by_ids_of_every_level(index: SlideIndex, name: str, count: int) -> None:
    assert len(index.named(name)) == count


def test_the_example_of_the_tutorial(index: SlideIndex) -> None:
    (series,) = index.named(EXAMPLE)
    assert (series.collection_id, series.patient_id, series.instances) == ("tcga_luad", "TCGA-86-6562", 5)
    assert (series.size, series.licence, series.folder) == (398_089_474, "CC BY 3.0", FOLDER)
    assert series.compression == "JPEG 2000"
    (source,) = index.sources([series])
    assert source.citation.startswith("Clunie, D.")
    assert source.licence_url == "https://creativecommons.org/licenses/by/3.0/"
    assert "&amp;" not in source.citation
    assert "<" not in source.citation


def test_every_slide_has_a_licence_and_a_source(index: SlideIndex) -> None:
    with index.open() as database:
        (bad,) = database.execute(
            "SELECT count(*) FROM sm_index LEFT JOIN sources ON lower(sm_index.source_DOI) = sources.source_DOI "
            "WHERE coalesce(citation, '') = '' OR coalesce(license_short_name, '') = '' OR aws_bucket IS NULL "
            "OR coalesce(crdc_series_uuid, '') = '' OR instanceCount < 1"
        ).fetchone()
    assert bad == 0


def test_ids_are_selected_together_and_each_slide_once(index: SlideIndex) -> None:
    chosen = select(index, f" {EXAMPLE}, TCGA-86-6562 ,")
    assert len(chosen.series) == 3
    assert chosen.matched == 2
    with pytest.raises(BadInput, match="No public slide") as failed:
        select(index, f"{EXAMPLE},nobody,nothing")
    assert failed.value.subject == "nobody, nothing"
    assert failed.value.exit_code == 2
    with pytest.raises(BadInput):
        select(index, " , ")


def test_it_is_unpacked_once(data_dir: Path) -> None:
    first = open_index().file
    stamp = first.stat().st_mtime_ns
    assert open_index().file == first
    assert first.stat().st_mtime_ns == stamp
    assert [file.name for file in first.parent.iterdir()] == [first.name]


def test_another_index_by_setting_takes_the_place_of_the_old_one(
    data_dir: Path, index_there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small.sqlite"
    with sqlite3.connect(index_there) as old, sqlite3.connect(small) as new:
        old.backup(new)
    new.executescript("DROP TABLE slide_words; DELETE FROM sm_index WHERE collection_id <> 'tcga_luad'; VACUUM")
    for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall():
        new.execute(f"DROP INDEX {name}")
    new.close()
    old.close()
    packed = tmp_path / "small.sqlite.xz"
    packed.write_bytes(lzma.compress(small.read_bytes(), preset=0))
    monkeypatch.setenv("LAUNCHPAD_SM_INDEX", str(packed))
    assert open_index().search().total == 1608
    assert open_index().search("breast").total == 0
    assert len(list(index_there.parent.iterdir())) == 1
    packed.write_bytes(b"no index")
    with pytest.raises(SettingsError, match="damaged"):
        open_index()
    assert not list(index_there.parent.glob("*.part"))
    monkeypatch.setenv("LAUNCHPAD_SM_INDEX", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="not there"):
        open_index()


def test_a_damaged_file_is_said(data_dir: Path) -> None:
    file = data_dir / "broken.sqlite"
    file.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(LaunchpadError, match="cannot be read") as failed:
        SlideIndex(file).search("x")
    assert failed.value.subject == str(file)


@pytest.mark.parametrize(
    ("collection", "description", "wanted"),
    [
        ("tcga_luad", "Frozen HE TP TS1", {"tissue": "LUNG", "disease": "LUNG_CANCER", "staining_method": "H&E"}),
        ("tcga_luad", "Frozen HE NT TS1", {"tissue": "LUNG", "staining_method": "H&E"}),
        ("tcga_luad", "FFPE HE TM MS1", {"disease": "LUNG_CANCER", "staining_method": "H&E"}),
        ("cptac_ccrcc", "HE tumor", {"staining_method": "H&E"}),
        ("gtex", "PG PE HE", {"staining_method": "H&E"}),
        ("tcga_coad", "CD20 T", {"tissue": "COLON", "disease": "COLORECTAL_CANCER"}),
        ("htan_wustl", "H&E", {"tissue": "PANCREAS", "disease": "PANCREATIC_CANCER", "staining_method": "H&E"}),
        ("none", "", {}),
    ],
)
def test_a_collection_tells_what_its_slides_probably_are(
    collection: str, description: str, wanted: dict[str, str]
) -> None:
    assert proposals_of(collection, description) == wanted


def test_all_that_collections_tell_is_of_collections_that_exist(index: SlideIndex) -> None:
    from launchpad.dataset.collections import _TELLS

    assert set(_TELLS) <= {item.id for item in index.collections()}


def test_a_layout_makes_folders_that_stay_below(index: SlideIndex, tmp_path: Path) -> None:
    (series,) = index.named(EXAMPLE)
    assert folder_of(tmp_path, DEFAULT, series) == tmp_path / PLACE
    assert folder_of(tmp_path, "", series) == tmp_path
    assert folder_of(tmp_path, "slides/%PatientID-%Modality", series) == tmp_path / "slides" / "TCGA-86-6562-SM"
    for layout in ("%nothing/", "../%PatientID", "/%PatientID", "a/../../b", "C:\\%PatientID", "100%"):
        with pytest.raises(BadInput):
            check(layout)


def test_questions_in_sql(index_there: Path) -> None:
    assert {"SeriesInstanceUID", "series_aws_url", "collection_id"} <= set(columns(SLIDES))
    answer = query("SELECT PatientID, series_aws_url FROM sm_index WHERE SeriesInstanceUID = '" + SERIES + "'")
    assert answer.records() == [{"PatientID": "TCGA-86-6562", "series_aws_url": f"s3://idc-open-data/{FOLDER}/*"}]
    assert query().rows
    joined = "SELECT count(*) FROM sm_index JOIN collections USING (collection_id) WHERE tumor_locations LIKE '%lung%'"
    assert int(str(query(joined).rows[0][0])) > 1000


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sm_index",
        "DROP TABLE sm_index",
        "ATTACH 'other' AS other",
        "PRAGMA query_only = OFF",
        "CREATE TABLE t (a)",
        "SELECT 1; SELECT 2",
        "SELECT load_extension('x')",
        "SELECT nothing FROM sm_index",
        "no sql",
        "-- nothing",
    ],
)
def test_only_questions_are_answered(sql: str, index_there: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        query(sql)
    assert not (tmp_path / "other").exists()


def test_the_index_of_instances_is_a_file_that_a_setting_names(
    index_there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="not set"):
        columns(INSTANCES)
    with pytest.raises(BadInput, match="no such index"):
        columns("ct_index")
    file = tmp_path / "instances ä.sqlite"
    monkeypatch.setenv("LAUNCHPAD_SM_INSTANCE_INDEX", str(file))
    with pytest.raises(SettingsError, match="cannot be read"):
        columns(INSTANCES)
    database = sqlite3.connect(file)
    database.execute(
        "CREATE TABLE sm_instance_index (SOPInstanceUID, SeriesInstanceUID, ImageType, TotalPixelMatrixColumns, "
        "TotalPixelMatrixRows, crdc_instance_uuid)"
    )
    rows = [("1.2.3", SERIES, "DERIVED, VOLUME", 30000, 30000, "base"), ("1.2.4", SERIES, "LABEL", 10, 10, "label")]
    database.executemany("INSERT INTO sm_instance_index VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    assert query(names=INSTANCES).rows == (("1.2.3", 30000, 30000),)
    both = "SELECT count(*) FROM sm_instance_index JOIN sm_index USING (SeriesInstanceUID)"
    assert query(both, [SLIDES, INSTANCES]).rows == ((2,),)
    chosen = select(SlideIndex(index_there), "1.2.3")
    assert chosen.instances == {FOLDER: frozenset({"base.dcm"})}
    assert select(SlideIndex(index_there), f"1.2.3,{SERIES}").instances == {}


def test_the_client_under_its_old_name(index_there: Path) -> None:
    client = IDCClient.client()
    assert client.get_idc_version() == "v25"
    assert "tcga_luad" in client.get_collections()
    frame = client.sql_query("SELECT DISTINCT Modality FROM sm_index")
    assert list(frame["Modality"]) == ["SM"]
    assert client.get_series_size(SERIES) == pytest.approx(398.089474)
    with pytest.raises(SettingsError):
        client.fetch_index(INSTANCES)
