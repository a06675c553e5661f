"""Wheels that stand in for the packages of a notebook environment, so that one is made without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from launchpad.notebook.environment import REQUIREMENTS

# Answers like a marimo server, on the port that it is given.
_MARIMO = """
import http.server, sys

port = int(sys.argv[sys.argv.index("--port") + 1])
assert sys.stdin.read().strip(), "no token"

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"stand-in")

http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def offer(folder: Path, patch: pytest.MonkeyPatch, *, needs: str = "") -> None:
    """Make wheels in a folder, and let pip and uv look there only; `needs` is a package that they want."""
    folder.mkdir()
    for requirement in REQUIREMENTS:
        name = requirement.partition(">")[0]
        info = f"{name}-99.0.dist-info"
        with zipfile.ZipFile(folder / f"{name}-99.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "")
            if name == "marimo":
                wheel.writestr(f"{name}/__main__.py", _MARIMO)
            wants = f"Requires-Dist: {needs}\n" if needs else ""
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n{wants}")
            kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{info}/WHEEL", kind)
            wheel.writestr(f"{info}/RECORD", "")
    for program in ("PIP", "UV"):
        patch.setenv(f"{program}_NO_INDEX", "1")
        patch.setenv(f"{program}_FIND_LINKS", str(folder))
        patch.setenv(f"{program}_OFFLINE", "1")
    patch.setenv("UV_CACHE_DIR", str(folder.with_name("cache")))  # nothing of this machine's own
    for name in ("PIP_OFFLINE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX"):
        patch.delenv(name, raising=False)
