"""The slide of an item on this disk: by reference where it is, from our own store, or fetched from its URL.

Whatever way it comes, its checksum is verified before anybody reads it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from launchpad.bucket import signing
from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.download import download
from launchpad.bucket.range_journal import RangeJournal
from launchpad.errors import ChecksumError, SlideError, TooLarge
from launchpad.localplatform.guarded import Getter
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.scheduling.queue import Claimed
from launchpad.localplatform.settings import PlatformSettings
from launchpad.progress import Progress


class Inputs:
    """Fetches slides into `folder`, one folder an item, where a part of it waits for the next try. Thread-safe."""

    def __init__(self, folder: Path, storage: Storage, keys: Keys, settings: PlatformSettings) -> None:
        self._folder = folder
        self._storage = storage
        self._keys = keys
        self._settings = settings

    def slide(self, item: Claimed, progress: Progress) -> Path:
        """Where the slide is.

        Raises:
            SlideError: it is not there, not what was described, too large, or at an address that may not be reached.
            Unreachable, LaunchpadError: it could not be fetched this time; what came is used the next time.
            Cancelled: the progress was cancelled.
        """
        expected = str(item.metadata["checksum_base64_crc32c"])
        parts = urlsplit(item.download_url)
        if is_own_store(parts, self._keys.bucket):
            return self._own(item, parts, expected, progress)
        return self._fetched(item, expected, progress)

    def forget(self, item_id: str) -> None:
        """Delete what was fetched for an item."""
        place = self._folder / item_id
        if place.exists():
            with RangeJournal() as journal:
                for file in place.iterdir():
                    journal.forget(file.with_name(file.name.removesuffix(".part")))
            shutil.rmtree(place, ignore_errors=True)

    def item_ids(self) -> list[str]:
        """Items of which something is here."""
        return [place.name for place in self._folder.iterdir()]

    def keep_only(self, item_ids: set[str]) -> None:
        """Delete what was fetched for items that are not among these."""
        for place in self._folder.iterdir():
            if place.name not in item_ids:
                self.forget(place.name)

    def _fetched(self, item: Claimed, expected: str, progress: Progress) -> Path:
        try:
            return download(
                lambda: item.download_url,
                self._folder / item.item_id / f"slide{_suffix(item)}",
                crc32c=expected,
                progress=progress,
                name=item.external_id,
                getter=Getter(self._settings.input_private_hosts),
                max_bytes=self._settings.input_max_bytes,
            )
        except ChecksumError as error:
            raise _other(item, error.detail) from error
        except TooLarge as error:
            raise SlideError(
                "The slide is too large for this platform",
                detail=error.detail,
                advice="Ask those who run it.",
                subject=item.external_id,
            ) from error

    def _own(self, item: Claimed, url: SplitResult, expected: str, progress: Progress) -> Path:
        """An object of our own store; its signature must open it, as for everybody."""

        def secret(access_key: str) -> str | None:
            return self._keys.secret_key if access_key == self._keys.access_key else None

        try:
            signing.verify("GET", f"{url.path}?{url.query}", {"host": url.netloc}, secret)
        except signing.SignatureError as error:
            raise SlideError(
                "The slide's URL does not open it",
                detail=error.message,
                advice="Submit the slide again.",
                subject=item.external_id,
            ) from error
        row = self._storage.find(*own_object(url))
        if row is None:
            raise SlideError(
                "The slide was not uploaded", advice="Upload it, then submit again.", subject=item.external_id
            )
        place = self._storage.open_path(row)
        found = crc32c_file(place, progress) if row.reference else row.crc32c
        if found != expected:
            raise _other(item, f"Its checksum is {found}, the metadata say {expected}.")
        return place


def is_own_store(url: SplitResult, bucket: str) -> bool:
    """Whether a URL is one of our own store, whatever port it had: it may have been started again since."""
    return url.hostname in ("127.0.0.1", "localhost") and url.path.startswith(f"/{bucket}/")


def own_object(url: SplitResult) -> tuple[str, str]:
    """Bucket and key of a URL of our own store."""
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    return bucket, key


def _other(item: Claimed, detail: str) -> SlideError:
    return SlideError(
        "The slide is not the one that was described",
        detail=detail,
        advice="Prepare and submit it again.",
        subject=item.external_id,
    )


def _suffix(item: Claimed) -> str:
    kinds = {"image/tiff": ".tiff", "application/dicom": ".dcm"}
    media_type = str(item.metadata.get("media_type", ""))
    own = Path(urlsplit(item.external_id).path).suffix.lower()
    return kinds.get(media_type, own if len(own) <= 6 else "")
