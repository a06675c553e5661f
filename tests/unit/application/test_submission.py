"""Upload and submission to a real platform; a lost answer never makes a second run."""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from launchpad.application import Service
from launchpad.application.columns import columns, input_artifact
from launchpad.application.draft import SubmissionDraft
from launchpad.application.manifest import read_rows
from launchpad.application.results import download_results
from launchpad.application.submit import object_key, open_bucket, submit
from launchpad.bucket.crc32c import crc32c_file
from launchpad.errors import BadInput, LaunchpadError, Unreachable
from launchpad.platform import Client

MAPPING = ".*:staining_method=H&E,tissue=LUNG,disease=LUNG_CANCER"


@pytest.fixture(scope="module")
def client(platform_endpoint: object) -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture(scope="module")
def uploaded(client: Client, sample_svs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Rows of two slides of the same name in two folders, uploaded, by the old SDK's functions."""
    folder = tmp_path_factory.mktemp("slides")
    for name in ("a", "b"):
        (folder / name).mkdir()
        shutil.copy(sample_svs, folder / name / "CMU-1.svs")
    (folder / "broken.svs").write_text("no slide")
    rows = Service.generate_metadata_from_source_directory(folder, "he-tme", mappings=[MAPPING], with_gui_metadata=True)
    assert [row["path_name"] for row in rows] == ["CMU-1.svs", "CMU-1.svs"]
    heard: list[tuple[int, Path, str]] = []
    assert Service.application_run_upload(
        "he-tme", rows, upload_progress_callable=lambda size, path, url: heard.append((size, path, url))
    )
    assert {path for _, path, _ in heard} == {folder / "a" / "CMU-1.svs", folder / "b" / "CMU-1.svs"}
    return rows


def a_draft(client: Client, rows: list[dict[str, Any]], **changes: Any) -> SubmissionDraft:
    fields = columns(input_artifact(client.application_version("he-tme")).metadata_schema)
    return SubmissionDraft("he-tme", version="0.1.0", columns=fields, slides=read_rows(rows, fields), **changes)


def test_keys_of_slides_of_one_name_differ() -> None:
    keys = [object_key("auth0|1", "7", "he-tme", "0.1.0", f"/{name}/CMU-1.svs", "CMU-1.svs") for name in "ab"]
    assert keys[0] != keys[1]
    for key in keys:
        user, prefix, application, version, unique, name = key.split("/")
        assert (user, prefix, application, version, name) == ("auth0_1", "7", "he-tme", "0.1.0", "CMU-1.svs")
        assert len(unique) == 8


def test_upload_confirms_each_slide_under_a_key_of_its_own(client: Client, uploaded: list[dict[str, Any]]) -> None:
    bucket = open_bucket(client)
    try:
        keys = {str(row["platform_bucket_url"]).removeprefix(f"gs://{bucket.name}/") for row in uploaded}
        assert len(keys) == 2
        for key in keys:
            info = bucket.head(key)
            assert info is not None
            assert info.crc32c == uploaded[0]["checksum_base64_crc32c"]
    finally:
        bucket.close()


def test_one_bad_file_stops_no_other(client: Client, uploaded: list[dict[str, Any]], tmp_path: Path) -> None:
    copied = tmp_path / "CMU-2.svs"
    shutil.copy(uploaded[0]["external_id"], copied)
    rows = [
        {**uploaded[0], "external_id": str(tmp_path / "gone.svs"), "platform_bucket_url": None},
        {**uploaded[0], "external_id": str(copied), "platform_bucket_url": None},
    ]
    assert not Service.application_run_upload("he-tme", rows)
    assert rows[0]["platform_bucket_url"] is None
    assert str(rows[1]["platform_bucket_url"]).endswith("/CMU-2.svs")


def test_a_file_is_not_sent_twice_unless_it_changed(
    client: Client, uploaded: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "CMU-3.svs"
    shutil.copy(uploaded[0]["external_id"], path)

    def address(application_id: str = "he-tme", prefix: str | None = None) -> str:
        row = {**uploaded[0], "external_id": str(path), "checksum_base64_crc32c": crc32c_file(path)}
        row["platform_bucket_url"] = None
        assert Service.application_run_upload(application_id, [row], upload_prefix=prefix)
        return str(row["platform_bucket_url"])

    first = address()
    assert address() == first
    assert address("test-app") == first
    assert address(prefix="p") != first  # one who names the place gets it there
    with path.open("ab") as file:
        file.write(b"more")
    changed = address()
    assert changed != first
    assert address() == changed


def test_from_rows_to_results_in_folders_of_their_own(
    client: Client, uploaded: list[dict[str, Any]], tmp_path: Path
) -> None:
    with Service() as service:
        run = service.application_run_submit_from_metadata(
            "he-tme",
            uploaded,
            note="two of one name",
            tags={"b", "a"},
            deadline=(datetime.now(UTC) + timedelta(hours=5)).isoformat(),
            gpu_type="L4",
            onboard_to_aignostics_portal=True,
            custom_metadata={"study": 7},
        )
        first = run.details()
        assert first.custom_metadata is not None
        assert first.custom_metadata["study"] == 7
        assert first.custom_metadata["sdk"]["pipeline"] == {"gpu": {"gpu_type": "L4"}}
        assert first.custom_metadata["sdk"]["workflow"] == {"onboard_to_aignostics_portal": True}
        assert first.custom_metadata["sdk"]["tags"] == ["a", "b"]
        done = download_results(service.client, run.run_id, tmp_path, poll_seconds=0.2)
        assert not any(item.errors for item in done)
        assert [run.run_id for run in service.application_runs(tags={"a", "b"})] == [run.run_id]
        assert [run.run_id for run in service.application_runs(note_regex="TWO OF")] == [run.run_id]
        assert [run.run_id for run in service.application_runs(query="of one", has_output=True)] == [run.run_id]
        assert service.application_runs(tags={"a", "c"}) == []
        assert service.application_runs(note_regex="TWO", note_query_case_insensitive=False) == []
        with pytest.raises(ValueError, match="cannot be combined"):
            service.application_runs(query="x", tags={"a"})
        with pytest.raises(ValueError, match="malformed"):
            service.application_runs(note_regex="(")

    folder = tmp_path / run.run_id
    names = sorted(path.name for path in folder.iterdir())
    assert names[2:] == ["README.txt", "run.json", "summary.csv"]
    assert all(name.startswith("CMU-1~") for name in names[:2])
    readme = (folder / "README.txt").read_text()
    for words in ("On this computer", "he-tme", "0.1.0", "launchpad-engine", "research use only", *names[:2]):
        assert words in readme
    for item in done:
        assert sorted(file.suffix for file in item.files) == [".csv", ".json", ".json", ".json", ".tiff"]
        wanted = {artifact.name.replace(":", "_"): artifact.metadata for artifact in item.item.output_artifacts}
        for file in item.files:
            metadata = wanted[file.stem]
            assert metadata is not None
            assert crc32c_file(file) == metadata["checksum_base64_crc32c"]

    # Once more: what is complete is left alone, what is damaged is replaced.
    kept, damaged = done[0].files[0], done[0].files[1]
    before = kept.stat().st_mtime_ns
    damaged.write_bytes(b"damaged")
    again = download_results(client, run.run_id, tmp_path)
    assert kept.stat().st_mtime_ns == before
    assert damaged.read_bytes() != b"damaged"
    assert not list(folder.rglob("*.part"))
    assert not any(item.errors for item in again)

    # Without folders of their own files still do not meet.
    flat = download_results(client, run.run_id, tmp_path / "flat", per_run=False, per_item=False)
    files = {file for item in flat for file in item.files}
    assert len(files) == 10
    assert {file.parent for file in files} == {tmp_path / "flat"}


def test_an_artifact_that_cannot_be_written_is_an_error_of_its_item(
    client: Client, uploaded: list[dict[str, Any]], tmp_path: Path
) -> None:
    bucket = open_bucket(client)
    version = client.application_version("he-tme")
    try:
        run_id = submit(a_draft(client, uploaded[:1]), client=client, bucket=bucket, version=version)
    finally:
        bucket.close()
    blocked = tmp_path / run_id / "CMU-1" / "readout_generation_csv_measurements.csv"
    blocked.mkdir(parents=True)

    (only,) = download_results(client, run_id, tmp_path, poll_seconds=0.2)
    (error,) = only.errors
    assert error.subject == str(blocked)
    assert len(only.files) == 4  # the others came

    other = tmp_path / "other"
    (other / run_id).mkdir(parents=True)
    (other / run_id / "CMU-1").write_text("a file where the folder should be")
    (only,) = download_results(client, run_id, other)
    (error,) = only.errors
    assert "cannot be written" in str(error)

    (tmp_path / "file").write_text("a file where the destination should be")
    with pytest.raises(LaunchpadError, match="cannot be written"):
        download_results(client, run_id, tmp_path / "file")


def test_urls_live_until_an_hour_after_the_deadline(client: Client, uploaded: list[dict[str, Any]]) -> None:
    def seconds(draft: SubmissionDraft) -> int:
        bucket = open_bucket(client)
        try:
            run_id = submit(draft, client=client, bucket=bucket, version=client.application_version("he-tme"))
        finally:
            bucket.close()
        (item,) = client.run(run_id).results()
        client.run(run_id).cancel()
        assert item.custom_metadata is not None
        url = item.custom_metadata["sdk"]["platform_bucket"]["signed_download_url"]
        return int(parse_qs(urlsplit(url).query)["X-Amz-Expires"][0])

    soon = datetime.now(UTC) + timedelta(hours=2)
    assert seconds(a_draft(client, uploaded[:1], deadline=soon)) == pytest.approx(3 * 3600, abs=60)
    assert seconds(a_draft(client, uploaded[:1])) == 7 * 24 * 3600
    assert seconds(a_draft(client, uploaded[:1], deadline=soon + timedelta(days=30))) == 7 * 24 * 3600


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tissue": None}, "Tissue is missing"),
        ({"tissue": "NOSE"}, "NOSE"),
        ({"resolution_mpp": None}, "set the MPP"),
        ({"platform_bucket_url": None}, "was not uploaded"),
        ({"platform_bucket_url": "https://elsewhere/x"}, "was not uploaded"),
    ],
)
def test_incomplete_rows_are_refused_before_anything_is_posted(
    client: Client, uploaded: list[dict[str, Any]], changes: dict[str, Any], words: str
) -> None:
    with Service() as service:
        before = len(service.application_runs())
        with pytest.raises(BadInput, match=words):
            service.application_run_submit_from_metadata("he-tme", [{**uploaded[0], **changes}])
        assert len(service.application_runs()) == before


