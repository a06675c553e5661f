"""Public slides from a mirror that we did not write (moto's S3, public objects), by library and command line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from gcp_storage_emulator.server import create_server

from launchpad import dataset
from launchpad.application.prepare import prepare
from launchpad.bucket.google_bucket import GoogleBucket
from launchpad.cli.app import app
from launchpad.cli.errors import guarded
from launchpad.dataset.download import Fetched, address_of, download_selection
from launchpad.dataset.index import SlideIndex
from launchpad.dataset.selection import EXAMPLE, Selection, select
from launchpad.errors import BadInput, ChecksumError, DiskFull, LaunchpadError, NotFound, TransferError, Unreachable
from launchpad.localplatform.applications.registry import APPLICATIONS
from launchpad.progress import Cancelled, Progress
from launchpad.wsi.isolation import SlideService
from public_mirror import FOLDER, PLACE, SERIES, Mirror


def launchpad(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in this process, which saves the second that a start takes."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["launchpad", *arguments]
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = guarded(lambda: app(list(arguments), standalone_mode=False, prog_name="launchpad"))
    finally:
        sys.argv = before
    assert "Traceback" not in err.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


@pytest.fixture
def chosen(index_there: Path) -> tuple[SlideIndex, Selection]:
    index = SlideIndex(index_there)
    return index, select(index, EXAMPLE)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fetch(chosen: tuple[SlideIndex, Selection], target: Path, progress: Progress | None = None) -> Fetched:
    (done,) = download_selection(*chosen, target, progress=progress)
    return done


def test_a_slide_comes_whole_with_its_citation(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path, sample_dicom: Path
) -> None:
    progress = Progress()
    done = fetch(chosen, tmp_path / "data", progress)
    assert done.errors == ()
    assert done.folder == tmp_path / "data" / PLACE
    for file in sample_dicom.glob("*.dcm"):
        assert (done.folder / file.name).read_bytes() == file.read_bytes()
    assert names(done.folder) == sorted([*(file.name for file in done.files), "CITATION.txt", "origin.json"])
    citation = (done.folder / "CITATION.txt").read_text(encoding="utf-8")
    assert "Clunie, D." in citation
    assert "CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/)" in citation
    assert SERIES in citation
    total = sum(file.stat().st_size for file in done.files)
    assert progress.latest is not None
    assert progress.latest[:2] == (total, total)


def test_what_is_there_and_whole_is_not_fetched_again_what_is_damaged_is(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path, sample_dicom: Path
) -> None:
    first = fetch(chosen, tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in first.files}
    damaged = first.files[0]
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    citation = (first.folder / "CITATION.txt").read_bytes()
    second = fetch(chosen, tmp_path)
    assert second.errors == ()
    assert damaged.read_bytes() == (sample_dicom / damaged.name).read_bytes()
    assert all(path.stat().st_mtime_ns == stamps[path] for path in first.files[1:])
    assert (first.folder / "CITATION.txt").read_bytes() == citation


def test_it_goes_on_after_it_was_stopped(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path
) -> None:
    large = os.urandom(40 << 20)
    public_mirror.put(f"{FOLDER}/large.dcm", large)

    class Stops(Progress):
        def report(self, done: int, total: int, what: str = "") -> None:
            if done > 25 << 20:
                self.cancel()
            super().report(done, total, what)

    with pytest.raises(Cancelled):
        fetch(chosen, tmp_path, Stops())
    place = tmp_path / PLACE
    assert (place / "large.dcm.part").exists()
    assert not (place / "large.dcm").exists()
    seen: list[int] = []

    class Watches(Progress):
        def report(self, done: int, total: int, what: str = "") -> None:
            if what == "large.dcm":
                seen.append(done)
            super().report(done, total, what)

    done = fetch(chosen, tmp_path, Watches())
    assert done.errors == ()
    assert (place / "large.dcm").read_bytes() == large
    assert not list(place.glob("*.part"))
    assert min(seen) >= 4 << 20  # what had come was not fetched again


def test_one_file_that_fails_does_not_stop_the_others(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path
) -> None:
    public_mirror.put(f"{FOLDER}/secret.dcm", b"not for all", acl="private")
    done = fetch(chosen, tmp_path)
    assert len(done.files) == 8
    (error,) = done.errors
    assert isinstance(error, TransferError)
    assert error.subject == "secret.dcm"
    assert not list(done.folder.glob("secret*"))


def test_other_bytes_than_the_store_names_are_refused(tmp_path: Path, public_mirror: Mirror, data_dir: Path) -> None:
    from launchpad.bucket.download import download
    from launchpad.bucket.public_bucket import PublicBucket

    with PublicBucket(address_of("idc-open-data")) as bucket:
        (info, *_) = bucket.list(f"{FOLDER}/")
        with pytest.raises(ChecksumError):
            download(lambda: bucket.url(info.key), tmp_path / "file.dcm", crc32c=None, md5="0" * 32)
    assert not list(tmp_path.glob("file*"))


def test_a_mirror_that_lacks_the_slide_or_is_none_says_so(
    public_mirror: Mirror,
    chosen: tuple[SlideIndex, Selection],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index, _ = chosen
    (done,) = download_selection(index, select(index, "2.25.317753984268209060558780446660059290395"), tmp_path)[:1]
    assert "does not have these files" in str(done.errors[0])
    monkeypatch.setenv("LAUNCHPAD_IDC_MIRROR", f"{public_mirror.address}/nothing")
    with pytest.raises((NotFound, TransferError)):
        fetch(chosen, tmp_path)
    monkeypatch.setenv("LAUNCHPAD_IDC_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(Unreachable) as failed:
        fetch(chosen, tmp_path)
    assert failed.value.subject == "http://127.0.0.1:9/idc-open-data"


def test_the_public_mirrors_have_the_same_folders_under_other_names(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert address_of("idc-open-data") == "https://s3.amazonaws.com/idc-open-data"
    monkeypatch.setenv("LAUNCHPAD_IDC_MIRROR", "google")
    assert address_of("idc-open-data") == "https://storage.googleapis.com/public-datasets-idc"


def test_a_list_of_many_pages_is_read_to_its_end(public_mirror: Mirror) -> None:
    from launchpad.bucket.public_bucket import PublicBucket

    public_mirror.put_all({f"many/{number:04} ä+&.dcm": b"" for number in range(25)})
    with PublicBucket(address_of("idc-open-data"), page_size=10) as bucket:
        found = bucket.list("many/")
        assert [info.key for info in found] == [f"many/{number:04} ä+&.dcm" for number in range(25)]
        assert bucket.head("many/none") is None
        assert bucket.head(found[0].key) is not None


def test_no_room_is_said_before_anything_is_fetched(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for total, said in ((10**12, "0.0 GB"), (1000, "0.4 GB")):  # what is listed, and what the index says before
        usage = SimpleNamespace(free=1000, total=total)
        monkeypatch.setattr("shutil.disk_usage", lambda path, usage=usage: usage)
        with pytest.raises(DiskFull) as failed:
            fetch(chosen, tmp_path / "data")
        assert failed.value.subject == str(tmp_path / "data")
        assert f"They need {said}" in failed.value.detail
        assert not (tmp_path / "data").exists()


def test_several_slides_in_one_folder_keep_their_names_apart(
    public_mirror: Mirror, index_there: Path, tmp_path: Path
) -> None:
    index = SlideIndex(index_there)
    selection = select(index, "TCGA-86-6562")
    for item in selection.series:
        public_mirror.put(f"{item.folder}/same.dcm", item.folder.encode())
    done = download_selection(index, selection, tmp_path, layout="%PatientID")
    assert [item.errors for item in done] == [(), (), ()]
    folder = tmp_path / "TCGA-86-6562"
    same = [path for path in folder.iterdir() if path.name.endswith("same.dcm")]
    assert sorted(path.read_text() for path in same) == sorted(item.folder for item in selection.series)
    citation = (folder / "CITATION.txt").read_text(encoding="utf-8")
    assert all(citation.count(item.series_uid) == 1 for item in selection.series)


def test_what_the_collection_tells_is_proposed_when_slides_are_prepared(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path
) -> None:
    done = fetch(chosen, tmp_path)
    with SlideService() as service:
        (slide,) = prepare([done.folder], APPLICATIONS["he-tme"].details(), service=service).slides
    assert slide.proposals["tissue"] == "LUNG"
    assert slide.proposals["disease"] == "LUNG_CANCER"
    assert "tissue" not in slide.values


# --- library and command line -----------------------------------------------------------------------------------------
def test_the_service_of_the_library(public_mirror: Mirror, index_there: Path, tmp_path: Path) -> None:
    target = tmp_path / "data"
    with pytest.raises(NotFound):
        dataset.Service.download_idc(SERIES, target)
    target.mkdir()
    assert dataset.Service.download_idc(SERIES, target, dry_run=True) == 1
    assert list(target.iterdir()) == []
    assert dataset.Service.download_idc(SERIES, target) == 1
    assert len(list((target / PLACE).glob("*.dcm"))) == 8
    with pytest.raises(ValueError, match="No public slide"):
        dataset.Service.download_idc("nobody", target)
    dataset.IDCClient.client().download_from_selection(target, seriesInstanceUID=SERIES, dirTemplate="flat")
    assert len(list((target / "flat").glob("*.dcm"))) == 8


def test_idc_download_on_the_command_line(public_mirror: Mirror, index_there: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    dry = launchpad("dataset", "idc", "download", SERIES, "data/", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "Would download 1 slide(s)" in dry.stdout
    assert "CC BY 3.0" in dry.stderr
    assert "Clunie" in dry.stderr
    assert "5 file(s), 398.1 MB" in dry.stderr
    assert list((tmp_path / "data").iterdir()) == []
    done = launchpad("dataset", "idc", "download", SERIES, "data/")
    assert done.returncode == 0, done.stderr
    assert "Downloaded 1 of 1 slide(s), 8 file(s)" in done.stdout
    assert len(list((tmp_path / "data" / PLACE).glob("*.dcm"))) == 8
    own = launchpad("dataset", "idc", "download", SERIES, "--target-layout", "%PatientID")
    assert own.returncode == 0, own.stderr
    data = Path(os.environ["LAUNCHPAD_DATA_DIR"]) / "datasets" / "idc"
    assert len(list((data / "TCGA-86-6562").glob("*.dcm"))) == 8


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "No public slide has this id: nobody"),
        ([SERIES, "nowhere/"], "nowhere"),
        ([SERIES, "--target-layout", "%nothing"], "unknown column"),
        ([SERIES, "--target-layout", "../up"], "leads out"),
        ([], "Missing argument"),
    ],
)
def test_idc_download_ends_with_2_for_bad_input(
    arguments: list[str], words: str, index_there: Path, tmp_path: Path
) -> None:
    done = launchpad("dataset", "idc", "download", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_idc_download_ends_with_1_when_a_file_fails(public_mirror: Mirror, index_there: Path, tmp_path: Path) -> None:
    public_mirror.put(f"{FOLDER}/secret.dcm", b"not for all", acl="private")
    done = launchpad("dataset", "idc", "download", SERIES, str(tmp_path))
    assert done.returncode == 1
    assert "secret.dcm" in done.stderr
    assert "Downloaded 0 of 1 slide(s), 8 file(s)" in done.stdout


def test_indices_columns_and_query_on_the_command_line(index_there: Path) -> None:
    listed = launchpad("dataset", "idc", "indices", "--format", "json")
    assert json.loads(listed.stdout) == ["sm_index", "sm_instance_index"]
    assert launchpad("dataset", "idc", "indices").stdout.startswith("sm_index: ")
    assert "series_aws_url" in launchpad("dataset", "idc", "columns").stdout.splitlines()
    missing = launchpad("dataset", "idc", "columns", "--index", "sm_instance_index")
    assert missing.returncode == 78
    assert "LAUNCHPAD_SM_INSTANCE_INDEX" in missing.stderr
    question = f"SELECT PatientID, StudyDate, BodyPartExamined FROM sm_index WHERE SeriesInstanceUID = '{SERIES}'"
    asked = launchpad("dataset", "idc", "query", question, "--format", "json")
    assert json.loads(asked.stdout) == [
        {"PatientID": "TCGA-86-6562", "StudyDate": "2012-07-06", "BodyPartExamined": None}
    ]
    text = launchpad("dataset", "idc", "query", question)
    assert text.stdout == "PatientID\tStudyDate\tBodyPartExamined\nTCGA-86-6562\t2012-07-06\t\n"
    assert len(launchpad("dataset", "idc", "query").stdout.splitlines()) > 1
    assert launchpad("dataset", "idc", "query", "nonsense").returncode == 2


def test_browse_opens_the_portal(tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{note}"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    done = launchpad("dataset", "idc", "browse")
    assert done.returncode == 0
    assert note.read_text() == done.stdout.strip() == "https://portal.imaging.datacommons.cancer.gov/explore/"


def test_samples_in_google_cloud_storage(tmp_path: Path, data_dir: Path) -> None:
    for address in ("https://somewhere/file", "gs://bucket", "gs://bucket/folder/"):
        with pytest.raises(BadInput, match="no address"):
            dataset.Service.download_aignostics(address, tmp_path)
        assert launchpad("dataset", "aignostics", "download", address).returncode == 2


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")  # of the emulator
def test_a_sample_comes_from_google_cloud_storage(
    data_dir: Path, tmp_path: Path, sample_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket="lab")
    server.start()
    try:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server._api._httpd.server_port}")
        bucket = GoogleBucket("lab")
        bucket.put(sample_svs, "sam ple/a ä.svs")
        bucket.close()
        heard: list[tuple[int, int, str]] = []
        path = dataset.Service.download_aignostics(
            "gs://lab/sam ple/a ä.svs", tmp_path / "new", lambda *moved: heard.append(moved)
        )
        assert path == tmp_path / "new" / "a ä.svs"
        assert path.read_bytes() == sample_svs.read_bytes()
        size = sample_svs.stat().st_size
        assert heard[-1] == (size, size, "a ä.svs")
        done = launchpad("dataset", "aignostics", "download", "gs://lab/sam ple/a ä.svs")
        assert done.returncode == 0, done.stderr
        assert (data_dir / "datasets" / "aignostics" / "a ä.svs").is_file()
        assert launchpad("dataset", "aignostics", "download", "gs://lab/none").returncode == 2
    finally:
        server.stop()


def test_two_downloads_of_one_slide_at_once(
    public_mirror: Mirror, chosen: tuple[SlideIndex, Selection], tmp_path: Path
) -> None:
    results: list[Fetched | LaunchpadError] = []

    def work(number: int) -> None:
        try:
            results.append(fetch(chosen, tmp_path / str(number)))
        except LaunchpadError as error:
            results.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(item.files) for item in results if isinstance(item, Fetched)] == [8, 8]
