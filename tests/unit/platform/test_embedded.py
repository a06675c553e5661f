"""The platform's process: one a data folder, found, held, ended when nobody needs it; killed, it loses nothing."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from launchpad.platform import embedded


@pytest.fixture
def folder(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LAUNCHPAD_IDLE_SECONDS", "1")
    yield data_dir / "platform"
    embedded.release()
    assert embedded.stop()
    for process in embedded._started:
        process.wait(timeout=20)
    embedded._started.clear()


def until(what: str, condition: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


def test_several_at_once_start_one(folder: Path) -> None:
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(3) as threads:
        found = [call.result() for call in [threads.submit(embedded.ensure_running) for _ in range(3)]]
    assert len({endpoint.pid for endpoint in found}) == 1
    assert stat.S_IMODE((folder / "launch.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "keys" / "signing.pem").stat().st_mode) == 0o600
    assert found[0].launch_secret not in (folder / "platform.log").read_text()
    assert found[0].launch_secret not in repr(found[0])


def test_it_ends_when_nobody_holds_it(folder: Path) -> None:
    endpoint = embedded.ensure_running()
    process = psutil.Process(endpoint.pid)
    with pytest.raises(psutil.TimeoutExpired):
        process.wait(timeout=2.5)  # held: it stays longer than its idle time
    embedded.release()
    process.wait(timeout=20)
    assert embedded.find() is None


def test_the_ready_file_is_whole_and_without_secret(folder: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    arguments = [*embedded.command_line(), "platform", "serve", "--data", str(folder), "--ready-file", str(ready)]
    with subprocess.Popen(arguments) as process:
        try:
            document = json.loads(until("the ready file", lambda: ready.exists() and ready.read_text()))
            assert set(document) == {"api_root", "storage_endpoint", "issuer", "client_id", "audience", "pid"}
            assert document["pid"] == process.pid
            secret = json.loads((folder / "launch.json").read_text())["launch_secret"]
            assert secret not in ready.read_text()
            second = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
            assert second.returncode == 1
            assert "runs on this data folder already" in second.stderr
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert not ready.exists()
    assert not (folder / "launch.json").exists()


def test_another_host_is_refused(folder: Path) -> None:
    arguments = [*embedded.command_line(), "platform", "serve", "--data", str(folder), "--host", "0.0.0.0"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "this computer only" in done.stderr) == (2, True)


def submitted(sample: Path, count: int) -> Any:
    """A run of copies of the sample on the platform of this data folder."""
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft
    from launchpad.application.service import Service

    service = Service()
    version = service.application_version("test-app")
    prepared = service.prepare([sample], version)
    slides = [
        replace(prepared.slides[0], external_id=f"{number}/{sample.name}", id=str(number)) for number in range(count)
    ]
    slides = service.upload(slides, "test-app", version.version_number)
    assert all(slide.bucket_url for slide in slides)
    draft = SubmissionDraft(
        "test-app",
        version=version.version_number,
        columns=columns(input_artifact(version).metadata_schema),
        slides=slides,
    )
    return service, service.submit(draft, version)


def analysis_workers(pid: int) -> list[psutil.Process]:
    """The platform's worker processes that are at work (not the resource tracker)."""
    try:
        return [
            child for child in psutil.Process(pid).children(recursive=True) if "spawn_main" in " ".join(child.cmdline())
        ]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
def test_a_killed_worker_costs_nothing(folder: Path, sample_svs: Path) -> None:
    endpoint = embedded.ensure_running()
    service, run_id = submitted(sample_svs, 1)
    with service:
        run = service.application_run(run_id)
        until("the first slide", lambda: run.details().statistics.item_processing_count)
        worker = until("a worker", lambda: analysis_workers(endpoint.pid))[0]
        os.kill(worker.pid, signal.SIGKILL)
        done = until("the end", lambda: (one := run.details()).state == "TERMINATED" and one, 90)
        assert done.statistics.item_succeeded_count == 1
        assert done.output == "FULL"
        names = [sorted(artifact.name for artifact in item.output_artifacts) for item in run.results()]
        assert [len(set(own)) for own in names] == [5]
    assert "once more" in (folder / "platform.log").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
def test_a_slide_that_always_kills_its_worker_is_an_error(folder: Path, sample_svs: Path) -> None:
    endpoint = embedded.ensure_running()
    service, run_id = submitted(sample_svs, 1)
    with service:
        run = service.application_run(run_id)
        killed: set[int] = set()
        deadline = time.monotonic() + 60
        while len(killed) < 2 and time.monotonic() < deadline:
            for worker in analysis_workers(endpoint.pid):
                if worker.pid not in killed and run.details().statistics.item_processing_count:
                    killed.add(worker.pid)
                    os.kill(worker.pid, signal.SIGKILL)
            time.sleep(0.02)
        done = until("the end", lambda: (one := run.details()).state == "TERMINATED" and one)
        assert done.statistics.item_system_error_count == 1
        (item,) = run.results()
        assert (item.termination_reason, item.error_code) == ("SYSTEM_ERROR", "WORKER_DIED")


def test_cancelling_reaches_a_slide_under_way(folder: Path, sample_svs: Path) -> None:
    embedded.ensure_running()
    service, run_id = submitted(sample_svs, 3)
    with service:
        run = service.application_run(run_id)
        until("the first slide", lambda: run.details().statistics.item_processing_count)
        run.cancel()
        done = run.details()
        assert (done.state, done.termination_reason) == ("TERMINATED", "CANCELED_BY_USER")
        assert done.statistics.item_skipped_count + done.statistics.item_succeeded_count == 3
        work = folder / "work"
        until("the worker to stop", lambda: not any(work.iterdir()), 20)
