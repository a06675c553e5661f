"""Bodies of requests: read in blocks, written to the disk, compared with what was promised of them."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from email.message import Message
from io import BufferedIOBase
from pathlib import Path

from launchpad.bucket.crc32c import Crc32c
from launchpad.localplatform.objectstore.errors import StoreError
from launchpad.localplatform.objectstore.headers import hash_of
from launchpad.localplatform.objectstore.storage import Room

_BLOCK = 1 << 18  # bytes; larger ones cost page faults


class DigestError(StoreError):
    """The body was read whole, and is another than was promised."""


def receive(source: BufferedIOBase, headers: Message, file: Path, room: Room, *, sync: bool) -> tuple[int, str, str]:
    """Write the body to a new file; its size, CRC32C and MD5.

    The MD5 (hexadecimal) is "" where the client promised none: making it takes longer than all the rest.

    Raises:
        DigestError: it is not what was promised.
        StoreError: it does not fit, or cannot be read as it is sent.
    """
    wanted = hash_of(headers.get("x-goog-hash", ""), "crc32c")
    promised = headers.get("Content-MD5") or hash_of(headers.get("x-goog-hash", ""), "md5")
    payload = headers.get("x-amz-content-sha256", "")
    md5 = hashlib.md5(usedforsecurity=False) if promised else None
    sha256 = hashlib.sha256() if re.fullmatch(r"[0-9a-f]{64}", payload) else None
    checksum = Crc32c()
    size = 0
    is_counted = "Content-Length" in headers
    with file.open("xb", buffering=0) as target:
        for block in blocks(source, headers):
            if not is_counted:
                room.take(len(block))
            data = bytes(block)
            target.write(block)
            checksum.update(data)
            if md5 is not None:
                md5.update(data)
            if sha256 is not None:
                sha256.update(data)
            size += len(block)
        if sync:
            os.fsync(target.fileno())
    if wanted is not None and wanted != checksum.base64():
        raise DigestError("BadDigest", f"The CRC32C is {checksum.base64()}, not {wanted}.")
    if md5 is not None and base64.b64encode(md5.digest()).decode() != promised:
        raise DigestError("BadDigest", "The MD5 is another than was said.")
    if sha256 is not None and sha256.hexdigest() != payload:
        raise DigestError("BadDigest", "The SHA-256 of the body is another than was signed.")
    return size, checksum.base64(), md5.hexdigest() if md5 is not None else ""


def blocks(source: BufferedIOBase, headers: Message) -> Iterator[bytes | memoryview]:
    """The body, of a known length or in chunks.

    Raises:
        StoreError: its length is missing or contradicts itself.
        ConnectionError: the client went away.
    """
    length, encoding = headers.get("Content-Length"), headers.get("Transfer-Encoding", "").lower()
    if length is not None and encoding:
        raise StoreError("InvalidRequest", "Content-Length and Transfer-Encoding exclude each other.")
    if encoding == "chunked":
        yield from _chunks(source)
    elif length is None or not length.isdigit():
        raise StoreError("MissingContentLength", "Content-Length is missing.")
    else:
        left = int(length)
        buffer = memoryview(bytearray(min(_BLOCK, max(left, 1))))
        while left:
            got = source.readinto(buffer[: min(left, len(buffer))])
            if not got:
                raise ConnectionError("the client went away")
            yield buffer[:got]
            left -= got


def _chunks(source: BufferedIOBase) -> Iterator[bytes]:
    while True:
        line = source.readline(1024)
        try:
            left = int(line.split(b";")[0], 16)
        except ValueError:
            raise StoreError("InvalidRequest", "A chunk has no size.") from None
        if left == 0:
            while source.readline(1024) not in (b"\r\n", b"\n", b""):
                pass
            return
        while left:
            block = source.read(min(left, _BLOCK))
            if not block:
                raise ConnectionError("the client went away")
            yield block
            left -= len(block)
        source.readline(1024)
