"""The checks of packages run to their end, whatever one of them says, and tell what they left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")


def judged(folder: Path, **scripts: str) -> subprocess.CompletedProcess[str]:
    """What test_all.sh says of scripts with these bodies, in a source tree of its own."""
    (folder / "installers").mkdir()
    (folder / "installers" / "test_all.sh").write_bytes((ROOT / "installers" / "test_all.sh").read_bytes())
    for name, body in scripts.items():
        file = folder / "installers" / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
    command = ["sh", "installers/test_all.sh", *(f"installers/{name}" for name in scripts)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_check_that_fails_hides_none_of_the_others(tmp_path: Path) -> None:
    done = judged(
        tmp_path,
        broken="echo some; exit 3",
        absent="echo 'NOT CHECKED: all of it: no tool'; exit 77",
        well="echo fine; echo 'NOT CHECKED: a part: no display'",
    )
    assert done.returncode == 1
    summary = done.stdout.partition("== Summary\n")[2]
    assert "  passed: installers/well, " in summary
    assert "  not checked at all: installers/absent\n" in summary
    assert "  FAILED: installers/broken, code 3\n" in summary
    assert "  NOT CHECKED: all of it: no tool\n" in summary
    assert "  NOT CHECKED: a part: no display\n" in summary
    assert "fine\n" in done.stdout


@pytest.mark.parametrize(("body", "code"), [("exit 0", 0), ("exit 77", 77)])
def test_nothing_checked_is_not_passed(body: str, code: int, tmp_path: Path) -> None:
    assert judged(tmp_path, one=body, another=body).returncode == code


def test_every_check_can_be_run_and_is_in_the_list() -> None:
    listed = (ROOT / "installers" / "test_all.sh").read_text()
    for script in (*ROOT.glob("installers/*/test.sh"), ROOT / "installers" / "linux" / "fresh_clone.sh"):
        assert script.relative_to(ROOT).as_posix() in listed
        assert script.stat().st_mode & 0o111, f"{script} cannot be run"
