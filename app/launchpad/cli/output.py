"""What commands print: results on stdout, notes and progress on stderr."""

from __future__ import annotations

import itertools
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

import typer

from launchpad.progress import Pace, Progress

if TYPE_CHECKING:
    from pydantic import BaseModel

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
quiet = False  # by --quiet: no notes and no progress
_complaints: list[str] = []
_EVERY = 5.0  # seconds between lines of progress where there is no terminal


class Format(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def plain(text: str) -> str:
    """Text from a server or a file name without what would move a terminal's cursor or colour."""
    return _CONTROL.sub("�", text.replace("\n", " "))


def say(text: str) -> None:
    """A line on stdout."""
    typer.echo(plain(text))


def warn(text: str) -> None:
    """A note on stderr; none with --quiet, and none where JSON is wanted: stderr is then for the error's object."""
    if not (quiet or wants_json()):
        typer.echo(plain(text), err=True)


def complain(text: str) -> None:
    """What went wrong with one of several, on stderr; also with --quiet. Where JSON is wanted, part of the error."""
    if wants_json():
        _complaints.append(plain(text))
    else:
        typer.echo(plain(text), err=True)


def complaints() -> list[str]:
    """What was complained of since the last call and is not on stderr yet."""
    found = _complaints[:]
    _complaints.clear()
    return found


def wants_json() -> bool:
    """Whether `--format json`, or one of the old ways to say so, is among the arguments."""
    arguments = sys.argv[1:]
    names = ("--format", "--output-format")
    return (
        "--json" in arguments
        or any(f"{name}=json" in arguments for name in names)
        or any(first in names and second == "json" for first, second in itertools.pairwise(arguments))
    )


def print_json(value: BaseModel | Sequence[BaseModel] | Any) -> None:
    """Print models or plain data, indented by two."""
    typer.echo(as_json(_data(value), indent=2))


def print_json_line(value: BaseModel | Any) -> None:
    """Print one document of several that come one after another, on a line of its own (JSON Lines)."""
    typer.echo(as_json(_data(value)))


def is_utf(stream: TextIO) -> bool:
    """Whether a stream takes every character; where a program writes to a file, Windows' own encodings do not."""
    return (stream.encoding or "utf-8").lower().startswith("utf")


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Plain data as JSON; what is not Unicode, as bytes of file names may be, is escaped."""
    ascii_only = not is_utf(sys.stdout)
    return _SURROGATES.sub(
        lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    )


def _data(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [_data(item) for item in value]
    return value


@contextmanager
def progress_bar(title: str, *, unit: str = "slides") -> Iterator[Progress]:
    """A progress that is drawn on stderr: a bar in a terminal, a line now and then elsewhere.

    The first Ctrl-C cancels it, so that work ends at its next report and leaves nothing half done; a second one
    interrupts at once. Either way the command ends with 130.
    """
    with _interruptible(_Lines(title, unit) if not (quiet or sys.stderr.isatty()) else Progress()) as progress:
        if quiet:
            yield progress
        elif isinstance(progress, _Lines):
            yield progress
            progress.end()
        else:
            with _bar(title, unit, progress):
                yield progress


class _Lines(Progress):
    """Progress in a log."""

    def __init__(self, title: str, unit: str) -> None:
        super().__init__()
        self._title, self._unit = title, unit
        self._next = time.monotonic() + _EVERY
        self._lock = threading.Lock()
        self._pace = Pace(30.0)

    def report(self, done: int, total: int, what: str = "") -> None:
        super().report(done, total, what)
        with self._lock:
            if time.monotonic() < self._next:
                return
            self._next = time.monotonic() + _EVERY
            self._pace.add(done)
        speed = _speed(self._pace, done, total, self._unit)
        warn(f"{self._title}: {_count(done, total, self._unit)}{speed}{f', {what}' if what else ''}")

    def end(self) -> None:
        if self.latest is not None:
            warn(f"{self._title}: {_count(self.latest[0], self.latest[1], self._unit)}")


@contextmanager
def _interruptible(progress: Progress) -> Iterator[Progress]:
    if threading.current_thread() is not threading.main_thread():
        yield progress
        return

    def interrupted(number: int, frame: object) -> None:
        if progress.cancelled:
            raise KeyboardInterrupt
        progress.cancel()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield progress
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _bar(title: str, unit: str, progress: Progress) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar
    from rich.table import Column

    stop = threading.Event()
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=len(title))),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[count]}", markup=False, table_column=Column(no_wrap=True)),
        # What gives way in a narrow terminal.
        TextColumn(
            "{task.fields[what]}", markup=False, table_column=Column(no_wrap=True, ratio=1, overflow="ellipsis")
        ),
        TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=7)),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task(title, total=None, count="", what="")

        pace = Pace()

        def draw() -> None:
            while not stop.wait(0.1):
                if progress.latest is not None:
                    done, total, what = progress.latest
                    what = "stopping" if progress.cancelled else plain(what)
                    pace.add(done)
                    count = _count(done, total, unit) + _speed(pace, done, total, unit)
                    bar.update(task, completed=done, total=total or None, count=count, what=what)

        thread = threading.Thread(target=draw, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _speed(pace: Pace, done: int, total: int, unit: str) -> str:
    """Rate and remaining time, of bytes that move."""
    if unit != "bytes" or pace.rate <= 0:
        return ""
    left = pace.remaining(done, total)
    words = f", {pace.rate / 1e6:,.1f} MB/s"
    if left is not None and left >= 1:
        hours, minutes = divmod(round(left) // 60, 60)
        words += f", {hours}:{minutes:02}:{round(left) % 60:02} left"
    return words


def _count(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB" if total else f"{done / 1e6:,.1f} MB"
    return f"{done} of {total} {unit}" if total else f"{done} {unit}"
