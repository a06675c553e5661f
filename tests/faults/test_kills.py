"""Server and workers killed at random while runs are under way: all end right, nothing is missing or there twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from launchpad.bucket.crc32c import crc32c_file
from launchpad.platform import embedded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")
OUTPUTS = 5  # of a slide


@pytest.fixture
def folder(data_dir: Path) -> Iterator[Path]:
    place = data_dir / "platform"
    place.mkdir(parents=True)
    (place / "platform.toml").write_text("workers = 2\n")
    yield place
    embedded.release()
    assert embedded.stop()
    for process in embedded._started:
        process.wait(timeout=20)
    embedded._started.clear()


def until(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen in {seconds:.0f} s")


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    """What the database says, also while no server runs."""
    with closing(sqlite3.connect(f"file:{folder / 'platform.sqlite'}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(query).fetchall()


def submit(sample: Path, runs: int, slides: int) -> list[str]:
    from launchpad.application.columns import columns, input_artifact
    from launchpad.application.draft import SubmissionDraft
    from launchpad.application.service import Service

    ids = []
    with Service() as service:
        version = service.application_version("test-app")
        prepared = service.prepare([sample], version)
        made = [
            replace(prepared.slides[0], external_id=f"{number}/{sample.name}", id=str(number))
            for number in range(slides)
        ]
        made = service.upload(made, "test-app", version.version_number)
        fields = columns(input_artifact(version).metadata_schema)
        for _ in range(runs):
            draft = SubmissionDraft("test-app", version=version.version_number, columns=fields, slides=made)
            ids.append(service.submit(draft, version))
    return ids


@dataclass
class Killer:
    """Kills the server, or a worker of an item whose worker was not killed before: a second time is an error."""

    folder: Path
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def server(self) -> None:
        endpoint = embedded.find()
        assert endpoint is not None
        workers = self._workers(endpoint.pid)
        os.kill(endpoint.pid, signal.SIGKILL)
        for worker in workers:
            worker.wait(timeout=20)  # they end with it
        self.done["server"] += 1
        embedded.ensure_running()

    def worker(self) -> bool:
        hit = "SELECT count(*) FROM item WHERE state != 'TERMINATED' AND kills > 0"
        endpoint = embedded.find()
        if endpoint is None or ask(self.folder, hit)[0][0]:
            return False
        workers = self._workers(endpoint.pid)
        if not workers:
            return False
        os.kill(self.dice.choice(workers).pid, signal.SIGKILL)
        self.done["worker"] += 1
        return True

    @staticmethod
    def _workers(pid: int) -> list[psutil.Process]:
        found = []
        for child in psutil.Process(pid).children(recursive=True):
            try:
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
            except psutil.Error:
                continue  # it ended meanwhile
        return found

    def left(self) -> int:
        return int(ask(self.folder, "SELECT count(*) FROM item WHERE state != 'TERMINATED'")[0][0])


def check(folder: Path, run_ids: list[str], slides: int, to: Path) -> None:
    """All that was promised is there, once, and the bytes are what the metadata say."""
    from launchpad.application.results import download_results
    from launchpad.application.service import Service

    with Service() as service:
        for run_id in run_ids:
            run = service.application_run(run_id)
            details = run.details()
            assert (details.state, details.termination_reason) == ("TERMINATED", "ALL_ITEMS_PROCESSED")
            assert details.statistics.item_succeeded_count == slides, details.statistics
            assert details.output == "FULL"
            items = list(run.results())
            assert len({item.item_id for item in items}) == len({item.external_id for item in items}) == slides
            for item in items:
                names = [artifact.name for artifact in item.output_artifacts]
                assert len(names) == len(set(names)) == OUTPUTS
            results = download_results(service.client, run_id, to, wait=False)
            assert [error for result in results for error in result.errors] == []
    wanted = len(run_ids) * slides * OUTPUTS
    results_sql = "SELECT file, crc32c, size FROM object WHERE key LIKE 'results/%'"
    stored = ask(folder, results_sql)
    assert len(stored) == len({file for file, _, _ in stored}) == wanted
    for file, crc32c, size in stored:
        place = folder / "objects" / file
        assert (place.stat().st_size, crc32c_file(place)) == (size, crc32c)
    downloaded = [file for file in to.rglob("*") if file.is_file()]
    assert len(downloaded) >= wanted
    assert not list(to.rglob("*.part"))
    embedded.release()
    assert embedded.stop()
    assert list((folder / "work").iterdir()) == []
    embedded.ensure_running()  # sweeps what the kills left in the store

    def files() -> set[str]:
        return {f"{place.parent.name}/{place.name}" for place in (folder / "objects").glob("??/*")}

    kept = {name for (name,) in ask(folder, "SELECT file FROM object WHERE file IS NOT NULL")}
    until("the sweep", lambda: files() == kept, 30)


def test_a_server_and_a_worker_killed_in_the_middle(folder: Path, small_tiff: Path, tmp_path: Path) -> None:
    embedded.ensure_running()
    run_ids = submit(small_tiff, 1, 3)
    killer = Killer(folder, random.Random(1))
    ended = "SELECT count(*) FROM item WHERE state = 'TERMINATED'"
    until("the first slides", lambda: ask(folder, ended)[0][0] >= 1, 60)
    until("a worker to kill", killer.worker, 30)
    until("more slides", lambda: ask(folder, ended)[0][0] >= 2, 60)
    killer.server()
    until("the end", lambda: not killer.left(), 120)
    check(folder, run_ids, 3, tmp_path / "results")
    assert killer.done == {"server": 1, "worker": 1}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_servers_and_workers_killed_at_random(folder: Path, small_tiff: Path, tmp_path: Path, seed: int) -> None:
    embedded.ensure_running()
    run_ids = submit(small_tiff, 3, 20)
    killer = Killer(folder, random.Random(seed))
    end = time.monotonic() + 500
    while killer.left() and time.monotonic() < end:
        time.sleep(killer.dice.uniform(0.2, 3.0))
        if killer.dice.random() < 0.5 and killer.done["server"] < 8:
            killer.server()
        else:
            killer.worker()
    assert not killer.left()
    print(f"seed {seed}: killed {dict(killer.done)}")
    assert killer.done["server"] >= 1
    assert killer.done["worker"] >= 1
    check(folder, run_ids, 20, tmp_path / "results")
