"""The local platform with a large database: lists and filters, mixed reads, a submission, the start, memory.

Run: .venv/bin/python benchmarks/platform_load.py [FOLDER] [--runs 10000] [--items 100]
FOLDER keeps the data between runs of this benchmark; by default a temporary one is made and removed.
Prints one line of JSON for each measurement: what, and milliseconds or MiB.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import httpx
import psutil

OUTPUTS = 5
USER, ORGANIZATION = "local|user", "local"

# Ids as version 7 UUIDs make them: rising, so that making the rows is quick.
_RUN_ID = "printf('019a0000-%04x-7000-8000-%012x', n / 65536, n)"
_FILL = f"""
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :runs)
INSERT INTO run (id, application_id, version_number, state, termination_reason, custom_metadata, submitted_at,
  submitted_by, organization_id, terminated_at)
SELECT {_RUN_ID}, CASE n % 3 WHEN 0 THEN 'he-tme' ELSE 'test-app' END, '0.1.0', 'TERMINATED', 'ALL_ITEMS_PROCESSED',
  json_object('sdk', json_object('note', 'Batch ' || n || ' of the study', 'tags',
    json_array('study-' || (n % 50), CASE WHEN n = 17 THEN 'rare' ELSE 'common' END), 'padding',
    printf('%.*c', 400, 'x')), 'number', n),
  strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 1750000000 + n * 60, 'unixepoch'), '{USER}', '{ORGANIZATION}',
  strftime('%Y-%m-%dT%H:%M:%S.000000+00:00', 1750000000 + n * 60 + 30, 'unixepoch')
FROM numbers;
"""
_ITEMS = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :items)
INSERT INTO item (id, run_id, position, external_id, custom_metadata, state, termination_reason, terminated_at,
  attempts)
SELECT printf('019a0000-0001-7000-8%03x-%s', n, substr(run.id, 25)), run.id, n,
  '/slides/' || substr(run.id, 25) || '/' || n || '.svs', json_object('number', n), 'TERMINATED',
  CASE WHEN n % 20 = 0 THEN 'USER_ERROR' ELSE 'SUCCEEDED' END, run.terminated_at, 1
FROM run, numbers WHERE true ORDER BY n, run.id;
"""
_INPUTS = """
INSERT INTO input_artifact (id, item_id, name, download_url, metadata)
SELECT substr(id, 1, 9) || '0002' || substr(id, 14), id, 'whole_slide_image',
  'http://127.0.0.1:9/' || printf('%.*c', 300, 'u'),
  '{"checksum_base64_crc32c":"AAAAAA==","resolution_mpp":0.5,"width_px":10,"height_px":20,"media_type":"image/tiff"}'
FROM item;
"""
_OUTPUTS = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :outputs)
INSERT INTO output_artifact (id, item_id, name, state, termination_reason, output, object_key, metadata)
SELECT substr(item.id, 1, 9) || printf('%04x', 16 + n) || substr(item.id, 14), item.id, 'output_' || n, 'TERMINATED',
  item.termination_reason, CASE item.termination_reason WHEN 'SUCCEEDED' THEN 'AVAILABLE' ELSE 'NONE' END,
  'results/' || item.id, '{"media_type":"text/csv","checksum_base64_crc32c":"AAAAAA==","size_bytes":1}'
