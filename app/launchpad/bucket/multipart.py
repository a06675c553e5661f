"""One file into a bucket in parts: several at once, each checked, continued where it was left.

The XML API's multipart upload. The journal says what was confirmed, the store's list of parts has the last word; the
file's checksum is combined from those of its parts and compared with the store's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from launchpad.bucket import crc32c as checksums
from launchpad.bucket.base import ObjectInfo, Receipt
from launchpad.bucket.journal import Fingerprint, Journal, Part, Upload
from launchpad.bucket.limits import Bandwidth
from launchpad.bucket.xml_requests import Passing, XmlRequests, changed, crc_of, error_of, tree_of
from launchpad.errors import LaunchpadError, TransferError, Unreachable
from launchpad.progress import Cancelled, Progress

if TYPE_CHECKING:
    import httpx

_MIB = 1 << 20
_BLOCK = 1 << 17  # larger ones cost page faults
SMALLEST = 8 << 20  # bytes of a part
_LARGEST = 32 << 20  # of a file with at most 9,000 parts: what each part costs the store is worth sending 32 MiB again
_ON_A_LONG_LINE = 5 << 20  # the protocol's least: what is in flight is what a reset costs
_MOST_PARTS = 9_000  # of the 10,000 that the protocol allows
_ROUNDS = 3  # completions of parts that the store then says it does not have
_DIGEST_TRIES = 3


def part_size(size: int, *, far: bool = False) -> int:
    """Bytes of a part for a file of `size` bytes.

    A sixteenth of the file, between 8 and 32 MiB, or 5 MiB on a long line; more where there would be too many.
    """
    usual = _ON_A_LONG_LINE if far else min(max(size // 16, SMALLEST), _LARGEST)
    return -(-max(usual, -(-size // _MOST_PARTS)) // _MIB) * _MIB


@dataclass
class _State:
    """What the threads of one upload share."""

    progress: Progress
    total: int
    name: str

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.sent: dict[int, int] = {}
        self.together = 0
        self.stopped = threading.Event()
        self.attempts = 0

    def report(self, number: int, done: int) -> None:
        if self.stopped.is_set():
            raise Cancelled
        with self.lock:
            self.together += done - self.sent.get(number, 0)
            self.sent[number] = done
            together = self.together
        self.progress.report(together, self.total, self.name)


class MultipartUpload:
    """Sends one file; `lanes` bounds the requests of all files together."""

    def __init__(
        self,
        requests: XmlRequests,
        journal: Journal,
        lanes: threading.Semaphore,
        connections: int,
        bandwidth: Bandwidth,
    ) -> None:
        self._requests = requests
        self._journal = journal
        self._lanes = lanes
        self._connections = connections
        self._bandwidth = bandwidth

    def send(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        """Send the file, or what is left of it; two processes do not send the same one at once.

        Raises:
            BadInput: the file changed since it was prepared.
            TransferError: the store does not confirm what was sent.
            Unreachable: the store does not answer for too long.
            Cancelled: what was confirmed stays, and the next call goes on from there.
            OSError: the file cannot be read.
        """
        name = f"{self._requests.endpoint}/{self._requests.bucket}/{key}"
        while not self._journal.lease(name):
            progress.report(0, path.stat().st_size, path.name)
            progress.sleep(0.5)
        try:
            return self._send(path, key, progress, expected)
        finally:
            self._journal.release(name)

    def _send(self, path: Path, key: str, progress: Progress, expected: str | None) -> Receipt:
        fingerprint = Fingerprint.of(path)
        state = _State(progress, fingerprint.size, path.name)
        for _ in range(_ROUNDS):
            known = self.head(key, progress)
            if (
                expected is not None
                and known is not None
                and (known.size, known.crc32c) == (fingerprint.size, expected)
            ):
                self.forget(key)  # completed, and the answer was lost
                progress.report(fingerprint.size, fingerprint.size, path.name)
                return Receipt(path, key, known.size, expected, False, True, state.attempts, known.etag or "")
            upload, have = self._resumed(path, key, fingerprint, progress)
            self._send_parts(upload, have, state)
            whole = self._whole(upload, have)
            if Fingerprint.of(path) != fingerprint or (expected is not None and whole != expected):
                self.abort(upload, progress)
                raise changed(str(path), "It is another file now than the one that was read at first.")
            if self._complete(upload, have, progress):
                info = self.head(key, progress)
                if info is None or (info.size, info.crc32c) != (fingerprint.size, whole):
                    raise TransferError(
                        "The store did not keep what was sent",
                        detail=f"It has {info}." if info else "It has no such object.",
                        advice="Upload the slide again.",
                        subject=str(path),
                    )
                self._journal.forget(upload)
                return Receipt(path, key, info.size, whole, False, False, state.attempts, info.etag or "")
        raise TransferError(
            "The store loses parts of the upload",
            advice="Try again later; when it happens again, ask who runs the store.",
            subject=str(path),
        )

    def head(self, key: str, progress: Progress) -> ObjectInfo | None:
        """What the store knows of an object."""
        return self._requests.again(lambda: head(self._requests, key), progress, under_way=True)

    def abort(self, upload: Upload, progress: Progress) -> None:
        """End an upload for good: the store throws its parts away."""

        def act() -> None:
            response = self._requests.send("DELETE", upload.key, query={"uploadId": upload.upload_id})
            if not response.is_success and response.status_code != 404:
                raise self._requests.refused(response, upload.key)

        self._requests.again(act, progress)
        self._journal.forget(upload)

    def forget(self, key: str) -> None:
        """Take an upload out of the journal whose object is there already."""
        left = self._journal.find(self._requests.endpoint, self._requests.bucket, key)
        if left is not None:
            self._journal.forget(left)

    # --- what is there already --------------------------------------------------------------------------------------
    def _resumed(
        self, path: Path, key: str, fingerprint: Fingerprint, progress: Progress
    ) -> tuple[Upload, dict[int, Part]]:
        upload = self._journal.find(self._requests.endpoint, self._requests.bucket, key)
        if upload is not None and upload.fingerprint != fingerprint:
            self.abort(upload, progress)
            upload = None
        if upload is not None:
            have = self._confirmed(upload, progress)
            if have is not None:
                return upload, have
            self._journal.forget(upload)
        return self._begin(path, key, fingerprint, progress), {}

    def _begin(self, path: Path, key: str, fingerprint: Fingerprint, progress: Progress) -> Upload:
        def act() -> str:
            headers = {"content-type": "application/octet-stream", "content-length": "0"}
            response = self._requests.send("POST", key, headers, b"", {"uploads": ""})
            root = tree_of(response) if response.is_success else None
            upload_id = root.findtext("UploadId") if root is not None else None
            if not upload_id:
                raise self._failed(response, key)
            return upload_id

        upload_id = self._requests.again(act, progress, under_way=True)
        return self._journal.begin(
            path,
            fingerprint,
            self._requests.endpoint,
            self._requests.bucket,
            key,
            upload_id,
            part_size(fingerprint.size, far=self._requests.is_far),
        )

    def _confirmed(self, upload: Upload, progress: Progress) -> dict[int, Part] | None:
        """Parts that both the journal and the store have; None when the store has forgotten the upload."""
        noted = self._journal.parts(upload)
        there: dict[int, tuple[str, int]] = {}
        marker = "0"
        while True:
            query = {"uploadId": upload.upload_id, "part-number-marker": marker, "max-parts": "1000"}

            def act(query: dict[str, str] = query) -> httpx.Response:
                response = self._requests.send("GET", upload.key, query=query)
                if response.status_code in (403, 404) or response.is_success:
                    return response
                raise self._requests.refused(response, upload.key)

            response = self._requests.again(act, progress, under_way=True)
            code = error_of(response)[0]
            if code == "NoSuchUpload":
                return None
            if code == "AccessDenied":
                return noted  # listing is a right of its own; completing decides
            if not response.is_success:
                raise self._requests.refused(response, upload.key)
            root = tree_of(response)
            if root is None:
                raise self._failed(response, upload.key)
            for item in root.iter("Part"):
                number = int(item.findtext("PartNumber") or 0)
                there[number] = ((item.findtext("ETag") or "").strip('"'), int(item.findtext("Size") or -1))
            if (root.findtext("IsTruncated") or "").lower() != "true":
                break
            marker = root.findtext("NextPartNumberMarker") or marker
        return {
            number: part for number, part in noted.items() if there.get(number) == (part.etag.strip('"'), part.size)
        }

    # --- parts ------------------------------------------------------------------------------------------------------
    def _send_parts(self, upload: Upload, have: dict[int, Part], state: _State) -> None:
        """Send what is missing, adding it to `have`."""
        size, step = upload.fingerprint.size, upload.part_size
        spans = {number: (start, min(step, size - start)) for number, start in enumerate(range(0, size, step), start=1)}
        for number, part in list(have.items()):
            if number not in spans or spans[number][1] != part.size:
                del have[number]  # of another size: not ours
        for number, part in have.items():
            state.report(number, part.size)
        missing = [number for number in spans if number not in have]
        if not missing:
            return
        with ThreadPoolExecutor(min(self._connections, len(missing)), thread_name_prefix="part") as threads:
            calls = [threads.submit(self._send_part, upload, number, *spans[number], state) for number in missing]
            try:
                for call in as_completed(calls):
                    part = call.result()
                    have[part.number] = part
            except BaseException:
                state.stopped.set()  # the others end at their next block
                threads.shutdown(wait=True, cancel_futures=True)
                raise

    def _send_part(self, upload: Upload, number: int, start: int, size: int, state: _State) -> Part:
        damaged = 0

        def act() -> Part:
            nonlocal damaged
            checksum = checksums.Crc32c()
            with self._lanes:
                state.attempts += 1
                response = self._requests.send(
                    "PUT",
                    upload.key,
                    {"content-length": str(size)},
                    self._body(upload.path, start, size, number, state, checksum),
                    {"partNumber": str(number), "uploadId": upload.upload_id},
                )
            if not response.is_success:
                raise self._requests.refused(response, str(upload.path))
            crc32c = checksum.base64()
            if crc_of(response) not in (None, crc32c):
                damaged += 1
                if damaged >= _DIGEST_TRIES:
                    raise TransferError(
                        "Bytes of the slide are damaged on their way to the store",
                        detail=f"Part {number} arrived with another checksum {damaged} times.",
                        advice="Check this computer's memory and disk, and the proxy, then try again.",
                        subject=str(upload.path),
                    )
                raise self._failed(response, str(upload.path))
            return Part(number, size, crc32c, response.headers.get("etag", ""))

        part = self._requests.again(act, _Stoppable(state), under_way=True)
        self._journal.add(upload, part)
        state.report(number, size)
        return part

    def _body(
        self, path: Path, start: int, size: int, number: int, state: _State, checksum: checksums.Crc32c
    ) -> Iterator[bytes]:
        """The bytes of a part, summed up while they are read: the store says what it summed up, which must be equal."""
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            done = 0
            while done < size:
                try:
                    block = file.read(min(_BLOCK, size - done))
                except OSError as error:  # named, so that it is not taken for one of the line
                    raise OSError(error.errno, error.strerror, str(path)) from error
                if not block:
                    raise changed(str(path), "It became shorter while it was sent.")
                self._bandwidth.take(len(block), state.progress)
                state.report(number, done)
                checksum.update(block)
                done += len(block)
                yield block

    # --- the end ----------------------------------------------------------------------------------------------------
    @staticmethod
    def _whole(upload: Upload, have: dict[int, Part]) -> str:
        value = 0
        for number in sorted(have):
            value = checksums.combine(value, checksums.decode(have[number].crc32c), have[number].size)
        return checksums.encode(value)

    def _complete(self, upload: Upload, have: dict[int, Part], progress: Progress) -> bool:
        """Whether the object is whole; False when the store lacks parts, which are then to be sent again."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{_quoted(have[number].etag)}</ETag></Part>"
            for number in sorted(have)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()

        def act() -> bool:
            response = self._requests.send(
                "POST",
                upload.key,
                {"content-length": str(len(body)), "content-type": "application/xml"},
                body,
                {"uploadId": upload.upload_id},
            )
            root = tree_of(response)
            # Some stores begin their answer before they know: 200, with an error inside.
            if response.is_success and root is not None and root.tag == "CompleteMultipartUploadResult":
                return True
            code = error_of(response)[0]
            if code in ("InvalidPart", "NoSuchUpload"):
                return False
            raise (
                self._failed(response, str(upload.path))
                if response.is_success
                else self._requests.refused(response, str(upload.path))
            )

        try:
            if self._requests.again(act, progress, under_way=True):
                return True
        except Unreachable:
            pass  # the answer was lost: the object itself says what became of it
        info = self.head(upload.key, progress)
        return info is not None and info.crc32c == self._whole(upload, have)

    @staticmethod
    def _failed(response: httpx.Response, subject: str) -> LaunchpadError:
        code, message = error_of(response)
        return Passing(
            "The store's answer cannot be used",
            detail=f"{': '.join(part for part in (code, message) if part)} (HTTP {response.status_code})",
            advice="Try again later.",
            subject=subject,
        )


def head(requests: XmlRequests, key: str) -> ObjectInfo | None:
    """What the store knows of an object, asked once."""
    response = requests.send("HEAD", key)
    if response.status_code == 404:
        return None
    if not response.is_success:
        # An answer to HEAD has no body that says why.
        why = requests.send("GET", key, {"range": "bytes=0-0"}) if response.status_code in (400, 403) else response
        raise requests.refused(response if why.is_success else why, key)
    size = response.headers.get("x-goog-stored-content-length") or response.headers.get("content-length", "0")
    return ObjectInfo(key, int(size), crc_of(response), response.headers.get("etag"))


class _Stoppable(Progress):
    """Ends the waiting of one part when another one failed for good."""

    def __init__(self, state: _State) -> None:
        super().__init__()
        self._state = state

    def check(self) -> None:
        if self._state.stopped.is_set():
            raise Cancelled
        self._state.progress.check()

    def sleep(self, seconds: float) -> None:
        left = seconds
        while left > 0:
            self.check()
            self._state.progress.sleep(min(left, 0.2))
            left -= 0.2
        self.check()


def _quoted(etag: str) -> str:
    return f"&quot;{etag.strip(chr(34))}&quot;"
