"""Watching runs: one poller for all pages and commands of a process, fast while something moves, slow when idle."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchpad.application.states import has_ended
from launchpad.errors import LaunchpadError
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import RunReadResponse
    from launchpad.platform.runs import Run

FAST = 2.0  # seconds
SLOW = 60.0
PAGE = 100  # runs
_OLD_ONES = 20  # runs of later pages that are asked for one by one, as they have not ended


@dataclass(frozen=True)
class Snapshot:
    """The runs that are known, newest first; ids of those that differ from the last look; whether there are more."""

    runs: tuple[RunReadResponse, ...]
    changed: frozenset[str]
    complete: bool


class Monitor:
    """Polls a platform: call `poll`, then wait `next_delay` seconds. Thread-safe: calls take turns.

    With `organization` it watches the runs of that organization, otherwise one's own.
    """

    def __init__(self, client: Client, organization: str | None = None) -> None:
        self._client = client
        self._organization = organization
        self._known: dict[str, RunReadResponse] = {}
        self._rest: Iterator[RunReadResponse] | None = None
        self._complete = False
        self._delay = FAST
        self._lock = threading.Lock()

    def poll(self) -> Snapshot:
        """Look once: at the newest runs, and at older ones that have not ended.

        Raises:
            Unreachable, ApiException: the platform does not answer; the delay grows.
        """
        with self._lock:
            try:
                if self._rest is None:
                    self._rest = self._list()
                    newest = list(itertools.islice(self._rest, PAGE))
                    self._complete = len(newest) < PAGE
                else:
                    newest = list(itertools.islice(self._list(), PAGE))
                seen = {run.run_id for run in newest}
                old = [run for run in self._known.values() if not has_ended(run) and run.run_id not in seen]
                newest += [self._client.run(run.run_id).details() for run in old[:_OLD_ONES]]
            except LaunchpadError:
                self._delay = min(self._delay * 2, SLOW)
                raise
            changed = self._take(newest)
            moving = any(not has_ended(run) for run in self._known.values())
            self._delay = FAST if moving or changed else min(self._delay * 1.5, SLOW)
            return self._snapshot(changed)

    def more(self) -> Snapshot:
        """The next page of older runs. Raises as `poll`."""
        with self._lock:
            if self._rest is None or self._complete:
                return self._snapshot(frozenset())
            try:
                older = list(itertools.islice(self._rest, PAGE))
            except LaunchpadError:
                self._rest = itertools.islice(self._list(), len(self._known), None)  # a broken iterator is at its end
                raise
            self._complete = len(older) < PAGE
            return self._snapshot(self._take(older))

    @property
    def moving(self) -> bool:
        """Whether a run that is known has not ended."""
        return any(not has_ended(run) for run in list(self._known.values()))

    def next_delay(self, *, hidden: bool = False) -> float | None:
        """Seconds until the next look; None: not before somebody asks, as nobody looks and nothing moves."""
        return None if hidden and not self.moving else self._delay

    def hurry(self) -> None:
        """Something was just done: look often again."""
        self._delay = FAST

    def _list(self) -> Iterator[RunReadResponse]:
        return self._client.runs.list_data(page_size=PAGE, for_organization=self._organization)

    def _take(self, runs: list[RunReadResponse]) -> frozenset[str]:
        changed = frozenset(run.run_id for run in runs if self._known.get(run.run_id) != run)
        # What did not change stays the same object: whoever shows thousands compares them by identity.
        self._known.update((run.run_id, run) for run in runs if run.run_id in changed)
        return changed

    def _snapshot(self, changed: frozenset[str]) -> Snapshot:
        runs = sorted(self._known.values(), key=lambda run: (run.submitted_at, run.run_id), reverse=True)
        return Snapshot(tuple(runs), changed, self._complete)


def follow(
    run: Run,
    *,
    on_change: Callable[[RunReadResponse], None],
    on_trouble: Callable[[LaunchpadError], None] = lambda error: None,
    progress: Progress | None = None,
) -> RunReadResponse:
    """Look at one run until it has ended, often while it moves, seldom while it waits; the run as it is then.

    `on_change` gets it at first and whenever it is another; what keeps the platform from answering goes to
    `on_trouble` and is tried again.

    Raises:
        NotFoundException, UnauthorizedException, ForbiddenException, UnprocessableException: waiting does not help.
        Cancelled: the progress was cancelled.
    """
    from launchpad.platform.http import (
        ForbiddenException,
        NotFoundException,
        UnauthorizedException,
        UnprocessableException,
    )

    progress, delay, seen = progress or Progress(), FAST, None
    while True:
        try:
            now = run.details()
        except (NotFoundException, UnauthorizedException, ForbiddenException, UnprocessableException):
            raise
        except LaunchpadError as error:
            on_trouble(error)
            delay = min(delay * 2, SLOW)
        else:
            delay = FAST if now != seen else min(delay * 1.5, SLOW)
            if now != seen:
                on_change(now)
            seen = now
            if has_ended(now):
                return now
        progress.sleep(delay)
