"""The embedded store, judged by boto3: objects, lists, uploads in parts, conditions, and what it refuses."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from launchpad.bucket import crc32c, signing
from launchpad.bucket.http_put import BodySender
from launchpad.localplatform.database.engine import Database
from launchpad.localplatform.objectstore.errors import StoreError
from launchpad.localplatform.objectstore.server import StoreServer
from launchpad.localplatform.objectstore.storage import Keys, Storage
from launchpad.localplatform.objectstore.uploads import Uploads

KEYS = Keys("bucket", "LAUNCHPADKEY", "secret/with+odd=characters")
MIB = 1 << 20
NAMES = [
    "a b.svs",
    "a+b",
    "a#b",
    "a%20b",
    "a?b=c",
    "ä",
    "a\u0308",
    'it\'s "quoted"',
    "x" * 200,
    "~(1)!*",
    "a//b",
    "数据",
]


class Store:
    """A running store with what the tests look at."""

    def __init__(self, folder: Path, quota: int | None = None) -> None:
        self.folder = folder / "objects"
        self.folder.mkdir()
        self.database = Database(folder / "platform.sqlite")
        self.storage = Storage(self.folder, self.database, quota)
        self.uploads = Uploads(self.storage, self.database)
        listener = socket.create_server(("127.0.0.1", 0))
        self.server = StoreServer(listener, self.storage, self.uploads, KEYS, "launch secret")
        self.server.start()
        self.boto = boto3.client(
            "s3",
            endpoint_url=self.server.endpoint,
            aws_access_key_id=KEYS.access_key,
            aws_secret_access_key=KEYS.secret_key,
            region_name="auto",
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 0},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        url = f"{self.server.endpoint}/bucket/{path}"
        extra = {name: value for name, value in (headers or {}).items() if name.startswith("x-")}
        signed = signing.sign_headers(method, url, extra, KEYS.access_key, KEYS.secret_key, region="auto")
        return httpx.request(method, url, headers={**(headers or {}), **signed}, **more)

    def close(self) -> None:
        self.boto.close()
        self.server.stop()
        self.database.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def checksum(data: bytes) -> str:
    running = crc32c.Crc32c()
    running.update(data)
    return running.base64()


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_all_kinds_go_round(store: Store, name: str) -> None:
    key = f"folder/{name}"
    store.boto.put_object(Bucket="bucket", Key=key, Body=b"abc", ContentType="text/plain")
    got = store.boto.get_object(Bucket="bucket", Key=key)
    assert (got["Body"].read(), got["ContentType"]) == (b"abc", "text/plain")
    assert [item["Key"] for item in store.boto.list_objects_v2(Bucket="bucket")["Contents"]] == [key]
    store.boto.delete_object(Bucket="bucket", Key=key)
    with pytest.raises(ClientError) as caught:
        store.boto.head_object(Bucket="bucket", Key=key)
    assert code_of(caught) == "404"
    assert store.files() == []


def test_an_upload_in_parts(store: Store) -> None:
    parts = [os.urandom(5 * MIB), os.urandom(6 * MIB), os.urandom(1000)]
    upload = store.boto.create_multipart_upload(Bucket="bucket", Key="k", ContentType="image/tiff")["UploadId"]
    tags = {}
    for number in (3, 1, 2):  # in any order
        answer = store.boto.upload_part(
            Bucket="bucket", Key="k", UploadId=upload, PartNumber=number, Body=parts[number - 1]
        )
        assert answer["ResponseMetadata"]["HTTPHeaders"]["x-goog-hash"] == f"crc32c={checksum(parts[number - 1])}"
        tags[number] = answer["ETag"]
    # A part that is sent again replaces the one before.
    tags[1] = store.boto.upload_part(Bucket="bucket", Key="k", UploadId=upload, PartNumber=1, Body=parts[0])["ETag"]
    listed = store.boto.list_parts(Bucket="bucket", Key="k", UploadId=upload, MaxParts=2)
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed["Parts"]] == [
        (1, 5 * MIB, tags[1]),
        (2, 6 * MIB, tags[2]),
    ]
    assert listed["IsTruncated"]
    after = listed["NextPartNumberMarker"]
    rest = store.boto.list_parts(Bucket="bucket", Key="k", UploadId=upload, PartNumberMarker=after)
    assert [part["PartNumber"] for part in rest["Parts"]] == [3]
    assert "Contents" not in store.boto.list_objects_v2(Bucket="bucket")  # not visible before the end
    assert [item["UploadId"] for item in store.boto.list_multipart_uploads(Bucket="bucket")["Uploads"]] == [upload]
    store.boto.complete_multipart_upload(
        Bucket="bucket",
        Key="k",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": number, "ETag": tags[number]} for number in (1, 2, 3)]},
    )
    whole = b"".join(parts)
    head = store.boto.head_object(Bucket="bucket", Key="k")
    assert (head["ContentLength"], head["ContentType"]) == (len(whole), "image/tiff")
    assert head["ResponseMetadata"]["HTTPHeaders"]["x-goog-hash"] == f"crc32c={checksum(whole)}"
    assert store.boto.get_object(Bucket="bucket", Key="k")["Body"].read() == whole
    edge = 5 * MIB
    span = store.boto.get_object(Bucket="bucket", Key="k", Range=f"bytes={edge - 10}-{edge + 6 * MIB + 4}")
    assert span["Body"].read() == whole[edge - 10 : edge + 6 * MIB + 5]
    assert "Uploads" not in store.boto.list_multipart_uploads(Bucket="bucket")
    with pytest.raises(ClientError) as caught:
        store.boto.list_parts(Bucket="bucket", Key="k", UploadId=upload)
    assert code_of(caught) == "NoSuchUpload"
    row = store.storage.find("bucket", "k")
    assert row is not None
    assert store.storage.open_path(row).read_bytes() == whole  # for the engine, which wants one file
    assert len(store.files()) == 1
    assert store.boto.get_object(Bucket="bucket", Key="k")["Body"].read() == whole


def _begin(store: Store, sizes: list[int]) -> tuple[str, list[dict[str, Any]]]:
    upload = store.boto.create_multipart_upload(Bucket="bucket", Key="k")["UploadId"]
    parts = []
    for number, size in enumerate(sizes, start=1):
        answer = store.boto.upload_part(
            Bucket="bucket", Key="k", UploadId=upload, PartNumber=number, Body=bytes([number]) * size
        )
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return upload, parts


@pytest.mark.parametrize(
    ("sizes", "change", "code"),
    [
        ([5 * MIB, 10], lambda parts: parts[::-1], "InvalidPartOrder"),
        ([5 * MIB, 10], lambda parts: [*parts, {"PartNumber": 3, "ETag": '"00"'}], "InvalidPart"),
        ([5 * MIB, 10], lambda parts: [{**parts[0], "ETag": '"00"'}, parts[1]], "InvalidPart"),
        ([1000, 10], lambda parts: parts, "EntityTooSmall"),
        ([10], lambda parts: [], "MalformedXML"),
    ],
)
def test_what_cannot_be_completed_is_refused_and_goes_on(
    store: Store, sizes: list[int], change: Any, code: str
) -> None:
    upload, parts = _begin(store, sizes)
    with pytest.raises(ClientError) as caught:
        store.boto.complete_multipart_upload(
            Bucket="bucket", Key="k", UploadId=upload, MultipartUpload={"Parts": change(parts)}
        )
    assert code_of(caught) == code
    assert len(store.boto.list_parts(Bucket="bucket", Key="k", UploadId=upload)["Parts"]) == len(sizes)
    store.boto.abort_multipart_upload(Bucket="bucket", Key="k", UploadId=upload)
    assert store.files() == []


def test_part_numbers_digests_and_conditions_are_checked(store: Store) -> None:
    upload, _ = _begin(store, [])
    place = f"k?partNumber=1&uploadId={upload}"
    wrong = {"x-goog-hash": f"crc32c={checksum(b'other')}"}
    for path, headers, code in (
        (place, wrong, "BadDigest"),
        (place, {"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, "BadDigest"),
        (place, {"x-goog-if-generation-match": "0"}, "InvalidArgument"),
        (f"k?partNumber=0&uploadId={upload}", {}, "InvalidArgument"),
        (f"k?partNumber=10001&uploadId={upload}", {}, "InvalidArgument"),
        ("k?partNumber=1&uploadId=none", {}, "NoSuchUpload"),
    ):
        answer = store.send("PUT", path, headers, content=b"body")
        assert f"<Code>{code}</Code>" in answer.text, (path, headers)
    chunked = store.send("PUT", place, content=iter([b"body"]))
    assert (chunked.status_code, "MissingContentLength" in chunked.text) == (411, True)
    assert store.files() == []


def test_lists_have_pages_prefixes_and_delimiters(store: Store) -> None:
    keys = [f"{folder}/{number:02}" for folder in ("a", "b", "c") for number in range(7)] + ["top", "a!"]
    for key in keys:
        store.boto.put_object(Bucket="bucket", Key=key, Body=b"")
    pages = list(
        store.boto.get_paginator("list_objects_v2").paginate(Bucket="bucket", PaginationConfig={"PageSize": 4})
    )
    assert len(pages) == 6
    assert [item["Key"] for page in pages for item in page.get("Contents", ())] == sorted(keys)
    found: list[str] = []
    for page in store.boto.get_paginator("list_objects_v2").paginate(
        Bucket="bucket", Delimiter="/", PaginationConfig={"PageSize": 1}
    ):
        found += [item["Key"] for item in page.get("Contents", ())]
        found += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
    assert found == ["a!", "a/", "b/", "c/", "top"]
    old = list(
        store.boto.get_paginator("list_objects").paginate(
            Bucket="bucket", Prefix="b/", PaginationConfig={"PageSize": 3}
        )
    )
    assert [item["Key"] for page in old for item in page["Contents"]] == [f"b/{number:02}" for number in range(7)]
    deleted = store.boto.delete_objects(
        Bucket="bucket", Delete={"Objects": [{"Key": "a/00"}, {"Key": "a/01"}, {"Key": "not there"}]}
    )
    assert [item["Key"] for item in deleted["Deleted"]] == ["a/00", "a/01", "not there"]
    assert store.boto.list_objects_v2(Bucket="bucket", Prefix="a/")["KeyCount"] == 5


def test_conditions_of_get(store: Store) -> None:
    etag = store.boto.put_object(Bucket="bucket", Key="k", Body=b"0123456789")["ETag"]
    get = store.boto.get_object
    assert get(Bucket="bucket", Key="k", IfMatch=etag)["Body"].read() == b"0123456789"
    for keywords, status in (({"IfMatch": '"x"'}, 412), ({"IfNoneMatch": etag}, 304)):
        with pytest.raises(ClientError) as caught:
            get(Bucket="bucket", Key="k", **keywords)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    whole = store.send("GET", "k", {"Range": "bytes=2-4", "If-Range": '"another"'})
    part = store.send("GET", "k", {"Range": "bytes=2-4", "If-Range": etag})
    assert (whole.status_code, part.status_code, part.content) == (200, 206, b"234")
    with pytest.raises(ClientError) as caught:
        store.boto.put_object(Bucket="bucket", Key="k", Body=b"new", IfNoneMatch="*")
    assert code_of(caught) == "PreconditionFailed"


def test_uploads_that_nobody_ends_are_swept(store: Store) -> None:
    _begin(store, [5 * MIB])
    assert store.uploads.sweep(datetime.now(UTC) + timedelta(days=6)) == 0
    assert store.uploads.sweep(datetime.now(UTC) + timedelta(days=8)) == 1
    assert store.files() == []


def test_a_quota_holds(tmp_path: Path) -> None:
    store = Store(tmp_path, quota=1000)
    try:
        store.boto.put_object(Bucket="bucket", Key="a", Body=b"x" * 600)
        with pytest.raises(ClientError) as caught:
            store.boto.put_object(Bucket="bucket", Key="b", Body=b"x" * 600)
        assert code_of(caught) == "InsufficientStorage"
        store.boto.delete_object(Bucket="bucket", Key="a")
        store.boto.put_object(Bucket="bucket", Key="b", Body=b"x" * 600)
    finally:
        store.close()


def test_what_is_written_at_once_counts_together(tmp_path: Path) -> None:
    store = Store(tmp_path, quota=1000)
    try:
        with store.storage.room(600):
            with pytest.raises(StoreError) as caught, store.storage.room(600):
                pass
            assert caught.value.code == "InsufficientStorage"
            with store.storage.room(300) as room, pytest.raises(StoreError):
                room.take(200)
        with store.storage.room(1000):
            pass
    finally:
        store.close()


def test_an_upload_of_unknown_length_stops_at_the_quota(tmp_path: Path) -> None:
    store = Store(tmp_path, quota=3 * MIB)
    try:
        answer = store.send("PUT", "k", content=(b"x" * MIB for _ in range(10)))
        assert (answer.status_code, "InsufficientStorage" in answer.text) == (507, True)
        assert store.files() == []
    finally:
        store.close()


def test_a_refusal_of_a_large_body_arrives(store: Store) -> None:
    """Also by a client that sends all before it listens: the connection is not closed under it."""
    url = f"{store.server.endpoint}/bucket/large"
    size = 64 * MIB
    headers = signing.sign_headers("PUT", url, {}, KEYS.access_key, "another secret", region="auto")
    answer = httpx.put(url, headers={**headers, "content-length": str(size)}, content=(b"x" * MIB for _ in range(64)))
    assert (answer.status_code, "SignatureDoesNotMatch" in answer.text) == (403, True)
    sent = []

    def blocks() -> Iterator[bytes]:
        for number in range(64):
            sent.append(number)
            yield b"x" * MIB

    sender = BodySender(store.server.endpoint, 10)
    answer = sender.send("PUT", "/bucket/large", {**headers, "content-length": str(size)}, blocks())
    sender.close()
    assert answer.status_code == 403
    assert len(sent) < 64, "it went on sending after the answer"


def test_a_document_type_is_refused(store: Store) -> None:
    upload, _ = _begin(store, [])
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><CompleteMultipartUpload>&a;</CompleteMultipartUpload>'
    assert "MalformedXML" in store.send("POST", f"k?uploadId={upload}", content=bomb).text


def test_what_a_crash_left_half_written_is_gone_after_a_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.boto.put_object(Bucket="bucket", Key="a", Body=b"x")
    (store.folder / "tmp" / "half").write_bytes(b"half")
    Storage(store.folder, store.database)
    assert len(store.files()) == 1
    store.close()
