"""When a platform ends by itself; how long it stays idle is tested with the real process (test_embedded.py)."""

from __future__ import annotations

import threading
from pathlib import Path

from launchpad.localplatform.lifetime import Lifetime
from launchpad.own_program import OwnProgram


def test_it_ends_when_its_program_is_replaced_though_clients_and_runs_want_it(tmp_path: Path) -> None:
    program, newer = tmp_path / "launchpad", tmp_path / "newer"
    program.touch()
    newer.touch()
    ended = threading.Event()
    lifetime = Lifetime(tmp_path / "clients.lock", lambda: False, ended.set, OwnProgram(program))
    lifetime.start()
    try:
        assert not ended.wait(0.7)
        newer.replace(program)  # as a package manager does
        assert ended.wait(10)
    finally:
        lifetime.stop()


def test_a_program_that_is_removed_is_replaced_and_one_that_runs_from_source_never(tmp_path: Path) -> None:
    file = tmp_path / "launchpad"
    file.touch()
    program = OwnProgram(file)
    assert not program.is_replaced()
    file.unlink()
    assert program.is_replaced()
    assert not OwnProgram().is_replaced()
    assert not OwnProgram(tmp_path / "never there").is_replaced()
