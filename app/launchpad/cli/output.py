"""What commands print: JSON as scripts know it, progress on stderr."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from launchpad.progress import Progress

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")


class Format(StrEnum):
    """How to print."""

    TEXT = "text"
    JSON = "json"


def print_json(value: BaseModel | Sequence[BaseModel] | Any) -> None:
    """Print models or plain data, indented by two."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def warn(text: str) -> None:
    """A line on stderr."""
    typer.echo(text, err=True)


@contextmanager
def progress_bar(title: str, *, unit: str = "slides") -> Iterator[Progress]:
    """A progress whose state is drawn on stderr: a bar in a terminal, nothing in a log.

    Ctrl-C cancels it: work stops at its next report, and the command ends with 130.
    """
    progress = Progress()
    if not sys.stderr.isatty():
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress as Bar, TextColumn, TimeElapsedColumn

    stop = threading.Event()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}  {task.fields[what]}", markup=False),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, count="", what="")

        def draw() -> None:
            while not stop.wait(0.1):
                latest = progress.latest
                if latest is not None:
                    done, total, what = latest
                    bar.update(task, completed=done, total=total or None, count=_count(done, total, unit), what=what)

        thread = threading.Thread(target=draw, name="progress", daemon=True)
        thread.start()
        try:
            yield progress
        finally:
            stop.set()
            thread.join()


def _count(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB" if total else f"{done / 1e6:,.1f} MB"
    return f"{done} of {total} {unit}" if total else f"{done} {unit}"


def interruptible(progress: Progress, work: Callable[[], T]) -> T:
    """Run work with threads of its own so that Ctrl-C cancels it cleanly."""
    try:
        return work()
    except KeyboardInterrupt:
        progress.cancel()
        raise
