"""Whether every locked dependency has a wheel for each system and Python that Launchpad is released for.

    wheels.py [LOCK …]     default: requirements/runtime.lock and dev.lock, of which bundles are made

Asks the package index (through uv, by the lock's hashes) for Windows x64, macOS arm64, Linux x64 and arm64 with Python
3.11 to 3.14, wheels only: nothing is built, nothing is installed. Ends with 1 and the reason when one is missing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = {
    "Windows x64": "x86_64-pc-windows-msvc",
    "macOS arm64": "aarch64-apple-darwin",
    "Linux x64": "x86_64-manylinux_2_34",
    "Linux arm64": "aarch64-manylinux_2_39",  # PySide6 has no wheel for an older glibc there
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def missing(lock: Path, triple: str, python: str) -> str:
    """Why the lock cannot be installed there; "" when it can."""
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--quiet", "--require-hashes",
                "--only-binary", ":all:", "--python-platform", triple, "--python-version", python,
                "--target", target, "--requirement", str(lock),
            ],
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr.strip()


def main(arguments: list[str]) -> int:
    """Ask for all and print a line for each."""
    shipped = [ROOT / "requirements" / name for name in ("runtime.lock", "dev.lock")]
    return max([asked(lock) for lock in [Path(lock) for lock in arguments] or shipped])


def asked(lock: Path) -> int:
    """1 when one of its packages is missing for a system."""
    wanted = [(name, triple, python) for name, triple in SYSTEMS.items() for python in PYTHONS]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda item: missing(lock, item[1], item[2]), wanted))
    failed = 0
    for (name, _, python), reason in zip(wanted, answers, strict=True):
        print(f"{'missing' if reason else 'ok'}: {lock.name}, {name}, Python {python}{f': {reason}' if reason else ''}")
        failed += bool(reason)
    print(f"{lock.name}: {len(wanted) - failed} of {len(wanted)} can be installed from wheels alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
