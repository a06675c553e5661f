"""The Python blocks of the old SDK's introduction run, with only the import and their placeholders changed."""

from __future__ import annotations

import importlib
import inspect
import json
import queue
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import qupath_stand_in as stand_in
from launchpad import application, dataset, platform, qupath, system, wsi
from launchpad.bucket import Service as BucketService  # type: ignore[attr-defined]
from launchpad.bucket.crc32c import crc32c_file
from public_mirror import SERIES

if TYPE_CHECKING:
    from conftest import SlideThatWaits

BLOCKS = Path(__file__).resolve().parent.parent / "data" / "seed"
NAMES = {
    "platform": (
        "Client Documents Run Runs Artifact Service InputItem InputArtifact Application ApplicationSummary "
        "ApplicationVersion RunData ItemResult InputArtifactData OutputArtifactData OutputArtifactElement "
        "RunItemStatistics Me User Organization UserInfo TokenInfo RunSdkMetadata PipelineConfig SchedulingMetadata "
        "RunState RunOutput RunTerminationReason ItemState ItemOutput ItemTerminationReason ArtifactOutput "
        "calculate_file_crc32c download_file generate_signed_url get_mime_type_for_artifact mime_type_to_file_ending "
        "NotFoundException ForbiddenException ApiException ConcurrencyConflictError DownloadTimeoutError ShareToken "
        "AccessGrant ApplicationVersionDocument "
        "LIST_APPLICATION_RUNS_MAX_PAGE_SIZE LIST_APPLICATION_RUNS_MIN_PAGE_SIZE DEFAULT_GPU_TYPE"
    ),
    "application": "Service DownloadProgress DownloadProgressState",
    "wsi": "Service",
    "bucket": "Service",
    "qupath": "Service InstallProgress AddProgress AnnotateProgress",
    "notebook": "Service",
    "system": "Service Health",
    "dataset": "Service IDCClient",
}


SIGNATURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "library.json").read_text(encoding="utf-8")
)
OF_ITS_OWN = "..."  # a default that need not be the same, such as a folder


def block(name: str) -> str:
    return (BLOCKS / f"{name}.py.txt").read_text(encoding="utf-8").replace("from aignostics", "from launchpad")


@pytest.fixture(scope="module")
def slide_url(slide_that_waits: SlideThatWaits, platform_endpoint: object, small_tiff: Path) -> str:
    service = BucketService()
    sent = service.upload(small_tiff, "parity")
    assert sent == {"success": ["parity/small.tiff"], "failed": []}
    return str(service.create_signed_download_url("parity/small.tiff"))


@pytest.fixture(scope="module")
def usage(slide_url: str, small_tiff: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """The run of the usage block, which has ended, and where its results are."""
    text, target = block("usage"), tmp_path_factory.mktemp("usage")
    for old, new in (
        ("<a signed url to download the data>", slide_url),
        ("AAAAAA==", crc32c_file(small_tiff)),
        ('"width_px": 1000', '"width_px": 512'),
        ('"height_px": 1000', '"height_px": 512'),
        ("path/to/download/folder", target.as_posix()),
    ):
        assert old in text
        text = text.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(text, "usage", "exec"), names)
    yield names["application_run"], target
    names["client"].close()