FROM numbers, item WHERE true ORDER BY n;
"""


def fill(data: Path, runs: int, items: int) -> None:
    """Make the rows directly in the database of a platform that is stopped."""
    with sqlite3.connect(data / "platform.sqlite") as database:
        database.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;")
        values = {"runs": runs, "items": items, "outputs": OUTPUTS}
        for statement in (_FILL, _ITEMS, _INPUTS, _OUTPUTS):
            database.execute(statement, values)
            database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def say(what: str, **values: object) -> None:
    """One measurement."""
    print(json.dumps({"what": what, **values}), flush=True)


@contextmanager
def platform(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str], float, float]]:
    """A running platform; its process, its addresses, seconds to the first answer and to the first healthy one."""
    ports = json.loads((data / "ports.json").read_bytes()) if (data / "ports.json").exists() else {}
    arguments = [sys.executable, "-m", "launchpad", "platform", "serve", "--data", str(data)]
    start = time.perf_counter()
    process = subprocess.Popen(arguments)
    first = healthy = 0.0
    try:
        while not healthy:
            if "api" not in ports and (data / "ports.json").exists():
                ports = json.loads((data / "ports.json").read_bytes())
            try:
                connection = http.client.HTTPConnection("127.0.0.1", ports.get("api", 9), timeout=30)
                connection.request("GET", "/health")
                answer = json.loads(connection.getresponse().read())
                connection.close()
                first = first or time.perf_counter() - start
                healthy = time.perf_counter() - start if answer["status"] == "UP" else 0.0
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError("the platform ended") from None
            time.sleep(0.002)
        while not (data / "launch.json").exists():
            time.sleep(0.01)
        yield process, json.loads((data / "launch.json").read_bytes()), first, healthy
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def starts(data: Path) -> None:
    """First answer, first healthy answer, first answer of the API proper, memory when idle."""
    first, healthy, idle = [], [], []
    for _ in range(5):
        with platform(data) as (process, _, one, two):
            first.append(one * 1000)
            healthy.append(two * 1000)
            time.sleep(3)
            whole = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            idle.append(sum(part.memory_info().rss for part in whole) / (1 << 20))
    say("first answer (may say that it starts), ms", median=round(statistics.median(first)), best=round(min(first)))
    say("first healthy answer, ms", median=round(statistics.median(healthy)), best=round(min(healthy)), aim=1000)
    say("idle memory with its workers, MiB", median=round(statistics.median(idle)), aim=150)


def signed_in(endpoint: dict[str, str]) -> httpx.Client:
    """A client with a token."""
    form = {
        "grant_type": "urn:launchpad:launch-secret",
        "client_id": endpoint["client_id"],
        "launch_secret": endpoint["launch_secret"],
    }
    token = httpx.post(f"{endpoint['issuer']}oauth/token", data=form, trust_env=False).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=endpoint["api_root"], headers=headers, trust_env=False, timeout=60)


def timed(call: Callable[[], httpx.Response], rounds: int) -> list[float]:
    """Milliseconds of each call, sorted."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = call()
        times.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
    return sorted(times)


def at(times: list[float], share: float) -> float:
    """A percentile of sorted times."""
    return round(times[min(len(times) - 1, int(len(times) * share))], 1)


