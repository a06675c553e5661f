"""Our client against a store that we did not write: moto's S3, which knows nothing of our headers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from launchpad.bucket.crc32c import crc32c_file
from launchpad.bucket.journal import Journal
from launchpad.bucket.xml_bucket import XmlBucket
from launchpad.errors import TransferError

MIB = 1 << 20


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
    client.create_bucket(Bucket="bucket")
    client.close()
    yield address
    server.stop()


def test_uploads_in_parts_lists_and_deletes(endpoint: str, data_dir: Path, tmp_path: Path) -> None:
    large = tmp_path / "large ä #1.svs"
    large.write_bytes(os.urandom(20 * MIB + 7))
    bucket = XmlBucket(endpoint, "bucket", "testing", "testing", region="us-east-1")
    # moto names no CRC32C of a whole object. Our client takes nothing for granted: it says so and keeps its journal.
    with pytest.raises(TransferError, match="did not keep what was sent"):
        bucket.put(large, f"folder/{large.name}", expected=crc32c_file(large))
    with Journal() as journal:
        (upload,) = journal.open_uploads()
        journal.forget(upload)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    got = client.get_object(Bucket="bucket", Key=f"folder/{large.name}")
    assert got["Body"].read() == large.read_bytes()
    assert [info.key for info in bucket.list("folder/")] == [f"folder/{large.name}"]
    assert bucket.delete([f"folder/{large.name}", "folder/none"]) >= 1
    assert list(bucket.list()) == []
    client.close()
    bucket.close()
