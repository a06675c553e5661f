"""A mirror of the public buckets on this computer: moto's S3, whose objects anybody may read.

It holds the DICOM form of the sample slide under the folder that the index gives for the series of the tutorial.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import boto3
import httpx
from moto.server import ThreadedMotoServer

SERIES = "1.3.6.1.4.1.5962.99.1.1069745200.1645485340.1637452317744.2.0"
FOLDER = "931ff80a-9cfd-4877-82e3-3032ded6a4c2"
BUCKET = "idc-open-data"
PLACE = f"tcga_luad/TCGA-86-6562/2.25.150973379448125660359643882019624926008/SM_{SERIES}"
_KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class Mirror:
    """A running mirror; `address` is what LAUNCHPAD_IDC_MIRROR names."""

    def __init__(self, address: str) -> None:
        self.address = address

    @contextlib.contextmanager
    def _client(self) -> Iterator[object]:
        with mock.patch.dict(os.environ, _KEYS):
            client = boto3.client("s3", endpoint_url=self.address, region_name="us-east-1")
            try:
                yield client
            finally:
                client.close()

    def begin(self) -> None:
        """Make the bucket; what another test left in moto's one store of a process goes."""
        httpx.post(f"{self.address}/moto-api/reset").raise_for_status()
        with self._client() as client:
            client.create_bucket(Bucket=BUCKET, ACL="public-read")  # type: ignore[attr-defined]

    def put(self, key: str, data: bytes, acl: str = "public-read") -> None:
        """Put an object there."""
        self.put_all({key: data}, acl)

    def put_all(self, objects: dict[str, bytes], acl: str = "public-read") -> None:
        """Put objects there."""
        with self._client() as client:
            for key, data in objects.items():
                client.put_object(Bucket=BUCKET, Key=key, Body=data, ACL=acl)  # type: ignore[attr-defined]


@contextlib.contextmanager
def serve_mirror(slide: Path) -> Iterator[Mirror]:
    """A mirror with the DICOM files of a folder as the series of the tutorial."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        made = Mirror(f"http://{host}:{port}")
        made.begin()
        made.put_all({f"{FOLDER}/{file.name}": file.read_bytes() for file in sorted(slide.glob("*.dcm"))})
        yield made
    finally:
        server.stop()