def paths(client: httpx.Client, runs: int) -> dict[str, str]:
    """Each list and each filter, with what it asks."""
    middle = client.get("/api/v1/runs", params={"page_size": 5, "page": runs // 10}).json()[0]["run_id"]
    items = client.get(f"/api/v1/runs/{middle}/items", params={"page_size": 5}).json()[:2]
    names, ids = [item["external_id"] for item in items], [item["item_id"] for item in items]

    def of(path: str, **query: object) -> str:
        return f"{path}?{urlencode(query, doseq=True)}" if query else path

    listed, of_run = "/api/v1/runs", f"/api/v1/runs/{middle}/items"
    return {
        "runs": of(listed),
        "runs, 100 a page": of(listed, page_size=100),
        "runs, last page": of(listed, page=runs // 50, page_size=50),
        "runs of an application": of(listed, application_id="he-tme"),
        "runs of a version": of(listed, application_id="he-tme", application_version="0.1.0"),
        "runs with an external id": of(listed, external_id=names[0]),
        "runs with an external id that is nowhere": of(listed, external_id="nowhere.svs"),
        "runs of a user": of(listed, submitted_by=USER),
        "runs of nobody": of(listed, submitted_by="nobody"),
        "runs of an organization": of(listed, for_organization=ORGANIZATION),
        "runs by state": of(listed, sort="state"),
        "runs by application, newest first": of(listed, sort=["application_id", "-submitted_at"]),
        "runs, oldest first": of(listed, sort="submitted_at"),
        "runs with a tag": of(listed, custom_metadata='$.sdk.tags ? (@ == "study-7")'),
        "runs with a rare tag": of(listed, custom_metadata='$.sdk.tags ? (@ == "rare")'),
        "runs with two of these tags": of(listed, custom_metadata='$.sdk.tags[*] ? (@ == "study-1" || @ == "rare")'),
        "runs with a tag that is nowhere": of(listed, custom_metadata='$.sdk.tags ? (@ == "nowhere")'),
        "runs with a note": of(listed, custom_metadata='$.sdk.note ? (@ like_regex "BATCH 77" flag "i")'),
        "runs with a note that is nowhere": of(listed, custom_metadata='$.sdk.note ? (@ like_regex "nothing")'),
        "runs with a number": of(listed, custom_metadata="$.number ? (@ == 4711)"),
        "runs that have a field": of(listed, custom_metadata="$.nothing.at.all"),
        "a run": f"/api/v1/runs/{middle}",
        "items": of_run,
        "items, 100 a page": of(of_run, page_size=100),
        "items by name, two": of(of_run, external_id__in=names),
        "items by id, two": of(of_run, item_id__in=ids),
        "items that failed": of(of_run, termination_reason="USER_ERROR"),
        "items that ended": of(of_run, state="TERMINATED"),
        "items with a number": of(of_run, custom_metadata="$.number ? (@ == 7)"),
        "items by external id": of(of_run, sort="-external_id"),
        "an item": f"{of_run}/{quote(names[0], safe='')}",
        "applications": "/api/v1/applications",
        "who I am": "/api/v1/me",
    }


def lists(process: psutil.Process, client: httpx.Client, asked: dict[str, str], rounds: int) -> None:
    """p50 and p95 of each, and the processor's time that the platform spends on one: it does not mind other work."""
    worst = 0.0
    for what, path in asked.items():
        timed(lambda path=path: client.get(path), 3)  # type: ignore[misc]
        before = sum(process.cpu_times()[:2])
        times = timed(lambda path=path: client.get(path), rounds)  # type: ignore[misc]
        spent = (sum(process.cpu_times()[:2]) - before) * 1000 / rounds
        worst = max(worst, at(times, 0.95))
        say(f"list: {what}, ms", p50=at(times, 0.5), p95=at(times, 0.95), cpu=round(spent, 1))
    say("slowest list, p95, ms", worst=worst, aim=50)


def mixed(
    process: psutil.Process,
    endpoint: dict[str, str],
    client: httpx.Client,
    asked: dict[str, str],
    seconds: float = 20,
) -> None:
    """200 reads a second from 8 connections, by a fixed timetable: a late answer is counted from when it was due.

    The mix is what the window and commands do: mostly one run, pages of its items, the list of runs.
    """
    mix = [
        *["a run"] * 8,
        *["items by name, two"] * 4,
        *["an item"] * 4,
        *["runs with a tag"],
        *["runs"] * 1,
        *["items"] * 1,
        *["who I am", "applications"] * 2,
    ]
    rate = 200
    total, times, failed = int(seconds * rate), [], []
    lock, begin, next_one = threading.Lock(), time.perf_counter() + 0.5, iter(range(int(seconds * rate)))
    address = urlsplit(endpoint["api_root"])
    headers = {"Authorization": client.headers["Authorization"]}

    def work() -> None:
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        while True:
            with lock:
                number = next(next_one, None)
            if number is None:
                break
            due = begin + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("GET", asked[mix[(number * 7) % len(mix)]], headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                failed.append(answer.status)
            times.append((time.perf_counter() - due) * 1000)
        connection.close()

    before = sum(process.cpu_times()[:2])
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    times.sort()
    spent = (sum(process.cpu_times()[:2]) - before) * 1000 / total
    rates = {"reads_per_second": round(total / took), "failed": len(failed), "cpu": round(spent, 1)}
    say("mixed reads, ms", p50=at(times, 0.5), p95=at(times, 0.95), p99=at(times, 0.99), **rates, aim=100)


def submission(client: httpx.Client) -> None:
    """A run of 500 items, cancelled afterwards."""
    metadata = {
        "checksum_base64_crc32c": "AAAAAA==",
        "resolution_mpp": 0.5,
        "width_px": 10,
        "height_px": 20,
        "media_type": "image/tiff",
    }
    times = []
    for number in range(5):
        items = [
            {
                "external_id": f"/slides/{number}/{index}.svs",
                "input_artifacts": [
                    {
                        "name": "whole_slide_image",
                        "download_url": f"http://127.0.0.1:9/{index}?{'s' * 300}",
                        "metadata": metadata,
                    }
                ],
            }
            for index in range(500)
        ]
        body = {"application_id": "test-app", "items": items}
        start = time.perf_counter()
        answer = client.post("/api/v1/runs", json=body)
        times.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
        cancelled = client.post(f"/api/v1/runs/{answer.json()['run_id']}/cancel")
        if cancelled.status_code not in (202, 409):
            cancelled.raise_for_status()
    say("submission of 500 items, ms", median=round(statistics.median(times)), worst=round(max(times)), aim=2000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data: Path = (options.folder or Path(temporary)).absolute() / "platform"
        data.mkdir(parents=True, exist_ok=True)
        os.environ["LAUNCHPAD_DATA_DIR"] = str(data.parent)
        if not (data / "filled").exists():
            with platform(data):
                pass
            starts(data)
            began = time.perf_counter()
            fill(data, options.runs, options.items)
            (data / "filled").touch()
            size = (data / "platform.sqlite").stat().st_size
            say("database", seconds_to_make=round(time.perf_counter() - began), MiB=size >> 20)
        with platform(data) as (process, endpoint, _, healthy), signed_in(endpoint) as client:
            say("first healthy answer with this database, ms", once=round(healthy * 1000))
            asked = paths(client, options.runs)
            lists(psutil.Process(process.pid), client, asked, options.rounds)
            mixed(psutil.Process(process.pid), endpoint, client, asked)
            submission(client)
            say("memory after all this, MiB", once=psutil.Process(process.pid).memory_info().rss >> 20)


if __name__ == "__main__":
    main()
