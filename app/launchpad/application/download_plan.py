"""What of a run is downloaded and where to: all or some slides, a folder or a ZIP file, now or as slides finish."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad import paths
from launchpad.application.results import Downloaded, download_results, safe_name
from launchpad.progress import Progress

if TYPE_CHECKING:
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


def carry_out(plan: DownloadPlan, client: Client, board: FileBoard, progress: Progress) -> list[Downloaded]:
    """Download as planned; what is complete is not fetched again. Raises as `download_results` and `zip_folder`."""
    from launchpad.application.result_files import zip_folder

    done = download_results(
        client,
        plan.run_id,
        plan.destination,
        wait=plan.wait,
        item_ids=plan.item_ids or None,
        progress=progress,
        board=board,
    )
    if plan.zip_file and not any(result.errors for result in done):
        zip_folder(plan.run_folder, Path(plan.zip_file), progress)
    return done