class _Proxy(ThreadingHTTPServer):
    """Passes everything on to a platform; the answer to a new run is lost on its way back."""

    daemon_threads = True
    block_on_close = True

    def __init__(self, target: str, *, forward: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Lossy)
        self.target = urlsplit(target)
        self.forward = forward
        self.posts = 0


class _Lossy(BaseHTTPRequestHandler):
    server: _Proxy

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        lost = self.command == "POST" and self.path == "/api/v1/runs"
        if lost:
            self.server.posts += 1
            if not self.server.forward:
                self.close_connection = True
                return
        connection = HTTPConnection(self.server.target.hostname or "", self.server.target.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.getheader("Content-Type", ""))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@contextmanager
def lossy(client: Client, *, forward: bool) -> Iterator[tuple[Client, _Proxy]]:
    proxy = _Proxy(client.profile.api_root, forward=forward)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        profile = replace(client.profile, kind="remote", api_root=f"http://127.0.0.1:{proxy.server_port}")
        with Client(token_provider=client.token, profile=profile) as other:
            yield other, proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()


def test_a_run_whose_answer_was_lost_is_found_and_not_posted_twice(
    client: Client, uploaded: list[dict[str, Any]]
) -> None:
    draft = a_draft(client, uploaded[:1])
    with lossy(client, forward=True) as (other, proxy):
        bucket = open_bucket(other)
        try:
            run_id = submit(draft, client=other, bucket=bucket, version=other.application_version("he-tme"))
        finally:
            bucket.close()
        assert proxy.posts == 1
    run = client.run(run_id).details()
    assert run.custom_metadata is not None
    assert run.custom_metadata["launchpad"]["submission_id"] == draft.submission_id
    client.run(run_id).cancel()


def test_a_run_that_never_arrived_is_an_error_that_names_the_address(
    client: Client, uploaded: list[dict[str, Any]]
) -> None:
    with lossy(client, forward=False) as (other, proxy):
        bucket = open_bucket(other)
        try:
            with pytest.raises(Unreachable) as caught:
                submit(
                    a_draft(client, uploaded[:1]),
                    client=other,
                    bucket=bucket,
                    version=other.application_version("he-tme"),
                )
        finally:
            bucket.close()
        assert proxy.posts == 1
        assert caught.value.subject == other.profile.api_root


def test_an_unknown_run_is_not_found(client: Client, tmp_path: Path) -> None:
    with pytest.raises(LaunchpadError) as caught:
        download_results(client, str(uuid.uuid4()), tmp_path)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())
