"""A program that behaves like QuPath as far as Launchpad can tell: its arguments, its processes, its folder."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import io
import json
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

# A shell's first lines, which are a string to Python: an interpreter's path may hold spaces, a `#!` line's may not.
PROGRAM = """#!/bin/sh
'''exec' "{python}" -IS "$0" "$@"
' '''
import json, os, sys, time
folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if "--version" in sys.argv:
    print("QuPath v{version}")
    sys.exit(0)
record = {{"args": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "session": os.getsid(0)}}
path = os.path.join(folder, "started-%d.json" % os.getpid())
with open(path + ".part", "w") as file:
    json.dump(record, file)
os.rename(path + ".part", path)
if sys.argv[1:2] == ["script"]:
    with open(sys.argv[-1]) as script:
        text = script.read()
    print("ran", " ".join(sys.argv[2:]))
    print("to stderr", file=sys.stderr)
    if "import qupath.lib.io.PathIO" in text:
        project = os.path.dirname(sys.argv[sys.argv.index("-p") + 1])
        for number in os.listdir(os.path.join(project, "data")):
            if os.path.exists(os.path.join(project, "data", number, "objects.geojson")):
                open(os.path.join(project, "data", number, "data.qpdata"), "wb").write(b"by QuPath")
    sys.exit(3 if "fail" in text else 0)
if "--ignore-end" in sys.argv:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + 120
while time.monotonic() < end and os.path.exists(path):
    time.sleep(0.02)
"""


def make(folder: Path, version: str = "0.6.0") -> Path:
    """An installation in `folder` as QuPath's archive for Linux holds it; its program."""
    program = folder / "bin" / "QuPath"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM.format(python=sys.executable, version=version))
    program.chmod(0o755)
    jars = folder / "lib" / "app"
    jars.mkdir(parents=True)
    (jars / f"qupath-app-{version}.jar").write_bytes(b"PK")
    return program


def archive(folder: Path, version: str = "0.6.0") -> bytes:
    """A release's .tar.xz, with a link to a notice as Java's own files have them."""
    make(folder / "QuPath", version)
    legal = folder / "QuPath" / "lib" / "runtime" / "legal"
    (legal / "java.base").mkdir(parents=True)
    (legal / "java.sql").mkdir()
    (legal / "java.base" / "LICENSE").write_text("licence")
    (legal / "java.sql" / "LICENSE").symlink_to("../java.base/LICENSE")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as tar:
        tar.add(folder / "QuPath", "QuPath")
    return buffer.getvalue()


class Releases:
    """A release server: what it answers can be changed."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.digests: dict[str, str | None] = {}
        self.cut = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                wanted = self.path.startswith("/releases/")
                body = server.document(name) if wanted else server.files.get(name)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write((body or b"")[: len(body or b"") - server.cut * (not wanted)])

            def log_message(self, *_: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def document(self, tag: str) -> bytes | None:
        if tag == "latest":
            return json.dumps({"tag_name": "v0.7.0"}).encode()
        assets = [
            {
                "name": name,
                "size": len(data),
                "browser_download_url": f"{self.url}/files/{name}",
                "digest": self.digests.get(name, f"sha256:{hashlib.sha256(data).hexdigest()}"),
            }
            for name, data in self.files.items()
            if f"-{tag}-" in name
        ]
        return json.dumps({"tag_name": tag, "assets": assets}).encode() if assets else None


@contextlib.contextmanager
def serve_releases(folder: Path, *versions: str) -> Iterator[Releases]:
    """A release server with the archives for Linux of these versions, which are made in a folder."""
    made = Releases()
    for version in versions:
        made.files[f"QuPath-v{version}-Linux.tar.xz"] = archive(folder / f"made {version}", version)
    thread = threading.Thread(target=made.http.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        made.http.shutdown()
        made.http.server_close()
        thread.join()


def zip_of(members: dict[str, bytes]) -> bytes:
    """A ZIP file of these names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def started(program: Path, count: int = 1) -> list[dict[str, Any]]:
    """What the stand-ins that were started were given; waits for `count` of them."""
    folder = program.parents[1]
    end = time.monotonic() + 20
    while len(found := sorted(folder.glob("started-*.json"), key=lambda path: path.stat().st_mtime_ns)) < count:
        assert time.monotonic() < end, "the stand-in did not start"
        time.sleep(0.02)
    return [{**json.loads(path.read_text()), "pid": int(path.stem.partition("-")[2])} for path in found]


def end(program: Path) -> None:
    """End the stand-ins of an installation, each by its own id."""
    for path in program.parents[1].glob("started-*.json"):
        pid = int(path.stem.partition("-")[2])
        path.unlink()
        try:
            process = psutil.Process(pid)
            if "QuPath" in " ".join(process.cmdline()):
                process.kill()
                process.wait(10)
        except psutil.NoSuchProcess:
            continue
