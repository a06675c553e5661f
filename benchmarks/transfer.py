"""Uploads and downloads against the embedded store in a process of its own; side by side in one run.

`python benchmarks/transfer.py FOLDER [--peer PYTHON] [--size MIB] [--only NAMES]`; FOLDER gets the files (a tmpfs shows
the code, not the disk), PYTHON is the interpreter of an environment with `aignostics==1.6.0`. curl sends the same files
one after the other, without checksums. `line` goes through `long_line.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

KEYS = ("bucket", "KEY", "secret")
STORE = """
import socket, sys
from pathlib import Path
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.objectstore.server import StoreServer
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.objectstore.uploads import Uploads
folder = Path(sys.argv[1]); (folder / "objects").mkdir(parents=True)
database = Database(folder / "platform.sqlite"); storage = Storage(folder / "objects", database)
listener = socket.create_server(("127.0.0.1", 0))
server = StoreServer(listener, storage, Uploads(storage, database), Keys("bucket", "KEY", "secret"), "launch")
server.start(); print(server.endpoint, flush=True); sys.stdin.read()
"""
OURS = """
import sys, time, resource
from pathlib import Path
from launchpad.bucket.upload import Source, upload_files
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import LaunchpadError
files = sorted(Path(sys.argv[2]).iterdir())
started = time.perf_counter()
bucket = XmlBucket(sys.argv[1], "bucket", "KEY", "secret")
done = upload_files(bucket, [Source(file, f"{sys.argv[3]}/{file.name}") for file in files])
assert not [item for item in done if isinstance(item, LaunchpadError)], done
usage = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""
PEER = """
import json, sys, time, resource
from pathlib import Path
from aignostics.bucket._service import Service
urls = json.loads(Path(sys.argv[1]).read_text())
Service.create_signed_upload_url = lambda self, key, *more: urls[key]
service = Service.__new__(Service)
started = time.perf_counter()
for key in urls:
    assert service._upload_file(Path(sys.argv[2]) / key, key)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""
FETCH = """
import json, sys, time, resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from launchpad.bucket.download import download
urls = json.loads(Path(sys.argv[1]).read_text())
started = time.perf_counter()
def one(name):
    url, crc32c = urls[name]
    download(lambda: url, Path(sys.argv[2]) / name, crc32c=crc32c)
with ThreadPoolExecutor(4) as threads:  # as application/results.py does it
    list(threads.map(one, urls))
usage = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""
PEER_FETCH = """
import json, sys, time, resource
from pathlib import Path
from aignostics.platform._utils import download_file
urls = json.loads(Path(sys.argv[1]).read_text())
Path(sys.argv[2]).mkdir()
started = time.perf_counter()
for name, (url, crc32c) in urls.items():
    download_file(url, str(Path(sys.argv[2]) / name), crc32c)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def make(folder: Path, count: int, size: int) -> Path:
    """Files of random bytes."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        block = os.urandom(1 << 20)
        for number in range(count):
            with (folder / f"{number:03}.svs").open("wb") as file:
                for part in range(size):
                    file.write(block[part % 256 :] + block[: part % 256])
    return folder


