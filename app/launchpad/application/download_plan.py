"""What of a run is downloaded and where to: all or some slides, a folder or a ZIP file, now or as slides finish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import paths
from launchpad.application.results import Downloaded, download_results
from launchpad.paths import safe_name
from launchpad.progress import Progress

if TYPE_CHECKING:
    from launchpad.application.run_folder import ItemFacts, RunFacts
    from launchpad.bucket.board import FileBoard
    from launchpad.platform.client import Client


@dataclass(frozen=True)
class DownloadPlan:
    """A download. Empty `item_ids`: all slides; empty `folder`: the usual one; `zip_file`: also as one file."""

    run_id: str
    item_ids: tuple[str, ...] = ()
    folder: str = ""
    zip_file: str = ""
    wait: bool = False

    @property
    def destination(self) -> Path:
        """The folder in which the run's folder is made."""
        return Path(self.folder) if self.folder else paths.results_dir()

    @property
    def run_folder(self) -> Path:
        """The run's folder."""
        return self.destination / safe_name(self.run_id)

    def to_text(self) -> str:
        """As the record of a transfer keeps it: the run's id alone where nothing else is said."""
        if self == DownloadPlan(self.run_id):
            return self.run_id
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> DownloadPlan:
        """The plan that `to_text` wrote."""
        if not text.startswith("{"):
            return cls(text)
        fields = json.loads(text)
        return cls(**{**fields, "item_ids": tuple(fields["item_ids"])})


def carry_out(
    plan: DownloadPlan,
    client: Client,
    board: FileBoard,
    progress: Progress,
    on_ready: Callable[[Path, RunFacts, ItemFacts], None] | None = None,
) -> list[Downloaded]:
    """Download as planned; what is complete is not fetched again. `on_ready` as in `download_results`.

    Raises as `download_results` and `zip_run`.
    """
    from launchpad.application.archive import zip_run

    done = download_results(
        client,
        plan.run_id,
        plan.destination,
        wait=plan.wait,
        item_ids=plan.item_ids or None,
        progress=progress,
        board=board,
        on_ready=on_ready,
        with_slides=on_ready is not None,
    )
    if plan.zip_file and not any(result.errors for result in done):
        zip_run(plan.run_folder, Path(plan.zip_file), progress=progress)
    return done
