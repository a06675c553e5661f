"""Functions that the tests of supervised.py run in worker processes."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from pathlib import Path

from launchpad.errors import SlideError
from launchpad.progress import Progress


def double(value: int) -> int:
    return value * 2


def where() -> int:
    return os.getpid()


def report(total: int, progress: Progress) -> int:
    for done in range(total + 1):
        progress.report(done, total, f"step {done}")
    return total


def refuse(name: str) -> None:
    raise SlideError("The slide cannot be read", detail="It is a text file.", subject=name)


class Awkward(Exception):
    """Cannot be pickled back: its constructor wants two arguments."""

    def __init__(self, one: object, two: object) -> None:
        super().__init__("only one")


def awkward() -> None:
    raise Awkward(1, 2)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fault() -> None:
    faulthandler._sigsegv()  # type: ignore[attr-defined]


def hang(marker: str) -> None:
    Path(marker).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def allocate(size: int) -> None:
    block = bytearray(os.urandom(1 << 20) * (size >> 20))
    while block:
        time.sleep(1)
