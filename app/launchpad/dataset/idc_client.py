"""The client of Image Data Commons under the names that scripts of the old SDK use, on the index that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launchpad.dataset import layout as layouts
from launchpad.dataset.download import download_selection
from launchpad.dataset.index import open_index
from launchpad.dataset.query import INDICES, SLIDES, columns, indices, query
from launchpad.dataset.selection import select
from launchpad.dataset.service import raise_first
from launchpad.errors import BadInput, NotFound


class IDCClient:
    """Questions and downloads. Answers are lists of rows (dicts); `sql_query` is a data frame where pandas is there."""

    def __init__(self) -> None:
        self._indices = [SLIDES]

    @classmethod
    def client(cls) -> IDCClient:
        """A client."""
        return cls()

    @property
    def indices_overview(self) -> dict[str, dict[str, str]]:
        """The indices, and what each is."""
        return {name: {"description": words} for name, words in INDICES.items()}

    def fetch_index(self, index: str) -> None:
        """Ask this index, too. Raises BadInput where there is none, SettingsError where it is not set."""
        (name,) = indices([index])
        columns(name)
        if name not in self._indices:
            self._indices.append(name)

    def sql_query(self, sql_query: str) -> Any:
        """The answer to a question in SQLite's SQL: a pandas.DataFrame, or a list of dicts where pandas is not there.

        Raises:
            BadInput: the question is malformed.
        """
        answer = query(sql_query, self._indices)
        try:
            import pandas
        except ImportError:
            return answer.records()
        return pandas.DataFrame(list(answer.rows), columns=list(answer.columns))

    def get_idc_version(self) -> str:
        """The version of Image Data Commons that the index was made from, as `v25`."""
        return f"v{open_index().version()}"

    def get_collections(self) -> list[str]:
        """The ids of all collections with slides."""
        return sorted(item.id for item in open_index().collections())

    def get_series_size(self, seriesInstanceUID: str) -> float:  # noqa: N803 - the name that scripts use
        """Megabytes of a series. Raises BadInput where it is unknown."""
        return select(open_index(), [seriesInstanceUID]).series[0].size / 1e6

    def download_from_selection(
        self,
        downloadDir: str | Path,  # noqa: N803 - names that scripts use
        *,
        dry_run: bool = False,
        collection_id: str | list[str] | None = None,
        patientId: str | list[str] | None = None,  # noqa: N803
        studyInstanceUID: str | list[str] | None = None,  # noqa: N803
        seriesInstanceUID: str | list[str] | None = None,  # noqa: N803
        sopInstanceUID: str | list[str] | None = None,  # noqa: N803
        dirTemplate: str | None = layouts.DEFAULT,  # noqa: N803
        **_ignored: object,
    ) -> None:
        """Download the slides that any of these ids name.

        Raises:
            NotFound: the folder is not there.
            BadInput: an id is unknown, or none is given.
            LaunchpadError: the first failure, after all others were fetched.
        """
        folder = Path(downloadDir)
        if not folder.is_dir():
            raise NotFound("The folder is not there", advice="Make it first.", subject=str(folder))
        names: list[str] = []
        for given in (collection_id, patientId, studyInstanceUID, seriesInstanceUID, sopInstanceUID):
            names += [given] if isinstance(given, str) else list(given or ())
        if not names:
            raise BadInput("Nothing is selected", advice="Name a collection, patient, study, series or instance.")
        layouts.check(dirTemplate or "")
        index = open_index()
        selection = select(index, names)
        if not dry_run:
            raise_first(download_selection(index, selection, folder, layout=dirTemplate or ""))

    def download_dicom_series(self, seriesInstanceUID: str | list[str], downloadDir: str | Path) -> None:  # noqa: N803
        """Download series. Raises as `download_from_selection`."""
        self.download_from_selection(downloadDir, seriesInstanceUID=seriesInstanceUID)
