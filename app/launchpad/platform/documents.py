"""Documents of one application version, with the names of the old SDK."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from launchpad.bucket.download import download
from launchpad.errors import BadInput
from launchpad.platform.http import Api, parse, segment
from launchpad.platform.models import VersionDocumentResponse
from launchpad.settings import Settings


class Documents:
    """What is written about one version. Every method raises Unreachable and ApiException as all requests do."""

    def __init__(self, api: Api, settings: Settings, application_id: str, number: Callable[[], str]) -> None:
        self._api = api
        self._settings = settings
        self._application_id = application_id
        self._number = number  # asked late: nothing is sent before something is wanted

    def list(self, nocache: bool = False) -> list[VersionDocumentResponse]:
        """The documents that one may read."""
        answer = self._api.get(self._path(), timeout=self._settings.application_timeout)
        return [parse(VersionDocumentResponse, item, self._path()) for item in answer]

    def details(self, document_name: str, nocache: bool = False) -> VersionDocumentResponse:
        """What one document is; NotFoundException where there is none."""
        path = f"{self._path()}/{segment(document_name)}"
        answer = self._api.get(path, timeout=self._settings.application_timeout)
        return parse(VersionDocumentResponse, answer, path)

    def download_to_path(self, document_name: str, destination: str | Path) -> Path:
        """Fetch a document into a folder (under its name), or to a file that does not exist yet; where it is.

        Raises:
            BadInput: the name is none of a file.
            LaunchpadError: the file cannot be written.
        """
        if Path(document_name).name != document_name or document_name in ("", ".", ".."):
            raise BadInput("This is no name of a document", advice="Look at the list.", subject=document_name)
        self.details(document_name)  # what does not exist is said as such
        target = Path(destination)
        target = target / document_name if target.is_dir() or not target.suffix else target
        return download(lambda: self._url(document_name), target, crc32c=None)

    def read_content(self, document_name: str) -> bytes:
        """The bytes of a document. Raises as `download_to_path`."""
        with TemporaryDirectory() as folder:
            return self.download_to_path(document_name, folder).read_bytes()

    def _url(self, name: str) -> str:
        path = f"{self._path()}/{segment(name)}/file"
        return self._api.location(path, timeout=self._settings.application_timeout)

    def _path(self) -> str:
        return f"/api/v1/applications/{segment(self._application_id)}/versions/{segment(self._number())}/documents"
