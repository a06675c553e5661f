"""`bucket.Service` of the old SDK: objects of the signed-in user's organization."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launchpad import paths
from launchpad.application.bucket_files import download_objects
from launchpad.application.submit import open_bucket
from launchpad.bucket.objects import find, sources
from launchpad.bucket.upload import upload_files
from launchpad.errors import LaunchpadError, NotFound
from launchpad.platform.client import Client
from launchpad.settings import load_settings
from launchpad.wsi.service import human_size

if TYPE_CHECKING:
    from launchpad.bucket.base import Bucket, ObjectInfo, Receipt

_DOWNLOAD_SECONDS = 604_800


class Service:
    """Of the platform that the settings choose. Methods raise Unreachable, ApiException and TransferError."""

    def upload(
        self,
        source_path: str | Path,
        destination_prefix: str = "{username}",
        callback: Callable[[int, Path], None] | None = None,
    ) -> dict[str, list[str]]:
        """Upload a file or a folder; the keys that are there then, and the files that failed.

        `callback` gets the bytes and the path of each file that is through, from a worker thread.
        """
        files = sources(Path(source_path), destination_prefix)

        def through(number: int, done: Receipt | LaunchpadError) -> None:
            if callback is not None and not isinstance(done, LaunchpadError):
                callback(files[number].path.stat().st_size, files[number].path)

        with self._opened() as bucket:
            done = upload_files(bucket, files, on_file=through)
        pairs = list(zip(files, done, strict=True))
        return {
            "success": [file.key for file, receipt in pairs if not isinstance(receipt, LaunchpadError)],
            "failed": [str(file.path) for file, receipt in pairs if isinstance(receipt, LaunchpadError)],
        }

    def find(
        self,
        what: Sequence[str] | None = None,
        what_is_key: bool = False,
        detail: bool = False,
        include_signed_urls: bool = False,
    ) -> list[Any]:
        """Keys that fit, or with `detail` or signed URLs a dict each. BadInput for a malformed expression."""
        with self._opened() as bucket:
            found = find(bucket, what or [], what_is_key=what_is_key)
            if not (detail or include_signed_urls):
                return [info.key for info in found]
            return [described(bucket, info, detail=detail, signed=include_signed_urls) for info in found]

    def download(
        self,
        what: Sequence[str] | None = None,
        destination: str | Path | None = None,
        what_is_key: bool = False,
        progress_callback: Callable[[int, int, Path], None] | None = None,
    ) -> list[Path]:
        """Download objects into one folder; their paths. `progress_callback` gets done, total and the path of each.

        Raises:
            NotFound: nothing fits.
            LaunchpadError: the first object that failed; the others are there.
        """
        folder = Path(destination) if destination is not None else paths.data_dir() / "bucket_downloads"
        with self._opened() as bucket:
            found = find(bucket, what or [], what_is_key=what_is_key)
            if not found:
                raise NotFound("Nothing fits", advice="Look with `find`.", subject=" ".join(what or []))
            done = download_objects(bucket, found, folder)
        for number, item in enumerate(done, 1):
            if progress_callback is not None and item.error is None:
                progress_callback(number, len(done), item.path)
        for item in done:
            if item.error is not None:
                raise item.error
        return [item.path for item in done]

    def delete(self, what: Sequence[str], what_is_key: bool = False, dry_run: bool = True) -> int:
        """Delete what fits; how many were (or would be). Nothing is named: nothing is deleted."""
        if not what:
            return 0
        with self._opened() as bucket:
            found = find(bucket, what, what_is_key=what_is_key)
            return len(found) if dry_run else bucket.delete(info.key for info in found)

    @staticmethod
    def find_static(
        what: Sequence[str] | None = None,
        what_is_key: bool = False,
        detail: bool = False,
        include_signed_urls: bool = False,
    ) -> list[Any]:
        """As `find`."""
        return Service().find(what, what_is_key, detail, include_signed_urls)

    @staticmethod
    def download_static(
        what: Sequence[str] | None = None,
        destination: str | Path | None = None,
        what_is_key: bool = False,
        progress_callback: Callable[[int, int, Path], None] | None = None,
    ) -> list[Path]:
        """As `download`."""
        return Service().download(what, destination, what_is_key, progress_callback)

    @staticmethod
    def delete_static(what: Sequence[str], what_is_key: bool = False, dry_run: bool = True) -> int:
        """As `delete`."""
        return Service().delete(what, what_is_key, dry_run)

    def create_signed_upload_url(self, object_key: str, bucket_name: str | None = None) -> str:
        """A URL to which the bytes of an object can be sent by PUT for two hours, or as long as the settings say."""
        seconds = load_settings().bucket_upload_signed_url_expiration_seconds
        return self._signed(object_key, bucket_name, seconds, "PUT")

    def create_signed_download_url(self, object_key: str, bucket_name: str | None = None) -> str:
        """A URL that opens an object for seven days, or as long as the settings say."""
        seconds = load_settings().bucket_download_signed_url_expiration_seconds or _DOWNLOAD_SECONDS
        return self._signed(object_key, bucket_name, seconds, "GET")

    def get_bucket_name(self) -> str:
        """The name of the organization's bucket."""
        with Client() as client:
            return client.me().organization.aignostics_bucket_name

    @staticmethod
    def get_bucket_protocol() -> str:
        """The scheme of addresses of objects."""
        return "gs"

    def _signed(self, key: str, bucket_name: str | None, seconds: int, method: str) -> str:
        if bucket_name is not None and bucket_name != (own := self.get_bucket_name()):
            raise NotFound("There are no keys for this bucket", advice=f"Yours is {own}.", subject=bucket_name)
        with self._opened() as bucket:
            return bucket.signed_url(key, seconds, method)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Bucket]:
        with Client() as client, contextlib.closing(open_bucket(client)) as bucket:
            yield bucket


def described(bucket: Bucket, info: ObjectInfo, *, detail: bool, signed: bool) -> dict[str, object]:
    """An object as `find` tells it."""
    row: dict[str, object] = {"key": info.key}
    if detail:
        row |= {
            "size": info.size,
            "size_human": human_size(info.size),
            "last_modified": info.last_modified.isoformat() if info.last_modified else None,
            "etag": (info.etag or "").strip('"'),
            "storage_class": "STANDARD",
        }
    if signed:
        seconds = load_settings().bucket_download_signed_url_expiration_seconds or _DOWNLOAD_SECONDS
        row["signed_download_url"] = bucket.signed_url(info.key, seconds)
    return row
