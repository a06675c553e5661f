"""The data sets under the names of the old SDK's library."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from launchpad import paths
from launchpad.dataset import layout as layouts
from launchpad.dataset.download import Fetched, download_selection
from launchpad.dataset.index import open_index
from launchpad.dataset.selection import select
from launchpad.errors import BadInput, LaunchpadError, NotFound
from launchpad.progress import Progress

PORTAL = "https://portal.imaging.datacommons.cancer.gov/explore/"


class _Queue(Protocol):
    """What `queue.Queue` and `multiprocessing.Queue` have in common."""

    def put_nowait(self, item: Any, /) -> None:
        """Add an item at once."""


class Service:
    """Public data sets. All methods are static; nothing is kept."""

    @staticmethod
    def download_idc(
        source: str,
        target: Path | str | None = None,
        target_layout: str = layouts.DEFAULT,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Download slides of NCI Image Data Commons; the number of ids that were found.

        Args:
            source: ids, separated by commas: collection_id, PatientID, StudyInstanceUID, SeriesInstanceUID or
                SOPInstanceUID.
            target: the folder, which has to be there; without one, `idc` among the data sets, which is made.
            target_layout: folders below it, made of columns.
            dry_run: look up the ids and check the layout, fetch nothing.
            progress: in bytes.

        Raises:
            BadInput: an id is unknown, the layout cannot be used.
            NotFound: the folder is not there.
            LaunchpadError: the first failure of a file, after all others were fetched.
        """
        layouts.check(target_layout)
        folder = Path(target) if target is not None else idc_folder()
        if not folder.is_dir():
            raise NotFound("The folder is not there", advice="Make it, or name another one.", subject=str(folder))
        index = open_index()
        selection = select(index, source)
        if not dry_run:
            done = download_selection(index, selection, folder, layout=target_layout, progress=progress)
            raise_first(done)
        return selection.matched

    @staticmethod
    def download_with_queue(
        queue: _Queue,
        source: str,
        target: Path | str | None = None,
        target_layout: str = layouts.DEFAULT,
        dry_run: bool = False,
    ) -> None:
        """As `download_idc`; the queue gets what part of the bytes is there, 0.0 to 1.0, and 1.0 at the end."""

        def tell(done: int, total: int, what: str) -> None:
            queue.put_nowait(min(1.0, done / total) if total else 0.0)

        Service.download_idc(source, target, target_layout, dry_run, _Told(tell, Progress()))
        queue.put_nowait(1.0)

    @staticmethod
    def download_aignostics(
        source_url: str,
        destination_directory: Path | str | None = None,
        download_progress_callable: Callable[[int, int, str], None] | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Download one object of Google Cloud Storage (`gs://bucket/key`); the path of the file.

        The bucket is read with Google's application default credentials. `download_progress_callable` is called with
        bytes so far, bytes in all, and the name.

        Raises:
            BadInput: this is no such address.
            NotFound: there is no such object.
            SettingsError, TransferError, Unreachable: it cannot be read.
        """
        from launchpad.bucket.download import download
        from launchpad.bucket.google_bucket import GoogleBucket

        bucket_name, _, key = source_url.removeprefix("gs://").partition("/")
        if not source_url.startswith("gs://") or not bucket_name or not key or key.endswith("/"):
            raise BadInput(
                "This is no address of an object", advice="Write it like gs://bucket/folder/file.", subject=source_url
            )
        folder = Path(destination_directory) if destination_directory is not None else vendor_folder()
        watch = _Told(download_progress_callable, progress or Progress())
        bucket = GoogleBucket(bucket_name)
        try:
            info = bucket.head(key)
            if info is None:
                raise NotFound("There is no such object", advice="Check the address.", subject=source_url)
            name = paths.safe_name(key.rpartition("/")[2])
            return download(
                partial(bucket.address, key),
                folder / name,
                crc32c=info.crc32c,
                progress=watch,
                name=name,
                getter=bucket.get,
            )
        finally:
            bucket.close()


class _Told(Progress):
    """Tells a function besides."""

    def __init__(self, tell: Callable[[int, int, str], None] | None, whole: Progress) -> None:
        super().__init__()
        self._tell, self._whole = tell, whole

    def report(self, done: int, total: int, what: str = "") -> None:
        self._whole.report(done, total, what)
        if self._tell is not None:
            self._tell(done, total, what)

    def check(self) -> None:
        self._whole.check()

    def sleep(self, seconds: float) -> None:
        self._whole.sleep(seconds)


def idc_folder() -> Path:
    """Where slides of Image Data Commons go when nothing else is said; made. Raises LaunchpadError."""
    return _made(paths.datasets_dir() / "idc")


def vendor_folder() -> Path:
    """Where samples of others go when nothing else is said; made. Raises LaunchpadError."""
    return _made(paths.datasets_dir() / "aignostics")


def raise_first(done: list[Fetched]) -> None:
    """Raise the first failure, if there is one."""
    for item in done:
        for error in item.errors:
            raise error


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LaunchpadError(
            "The folder cannot be made",
            detail=f"{error.strerror or error}.",
            advice="Name another one, or check your rights.",
            subject=str(folder),
        ) from error
    return folder
