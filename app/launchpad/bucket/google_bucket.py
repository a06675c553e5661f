"""A Google Cloud Storage bucket of one's own: application default credentials, a service account's file, or none.

The organization's bucket of the platform is reached by `xml_bucket` with its HMAC keys; this is for a lab's own
buckets, and later for a platform that an institute runs. google-cloud-storage is imported when a bucket is opened.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from launchpad.bucket.base import Bucket, ObjectInfo, Receipt
from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.bucket.http_get import Answer, get
from launchpad.errors import BadInput, NotFound, SettingsError, TransferError, Unreachable
from launchpad.progress import Progress

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_CHUNK = 16 << 20  # bytes of a resumable upload's request
_SECONDS = 60.0


class GoogleBucket(Bucket):
    """A bucket of Google Cloud Storage.

    Args:
        name: of the bucket.
        service_account_file: JSON file of a service account; None takes application default credentials.
        anonymous: use no credentials, for public buckets.

    Raises:
        SettingsError: there are no credentials, or the file is none.
    """

    def __init__(self, name: str, *, service_account_file: Path | None = None, anonymous: bool = False) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.auth.exceptions import GoogleAuthError
        from google.cloud import storage

        self.name = name
        # Its threads ask for what only traces would show, and outlive the bucket.
        os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
        # Google's own variable for a store that is not the cloud's, such as an emulator.
        emulated = bool(os.environ.get("STORAGE_EMULATOR_HOST"))
        try:
            if service_account_file is not None:
                client = storage.Client.from_service_account_json(str(service_account_file))
            elif anonymous or emulated:
                client = storage.Client(project="none", credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
            else:
                client = storage.Client()
        except (GoogleAuthError, OSError, ValueError) as error:
            raise SettingsError(
                "There are no Google credentials",
                detail=f"{str(error).partition(chr(10))[0].rstrip('.')}.",
                advice="Sign in by `gcloud auth application-default login`, or name a service account's file.",
                subject=str(service_account_file or name),
            ) from error
        self._client = client
        self._bucket = client.bucket(name)

    def close(self) -> None:
        self._client.close()

    def head(self, key: str) -> ObjectInfo | None:
        with self._translated(key):
            blob = self._bucket.get_blob(key, timeout=_SECONDS)
        return None if blob is None else _info(blob)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        with self._translated(prefix):
            for blob in self._client.list_blobs(self._bucket, prefix=prefix or None, timeout=_SECONDS):
                yield _info(blob)

    def address(self, key: str) -> str:
        """Where the bytes of an object are for those whom `get` signs in."""
        root = str(self._client._connection.API_BASE_URL).rstrip("/")
        return f"{root}/download/storage/v1/b/{quote(self.name, safe='')}/o/{quote(key, safe='')}?alt=media"

    @contextlib.contextmanager
    def get(self, url: str, headers: Mapping[str, str]) -> Iterator[Answer]:
        """Ask for an address of this bucket with its credentials, as `http_get.get` does without any.

        Raises:
            Unreachable, TransferError: as there, or the credentials are refused.
        """
        from google.auth.credentials import AnonymousCredentials
        from google.auth.transport.requests import Request

        credentials = self._client._credentials
        sent = dict(headers)
        with self._translated(url):
            if not isinstance(credentials, AnonymousCredentials):
                if not credentials.valid:
                    credentials.refresh(Request())
                sent["Authorization"] = f"Bearer {credentials.token}"
        with get(url, sent) as answer:
            yield answer

    def delete(self, keys: Iterable[str]) -> int:
        from google.cloud.exceptions import NotFound as Gone

        count = 0
        for key in keys:
            with self._translated(key), contextlib.suppress(Gone):
                self._bucket.blob(key).delete(timeout=_SECONDS)
                count += 1
        return count

    def put(self, path: Path, key: str, progress: Progress | None = None, *, expected: str | None = None) -> Receipt:
        progress = progress or Progress()
        progress.check()
        try:
            before = path.stat()
            known = self.head(key)
            crc32c = expected or crc32c_file(path)
            if known is not None and (known.size, known.crc32c) == (before.st_size, crc32c):
                progress.report(before.st_size, before.st_size, path.name)
                return Receipt(path, key, known.size, crc32c, False, True, etag=known.etag or "")
            with path.open("rb") as file, self._translated(key):
                blob = self._bucket.blob(key, chunk_size=_CHUNK)
                source = _Watched(file, before.st_size, path.name, progress)
                blob.upload_from_file(source, size=before.st_size, timeout=_SECONDS, checksum=None)
                blob.reload(timeout=_SECONDS)
        except OSError as error:
            raise NotFound(
                "The file cannot be read",
                detail=f"{error.strerror or error}.",
                advice="Check that it is still there and that you may read it.",
                subject=str(path),
            ) from error
        if source.crc32c != crc32c:
            self.delete([key])
            raise BadInput(
                "The file changed since it was prepared",
                detail="Its checksum is another now.",
                advice="Prepare it again, then upload it.",
                subject=str(path),
            )
        if blob.crc32c != crc32c:
            self.delete([key])
            raise TransferError(
                "The store did not keep what was sent",
                detail=f"Its checksum is {blob.crc32c}, the file's is {crc32c}.",
                advice="Upload the file again.",
                subject=str(path),
            )
        return Receipt(path, key, before.st_size, crc32c, False, False, 1, blob.etag or "")

    def signed_url(self, key: str, expires: int, method: str = "GET") -> str:
        """As `Bucket.signed_url`. Raises SettingsError without a private key, which only a service account has."""
        try:
            url: str = self._bucket.blob(key).generate_signed_url(
                version="v4", expiration=timedelta(seconds=expires), method=method
            )
        except (AttributeError, ValueError, TypeError) as error:
            raise SettingsError(
                "The credentials cannot sign URLs",
                detail=f"{str(error).partition(chr(10))[0].rstrip('.')}.",
                advice="Name a service account's file; personal credentials have no key to sign with.",
                subject=self.uri(key),
            ) from error
        return url

    @contextlib.contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        import requests
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except (RetryError, requests.ConnectionError, requests.Timeout) as error:
            raise Unreachable(
                "The bucket cannot be reached",
                advice="Check the network connection (proxy, VPN), then try again.",
                subject=self.uri(key),
            ) from error
        except GoogleAuthError as error:
            raise SettingsError(
                "The Google credentials are not taken",
                detail=f"{str(error).partition(chr(10))[0].rstrip('.')}.",
                advice="Sign in again by `gcloud auth application-default login`.",
                subject=self.uri(key),
            ) from error
        except GoogleAPICallError as error:
            raise TransferError(
                "The bucket refused the request",
                detail=f"{error.message or error} (HTTP {error.code}).",
                advice="Check the bucket's name and your rights to it.",
                subject=self.uri(key),
            ) from error


class _Watched:
    """A file that reports what is read of it, and its checksum."""

    def __init__(self, file: Any, size: int, name: str, progress: Progress) -> None:
        self._file = file
        self._size = size
        self._name = name
        self._progress = progress
        self._checksum = Crc32c()
        self._hashed = 0

    @property
    def crc32c(self) -> str:
        """Of what was read, each byte once."""
        return self._checksum.base64()

    def read(self, size: int = -1) -> bytes:
        start: int = self._file.tell()
        data: bytes = self._file.read(size)
        fresh = data[max(0, self._hashed - start) :]  # after a retry bytes are read once more
        self._checksum.update(fresh)
        self._hashed += len(fresh)
        self._progress.report(min(self._hashed, self._size), self._size, self._name)
        return data

    def tell(self) -> int:
        position: int = self._file.tell()
        return position

    def seek(self, offset: int, whence: int = 0) -> int:
        position: int = self._file.seek(offset, whence)
        return position


def _info(blob: Blob) -> ObjectInfo:
    return ObjectInfo(blob.name, int(blob.size or 0), blob.crc32c, blob.etag, blob.updated)
