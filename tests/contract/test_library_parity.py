"""The Python blocks of the old SDK's introduction run, with only the import and their placeholders changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from launchpad import platform, system
from launchpad.bucket import Service as BucketService  # type: ignore[attr-defined]
from launchpad.bucket.crc32c import crc32c_file

BLOCKS = Path(__file__).resolve().parent.parent / "data" / "seed"
NAMES = {
    "platform": (
        "Client Documents Run Runs Artifact Service InputItem InputArtifact Application ApplicationSummary "
        "ApplicationVersion RunData ItemResult InputArtifactData OutputArtifactData OutputArtifactElement "
        "RunItemStatistics Me User Organization UserInfo TokenInfo RunSdkMetadata PipelineConfig SchedulingMetadata "
        "RunState RunOutput RunTerminationReason ItemState ItemOutput ItemTerminationReason ArtifactOutput "
        "calculate_file_crc32c download_file generate_signed_url get_mime_type_for_artifact mime_type_to_file_ending "
        "NotFoundException ForbiddenException ApiException ConcurrencyConflictError DownloadTimeoutError ShareToken "
        "LIST_APPLICATION_RUNS_MAX_PAGE_SIZE LIST_APPLICATION_RUNS_MIN_PAGE_SIZE DEFAULT_GPU_TYPE"
    ),
    "application": "Service DownloadProgress",
    "wsi": "Service",
    "bucket": "Service",
    "qupath": "Service",
    "notebook": "Service",
    "system": "Service Health",
    "dataset": "Service IDCClient",
}


def block(name: str) -> str:
    return (BLOCKS / f"{name}.py.txt").read_text(encoding="utf-8").replace("from aignostics", "from launchpad")


@pytest.fixture(scope="module")
def slide_url(platform_endpoint: object, small_tiff: Path) -> str:
    service = BucketService()
    sent = service.upload(small_tiff, "parity")
    assert sent == {"success": ["parity/small.tiff"], "failed": []}
    return str(service.create_signed_download_url("parity/small.tiff"))


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


def test_the_usage_block_runs_and_brings_results(slide_url: str, small_tiff: Path, tmp_path: Path) -> None:
    text = block("usage")
    for old, new in (
        ("<a signed url to download the data>", slide_url),
        ("AAAAAA==", crc32c_file(small_tiff)),
        ('"width_px": 1000', '"width_px": 512'),
        ('"height_px": 1000', '"height_px": 512'),
        ("path/to/download/folder", tmp_path.as_posix()),
    ):
        assert old in text
        text = text.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(text, "usage", "exec"), names)
    names["client"].close()
    run = names["application_run"]
    folder = tmp_path / run.run_id / "slide-1"
    assert [file for file in folder.iterdir() if file.stat().st_size], "no results were downloaded"


def test_the_health_block_runs_and_submits(slide_url: str, small_tiff: Path) -> None:
    item: dict[str, Any] = {}
    text = block("input_item").strip().rstrip(",").replace("<a signed url to download the data>", slide_url)
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


def test_documents_and_metadata_by_the_old_names(slide_url: str, tmp_path: Path) -> None:
    with platform.Client() as client:
        documents = client.versions.documents("he-tme")
        first = documents.list()[0]
        path = documents.download_to_path(first.name, tmp_path)
        assert path == tmp_path / first.name
        assert path.read_bytes() == documents.read_content(first.name)
        with pytest.raises(platform.NotFoundException):
            documents.details("missing.pdf")
        run = next(client.runs.list())
        before = run.details()
        checksum = run.update_custom_metadata({"mine": 1}, custom_metadata_checksum=before.custom_metadata_checksum)
        now = run.details().custom_metadata
        assert now is not None
        assert now["mine"] == 1
        assert now["sdk"]["schema_version"] == "0.0.6"
        run.update_custom_metadata({"mine": 2}, custom_metadata_checksum=checksum, enrich_sdk_metadata=False)
        assert run.details().custom_metadata == {"mine": 2}
        with pytest.raises(platform.ConcurrencyConflictError):
            run.update_custom_metadata({"mine": 3}, custom_metadata_checksum=checksum)
        token = client.share_tokens.create()
        run.grant_access("share_token", token.share_token_id)
        assert [item.subject_id for item in run.list_share_grants(subject_type="share_token")] == [token.share_token_id]
        assert token.share_token
        token.revoke()
