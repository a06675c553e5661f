"""Watching runs: one poller for all pages and commands of a process, fast while something moves, slow when idle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from launchpad.application.states import has_ended
from launchpad.errors import LaunchpadError

if TYPE_CHECKING:
    from launchpad.platform.client import Client
    from launchpad.platform.models import RunReadResponse

_FAST = 2.0  # seconds
_SLOW = 60.0
_LIMIT = 200  # runs


@dataclass(frozen=True)
class Snapshot:
    """The newest runs, and the ids of those that differ from the last look."""

    runs: tuple[RunReadResponse, ...]
    changed: frozenset[str]


class Monitor:
    """Polls a platform. Call `poll`, then wait `next_delay` seconds."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen: dict[str, RunReadResponse] = {}
        self._delay = _FAST

    def poll(self) -> Snapshot:
        """Look once.

        Raises:
            Unreachable, ApiException: the platform does not answer; the delay grows.
        """
        try:
            runs: list[RunReadResponse] = []
            for run in self._client.runs.list_data():
                runs.append(run)
                if len(runs) >= _LIMIT:
                    break
        except LaunchpadError:
            self._delay = min(self._delay * 2, _SLOW)
            raise
        changed = frozenset(run.run_id for run in runs if self._seen.get(run.run_id) != run)
        self._seen = {run.run_id: run for run in runs}
        moving = any(not has_ended(run) for run in runs)
        self._delay = _FAST if moving or changed else min(self._delay * 1.5, _SLOW)
        return Snapshot(tuple(runs), changed)

    def next_delay(self) -> float:
        """Seconds until the next look."""
        return self._delay

    def hurry(self) -> None:
        """Something was just done: look often again."""
        self._delay = _FAST
