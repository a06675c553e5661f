"""One file from a signed URL, verified, under a temporary name until it is whole."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from launchpad.bucket.address import exact, is_loopback
from launchpad.bucket.crc32c import Crc32c, crc32c_file
from launchpad.errors import LaunchpadError, TransferError, Unreachable
from launchpad.progress import Progress

_BLOCK = 1 << 20
_TRIES = 4
_EXPIRED = (400, 403, 410)


def download(
    fetch_url: Callable[[], str],
    destination: Path,
    *,
    crc32c: str | None,
    progress: Progress | None = None,
    name: str = "",
) -> Path:
    """Fetch a file to `destination`; its folder is made. A file with that checksum that is there is left alone.

    `fetch_url` gives a signed URL, asked again when one has expired; `crc32c` is base64. Progress in bytes.

    Raises:
        TransferError: what came is not what was promised; nothing stands at `destination`.
        Unreachable: the store does not answer.
        LaunchpadError: the file cannot be written.
        Cancelled: the progress was cancelled.
    """
    progress = progress or Progress()
    name = name or destination.name
    if crc32c is not None and destination.is_file() and crc32c_file(destination, progress) == crc32c:
        size = destination.stat().st_size
        progress.report(size, size, name)
        return destination
    part = destination.with_name(f"{destination.name}.part")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(_TRIES):
            try:
                found = _fetch(fetch_url(), part, name, progress)
            except _TryAgain as problem:
                if attempt == _TRIES - 1:
                    raise problem.error from None
                progress.sleep(0.2 * 2**attempt)
                continue
            if crc32c is not None and found != crc32c:
                if attempt == _TRIES - 1:
                    raise TransferError(
                        "The file arrived damaged",
                        detail=f"Its checksum is {found}, it should be {crc32c}.",
                        advice="Download it again.",
                        subject=str(destination),
                    )
                continue
            part.replace(destination)
            return destination
    except OSError as error:
        raise LaunchpadError(
            "The file cannot be written",
            detail=f"{error.strerror or error}.",
            advice="Check the disk's free space and your rights to the folder.",
            subject=str(destination),
        ) from error
    finally:
        with contextlib.suppress(OSError):  # must not hide what went wrong before
            part.unlink(missing_ok=True)
    raise AssertionError("unreachable")


class _TryAgain(Exception):
    def __init__(self, error: LaunchpadError) -> None:
        super().__init__(str(error))
        self.error = error


def _fetch(url: str, part: Path, name: str, progress: Progress) -> str:
    import httpx

    try:
        parts = urlsplit(url)
        source = exact(url)
    except (httpx.InvalidURL, ValueError) as malformed:
        raise TransferError(
            "The platform gave an address that is none",
            detail=f"{malformed}.",
            advice="Tell those who run the platform.",
            subject=name,
        ) from malformed
    address = f"{parts.scheme}://{parts.netloc}"
    verify: ssl.SSLContext | bool = True
    if parts.scheme == "https":
        import truststore

        verify = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    checksum = Crc32c()
    done = 0
    try:
        with (
            httpx.Client(
                timeout=httpx.Timeout(60, connect=10), trust_env=not is_loopback(url), verify=verify
            ) as client,
            client.stream("GET", source, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != 200:
                response.read()
                error = TransferError(
                    "The store refused the download",
                    detail=f"HTTP {response.status_code}.",
                    advice="Try again; results that were deleted are gone.",
                    subject=name,
                )
                # An expired URL is answered by one of these; a fresh one may do.
                raise _TryAgain(error) if response.status_code in _EXPIRED or response.status_code >= 500 else error
            total = int(response.headers.get("content-length", 0))
            with part.open("wb") as file:
                for block in response.iter_raw(_BLOCK):
                    file.write(block)
                    checksum.update(block)
                    done += len(block)
                    progress.report(done, total, name)
                file.flush()
                os.fsync(file.fileno())
    except httpx.TransportError as error:
        raise _TryAgain(
            Unreachable(
                "The store stopped answering",
                detail=f"{str(error).rstrip('.')}." if str(error) else "",
                advice="Check the network, then try again: what is complete is not fetched again.",
                subject=address,
            )
        ) from error
    return checksum.base64()