def run(python: str, code: str, *arguments: str | Path) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak MiB of a process, as it says itself."""
    done = subprocess.run([python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True)
    seconds, cpu, memory = map(float, done.stdout.split()[-3:])
    return seconds, cpu, memory


def presigned(method: str, endpoint: str, names: list[str], prefix: str) -> dict[str, str]:
    """A signed URL for each name."""
    from launchpad.bucket import signing

    return {
        name: signing.presign(method, f"{endpoint}/bucket/{prefix}/{name}", KEYS[1], KEYS[2], expires=3600)
        for name in names
    }


def uploads(endpoint: str, work: Path, folder: Path, peer: str | None, rounds: int, store: str | None = None) -> None:
    """Print how long a folder takes each of them; medians."""
    names = sorted(path.name for path in folder.iterdir())
    size = sum(path.stat().st_size for path in folder.iterdir())
    seen: dict[str, list[tuple[float, float, float]]] = {"Launchpad": [], "SDK": [], "curl": []}
    for number in range(rounds):  # in turns, so that a busy moment meets all
        seen["Launchpad"].append(run(sys.executable, OURS, endpoint, folder, f"ours{number}"))
        if peer:
            urls = work / "urls.json"
            urls.write_text(json.dumps(presigned("PUT", endpoint, names, f"peer{number}")))
            seen["SDK"].append(run(peer, PEER, urls, folder))
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        for name, url in presigned("PUT", endpoint, names, f"curl{number}").items():
            subprocess.run(["curl", "-sf", "-T", str(folder / name), url], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seen["curl"].append((time.perf_counter() - started, cpu, 0.0))
        _forget(store or endpoint, [f"{who}{number}/{name}" for who in ("ours", "peer", "curl") for name in names])
    report(f"upload of {len(names)} files, {size / 1e6:,.0f} MB", size, seen)


def _forget(endpoint: str, keys: list[str]) -> None:
    from launchpad.bucket.xml_bucket import XmlBucket

    bucket = XmlBucket(endpoint, *KEYS)
    bucket.delete(keys)
    bucket.close()


def downloads(endpoint: str, store: str, work: Path, folder: Path, peer: str | None, rounds: int, what: str) -> None:
    """Print how long a folder takes to come back, from where the store seems to be (`endpoint`); medians."""
    from launchpad.bucket.crc32c import crc32c_file

    files = sorted(folder.iterdir())
    size = sum(path.stat().st_size for path in files)
    run(sys.executable, OURS, store, folder, "down")
    crcs = {path.name: crc32c_file(path) for path in files}
    seen: dict[str, list[tuple[float, float, float]]] = {"Launchpad": [], "SDK": []}
    for number in range(rounds):
        urls = presigned("GET", endpoint, [path.name for path in files], "down")
        listed = work / "urls.json"
        listed.write_text(json.dumps({name: (url, crcs[name]) for name, url in urls.items()}))
        for who, python, code in (("Launchpad", sys.executable, FETCH), ("SDK", peer, PEER_FETCH)):
            if python:
                target = work / f"{who}{number}"
                seen[who].append(run(python, code, listed, target))
                assert sum(path.stat().st_size for path in target.iterdir()) == size
                shutil.rmtree(target)
    _forget(store, [f"down/{path.name}" for path in files])
    report(f"{what} of {len(files)} files, {size / 1e6:,.0f} MB", size, seen)


def report(what: str, size: int, seen: dict[str, list[tuple[float, float, float]]]) -> None:
    """Print medians and how they compare."""
    ours = statistics.median(item[0] for item in seen["Launchpad"])
    for who, values in seen.items():
        if values:
            seconds, cpu, memory = (statistics.median(item[part] for item in values) for part in range(3))
            print(
                f"{what}, {who}: {seconds:.2f} s, {size / seconds / 1e6:.1f} MB/s, {cpu / size * 1e9:.2f} CPU s a GB, "
                f"{memory:.0f} MiB; Launchpad is {seconds / ours:.2f} times as fast",
                flush=True,
            )


@contextlib.contextmanager
def long_line(store: str, reset_after: int = 0) -> Iterator[str]:
    """The store's endpoint at the end of a long line."""
    parts = urlsplit(store)
    code = str(Path(__file__).with_name("long_line.py"))
    arguments = [sys.executable, code, str(parts.hostname), str(parts.port), str(reset_after)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        assert proxy.stdin is not None
        yield f"http://localhost:{proxy.stdout.readline().strip()}"
        proxy.stdin.close()


def over_a_long_line(store: str, work: Path, folder: Path, peer: str | None, rounds: int) -> None:
    """One file of 50 MiB up and down a long line, once with a reset at nine tenths."""
    one = make(folder / "line", 1, 50)
    with long_line(store) as endpoint:
        uploads(endpoint, work, one, peer, rounds, store=store)
        downloads(endpoint, store, work, one, peer, rounds, "download over a long line")
    size = sum(path.stat().st_size for path in one.iterdir())
    found = []
    for number in range(rounds):
        with long_line(store, reset_after=size * 9 // 10) as endpoint:
            found.append(run(sys.executable, OURS, endpoint, one, f"reset{number}"))
    seconds = statistics.median(item[0] for item in found)
    print(f"upload with every connection reset at 90 %: {seconds:.2f} s", flush=True)


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--size", type=int, default=512, help="MiB of each of four files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="large,small,down,line", help="which of the figures")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    work = Path(tempfile.mkdtemp(dir=arguments.folder))
    os.environ["LAUNCHPAD_DATA_DIR"] = str(work / "data")
    small = make(arguments.folder / "small", 200, 1)
    peer, rounds = arguments.peer, arguments.rounds
    try:
        with subprocess.Popen(
            [sys.executable, "-c", STORE, str(work / "store")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as store:
            assert store.stdout is not None
            endpoint = store.stdout.readline().strip()
            if "large" in wanted:
                large = make(arguments.folder / f"large {arguments.size}", 4, arguments.size)
                uploads(endpoint, work, large, peer, rounds)
            if "small" in wanted:
                uploads(endpoint, work, small, peer, rounds)
            if "down" in wanted:
                one = make(arguments.folder / "one", 1, 2 * arguments.size)
                downloads(endpoint, endpoint, work, one, peer, rounds, "download")
                downloads(endpoint, endpoint, work, small, peer, rounds, "download")
            if "line" in wanted:
                over_a_long_line(endpoint, work, arguments.folder, peer, rounds)
            store.stdin.close()  # type: ignore[union-attr]
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