def test_every_name_is_there_and_an_import_has_no_side_effect(tmp_path: Path) -> None:
    code = f"""
import importlib, sys
for module in {list(NAMES)!r}:
    importlib.import_module(f"launchpad.{{module}}")
heavy = [name for name in ("httpx", "pydantic", "openslide", "numpy", "typer") if name in sys.modules]
assert not heavy, heavy
for module, names in {NAMES!r}.items():
    for name in names.split():
        getattr(importlib.import_module(f"launchpad.{{module}}"), name)
"""
    env = {"LAUNCHPAD_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
    answer = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_takes_what_it_took(name: str) -> None:
    """Positional parameters at their places, keywords by their names, the same defaults; what is new has a default."""
    module, *places = name.split(".")
    owner, function = None, importlib.import_module(f"launchpad.{module}")
    for place in places:
        owner, function = function, getattr(function, place)
    row = SIGNATURES[name]
    assert inspect.iscoroutinefunction(function) == row["async"]
    if inspect.isclass(owner):
        kept = inspect.getattr_static(owner, places[-1])
        assert isinstance(kept, (staticmethod, classmethod)) == row["static"]
    parameters = [item for item in inspect.signature(function).parameters.values() if item.name != "self"]
    by_name = {item.name: item for item in parameters}
    for number, wanted in enumerate(row["parameters"]):
        found = by_name.pop(wanted["name"])
        if wanted["kind"] == "positional":
            assert parameters[number] is found
            assert found.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if wanted.get("default", OF_ITS_OWN) != OF_ITS_OWN:
            assert found.default == wanted["default"]
        assert ("default" not in wanted) or found.default is not inspect.Parameter.empty
    for new in by_name.values():
        assert new.default is not inspect.Parameter.empty or new.kind is inspect.Parameter.VAR_KEYWORD, new


def test_the_usage_block_runs_and_brings_results(usage: tuple[Any, Path]) -> None:
    run, target = usage
    folder = target / run.run_id / "slide-1"
    assert [file for file in folder.iterdir() if file.stat().st_size], "no results were downloaded"


def test_the_health_block_runs_and_submits(slide_url: str, slide_that_waits: SlideThatWaits, small_tiff: Path) -> None:
    """Its run cannot end by itself: so waiting for it runs out of time, and it can be cancelled."""
    item: dict[str, Any] = {}
    text = block("input_item").strip().rstrip(",").replace("<a signed url to download the data>", slide_that_waits.url)
    text = text.replace("N+LWCg==", crc32c_file(small_tiff)).replace("3728", "512").replace("3640", "512")
    exec(compile(f"from launchpad import platform\nitem = {text}", "item", "exec"), item)
    health = block("health").replace("(...)", '("test-app", [item])')
    names: dict[str, Any] = {"item": item["item"]}
    exec(compile(health, "health", "exec"), names)
    assert names["health"].status == "UP"
    seen: list[str] = []
    details = names["run"].details()
    assert details.application_id == "test-app"
    assert [item.external_id for item in names["run"].results()] == ["1"]
    with pytest.raises(platform.DownloadTimeoutError):
        names["client"].runs(names["run"].run_id).download_to_folder(
            Path.cwd(),
            sleep_interval=0.05,
            timeout_seconds=0,
            print_status=False,
            callback=lambda i: seen.append(i.item_id),
        )
    names["run"].cancel()
    slide_that_waits.let_go()
    names["client"].close()


def test_an_unhealthy_system_is_false_and_says_why(module_data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPAD_API_ROOT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_ISSUER", "http://127.0.0.1:9/")
    monkeypatch.setenv("LAUNCHPAD_CLIENT_ID", "nobody")
    monkeypatch.setenv("LAUNCHPAD_AUDIENCE", "https://nobody.example")
    monkeypatch.setenv("LAUNCHPAD_STORAGE_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("LAUNCHPAD_TOKEN", "of nobody")
    health = system.Service().health()
    assert not health
    assert health.reason


def test_documents_and_metadata_by_the_old_names(usage: tuple[Any, Path], tmp_path: Path) -> None:
    with platform.Client() as client:
        documents = client.versions.documents("he-tme")
        first = documents.list()[0]
        path = documents.download_to_path(first.name, tmp_path)
        assert path == tmp_path / first.name
        assert path.read_bytes() == documents.read_content(first.name)
        with pytest.raises(platform.NotFoundException):
            documents.details("missing.pdf")
        (listed,) = [item for item in client.applications.list() if item.application_id == "test-app"]
        assert client.versions.latest(listed) == client.versions.latest("test-app")
        run = client.run(usage[0].run_id)
        before = run.details()
        checksum = run.update_custom_metadata({"mine": 1}, custom_metadata_checksum=before.custom_metadata_checksum)
        now = run.details().custom_metadata
        assert now is not None
        assert now["mine"] == 1
        assert now["sdk"]["schema_version"] == "0.0.6"
        run.update_custom_metadata({"mine": 2}, custom_metadata_checksum=checksum, enrich_sdk_metadata=False)
        assert run.details().custom_metadata == {"mine": 2}
        with pytest.raises(ValueError, match="finite"):
            run.update_custom_metadata({"deep": [float("nan")]}, enrich_sdk_metadata=False)
        with pytest.raises(platform.ConcurrencyConflictError):
            run.update_custom_metadata({"mine": 3}, custom_metadata_checksum=checksum)
        token = client.share_tokens.create()
        run.grant_access("share_token", token.share_token_id)
        assert [item.subject_id for item in run.list_share_grants(subject_type="share_token")] == [token.share_token_id]
        assert token.share_token
        token.revoke()


def test_what_is_no_bad_input_is_a_runtime_error(slide_url: str, tmp_path: Path) -> None:
    service = BucketService()
    with pytest.raises(RuntimeError):
        service.upload(tmp_path / "missing", "x")
    with pytest.raises(ValueError, match="malformed"):
        service.find(["("])
    with platform.Client() as client, pytest.raises(RuntimeError) as caught:
        client.application("missing")
    assert isinstance(caught.value, platform.NotFoundException)


def test_twins_make_a_service_of_their_own(usage: tuple[Any, Path], tmp_path: Path) -> None:
    names = application.Service
    assert [item.application_id for item in names.applications_static()] == ["he-tme", "test-app"]
    assert names.application_versions_static("he-tme")[0].number == "0.1.0"
    run = usage[0]
    assert run.run_id in {item.run_id for item in names.application_runs_static("test-app", has_output=True)}
    moments: queue.Queue[Any] = queue.Queue()
    folder = names.application_run_download_static(run.run_id, tmp_path, download_progress_queue=moments)
    assert folder == tmp_path / run.run_id
    told = [moments.get_nowait() for _ in range(moments.qsize())]
    states = application.DownloadProgressState
    assert told[-1].status == states.COMPLETED
    files = [item for item in told if item.artifact is not None]
    assert files
    for item in files:
        assert item.status == states.DOWNLOADING
        assert item.run.run_id == run.run_id
        assert item.item_external_id == item.item.external_id
        assert 0 <= item.artifact_index < item.artifact_count
        assert item.artifact_path.parent.parent == folder
        assert item.artifact_downloaded_size <= item.artifact_size
    whole = {item.artifact_path: item.artifact_downloaded_size for item in files}
    assert {path: path.stat().st_size for path in whole} == whole
    assert any(item.artifact_download_url for item in files)
    assert files[-1].model_dump()["artifact_progress_normalized"] == 1.0
    checksum = names.application_run_update_custom_metadata_static(run.run_id, {"twin": 1})
    with pytest.raises(platform.ConcurrencyConflictError):
        names.application_run_update_custom_metadata_static(run.run_id, {}, custom_metadata_checksum=f"{checksum}x")


def test_the_bucket_has_twins_too(slide_url: str, tmp_path: Path) -> None:
    assert BucketService.find_static(["parity"]) == ["parity/small.tiff"]
    assert BucketService.download_static(["parity"], tmp_path) == [tmp_path / "small.tiff"]
    assert BucketService.delete_static(["parity"]) == 1
    assert BucketService.get_bucket_protocol() == "gs"


def test_runs_are_shared_with_organizations_and_by_tokens(usage: tuple[Any, Path]) -> None:
    run = usage[0]
    with application.Service() as service:
        granted = service.application_run_share_with_organization(run.run_id)
        assert granted.relation == "viewer"
        assert [item.grant_id for item in service.application_run_organization_grants(run.run_id)] == [granted.grant_id]
        granted.revoke()
        service.application_run_share_with_organization(run.run_id)
        service.application_run_unshare_with_organization(run.run_id)
        assert list(service.application_run_organization_grants(run.run_id, page_size=5)) == []
        token = service.application_run_create_share_token(run.run_id)
        assert token.share_token
        assert [item.share_token_id for item in service.application_run_share_tokens(run.run_id)] == [
            token.share_token_id
        ]
        again = platform.ShareToken.for_token_id(token.share_token_id)
        assert again.share_token is None
        assert [item.resource_id for item in again.list_share_grants()] == [run.run_id]
        again.close()
        service.application_run_revoke_share_token(run.run_id, token.share_token_id)
        assert list(service.application_run_share_tokens(run.run_id)) == []


def test_a_list_fetches_its_pages_as_it_goes(slide_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with platform.Client() as client:
        for _ in range(5):
            client.runs.submit("test-app", [_item(slide_url)])
        asked: list[Any] = []
        get = client.api.get

        def counted(path: str, query: Any = None, **more: Any) -> Any:
            asked.append(query)
            return get(path, query, **more)

        monkeypatch.setattr(client.api, "get", counted)
        runs = client.runs.list_data(page_size=5)
        assert asked == [], "nothing is asked before something is wanted"
        first = [next(runs) for _ in range(5)]
        assert len(asked) == 1
        rest = list(runs)
        assert len(asked) > 1
        assert len({run.run_id for run in [*first, *rest]}) == len(first) + len(rest)
        for ask in (client.runs.list_data, client.runs.list):
            with pytest.raises(ValueError, match="page"):
                ask(page_size=101)


def _item(url: str) -> Any:
    metadata = {"checksum_base64_crc32c": "AAAAAA==", "width_px": 512, "height_px": 512, "resolution_mpp": 0.5,
                "media_type": "image/tiff"}  # fmt: skip
    artifact = platform.InputArtifact(name="whole_slide_image", download_url=url, metadata=metadata)
    return platform.InputItem(external_id="0", input_artifacts=[artifact])


def test_slides_and_pictures_by_the_old_names(
    slide_url: str, sample_dicom: Path, small_tiff: Path, tmp_path: Path
) -> None:
    service = wsi.Service
    assert list(service.get_wsi_files_to_process(small_tiff.parent, ".TIFF")) == [small_tiff]
    assert len(list(service.get_wsi_files_to_process(sample_dicom, ".dcm"))) == 1, "the base level of the pyramid"
    assert list(service.get_wsi_files_to_process(sample_dicom, ".svs")) == []
    jpg = service.get_tiff_as_jpg(slide_url)
    assert jpg.startswith(b"\xff\xd8\xff")
    for bad in ("http://elsewhere.example/a.tiff", "file:///etc/passwd", slide_url.replace("small", "missing")):
        with pytest.raises(ValueError, match="picture") as caught:
            service.get_tiff_as_jpg(bad)
        assert "Signature" not in str(caught.value)


def test_the_queue_of_a_data_set_ends_with_one(index_there: Path, public_mirror: object, tmp_path: Path) -> None:
    parts: queue.Queue[float] = queue.Queue()
    dataset.Service.download_with_queue(parts, SERIES, tmp_path, "%collection_id/")
    told = [parts.get_nowait() for _ in range(parts.qsize())]
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert all(0 <= part <= 1 for part in told)
    assert list((tmp_path / "tcga_luad").rglob("*.dcm"))


@pytest.mark.skipif(sys.platform == "win32", reason="the program that stands in for QuPath is a script")
def test_qupath_tells_callables_and_queues(
    data_dir: Path, small_tiff: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    service, moments, downloaded, extracted = qupath.Service, queue.Queue[Any](), [], []
    with stand_in.serve_releases(tmp_path, "0.6.0") as releases:
        monkeypatch.setenv("LAUNCHPAD_QUPATH_RELEASES", f"{releases.url}/releases")
        program = service.install_qupath(
            "0.6.0", None, True, "Linux", "x86_64",
            lambda path, size, chunk: downloaded.append((path.name, size, chunk)),
            lambda folder, application_size: extracted.append((folder, application_size)),
            moments,
        )  # fmt: skip
        size = len(releases.files["QuPath-v0.6.0-Linux.tar.xz"])
    assert program.is_file()
    assert {name for name, _, _ in downloaded} == {"QuPath-v0.6.0-Linux.tar.xz"}
    assert sum(chunk for _, _, chunk in downloaded) == size
    ((folder, unpacked),) = extracted
    assert program.is_relative_to(folder)
    assert unpacked > 0
    told = [moments.get_nowait() for _ in range(moments.qsize())]
    assert [item.status for item in told[:2]] == ["checking", "downloading"]
    assert told[-1].status == "extracting"
    assert max(item.archive_download_progress_normalized for item in told if item.status == "downloading") == 1.0
    assert (
        service.get_app_dir("0.6.0", service.get_installation_path())
        == service.get_installation_path() / "QuPath-0.6.0"
    )
    other = "Windows"
    assert (service.is_installed(other), service.get_version(other), service.find_qupath_executable(other)) == (
        False, None, None,
    )  # fmt: skip

    added: list[Any] = []
    assert service.add(tmp_path / "project", [small_tiff], added.append) == 1
    assert [(item.status, item.image_index, item.image_count) for item in added] == [
        ("adding_images", 0, 1), ("completed", 1, 1),
    ]  # fmt: skip
    square = {"type": "Polygon", "coordinates": [[[10, 10], [90, 10], [90, 90], [10, 90], [10, 10]]]}
    (tmp_path / "x.geojson").write_text(json.dumps({"type": "Feature", "geometry": square, "properties": {}}))
    annotated: list[Any] = []
    assert service.annotate(tmp_path / "project", small_tiff, tmp_path / "x.geojson", annotated.append) == 1
    assert [item.status for item in annotated] == ["initializing", "completed"]
    assert annotated[-1].progress_normalized == 1.0
    assert service.uninstall_qupath("0.6.0", None, "Linux", "x86_64")
