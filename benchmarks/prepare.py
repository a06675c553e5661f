"""Preparation of two sets of slides, against the existing SDK in an environment of its own; side by side in one run.

`python benchmarks/prepare.py FOLDER [--peer PYTHON]`; FOLDER gets 500 slides of 2 MB and 20 of 200 MB once, PYTHON is
the interpreter of an environment with `aignostics==1.6.0`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "resources" / "sample" / "CMU-1-Small-Region.svs"
# The SDK would ask its platform for the version, over a line that is not measured here.
PEER_OFFLINE = """
import sys, time
from aignostics.application import Service
Service.application_version = lambda *arguments, **keywords: None
"""
PEER_WORK = """
started = time.perf_counter()
rows = Service.generate_metadata_from_source_directory(__import__("pathlib").Path(sys.argv[1]), "he-tme", "1.0.0")
print(len(rows), time.perf_counter() - started)
"""


def make_small(folder: Path, count: int = 500) -> Path:
    """Slides of 2 MB: the sample, its bytes changed where no reader looks (behind its end)."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        content = SAMPLE.read_bytes()
        for number in range(count):
            (folder / f"slide {number:03}.svs").write_bytes(content + number.to_bytes(4, "little") * 16)
    return folder


def make_large(folder: Path, count: int = 20, size: int = 200_000_000) -> Path:
    """Slides of 200 MB: the sample, followed by bytes of its own, another order in each."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        content = SAMPLE.read_bytes()
        for number in range(count):
            with (folder / f"large {number:02}.svs").open("wb") as file:
                file.write(content)
                while file.tell() < size:
                    file.write(number.to_bytes(4, "little"))
                    file.write(content[: size - file.tell()])
    return folder


def ours(folder: Path) -> tuple[int, float, float]:
    """Number of rows, seconds of the whole work (processes started and ended), seconds until the first row."""
    from launchpad.application.prepare import prepare
    from launchpad.localplatform.applications.registry import APPLICATIONS
    from launchpad.wsi.isolation import SlideService

    first: list[float] = []
    started = time.perf_counter()
    with SlideService() as service:
        found = prepare(
            [folder],
            APPLICATIONS["he-tme"].details(),
            service=service,
            on_slide=lambda entry: first.append(time.perf_counter()) if not first else None,
        )
    return len(found.slides), time.perf_counter() - started, first[0] - started


def peer(python: str, folder: Path) -> tuple[int, float]:
    """The same by the existing SDK."""
    done = subprocess.run(
        [python, "-c", PEER_OFFLINE + PEER_WORK, str(folder)], capture_output=True, text=True, check=True
    )
    count, seconds = done.stdout.split()[-2:]
    return int(count), float(seconds)


def command(arguments: list[str]) -> float:
    """Seconds of a whole command."""
    started = time.perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return time.perf_counter() - started


def peak_rss(folder: Path) -> float:
    """MiB that the main process of a preparation needs at most."""
    import psutil

    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import prepare; "
        "prepare.ours(Path(sys.argv[2]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(Path(__file__).parent), str(folder)]) as process:
        watched, highest = psutil.Process(process.pid), 0
        while process.poll() is None:
            try:
                highest = max(highest, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
    return highest / 2**20


def forget() -> None:
    """Nothing is taken from an earlier round."""
    from launchpad import paths

    for file in paths.state_file().parent.glob(f"{paths.state_file().name}*"):
        file.unlink()


def main() -> None:
    """Print a line for each figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", help="interpreter with aignostics==1.6.0")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    small, large = make_small(arguments.folder / "small"), make_large(arguments.folder / "large")
    with tempfile.TemporaryDirectory() as data:
        os.environ["LAUNCHPAD_DATA_DIR"] = data
        for name, folder in (("500 slides of 2 MB", small), ("20 slides of 200 MB", large)):
            ours_s, first_s, peer_s = [], [], []
            for _ in range(arguments.rounds):  # in turns, so that a busy moment meets both
                forget()
                count, seconds, first = ours(folder)
                ours_s.append(seconds)
                first_s.append(first)
                if arguments.peer:
                    other, seconds = peer(arguments.peer, folder)
                    peer_s.append(seconds)
                    assert other == count, (other, count)
            one = statistics.median(ours_s)
            size = sum(path.stat().st_size for path in folder.iterdir())
            text = f"{name}, work alone: {count / one:.0f} slides/s, {size / one / 1e6:.0f} MB/s"
            if peer_s:
                two = statistics.median(peer_s)
                text += f"; SDK {count / two:.0f} slides/s, {size / two / 1e6:.0f} MB/s; ratio {two / one:.2f}"
            print(f"{text}; first row after {statistics.median(first_s) * 1000:.0f} ms", flush=True)
        sparse = arguments.folder / "sparse"
        sparse.mkdir(exist_ok=True)
        shutil.copy(SAMPLE, sparse / "sparse.svs")
        os.truncate(sparse / "sparse.svs", 20 << 30)
        forget()
        print(f"main process with a sparse slide of 20 GiB: {peak_rss(sparse):.0f} MiB", flush=True)
        forget()
        print(f"main process with 500 slides: {peak_rss(small):.0f} MiB", flush=True)
        launchpad = str(Path(sys.executable).with_name("launchpad"))
        whole, theirs = [], []
        try:
            for _ in range(arguments.rounds):
                forget()
                whole.append(
                    command([launchpad, "application", "run", "prepare", "he-tme", f"{data}/a.csv", str(small)])
                )
                if arguments.peer:
                    theirs.append(peer_command(arguments.peer, f"{data}/b.csv", small))
        finally:
            subprocess.run([launchpad, "platform", "stop"], check=False, capture_output=True)
        text = f"whole command, 500 slides of 2 MB: {statistics.median(whole):.2f} s"
        if theirs:
            ratio = statistics.median(theirs) / statistics.median(whole)
            text += f"; SDK {statistics.median(theirs):.2f} s; ratio {ratio:.1f}"
        print(text, flush=True)


def peer_command(python: str, csv: str, folder: Path) -> float:
    """Seconds of the SDK's whole command."""
    code = PEER_OFFLINE + "from aignostics.cli import cli; cli()"
    return command([python, "-c", code, "application", "run", "prepare", "he-tme", csv, str(folder)])


if __name__ == "__main__":
    threading.excepthook = lambda arguments: os._exit(1)  # a failed thread ends the measurement
    main()
